"""Conditional GANs: what the notebook of unit 01 needs and the student does not write."""

from genssl_utils.conditional_gans.captions import Pictures, pictures, say, scene_of
from genssl_utils.conditional_gans.gallery import (
    caption_explorer,
    captions_picture,
    faithfulness_table,
    judge_painters,
    paintings,
    pull_explorer,
    told_apart,
    told_apart_table,
)
from genssl_utils.conditional_gans.stacked import (
    Losses,
    Painter,
    equal_work,
    one_stage,
    stage_one,
    stage_two,
)

__all__ = [
    "Losses",
    "Painter",
    "Pictures",
    "caption_explorer",
    "captions_picture",
    "equal_work",
    "faithfulness_table",
    "judge_painters",
    "one_stage",
    "paintings",
    "pictures",
    "pull_explorer",
    "say",
    "scene_of",
    "stage_one",
    "stage_two",
    "told_apart",
    "told_apart_table",
]
