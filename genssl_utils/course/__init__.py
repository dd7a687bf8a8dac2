"""What an instructor runs: build, run, check, book, bundle, grade. It knows a unit as a file."""
