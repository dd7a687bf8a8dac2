"""How near a heap of samples is to the truth: one distance, and quality and variety apart.

All take two heaps of rows: points of a plane, or what a classifier's last layer says of pictures.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Scores", "coverage", "energy_distance", "precision_recall", "scores"]

ROWS = 512
"""Distances are taken of so many rows at a time, so that memory grows with one heap, not both."""


class Scores(NamedTuple):
    """What `scores` measures: a distance, quality, and variety twice.

    Attributes:
        energy: energy distance; 0 for equal distributions, in the unit of the rows.
        precision: share of the made rows that lie where true ones are, 0 to 1.
        recall: share of the true rows that lie where made ones are, 0 to 1.
        coverage: share of the true rows that have a made one near, 0 to 1.
    """

    energy: float
    precision: float
    recall: float
    coverage: float


def energy_distance(x: Tensor, y: Tensor) -> float:
    """Energy distance 2 E|X − Y| − E|X − X'| − E|Y − Y'|, 0 only for equal distributions.

    Estimated without bias: a row is never compared with itself, so two heaps of one distribution
    give 0 on average and often a little less (Székely & Rizzo 2013, J. Stat. Plan. Inference 143).

    Args:
        x: one heap, shape (N, D), N ≥ 2.
        y: the other, shape (M, D), M ≥ 2.

    Returns:
        A number in the unit of the rows.

    Raises:
        ValueError: the shapes do not fit, a heap has fewer than two rows, a number is not finite.

    Example:
        >>> x = torch.tensor([[0.0], [1.0]])
        >>> energy_distance(x, x + 3)
        4.0
    """
    x, y = _heaps(x, y, 2)
    within = (_sum_of_distances(one, one) / (len(one) * (len(one) - 1)) for one in (x, y))
    between = _sum_of_distances(x, y) / (len(x) * len(y))
    return (2 * between - sum(within)).item()


def precision_recall(real: Tensor, made: Tensor, k: int = 3) -> tuple[float, float]:
    """Quality and variety apart: who lies on whose manifold.

    A heap's manifold is the union of balls round its rows, each as wide as the distance to the
    row's k-th nearest neighbour in its own heap (Kynkäänniemi et al. 2019, arXiv:1904.06991).

    Args:
        real: true rows, shape (N, D), N > k.
        made: made rows, shape (M, D), M > k.
        k: which neighbour gives a ball its width, at least 1.

    Returns:
        Precision, the share of made rows inside the true manifold, and recall, the share of true
        rows inside the made one. Both go from 0 to 1.

    Raises:
        ValueError: the shapes do not fit, a heap has no more than k rows, a number is not finite.

    Example:
        >>> real = torch.arange(6.0)[:, None]
        >>> precision_recall(real, real[:3], k=1)
        (1.0, 0.666...)
    """
    real, made = _heaps(real, made, k + 1, k)
    return _inside(made, real, k), _inside(real, made, k)


def coverage(real: Tensor, made: Tensor, k: int = 5) -> float:
    """Share of the true rows whose ball, up to the k-th true neighbour, holds a made row.

    Unlike recall it is not fooled by one made row far out, whose ball would be huge (Naeem et al.
    2020, arXiv:2002.09797). A heap of as many fresh true rows has about 1 − 2^−k.

    Args:
        real: true rows, shape (N, D), N > k.
        made: made rows, shape (M, D).
        k: which neighbour gives a ball its width, at least 1.

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: the shapes do not fit, there are no more than k true rows, a number is not
            finite.

    Example:
        >>> real = torch.arange(6.0)[:, None]
        >>> coverage(real, real[:2] + 0.1, k=1)
        0.5
    """
    real, made = _heaps(real, made, 1, k)
    if len(real) <= k:
        raise ValueError(f"The {k} nearest neighbours need more than {k} true rows.")
    near = [
        torch.cdist(rows, made).amin(1) <= width
        for rows, width in zip(real.split(ROWS), _widths(real, k).split(ROWS), strict=True)
    ]
    return torch.cat(near).double().mean().item()


def scores(real: Tensor, made: Tensor) -> Scores:
    """All of them at once, with the k of their papers.

    Args:
        real: true rows that no model was trained on, shape (N, D), N > 5.
        made: made rows, shape (M, D), M > 3; as many as there are true ones, to be fair.

    Returns:
        The four scores.
    """
    precision, recall = precision_recall(real, made)
    return Scores(energy_distance(real, made), precision, recall, coverage(real, made))


def _heaps(x: Tensor, y: Tensor, rows: int, k: int = 1) -> tuple[Tensor, Tensor]:
    """Both heaps in float64, looked over."""
    if k < 1:
        raise ValueError(f"k is the number of a neighbour, at least 1, not {k}.")
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            "Give two heaps of rows with the same columns, (N, D) and (M, D), "
            f"not {tuple(x.shape)} and {tuple(y.shape)}."
        )
    if min(len(x), len(y)) < rows:
        raise ValueError(f"Each heap needs {rows} rows or more, not {len(x)} and {len(y)}.")
    for heap in (x, y):
        if not torch.isfinite(heap).all():
            raise ValueError("A row is not finite: look at the samples before you score them.")
    return x.double(), y.double()


def _sum_of_distances(x: Tensor, y: Tensor) -> Tensor:
    exact = "donot_use_mm_for_euclid_dist"  # by products, a row's distance to itself is not 0
    return sum(torch.cdist(rows, y, compute_mode=exact).sum() for rows in x.split(ROWS))


def _widths(heap: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest neighbour in the heap, itself left out: (N,)."""
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cat(
        [
            torch.cdist(rows, heap, compute_mode=exact).kthvalue(k + 1, dim=1).values
            for rows in heap.split(ROWS)
        ]
    )


def _inside(rows: Tensor, heap: Tensor, k: int) -> float:
    """Share of the rows that lie in a ball of the heap's."""
    width = _widths(heap, k)
    return torch.cat(
        [(torch.cdist(some, heap) <= width).any(1) for some in rows.split(ROWS)]
    ).double().mean().item()  # fmt: skip
