"""Grading a class: intake, box and judge, recorder, farm."""
