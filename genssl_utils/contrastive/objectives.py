"""From the student's functions to losses of one batch: which pairs and triples each is given."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "KINDS",
    "Classifier",
    "LearnedTemperature",
    "Loss",
    "Together",
    "lifted",
    "nearest",
    "pairs",
    "triplets",
]

KINDS = ("random", "easy", "semi-hard", "hard")
"""Which negatives a triplet gets."""

Loss = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""(unit embeddings (B, D), labels (B,), a source of chance) → scalar. One that is an `nn.Module`
has weights of its own, which are trained along."""


def triplets(
    triplet_loss: Callable[..., Tensor],
    pairwise_sq_dist: Callable[[Tensor], Tensor],
    semi_hard_negatives: Callable[..., Tensor],
    *,
    kind: str = "semi-hard",
    margin: float = 0.5,
    every: bool = False,
) -> Loss:
    """The student's triplet loss on positive pairs with negatives of one kind.

    Each pair (anchor, positive) of a batch gets one negative: a `random` one, an `easy` one (the
    furthest), a `hard` one (the nearest), or a random one of the `semi-hard` that the student's
    function finds; a pair without any is left out.

    Args:
        triplet_loss: the student's.
        pairwise_sq_dist: the student's.
        semi_hard_negatives: the student's.
        kind: one of `KINDS`.
        margin: in squared distance.
        every: take all semi-hard negatives of a pair, not one.

    Raises:
        ValueError: another kind, or `every` with one that is not semi-hard.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is one of {KINDS}, not {kind!r}.")
    if every and kind != "semi-hard":
        raise ValueError(f"every=True goes with semi-hard negatives alone, not with {kind!r}.")

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        with torch.no_grad():
            dist = pairwise_sq_dist(z)
        if kind == "semi-hard":
            found = semi_hard_negatives(dist, labels, margin)
            if not len(found):
                return 0 * z.sum()
            a, p, n = (found if every else one_of_each(found, len(z), chance)).unbind(1)
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


def one_of_each(triples: Tensor, size: int, chance: torch.Generator) -> Tensor:
    """One random triple of every pair (anchor, positive) that has any.

    Args:
        triples: (A, 3), indices below `size`.
        size: of the batch.
        chance: the source of chance, on the CPU.

    Returns:
        LongTensor (P, 3), one row a pair.
    """
    mixed = triples[torch.randperm(len(triples), generator=chance).to(triples.device)]
    pair = mixed[:, 0] * size + mixed[:, 1]
    order = pair.argsort(stable=True)
    first = torch.ones_like(pair, dtype=torch.bool)
    first[1:] = pair[order][1:] != pair[order][:-1]
    return mixed[order[first]]


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


def pairs(info_nce: Callable[..., Tensor], *, temperature: float = 0.1) -> Loss:
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


def nearest(soft_nearest_neighbor_loss: Callable[..., Tensor], *, temperature: float = 0.5) -> Loss:
    """The student's soft nearest neighbour loss on the whole batch."""

    def loss(z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        return soft_nearest_neighbor_loss(z, labels, temperature)

    return loss


class LearnedTemperature(nn.Module):
    """The student's soft nearest neighbour loss with a temperature that is trained along.

    Frosst et al. 2019 (arXiv:1902.01889) learn it by the gradient; here by that of log T.

    Args:
        soft_nearest_neighbor_loss: the student's.
        temperature: where T starts, positive.
    """

    def __init__(
        self, soft_nearest_neighbor_loss: Callable[..., Tensor], temperature: float = 0.5
    ) -> None:
        super().__init__()
        self.loss = soft_nearest_neighbor_loss
        self.log_temperature = nn.Parameter(torch.tensor(temperature).log())

    def forward(self, z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        """Unit embeddings (B, D) and labels (B,) → scalar in nats; no chance is used."""
        return self.loss(z, labels, self.log_temperature.exp())


class Together(nn.Module):
    """Several losses, added up, with the weights that some of them have.

    Args:
        losses: each takes embeddings, labels and a generator.
    """

    def __init__(self, *losses: Loss) -> None:
        super().__init__()
        self.losses = losses
        self.own = nn.ModuleList(loss for loss in losses if isinstance(loss, nn.Module))

    def forward(self, z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        """Unit embeddings (B, D) and labels (B,) → the sum of the losses."""
        return torch.stack([loss(z, labels, chance) for loss in self.losses]).sum()


class Classifier(nn.Module):
    """The baseline: cross-entropy over the seen classes, on cosines.

    Args:
        classes: number of seen classes, labels 0 … classes − 1.
        size: coordinates D of an embedding.
        sharpness: factor on the cosine of an embedding and its class's direction.
        seed: of the directions at the start; they are trained along with the network.
    """

    def __init__(self, classes: int, size: int, *, sharpness: float = 5.0, seed: int = 0) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(seed)
        self.directions = nn.Parameter(torch.randn(classes, size, generator=chance))
        self.sharpness = sharpness

    def forward(self, z: Tensor, labels: Tensor, chance: torch.Generator) -> Tensor:
        """Unit embeddings (B, D) and labels (B,) → scalar in nats; no chance is used."""
        cosine = z @ F.normalize(self.directions, dim=1).T
        return F.cross_entropy(self.sharpness * cosine, labels)
