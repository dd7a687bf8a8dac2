"""A case in which everything is known: how far the bound lies above the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.diffflow.process import Field
from genssl_utils.kit import plots

__all__ = ["GAMMAS", "LENGTHS", "exact_fields", "gap_above_truth", "limits_picture", "limits_rows"]

GAMMAS = (1.0, 0.3, 0.1)
"""How much of the diffusion's noise is left: 1 is diffusion, 0 would be a flow."""
LENGTHS = (5, 10, 20, 50, 100, 200)
SLOW, FAST = 0.1, 12.0
"""The rate β of the diffusion at the start and at the end; it grows evenly."""
SPREAD = 0.5
"""Standard deviation of the data, one number each."""


def rate(t: Tensor) -> Tensor:
    """β at time t from 0 to 1."""
    return SLOW + (FAST - SLOW) * t


def kept_share(t: Tensor) -> Tensor:
    """How much of the data's variance is left at time t: exp(−∫β)."""
    return (-(SLOW * t + (FAST - SLOW) * t.square() / 2)).exp()


def exact_fields(gamma: float) -> tuple[Field, Field, Callable[[Tensor], Tensor]]:
    """Drift, score and noise of a process that carries N(0, ¼) to a standard normal.

    Whatever gamma is, the points are spread alike at each time. The drift is the flow's velocity
    and ½ g² times the score; with gamma = 1 it is the fixed drift of a diffusion, −½ β x.

    Args:
        gamma: share of the diffusion's noise, 0 to 1.

    Returns:
        drift (x, t) and score (x, t), and g of times.
    """

    def score(x: Tensor, t: Tensor) -> Tensor:
        kept = kept_share(t)
        return -x / (1 - kept + kept * SPREAD**2)

    def drift(x: Tensor, t: Tensor) -> Tensor:
        return -0.5 * rate(t) * (x + (1 - gamma**2) * score(x, t))

    return drift, score, lambda times: gamma * rate(times).sqrt()


@torch.no_grad()
def gap_above_truth(
    nll_bound: Callable[..., Tensor], gamma: float, steps: int, *, points: int = 4000
) -> float:
    """Mean of the student's bound minus the mean of −log p itself, in nats."""
    drift, score, noise_scale = exact_fields(gamma)
    draw = torch.Generator().manual_seed(11)
    x = SPREAD * torch.randn(points, 1, generator=draw)
    noise = torch.randn(steps, points, 1, generator=draw)
    times = torch.linspace(0, 1, steps + 1)
    truth = 0.5 * ((x / SPREAD).square() + math.log(2 * math.pi * SPREAD**2)).sum(1)
    bound = nll_bound(x, times, noise_scale(times), noise, drift, score)
    return (bound - truth).mean().item()


def limits_rows(
    nll_bound: Callable[..., Tensor], gammas: Sequence[float] = GAMMAS,
    lengths: Sequence[int] = LENGTHS,
) -> dict[float, list[float]]:  # fmt: skip
    """The gap for each share of the noise, at each number of steps."""
    return {g: [gap_above_truth(nll_bound, g, n) for n in lengths] for g in gammas}


def limits_picture(rows: dict[float, list[float]], lengths: Sequence[int] = LENGTHS) -> Figure:
    """The gap against the number of steps, a line for each share of the noise."""
    figure, (axes,) = plots.panels(1, size=(5.2, 3.0))
    looks = (("baseline", "o"), ("teacher", "s"), ("model", "^"))
    for (gamma, gaps), (role, mark) in zip(rows.items(), looks, strict=False):
        axes.plot(lengths, gaps, marker=mark, color=plots.COLOURS[role], label=f"noise × {gamma:g}")
    axes.set(
        xscale="log", yscale="log", xlabel="steps N", ylabel="bound − truth (nats)",
        title="More steps close the gap; little noise needs more of them",
    )  # fmt: skip
    axes.set_xticks(lengths, [str(n) for n in lengths])
    axes.minorticks_off()
    axes.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes.legend()
    return figure
