"""Consistency training."""
