"""Conditional GANs: what the notebook of unit 01 needs and the student does not write."""

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
    between,
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
    "Eye",
    "Looks",
    "Patches",
    "Upscaler",
    "between",
    "coach",
    "enlarge",
    "enlarged_picture",
    "explore_shuffle",
    "given_picture",
    "held_out",
    "judge",
    "judge_sharpness",
    "letters_picture",
    "looks_table",
    "patches",
    "photograph",
    "photographs_picture",
    "same_error_picture",
    "shrink",
    "spectrum_picture",
    "trade",
    "trade_picture",
    "train_on_error",
    "train_with_adversary",
    "two_answers_picture",
]
