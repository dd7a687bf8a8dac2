"""The bound of InfoNCE on mutual information, where the information is known: Gaussians.

z and c have D coordinates each, standard normal, in pairs of correlation ρ. Their information is
−(D/2) log(1 − ρ²) nats, and the best critic is log p(z | c)/p(z). What depends on c alone cancels
in the softmax over candidates; the rest is bilinear in (z, Σz²) and (c, 1), so that the student's
own `info_nce` can hold it with W = diag(ρ/(1 − ρ²), …, −ρ²/(2(1 − ρ²))).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genssl_utils.kit.tables import Table, table

__all__ = ["COORDINATES", "best_critic", "bound_of", "bound_table", "correlation", "gaussian_pairs"]

COORDINATES = 4
"""D, here and in the live figure."""


def correlation(information: float, coordinates: int = COORDINATES) -> float:
    """ρ of each pair of coordinates at which z and c share so many nats."""
    return math.sqrt(1 - math.exp(-2 * information / coordinates))


def gaussian_pairs(
    information: float, n: int, generator: torch.Generator, coordinates: int = COORDINATES
) -> tuple[Tensor, Tensor]:
    """n pairs z, c of shape (n, D), float64, with the given information in nats."""
    rho = correlation(information, coordinates)
    c, noise = torch.randn(2, n, coordinates, generator=generator, dtype=torch.float64)
    return rho * c + math.sqrt(1 - rho**2) * noise, c


def best_critic(z: Tensor, c: Tensor, information: float) -> tuple[Tensor, Tensor, Tensor]:
    """Features of z and c and a map W whose bilinear form is the best critic.

    Args:
        z: (N, D).
        c: (N, D).
        information: in nats.

    Returns:
        (N, D + 1), (N, D + 1) and (D + 1, D + 1).
    """
    rho = correlation(information, z.shape[1])
    slope = torch.full((z.shape[1] + 1,), rho / (1 - rho**2), dtype=z.dtype)
    slope[-1] = -(rho**2) / (2 * (1 - rho**2))
    features = torch.cat([z, z.square().sum(1, keepdim=True)], 1)
    return features, torch.cat([c, torch.ones(len(c), 1).to(c)], 1), torch.diag(slope)


def bound_of(
    info_nce: Callable[..., Tensor],
    *,
    information: float,
    batch: int,
    pairs: int = 4096,
    seed: int = 0,
) -> float:
    """log N − L by the student's InfoNCE with the best critic, mean over batches of size N."""
    chance = torch.Generator().manual_seed(seed)
    total, batches = 0.0, max(1, pairs // batch)
    for _ in range(batches):
        z, c, W = best_critic(*gaussian_pairs(information, batch, chance), information)
        total += math.log(batch) - float(info_nce(z, c, W))
    return total / batches


def bound_table(
    info_nce: Callable[..., Tensor],
    *,
    information: Sequence[float] = (1.0, 3.0, 6.0),
    batches: Sequence[int] = (4, 16, 64, 256, 1024),
    seed: int = 0,
) -> Table:
    """log N − L for several batch sizes beside the ceiling log N and the true information."""
    rows = []
    for n in batches:
        row: dict[str, object] = {"batch N": n, "ceiling log N": math.log(n)}
        for true in information:
            bound = bound_of(info_nce, information=true, batch=n, seed=seed)
            row[f"true: {true:g} nats"] = round(bound, 3)
        rows.append(row)
    return table("What log N − L says of the information, with the best critic", rows)
