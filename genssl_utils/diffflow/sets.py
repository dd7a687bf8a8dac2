"""Two sets of the plane with sharp edges: a checkerboard and a Sierpiński triangle."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["SETS", "EdgeSet", "checkerboard", "sierpinski"]

SQUARE = math.sqrt(3) / 2
"""Side of a square of the checkerboard: four of them give each coordinate a spread of 1."""
RADIUS, LEVELS = 1.75, 2
"""From the middle of the whole triangle to a corner; how often its middle is taken out."""
CORNERS = torch.tensor([[math.cos(a), math.sin(a)] for a in (math.pi / 2 + 2 * math.pi * k / 3
                                                             for k in range(3))])  # fmt: skip


class EdgeSet(NamedTuple):
    """A uniform distribution on a part of the plane.

    Attributes:
        draw: number of points and a generator → points, (n, 2), float32.
        inside: points (n, 2) → which of them lie on the set, (n,), bool.
        nats: mean −log p of its own points, the logarithm of the set's area: no model costs less.
    """

    draw: Callable[[int, torch.Generator], Tensor]
    inside: Callable[[Tensor], Tensor]
    nats: float


def checkerboard(n: int, generator: torch.Generator) -> Tensor:
    """Points spread evenly over the eight dark squares of a board of four by four.

    Data card:
        Source: made here; a set on which flows are often tried.
        Licence: MIT, as this code.
        Size: as many points as asked for; every square is equally likely.
        Split: none; draw a second set with another seed.
        Must not be used for: claims about data with more than two dimensions.

    Args:
        n: number of points.
        generator: the source of randomness; the points are made on its device.

    Returns:
        Points (n, 2), float32, with mean 0 and a spread of 1 in each coordinate.
    """
    where = generator.device
    square = torch.randint(8, (n,), generator=generator, device=where)
    column = square % 4
    row = 2 * torch.div(square, 4, rounding_mode="floor") + column % 2
    inside = torch.rand(n, 2, generator=generator, device=where)
    return (torch.stack([column, row], 1) + inside - 2) * SQUARE


def _on_checkerboard(x: Tensor) -> Tensor:
    at = (x / SQUARE + 2).floor()
    return ((at >= 0) & (at < 4)).all(1) & (at.sum(1) % 2 == 0)


def sierpinski(n: int, generator: torch.Generator) -> Tensor:
    """Points spread evenly over a triangle whose middle is taken out, twice: nine triangles.

    Data card:
        Source: made here, by halving the way to a random corner (Sierpiński 1915).
        Licence: MIT, as this code.
        Size: as many points as asked for; each of the nine triangles is equally likely.
        Split: none; draw a second set with another seed.
        Must not be used for: claims about data with more than two dimensions.

    Args:
        n: number of points.
        generator: the source of randomness; the points are made on its device.

    Returns:
        Points (n, 2), float32, with mean 0.
    """
    where = generator.device
    corners = CORNERS.to(where)
    a, b = torch.rand(2, n, 1, generator=generator, device=where)
    folded = a + b > 1
    a, b = torch.where(folded, 1 - a, a), torch.where(folded, 1 - b, b)
    x = a * corners[0] + b * corners[1] + (1 - a - b) * corners[2]
    for _ in range(LEVELS):
        x = (x + corners[torch.randint(3, (n,), generator=generator, device=where)]) / 2
    return RADIUS * x


def _on_sierpinski(x: Tensor) -> Tensor:
    # Shares of the three corners: 2/3 of the projection on each, and a third.
    shares = (x / RADIUS) @ CORNERS.to(x).T * (2 / 3) + 1 / 3  # (n, 3), they sum to 1
    good = (shares >= 0).all(1)
    for _ in range(LEVELS):
        largest = shares.argmax(1, keepdim=True)
        good &= shares.amax(1) >= 0.5
        shares = (2 * shares).scatter_add(1, largest, -torch.ones_like(shares[:, :1]))
    return good


TRIANGLE = 3 * math.sqrt(3) / 4 * RADIUS**2
SETS = {
    "checkerboard": EdgeSet(checkerboard, _on_checkerboard, math.log(8 * SQUARE**2)),
    "Sierpiński": EdgeSet(sierpinski, _on_sierpinski, math.log(TRIANGLE * 0.75**LEVELS)),
}
"""Name → the set."""
