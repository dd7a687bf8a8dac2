"""Every loss of unit 18 beside pytorch-metric-learning's: value, and seconds forward and backward.

Ours are the unit's reference answers. Batch 512, 10 classes, 128 coordinates, but where theirs
takes too much memory: LiftedStructureLoss at 512 over 20 GB, all semi-hard triples several.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from pytorch_metric_learning import distances, losses, miners, reducers
from side_by_side import record, seconds
from torch import Tensor

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

CLASSES, SIZE = 10, 128


def embeddings(batch: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Unit vectors and labels."""
    chance = torch.Generator().manual_seed(seed)
    z = F.normalize(torch.randn(batch, SIZE, generator=chance), dim=1)
    return z, torch.randint(CLASSES, (batch,), generator=chance)


def forward_backward(loss: Callable[[Tensor], Tensor], z: Tensor) -> Callable[[], object]:
    """One call: the loss and its gradient in z."""

    def call() -> object:
        leaf = z.clone().requires_grad_()
        return torch.autograd.grad(loss(leaf).sum(), leaf)

    return call


def compare(name: str, definition: str, ours: Callable, theirs: Callable, batch: int = 512) -> dict:
    """One row: the two values, and how many times as long theirs takes, forward and backward."""
    z, _ = embeddings(batch)
    mine, other = seconds(forward_backward(ours, z), forward_backward(theirs, z), rounds=5)
    a, b = float(ours(z).sum()), float(theirs(z).sum())
    return {
        "loss": name, "batch": batch, "ours": f"{a:.5g}", "theirs": f"{b:.5g}",
        "definition": definition, "our ms": mine * 1e3, "theirs / ours": other / mine,
    }  # fmt: skip


def found_triples(mine: Callable, dist: Callable, miner: Callable, y: Tensor) -> dict:
    """The row of the semi-hard triples: how many there are, and the time to find them."""
    z, _ = embeddings(512)
    ours, theirs = seconds(lambda: mine(dist(z), y, 0.2), lambda: miner(z, y), rounds=3)
    return {
        "loss": "semi-hard triples, found", "batch": 512, "ours": f"{len(mine(dist(z), y, 0.2))}",
        "theirs": f"{len(miner(z, y)[0])}", "definition": "equal, up to ties at the border",
        "our ms": ours * 1e3, "theirs / ours": theirs / ours,
    }  # fmt: skip


def random_triples(y: Tensor, count: int) -> Tensor:
    """So many (anchor, positive, negative), the same for both: LongTensor (count, 3)."""
    chance = torch.Generator().manual_seed(2)
    a, p, n = torch.randint(len(y), (3, 20 * count), generator=chance)
    fit = (y[a] == y[p]) & (a != p) & (y[a] != y[n])
    return torch.stack([a, p, n], 1)[fit][:count]


def taken(z: Tensor, triples: Tensor) -> list[Tensor]:
    """The embeddings of anchors, positives and negatives, (A, D) each."""
    return [z.index_select(0, column) for column in triples.T]


def main() -> None:
    """Measure, print and write down."""
    answer = Checker(find_unit(project_root(), "18")).namespace
    dist, triplet = answer["pairwise_sq_dist"], answer["triplet_loss"]
    mine, lifted = answer["semi_hard_negatives"], answer["lifted_structure_loss"]
    info_nce, snn = answer["info_nce"], answer["soft_nearest_neighbor_loss"]
    squared = distances.LpDistance(normalize_embeddings=False, power=2)
    plain = distances.LpDistance(normalize_embeddings=False)
    dot = distances.DotProductSimilarity(normalize_embeddings=False)
    _, y = embeddings(512)
    small_y = embeddings(64)[1]
    other, _ = embeddings(512, seed=1)
    pairs = torch.arange(512)

    few, many = random_triples(y, 512), random_triples(y, 3000)
    twins = torch.arange(512) % 256
    y128 = embeddings(128)[1]
    margin_loss = losses.TripletMarginLoss(
        margin=0.2, distance=squared, reducer=reducers.MeanReducer()
    )
    semihard = miners.TripletMarginMiner(margin=0.2, type_of_triplets="semihard", distance=squared)
    lifted_loss = losses.LiftedStructureLoss(neg_margin=1.0, pos_margin=0.0, distance=plain)
    nt_xent = losses.NTXentLoss(temperature=0.2, distance=dot)
    supcon = losses.SupConLoss(temperature=0.1)

    rows = [
        compare("squared distances, summed", "equal", lambda z: dist(z).mean(),
                lambda z: squared(z).mean()),
        *(compare(f"triplet, {len(rows)} given triples", "equal",
                  lambda z, rows=rows: triplet(*taken(z, rows), 0.2),
                  lambda z, rows=rows: margin_loss(z, y, tuple(rows.T))) for rows in (few, many)),
        compare("triplet, all semi-hard triples", "equal, up to ties at the border",
                lambda z: triplet(*taken(z, mine(dist(z.detach()), y128, 0.2)), 0.2),
                lambda z: margin_loss(z, y128, semihard(z, y128)), batch=128),
        found_triples(mine, dist, semihard, y),
        compare("lifted structured", "equal", lambda z: lifted(
                    dist(z).clamp(min=1e-12).sqrt(), small_y, 1.0),
                lambda z: lifted_loss(z, small_y), batch=64),
        compare("InfoNCE, one positive", "equal to NTXentLoss with candidates as ref_emb",
                lambda z: info_nce(other, z, None, 0.2),
                lambda z: nt_xent(z, pairs, ref_emb=other, ref_labels=pairs.clone())),
        compare("soft nearest neighbour, two a class", "equal to SupConLoss with one positive; "
                "with more, SupCon has its log inside the mean over positives",
                lambda z: snn(z, twins, 0.2), lambda z: supcon(z, twins)),
    ]  # fmt: skip
    record(
        "contrastive",
        "Contrastive losses beside pytorch-metric-learning",
        rows,
        ["pytorch-metric-learning"],
        "Forward and backward (the triples: finding them, and how many), median of 3 or 5 turns, "
        "one CPU thread, 128 coordinates, 10 classes. "
        "Theirs compares each positive pair with the list of all negative pairs of a batch: hence "
        "the ratios of the lifted loss and of InfoNCE. Theirs takes the losses of triples from one "
        "matrix of distances; ours, given embeddings, gathers three rows a triple, and is slower "
        "where triples are many. Binary NCE has no counterpart there.",
    )


if __name__ == "__main__":
    main()
