"""Word vectors from who stands beside whom, and two clouds of them laid on each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Aligned", "Vectors", "align", "right_share", "word_vectors"]

FEW, MANY = 15, 25
"""Numbers in a vector: while the clouds are turned, and for the last refinement."""
RESTARTS, TURNS, REFINE, NEIGHBOURS = 48, 150, 12, 5
"""Random starts; steps of the turning; rounds of refinement; k of CSLS."""
WIDE, NARROW, COMMON = 2.0, 0.4, 0.25
"""Width of the critic's kernel at the start and at the end; its width in log frequency."""

ALIKE = 0.015
"""What a gap in log frequency costs a pair of words in the final list."""

Procrustes = Callable[[Tensor, Tensor], Tensor]
Csls = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Vectors:
    """The words of one language.

    Attributes:
        words: from the most frequent on.
        x: their vectors, (V, MANY), by the size of their axes, not scaled.
        often: log frequency, standardised, (V,).
    """

    words: tuple[str, ...]
    x: Tensor
    often: Tensor

    def unit(self, size: int) -> Tensor:
        """The first axes, centred, every word on the unit sphere, (V, size)."""
        return _on_sphere(self.x[:, :size])


@dataclass(frozen=True)
class Aligned:
    """What came out of laying two clouds on each other.

    Attributes:
        first: the words that were turned.
        second: the words that stood still.
        turn: orthogonal matrix (MANY, MANY): `first.unit(MANY) @ turn` lies in the second cloud.
        scores: CSLS of every pair of words, less what a gap in frequency costs, (V₁, V₂).
        criterion: mean CSLS of each word's best match, for every restart, (R,).
        picked: the restart with the highest criterion.
        tried: the scores of every restart, (R, V₁, V₂), for judging the criterion.
    """

    first: Vectors
    second: Vectors
    turn: Tensor
    scores: Tensor
    criterion: Tensor
    picked: int
    tried: Tensor

    def lexicon(self, backwards: bool = False) -> dict[str, str]:
        """Word → its best match."""
        one, other = self.first.words, self.second.words
        if backwards:
            one, other = other, one
        best = (self.scores.T if backwards else self.scores).argmax(1).tolist()
        return {word: other[i] for word, i in zip(one, best, strict=True)}


def word_vectors(sentences: Sequence[Sequence[str]]) -> Vectors:
    """Vectors of words from their company: positive mutual information, then its main axes.

    M_ij = max(0, log p(i, j) / (p(i) p(j))) over pairs of words in one sentence, and the vectors
    are U √S of its singular value decomposition (Levy & Goldberg 2014).

    Args:
        sentences: tuples of words of one language.
    """
    number = Counter(word for sentence in sentences for word in sentence)
    words = tuple(word for word, _ in number.most_common())
    place = {word: i for i, word in enumerate(words)}
    pairs = Counter()
    for sentence in sentences:
        inside = [place[word] for word in sentence]
        pairs.update((a, b) for i, a in enumerate(inside) for b in inside[:i])
    together = torch.zeros(len(words), len(words))
    for (a, b), times in pairs.items():
        together[a, b] += times
        together[b, a] += times
    joint = together / together.sum()
    alone = joint.sum(1)
    information = (joint / torch.outer(alone, alone)).clamp_min(1e-12).log().clamp_min(0)
    u, s, _ = torch.linalg.svd(information)
    often = torch.tensor([float(number[word]) for word in words]).log()
    often = (often - often.mean()) / often.std()
    return Vectors(words, u[:, :MANY] * s[:MANY].sqrt(), often)


