"""How good a translation is, what word lists alone can do, and how to judge without pairs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import sacrebleu
import torch

from genssl_utils.unpaired_translation.translator import Translator
from genssl_utils.unpaired_translation.world import Sentence, Texts

__all__ = ["NextWord", "bleu", "both_ways", "oracle_order", "reordered", "watcher", "word_by_word"]

SWAPS = 10
"""How many swaps of neighbours the word reordering may make, as in the paper."""


def bleu(told: Sequence[Sentence], right: Sequence[Sentence]) -> float:
    """BLEU of translations by sacreBLEU (Post 2018), on words as they stand, from 0 to 100.

    Example:
        >>> round(bleu([("some", "cats", "eat", "cakes")], [("some", "cats", "eat", "cakes")]))
        100
    """
    texts = [[" ".join(sentence) for sentence in side] for side in (told, right)]
    return sacrebleu.corpus_bleu(texts[0], [texts[1]], tokenize="none", force=True).score


def word_by_word(lexicon: Mapping[str, str], sentences: Sequence[Sentence]) -> list[Sentence]:
    """Each word's best match, in the order of the source."""
    return [tuple(lexicon.get(word, word) for word in sentence) for sentence in sentences]


class NextWord:
    """Three-word model of a language: log p(word | two before it), smoothed.

    Args:
        sentences: text of the language.
    """

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.three: Counter = Counter()
        self.two: Counter = Counter()
        for sentence in sentences:
            words = ("", "", *sentence, "")
            for i in range(2, len(words)):
                self.three[words[i - 2 : i + 1]] += 1
                self.two[words[i - 2 : i]] += 1
        self.size = len({word for sentence in sentences for word in sentence}) + 1

    def score(self, sentence: Sentence) -> float:
        """Log-probability of a sentence, in nats."""
        words = ("", "", *sentence, "")
        return sum(
            math.log(self.three[words[i - 2 : i + 1]] + 0.1)
            - math.log(self.two[words[i - 2 : i]] + 0.1 * self.size)
            for i in range(2, len(words))
        )  # fmt: skip


def reordered(sentences: Sequence[Sentence], language: NextWord) -> list[Sentence]:
    """Swap neighbours while the language model likes it better: the paper's word reordering."""
    told = []
    for sentence in sentences:
        best, worth = sentence, language.score(sentence)
        for _ in range(SWAPS):
            swaps = [
                (*best[:i], best[i + 1], best[i], *best[i + 2 :]) for i in range(len(best) - 1)
            ]
            scored = max(((language.score(s), s) for s in swaps), default=(worth, best))
            if scored[0] <= worth:
                break
            worth, best = scored
        told.append(best)
    return told


def oracle_order(told: Sequence[Sentence], right: Sequence[Sentence]) -> list[Sentence]:
    """The same words, put where the reference has them; the rest fill the places between.

    No system can do this: it looks at the answer. It bounds what order alone can give.
    """
    out = []
    for words, goal in zip(told, right, strict=True):
        left, places = Counter(words), []
        for word in goal:
            hit = left[word] > 0
            left[word] -= hit
            places.append(word if hit else None)
        rest = list(left.elements())
        filled = [word if word is not None else (rest.pop() if rest else None) for word in places]
        out.append((*(word for word in filled if word is not None), *rest))
    return out


def both_ways(
    texts: Texts, say: Callable[[list[Sentence], int], list[Sentence]]
) -> tuple[float, float]:
    """BLEU on the test pairs from the first language to the second, and back.

    Args:
        texts: whose `test` judges.
        say: (sentences, side to translate into: 0 or 1) → translations.
    """
    sides = [[pair[side] for pair in texts.test] for side in (0, 1)]
    return bleu(say(sides[0], 1), sides[1]), bleu(say(sides[1], 0), sides[0])


def watcher(texts: Texts) -> Callable[[Translator, int, int], dict[str, float]]:
    """What `learn_without_pairs` shall write down: true BLEU, and round trips without pairs.

    A round trip translates a sentence and translates the result back; BLEU compares it with where
    it began, so it needs no pair. It uses one side at a time of the validation sentences.
    """
    alone = [[pair[side] for pair in texts.validation] for side in (0, 1)]

    def watch(net: Translator, iteration: int, steps: int) -> dict[str, float]:
        forth, back = both_ways(texts, net.say)
        trips = [bleu(net.say(net.say(alone[s], 1 - s), s), alone[s]) for s in (0, 1)]
        return {
            "iteration": iteration, "steps": steps, "forth": forth, "back": back,
            "round trip": sum(trips) / 2,
        }  # fmt: skip

    return watch


def agreement(seen: Sequence[Mapping[str, float]]) -> float:
    """Correlation of the round trip with the mean true BLEU, over the moments watched."""
    pairs = torch.tensor([[row["round trip"], (row["forth"] + row["back"]) / 2] for row in seen])
    return float(torch.corrcoef(pairs.T)[0, 1])


def of_iteration(seen: Sequence[Mapping[str, float]], iteration: int) -> Mapping[str, float]:
    """What was seen at the end of an iteration."""
    return [row for row in seen if row["iteration"] == iteration][-1]
