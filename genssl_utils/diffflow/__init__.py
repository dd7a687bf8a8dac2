"""DiffFlow: what the notebook of unit 10 needs and the student does not write."""

from genssl_utils.diffflow.compare import LONGER, PLAN, SHORT_PLAN, compare, longer_peers
from genssl_utils.diffflow.limits import limits_picture, limits_rows
from genssl_utils.diffflow.memory import memory_rows, memory_table
from genssl_utils.diffflow.process import DiffFlow, Recipe
from genssl_utils.diffflow.show import (
    comparison_picture,
    comparison_table,
    explore_step,
    longer_table,
    paper_table,
    paths_picture,
    price_table,
    samples_picture,
    sets_picture,
)
from genssl_utils.diffflow.three import ThreeFigure, three_figure

__all__ = [
    "LONGER",
    "PLAN",
    "SHORT_PLAN",
    "DiffFlow",
    "Recipe",
    "ThreeFigure",
    "compare",
    "comparison_picture",
    "comparison_table",
    "explore_step",
    "limits_picture",
    "limits_rows",
    "longer_peers",
    "longer_table",
    "memory_rows",
    "memory_table",
    "paper_table",
    "paths_picture",
    "price_table",
    "samples_picture",
    "sets_picture",
    "three_figure",
]
