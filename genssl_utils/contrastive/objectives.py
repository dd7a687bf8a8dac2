"""From the student's functions to losses of one batch: which pairs and triples each is given."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["KINDS", "Loss", "classifier", "lifted", "nearest", "pairs", "triplets"]

KINDS = ("random", "easy", "semi-hard", "hard")
"""Which negatives a triplet gets."""

Loss = Callable[[Tensor, Tensor, torch.Generator], Tensor]


def triplets(
    triplet_loss: Callable[..., Tensor],
    pairwise_sq_dist: Callable[[Tensor], Tensor],
    semi_hard_negatives: Callable[..., Tensor],
    *,
    kind: str = "semi-hard",
    margin: float = 0.2,
) -> Loss:
    """The student's triplet loss on every positive pair with negatives of one kind.

    `random`, `easy` (the furthest of the batch) and `hard` (the nearest) give each pair of a batch
    one negative; `semi-hard` gives it all that the student's function finds.

    Args:
        triplet_loss: the student's.
        pairwise_sq_dist: the student's.
        semi_hard_negatives: the student's.
        kind: one of `KINDS`.
        margin: in squared distance.

    Raises:
        ValueError: another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is one of {KINDS}, not {kind!r}.")

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        with torch.no_grad():
            dist = pairwise_sq_dist(z)
        if kind == "semi-hard":
            a, p, n = semi_hard_negatives(dist, labels, margin).unbind(1)
            if not len(a):
                return 0 * z.sum()
        else:
            same = labels.unsqueeze(1).eq(labels)
            a, p = same.clone().fill_diagonal_(False).nonzero().unbind(1)
            score = {
                "hard": -dist[a],
                "easy": dist[a],
                "random": torch.rand(len(a), len(z), generator=chance).to(z.device),
            }[kind]
            n = score.masked_fill(same[a], -torch.inf).argmax(1)
        return triplet_loss(z[a], z[p], z[n], margin)

    return loss


def lifted(
    lifted_structure_loss: Callable[..., Tensor],
    pairwise_sq_dist: Callable[[Tensor], Tensor],
    *,
    margin: float = 1.0,
    radius: float = 10.0,
) -> Loss:
    """The student's lifted loss on plain distances; the root is kept off 0, where it is steep.

    On the unit sphere no two points are further apart than 2, too near for a margin of 1 and a
    sum over many negatives. So the distances are those of a sphere of the given radius.
    """

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        return lifted_structure_loss(
            radius * pairwise_sq_dist(z).clamp(min=1e-6).sqrt(), labels, margin
        )

    return loss


def pairs(info_nce: Callable[..., Tensor], *, temperature: float = 0.2) -> Loss:
    """The student's InfoNCE on pairs: each group holds one pair of every class, so that no
    negative is of the anchor's class. Needs as many pictures of every class, an even number."""

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        order = labels.argsort(stable=True)
        groups = z[order].reshape(len(labels.unique()), -1, 2, z.shape[1])  # (C, G, 2, D)
        both = [
            info_nce(groups[:, g, 0], groups[:, g, 1], temperature=temperature)
            for g in range(groups.shape[1])
        ]
        return torch.stack(both).mean()

    return loss


def nearest(soft_nearest_neighbor_loss: Callable[..., Tensor], *, temperature: float = 0.2) -> Loss:
    """The student's soft nearest neighbour loss on the whole batch."""

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        return soft_nearest_neighbor_loss(z, labels, temperature)

    return loss


def classifier(classes: int, size: int, *, sharpness: float = 10.0, seed: int = 0) -> Loss:
    """The baseline: cross-entropy over the seen classes; its own weights are fixed directions.

    Args:
        classes: number of seen classes, labels 0 … classes − 1.
        size: coordinates of an embedding.
        sharpness: factor on the cosine of an embedding and a class's direction.
        seed: of the directions, which are orthogonal.
    """
    chance = torch.Generator().manual_seed(seed)
    ways = nn.functional.normalize(torch.linalg.qr(
        torch.randn(size, classes, generator=chance)).Q, dim=0)  # fmt: skip

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        return F.cross_entropy(sharpness * z @ ways.to(z), labels)

    return loss
