"""Unpaired translation: what the notebook of unit 03 needs and the student does not write."""

from genssl_utils.unpaired_translation.scores import (
    NextWord,
    agreement,
    bleu,
    both_ways,
    of_iteration,
    oracle_order,
    reordered,
    watcher,
    word_by_word,
)
from genssl_utils.unpaired_translation.show import (
    alignment_table,
    bleu_table,
    examples_table,
    restart_picture,
    round_trip_picture,
    texts_table,
    thai_table,
)
from genssl_utils.unpaired_translation.systems import PAPER, lexicon_systems
from genssl_utils.unpaired_translation.translator import (
    Translator,
    Vocabulary,
    learn_from_pairs,
    learn_without_pairs,
)
from genssl_utils.unpaired_translation.turn import TurnFigure, turn_figure
from genssl_utils.unpaired_translation.words import (
    Aligned,
    Vectors,
    align,
    right_share,
    shares_tried,
    word_vectors,
)
from genssl_utils.unpaired_translation.world import Texts, dictionary, draw_texts

__all__ = [
    "PAPER",
    "Aligned",
    "NextWord",
    "Texts",
    "Translator",
    "TurnFigure",
    "Vectors",
    "Vocabulary",
    "agreement",
    "align",
    "alignment_table",
    "bleu",
    "bleu_table",
    "both_ways",
    "dictionary",
    "draw_texts",
    "examples_table",
    "learn_from_pairs",
    "learn_without_pairs",
    "lexicon_systems",
    "of_iteration",
    "oracle_order",
    "reordered",
    "restart_picture",
    "right_share",
    "round_trip_picture",
    "shares_tried",
    "texts_table",
    "thai_table",
    "turn_figure",
    "watcher",
    "word_by_word",
    "word_vectors",
]