def align(
    first: Vectors, second: Vectors, procrustes: Procrustes, csls: Csls, *,
    frequency: bool = True, restarts: int = RESTARTS, seed: int = 0,
) -> Aligned:  # fmt: skip
    """Lay one cloud of words on another, without one known pair.

    The critic is a kernel: of all functions of unit size in the kernel's space it plays the one
    that tells the two clouds apart best, which has a closed form (Gretton et al. 2012). The
    turn lowers what the critic finds. The kernel grows narrow meanwhile. From many random turns
    the one whose best matches have the highest mean CSLS is taken (Conneau et al. 2018,
    arXiv:1710.04087), after refinement on mutual best matches.

    Args:
        first: the words to turn.
        second: the words that stand still.
        procrustes: (x, y) → orthogonal W with x W near y, the function under test.
        csls: (similarity, k) → corrected similarity, the function under test.
        frequency: whether the critic also sees how frequent a word is.
        restarts: random turns to begin from.
        seed: of these.
    """
    draw = torch.Generator().manual_seed(seed)
    x, y = first.unit(FEW), second.unit(FEW)
    turns = _orthogonal(torch.randn(restarts, FEW, FEW, generator=draw))
    gap = first.often[:, None] - second.often
    prior = -(gap**2) / (2 * COMMON**2) * frequency
    for step in range(TURNS):
        turns = _one_turn(x, y, turns, prior, WIDE * (NARROW / WIDE) ** (step / TURNS))
    tried = torch.stack([_refined(x, y, turn, procrustes, csls)[1] for turn in turns])
    criterion = tried.amax(2).mean(1)
    picked = int(criterion.argmax())
    rows, columns = _mutual(tried[picked])
    x, y = first.unit(MANY), second.unit(MANY)
    turn, scores = _refined(x, y, procrustes(x[rows], y[columns]), procrustes, csls)
    scores = scores - ALIKE * gap**2 * frequency
    return Aligned(first, second, turn, scores, criterion, picked, tried)


def right_share(aligned: Aligned, right: Mapping[str, frozenset[str]]) -> float:
    """Share of the first language's words with a right match that get one."""
    found = aligned.lexicon()
    judged = [word for word in found if right.get(word)]
    return sum(found[word] in right[word] for word in judged) / len(judged)


def shares_tried(aligned: Aligned, right: Mapping[str, frozenset[str]]) -> Tensor:
    """The share of right words for every restart, (R,), before the last refinement."""
    one, other = aligned.first.words, aligned.second.words
    good = torch.tensor([[b in right.get(a, ()) for b in other] for a in one])
    best = aligned.tried.argmax(2)  # (R, V₁)
    hits = good.expand(len(best), -1, -1).gather(2, best[..., None])[..., 0]
    return hits[:, good.any(1)].float().mean(1)


def _on_sphere(x: Tensor) -> Tensor:
    x = F.normalize(x, dim=1)
    return F.normalize(x - x.mean(0), dim=1)


def _orthogonal(a: Tensor) -> Tensor:
    u, _, v = torch.linalg.svd(a)
    return u @ v


def _one_turn(x: Tensor, y: Tensor, turns: Tensor, prior: Tensor, width: float) -> Tensor:
    """A step of every turn (R, D, D) along the slope of the mean kernel between the clouds."""
    kernel = ((x @ turns @ y.T - 1) / width**2 + prior).exp()  # (R, V₁, V₂)
    slope = x.T @ kernel @ y
    size = slope.flatten(1).norm(dim=1)[:, None, None]
    return _orthogonal(turns + 0.1 * slope / size * turns.shape[-1] ** 0.5)


def _mutual(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the pairs in which each is the other's best."""
    forth, back = scores.argmax(1), scores.argmax(0)
    rows = (back[forth] == torch.arange(len(forth))).nonzero()[:, 0]
    return rows, forth[rows]


def _refined(
    x: Tensor, y: Tensor, turn: Tensor, procrustes: Procrustes, csls: Csls
) -> tuple[Tensor, Tensor]:
    """Procrustes on mutual best matches, again and again; the turn, and its scores."""
    before = None
    for _ in range(REFINE):
        rows, columns = _mutual(csls(x @ turn @ y.T, NEIGHBOURS))
        now = (rows.tolist(), columns.tolist())
        if now == before or not len(rows):
            break
        turn, before = procrustes(x[rows], y[columns]), now
    return turn, csls(x @ turn @ y.T, NEIGHBOURS)
