"""A small grammar of English: every sentence it can make is known, with its probability.

Because the list is finite, what a model writes can be judged exactly: is this a sentence of the
grammar, how far is the model's distribution from the true one, how much of it does it cover?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor

from genssl_utils.kit.metrics import (
    effective_number,
    mass_covered,
    total_variation,
    variation_floor,
)

__all__ = ["END", "LENGTH", "Grammar", "Measures", "measure", "small_grammar"]

END = "."
"""Ends a sentence, and fills it up to `LENGTH` tokens."""

LENGTH = 8
"""Tokens of every sentence, the end included."""

# Symbol → (probability, what it becomes). A word that is no symbol is a word of the language.
# Symbols with 1 are singular, with 2 plural: the verb must agree with the subject, also across
# "near the trees", where the nearest noun has the wrong number (Linzen et al. 2016,
# arXiv:1611.01368); and "a" or "two" must agree with its noun across an adjective.
RULES: dict[str, tuple[tuple[float, str], ...]] = {
    "sentence": ((0.55, "one"), (0.45, "many")),
    "one": (
        (0.40, "det1 noun1 act1 object"),
        (0.35, "det1 noun1 place rest1 when"),
        (0.25, "det1 size noun1 rest1 when"),
    ),
    "many": (
        (0.40, "det2 noun2 act2 object"),
        (0.35, "det2 noun2 place rest2 when"),
        (0.25, "det2 size noun2 rest2 when"),
    ),
    "det1": ((0.6, "the"), (0.4, "a")),
    "det2": ((0.6, "the"), (0.4, "two")),
    "size": ((0.5, "small"), (0.5, "big")),
    "noun1": ((0.5, "cat"), (0.3, "dog"), (0.2, "bird")),
    "noun2": ((0.5, "cats"), (0.3, "dogs"), (0.2, "birds")),
    "act1": ((0.6, "sees"), (0.4, "likes")),
    "act2": ((0.6, "see"), (0.4, "like")),
    "object": ((0.3, "the mouse"), (0.3, "a mouse"), (0.2, "the mice"), (0.2, "two mice")),
    "place": ((0.6, "near the thing"), (0.4, "behind the thing")),
    "thing": ((0.5, "tree"), (0.5, "trees")),
    "rest1": ((0.6, "sleeps"), (0.4, "sings")),
    "rest2": ((0.6, "sleep"), (0.4, "sing")),
    "when": ((0.6, "today"), (0.4, "now")),
}


@dataclass(frozen=True)
class Grammar:
    """All sentences of a language, as rows of word numbers, with their probabilities.

    Attributes:
        words: the vocabulary of V words; a word's place is its number, and `END` is 0.
        sentences: the S sentences, shape (S, LENGTH), int64, no row twice.
        probabilities: of each sentence, shape (S,), float64; they sum to one.
    """

    words: tuple[str, ...]
    sentences: Tensor
    probabilities: Tensor
    _places: dict[tuple[int, ...], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {tuple(row): place for place, row in enumerate(self.sentences.tolist())}
        object.__setattr__(self, "_places", places)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw n sentences with their probabilities, shape (n, LENGTH), on the generator's device.

        Args:
            n: number of sentences.
            generator: the source of randomness.
        """
        device = torch.device("cpu") if generator is None else generator.device
        probabilities = self.probabilities.to(device)
        drawn = torch.multinomial(probabilities, n, replacement=True, generator=generator)
        return self.sentences.to(device)[drawn]

    def locate(self, tokens: Tensor) -> Tensor:
        """The place of each row among `sentences`, or −1 for what is no sentence.

        Args:
            tokens: word numbers, shape (B, LENGTH).

        Returns:
            Places, shape (B,), int64, on the CPU.
        """
        return torch.tensor([self._places.get(tuple(row), -1) for row in tokens.tolist()])

    def encode(self, text: str) -> Tensor:
        """Word numbers of a text, shape (LENGTH,), filled up with `END`.

        Raises:
            ValueError: a word is not in the vocabulary, or the text is too long.

        Example:
            >>> small_grammar().decode(small_grammar().encode("the cats sleep today"))
            'the cats sleep today'
        """
        words = text.split()
        if unknown := [word for word in words if word not in self.words]:
            raise ValueError(f"{unknown[0]!r} is not in the vocabulary: {' '.join(self.words)}")
        if len(words) > LENGTH:
            raise ValueError(f"A sentence has at most {LENGTH} words, not {len(words)}.")
        words += [END] * (LENGTH - len(words))
        return torch.tensor([self.words.index(word) for word in words])

    def decode(self, tokens: Tensor) -> str:
        """The text of one row of word numbers, without the `END`s at its end."""
        text = " ".join(self.words[token] for token in tokens.tolist())
        return text.rstrip(f" {END}")


