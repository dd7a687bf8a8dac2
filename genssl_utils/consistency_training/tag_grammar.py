"""A small grammar of English whose words change their tag with the company they keep.

"The old guard the boat": is `guard` a noun or a verb? What stands before it does not tell, what
comes after it does. Every sentence here has one right row of tags, and the grammar knows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["NO_TAG", "PAD", "TAGS", "TagTask", "Tagged", "decode", "possible_tags", "tag_task"]

TAGS = ("DET", "ADJ", "NOUN", "VERB", "ADP", "PRON", "ADV", "AUX")
"""The tags, after those of Universal Dependencies; a tag's place is its number."""

PAD = ""
"""Word number 0 fills a row up to the longest sentence."""

NO_TAG = -1
"""Tag number of a place that is filled up."""

# Symbol → (probability, what it becomes). A symbol that is no key here stands for one word.
RULES: dict[str, tuple[tuple[float, str], ...]] = {
    "sentence": ((0.4, "single AUX VERB rest"), (0.4, "plural VERB rest"),
                 (0.2, "plural AUX VERB rest")),
    "single": ((0.35, "DET NOUN"), (0.35, "DET ADJ NOUN"), (0.1, "DET NOUN place"),
               (0.2, "DET ADJ NOUN place")),
    "plural": ((0.3, "WE"), (0.5, "THE FOLK"), (0.2, "THE FOLK place")),
    "rest": ((0.3, "thing"), (0.15, "place"), (0.15, "ADV"), (0.1, "thing ADV"),
             (0.15, "thing place"), (0.15, "US VERB thing")),
    "place": ((1.0, "ADP thing"),),
    "thing": ((0.45, "DET NOUN"), (0.25, "DET ADJ NOUN"), (0.15, "THE FOLK"), (0.15, "US")),
}  # fmt: skip

# Kind of word → the tag of each.
TAG_OF = {tag: tag for tag in TAGS if tag != "PRON"} | {
    "THE": "DET", "FOLK": "NOUN", "WE": "PRON", "US": "PRON",
}  # fmt: skip

# What a word can be → the words. FOLK is an adjective used as a noun: "the old guard the boat".
CLOSED = {
    "DET THE": "the", "DET": "every", "DET US": "her", "WE": "they we", "US": "them him us",
    "AUX": "will may must", "ADP": "near behind with under",
}  # fmt: skip
OPEN = {
    "NOUN": "boat house river tree garden bridge stone letter window table horse city song lamp "
            "field tower road school kitchen market",
    "NOUN VERB": "guard watch plan cook paint walk train film sail fish hunt race drive praise "
                 "visit study dance answer help rescue",
    "VERB": "see hear bring follow find remember describe enjoy carry admire",
    "ADJ": "small big red wooden quiet narrow empty famous",
    "ADJ FOLK": "old young rich poor brave sick wise free blind strong",
    "ADV": "today often again there soon always",
    "ADJ ADV": "early late daily fast",
}  # fmt: skip


Sentence = tuple[tuple[str, ...], tuple[str, ...]]  # words and tags


class Tagged(NamedTuple):
    """Sentences with their tags, one a row.

    Attributes:
        words: word numbers (N, T), int64, filled up with 0.
        tags: tag numbers (N, T), int64, filled up with `NO_TAG`.
    """

    words: Tensor
    tags: Tensor

    def to(self, device: torch.device | str) -> Tagged:
        """The same sentences on another device."""
        return Tagged(self.words.to(device), self.tags.to(device))


@dataclass(frozen=True)
class TagTask:
    """A tagging task with few labelled sentences.

    Attributes:
        vocabulary: the V words; a word's place is its number, and `PAD` is 0.
        labelled: the few sentences with tags.
        unlabelled: word numbers (M, T) of many sentences; their tags are not even kept.
        validation: to choose settings with.
        test: to measure with, once.
        ambiguous: (V,) bool, the words that can have more than one tag.
        unseen: (V,) bool, the words kept out of every labelled sentence.
    """

    vocabulary: tuple[str, ...]
    labelled: Tagged
    unlabelled: Tensor
    validation: Tagged
    test: Tagged
    ambiguous: Tensor
    unseen: Tensor


def possible_tags() -> dict[str, tuple[str, ...]]:
    """Every word of the language with the tags that it can have.

    Example:
        >>> possible_tags()["guard"], possible_tags()["old"]
        (('NOUN', 'VERB'), ('ADJ', 'NOUN'))
    """
    return {
        word: tuple(dict.fromkeys(TAG_OF[kind] for kind in kinds))
        for word, kinds in _lexicon().items()
    }


