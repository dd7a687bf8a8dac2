"""Grading a class: intake, box and judge, recorder, farm (`run.py` puts them together)."""
