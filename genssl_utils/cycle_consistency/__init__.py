"""Cycle consistency: what the notebook of unit 02 needs and the student does not write."""

from genssl_utils.cycle_consistency.answers import Answers
from genssl_utils.cycle_consistency.clouds import (
    CLOUDS,
    Cloud,
    Pairs,
    cloud_table,
    judge_maps,
    train_maps,
)
from genssl_utils.cycle_consistency.hiding import find_hidden, hidden_table, restorer
from genssl_utils.cycle_consistency.maps import MapsFigure, maps_figure
from genssl_utils.cycle_consistency.show import (
    between_picture,
    heaps_picture,
    translations_picture,
)
from genssl_utils.cycle_consistency.styles import Heaps, Reader, heaps
from genssl_utils.cycle_consistency.translator import (
    Translators,
    bounds,
    digit_table,
    judge_digits,
    readers,
    train_translators,
)

__all__ = [
    "CLOUDS",
    "Answers",
    "Cloud",
    "Heaps",
    "MapsFigure",
    "Pairs",
    "Reader",
    "Translators",
    "between_picture",
    "bounds",
    "cloud_table",
    "digit_table",
    "find_hidden",
    "heaps",
    "heaps_picture",
    "hidden_table",
    "judge_digits",
    "judge_maps",
    "maps_figure",
    "readers",
    "restorer",
    "train_maps",
    "train_translators",
    "translations_picture",
]
