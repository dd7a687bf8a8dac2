"""Conditional GANs: what the notebook of unit 01 needs and the student does not write."""

from genssl_utils.conditional_gans.completer import (
    Completer,
    CompletionAnswers,
    FillNet,
    HoleJudge,
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
from genssl_utils.conditional_gans.holes import GroundPatches, Holes, ground_patches, punch
from genssl_utils.conditional_gans.mixing import between
from genssl_utils.conditional_gans.perception import Eye, coach, judge
from genssl_utils.conditional_gans.photographs import (
    Patches,
    enlarge,
    held_out,
    patches,
    photograph,
    shrink,
)
from genssl_utils.conditional_gans.sharper import (
    Looks,
    Upscaler,
    judge_sharpness,
    train_on_error,
    train_with_adversary,
)
from genssl_utils.conditional_gans.sharper_show import (
    enlarged_picture,
    explore_shuffle,
    given_picture,
    letters_picture,
    looks_table,
    photographs_picture,
    same_error_picture,
    spectrum_picture,
    trade,
    trade_picture,
    two_answers_picture,
)

__all__ = [
    "Completer",
    "CompletionAnswers",
    "Eye",
    "FillFigure",
    "FillNet",
    "Filled",
    "GroundPatches",
    "HoleJudge",
    "Holes",
    "Looks",
    "Patches",
    "Upscaler",
    "between",
    "coach",
    "enlarge",
    "enlarged_picture",
    "explore_shuffle",
    "fill_figure",
    "fill_picture",
    "filled_table",
    "given_picture",
    "go_on",
    "ground_patches",
    "grounds_picture",
    "held_out",
    "judge",
    "judge_fills",
    "judge_sharpness",
    "letters_picture",
    "looks_table",
    "patches",
    "photograph",
    "photographs_picture",
    "punch",
    "same_error_picture",
    "shipped",
    "shrink",
    "spectrum_picture",
    "trade",
    "trade_picture",
    "train_on_error",
    "train_plain",
    "train_with_adversary",
    "two_answers_picture",
]
