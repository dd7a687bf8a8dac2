"""The translators that need a word list alone, and the paper's numbers for every system."""

from __future__ import annotations

from genssl_utils.unpaired_translation.scores import (
    NextWord,
    bleu,
    oracle_order,
    reordered,
    word_by_word,
)
from genssl_utils.unpaired_translation.words import Aligned
from genssl_utils.unpaired_translation.world import Texts

__all__ = ["PAPER", "lexicon_systems"]

PAPER: dict[str, tuple[float | None, float | None]] = {
    "supervised": (56.83, 50.77),
    "word by word": (8.54, 16.77),
    "word reordering": (None, None),
    "oracle reordering": (11.62, 24.88),
    "iteration 1": (27.48, 28.07),
    "iteration 2": (31.72, 30.49),
    "iteration 3": (32.76, 32.07),
}
"""BLEU on Multi30k, English to French and back (Lample et al. 2018, table 2)."""


def lexicon_systems(texts: Texts, aligned: Aligned) -> dict[str, tuple[float, float]]:
    """BLEU of word by word, of its words reordered by a language model, and in the oracle's order.

    Args:
        texts: of which `test` judges, and each side's training text teaches the language model.
        aligned: whose word list is used.

    Returns:
        System → BLEU from the first language to the second, and back.
    """
    found: dict[str, list[float]] = {}
    for side, text in ((1, texts.second), (0, texts.first)):
        right = [pair[side] for pair in texts.test]
        lexicon = aligned.lexicon(backwards=side == 0)
        words = word_by_word(lexicon, [pair[1 - side] for pair in texts.test])
        for name, told in (
            ("word by word", words),
            ("word reordering", reordered(words, NextWord(text))),
            ("oracle reordering", oracle_order(words, right)),
        ):
            found.setdefault(name, []).append(bleu(told, right))
    return {name: (forth, back) for name, (forth, back) in found.items()}