def tag_task(
    labelled: int = 30,
    *,
    unlabelled: int = 600,
    validation: int = 200,
    test: int = 500,
    seed: int = 0,
) -> TagTask:
    """Draw a task: few labelled sentences, in half of the words, and many unlabelled ones.

    Data card:
        Source: made here, from the rules and words in this module.
        Licence: MIT, as this code.
        Size: 93 words, 35 of them with two possible tags; sentences of 3 to 16 words. A sentence
            that the grammar could read in two ways is thrown away, so each has one right answer.
        Split: no sentence is in two parts. Half of the words of each open kind, drawn anew for
            each seed, are in no labelled sentence; they do occur in the other three parts. The
            validation part is larger than anyone with so few labels would have: it chose the
            settings of the unit, and training does not see it.
        Must not be used for: claims about natural language.

    Args:
        labelled: sentences with tags.
        unlabelled: sentences without.
        validation: sentences to choose settings with.
        test: sentences to measure with.
        seed: of the words kept out and of all sentences.

    Returns:
        The task, with every row filled up to the longest sentence of the language, on the CPU.

    Raises:
        ValueError: a part would be empty.

    Example:
        >>> task = tag_task(seed=0)
        >>> " ".join(decode(task.labelled.words[1], task.vocabulary))
        'the brave will watch late'
        >>> " ".join(decode(task.labelled.tags[1], TAGS))
        'DET NOUN AUX VERB ADV'
    """
    if min(labelled, unlabelled, validation, test) < 1:
        raise ValueError("Every part needs at least one sentence.")
    generator = torch.Generator().manual_seed(seed)
    words = (PAD, *_lexicon())
    held_out = {
        word
        for kind in OPEN.values()
        for word in _shuffled(kind.split(), generator)[: len(kind.split()) // 2]
    }
    known = {word: kinds for word, kinds in _lexicon().items() if word not in held_out}
    taken: set[tuple[str, ...]] = set()
    few = _rows(_draw(labelled, known, taken, generator), words)
    many, choose, final = (
        _rows(_draw(size, _lexicon(), taken, generator), words)
        for size in (unlabelled, validation, test)
    )
    tags = possible_tags()
    return TagTask(
        vocabulary=words,
        labelled=few,
        unlabelled=many.words,
        validation=choose,
        test=final,
        ambiguous=torch.tensor([len(tags.get(word, ())) > 1 for word in words]),
        unseen=torch.tensor([word in held_out for word in words]),
    )


def decode(row: Tensor, names: tuple[str, ...]) -> list[str]:
    """The words, or the tags, of one row; places that are filled up are left out."""
    return [names[i] for i in row.tolist() if i != NO_TAG and names[i] != PAD]


@cache
def _lexicon() -> dict[str, tuple[str, ...]]:
    """Word → the kinds it can be."""
    return {
        word: tuple(kinds.split())
        for kinds, words in (CLOSED | OPEN).items()
        for word in words.split()
    }


@cache
def _patterns() -> dict[tuple[str, ...], float]:
    """Every row of kinds that is a sentence, with its probability."""
    return dict(_expand(["sentence"]))


def _expand(symbols: list[str]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every way to turn a row of symbols into kinds of words, with its probability."""
    if not symbols:
        yield (), 1.0
        return
    first, rest = symbols[0], symbols[1:]
    for p, becomes in RULES.get(first, ()):
        for kinds, q in _expand(becomes.split() + rest):
            yield kinds, p * q
    if first not in RULES:
        for kinds, q in _expand(rest):
            yield (first, *kinds), q


@cache
def _readings(kinds: tuple[tuple[str, ...], ...]) -> frozenset[tuple[str, ...]]:
    """Every row of tags that a sentence can have, from what each of its words can be."""
    fits = (
        pattern
        for pattern in _by_length()[len(kinds)]
        if all(kind in can for kind, can in zip(pattern, kinds, strict=True))
    )
    return frozenset(tuple(TAG_OF[kind] for kind in pattern) for pattern in fits)


@cache
def _by_length() -> dict[int, list[tuple[str, ...]]]:
    found = defaultdict(list)
    for pattern in _patterns():
        found[len(pattern)].append(pattern)
    return found


def _draw(
    n: int,
    lexicon: dict[str, tuple[str, ...]],
    taken: set[tuple[str, ...]],
    generator: torch.Generator,
) -> list[Sentence]:
    """n fresh sentences, each with its one row of tags; they are added to those taken."""
    patterns, weights = list(_patterns()), torch.tensor(list(_patterns().values()))
    by_kind = defaultdict(list)
    for word, kinds in lexicon.items():
        for kind in kinds:
            by_kind[kind].append(word)
    drawn: list[Sentence] = []
    while len(drawn) < n:
        at = int(torch.multinomial(weights, 1, generator=generator))
        chances = torch.rand(len(patterns[at]), generator=generator).tolist()
        sentence = tuple(
            by_kind[kind][int(u * len(by_kind[kind]))]
            for kind, u in zip(patterns[at], chances, strict=True)
        )
        readings = _readings(tuple(lexicon[word] for word in sentence))
        if sentence in taken or len(readings) > 1:
            continue
        taken.add(sentence)
        drawn.append((sentence, *readings))
    return drawn


def _rows(sentences: list[Sentence], words: tuple[str, ...]) -> Tagged:
    """Sentences and tags as numbers, filled up."""
    longest = max(_by_length())
    number = {word: i for i, word in enumerate(words)}
    w = torch.zeros(len(sentences), longest, dtype=torch.int64)
    t = torch.full_like(w, NO_TAG)
    for i, (sentence, tags) in enumerate(sentences):
        w[i, : len(sentence)] = torch.tensor([number[word] for word in sentence])
        t[i, : len(tags)] = torch.tensor([TAGS.index(tag) for tag in tags])
    return Tagged(w, t)


def _shuffled(items: list[str], generator: torch.Generator) -> list[str]:
    return [items[i] for i in torch.randperm(len(items), generator=generator).tolist()]