@cache
def small_grammar() -> Grammar:
    """The language of the unit: 384 sentences over 28 words, such as "a cat near the trees sings".

    Card:
        Source: made here, from the rules in this module.
        Licence: MIT, as this code.
        Size: 384 sentences of 5 or 7 words; the likeliest has probability 0.012, the rarest
            0.0004.
        Split: none; training draws fresh sentences all the time.
        Must not be used for: claims about natural language.

    Example:
        >>> language = small_grammar()
        >>> len(language.sentences), len(language.words)
        (384, 28)
    """
    table = {tuple(words): p for p, words in _expand(["sentence"])}
    words = (END, *sorted({word for sentence in table for word in sentence}))
    rows = [[words.index(w) for w in s] + [0] * (LENGTH - len(s)) for s in table]
    return Grammar(
        words, torch.tensor(rows), torch.tensor(list(table.values()), dtype=torch.float64)
    )


@dataclass(frozen=True)
class Measures:
    """What a set of written sentences is worth.

    Attributes:
        valid: share that are sentences of the grammar.
        distance: total variation between the sentences written and the grammar's, from 0 to 1;
            what is no sentence counts in full.
        floor: the distance that as many sentences of the grammar itself show on average.
        bigram_distance: total variation between pairs of neighbouring words.
        coverage: probability, under the grammar, of the sentences written at least once.
        effective: as many equally likely sentences would be as varied as what was written.
    """

    valid: float
    distance: float
    floor: float
    bigram_distance: float
    coverage: float
    effective: float


def measure(tokens: Tensor, grammar: Grammar) -> Measures:
    """Judge written sentences by validity, distance and coverage.

    Validity alone says little: one right sentence, repeated, is fully valid.

    Args:
        tokens: word numbers, shape (n, LENGTH).
        grammar: the true language.

    Returns:
        The measures. Measure `grammar.sample(n)` too: a perfect writer gets no better.
    """
    tokens = tokens.cpu()
    places, truth = grammar.locate(tokens), grammar.probabilities
    counts = places[places >= 0].bincount(minlength=len(truth))  # (S,)
    wrong = (places < 0).sum()[None]  # everything that is no sentence, as one more outcome
    return Measures(
        valid=1 - wrong.item() / len(tokens),
        distance=total_variation(
            torch.cat([counts, wrong]), torch.cat([truth, truth.new_zeros(1)])
        ),
        floor=variation_floor(truth, len(tokens)),
        bigram_distance=total_variation(
            _bigrams(tokens, torch.ones(len(tokens)), len(grammar.words)),
            _bigrams(grammar.sentences, truth, len(grammar.words)),
        ),
        coverage=mass_covered(truth, counts),
        effective=effective_number(tokens.unique(dim=0, return_counts=True)[1]),
    )


def _expand(symbols: list[str]) -> Iterator[tuple[float, list[str]]]:
    """Every way to turn a row of symbols into words, with its probability."""
    if not symbols:
        yield 1.0, []
        return
    first, rest = symbols[0], symbols[1:]
    for p, becomes in RULES.get(first, ()):
        for q, words in _expand(becomes.split() + rest):
            yield p * q, words
    if first not in RULES:
        for q, words in _expand(rest):
            yield q, [first, *words]


def _bigrams(tokens: Tensor, weights: Tensor, vocabulary: int) -> Tensor:
    """Total weight of every pair of neighbouring words, shape (V²,)."""
    pairs = tokens[:, :-1] * vocabulary + tokens[:, 1:]  # (n, LENGTH − 1)
    weights = weights.double()[:, None].expand(pairs.shape)
    return torch.zeros(vocabulary**2, dtype=torch.float64).scatter_add(
        0, pairs.flatten(), weights.flatten()
    )
