"""Flows: what the notebook of unit 08 needs and the student does not write."""

from genssl_utils.flows.chain_figure import ChainFigure, chain_figure
from genssl_utils.flows.explorer import explore_coupling
from genssl_utils.flows.grid_figure import GridFigure, grid_figure
from genssl_utils.flows.moons import train_moons
from genssl_utils.flows.picture_flow import strangers, train_pictures
from genssl_utils.flows.pictures import digit_pictures, mnist_pictures, palace_patches
from genssl_utils.flows.realnvp import RealNVP, Recipe
from genssl_utils.flows.show import (
    bits_table,
    density_picture,
    interpolation_picture,
    moons_table,
    sample_picture,
    stranger_picture,
    stranger_table,
)
from genssl_utils.flows.travel import TravelFigure, travel_figure

__all__ = [
    "ChainFigure",
    "GridFigure",
    "RealNVP",
    "Recipe",
    "TravelFigure",
    "bits_table",
    "chain_figure",
    "density_picture",
    "digit_pictures",
    "explore_coupling",
    "grid_figure",
    "interpolation_picture",
    "mnist_pictures",
    "moons_table",
    "palace_patches",
    "sample_picture",
    "stranger_picture",
    "stranger_table",
    "strangers",
    "train_moons",
    "train_pictures",
    "travel_figure",
]
