"""Diffusion: what the notebook of unit 09 needs and the student does not write."""
