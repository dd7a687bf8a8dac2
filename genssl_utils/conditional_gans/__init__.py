"""Conditional GANs: what the notebook of unit 01 needs and the student does not write."""

from genssl_utils.conditional_gans.completer import (
    Completer,
    CompletionAnswers,
    FillNet,
    HoleJudge,
    between,
    go_on,
    train_plain,
)
from genssl_utils.conditional_gans.fill import FillFigure, fill_figure, shipped
from genssl_utils.conditional_gans.filled import (
    Filled,
    fill_picture,
    filled_table,
    grounds_picture,
    judge_fills,
)
from genssl_utils.conditional_gans.holes import Holes, Patches, patches, punch

__all__ = [
    "Completer",
    "CompletionAnswers",
    "FillFigure",
    "FillNet",
    "Filled",
    "HoleJudge",
    "Holes",
    "Patches",
    "between",
    "fill_figure",
    "fill_picture",
    "filled_table",
    "go_on",
    "grounds_picture",
    "judge_fills",
    "patches",
    "punch",
    "shipped",
    "train_plain",
]
