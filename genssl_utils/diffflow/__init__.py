"""DiffFlow."""
