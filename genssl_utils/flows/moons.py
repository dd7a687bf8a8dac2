"""The flow on two moons: trained, measured beside the exact density, and its way through layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genssl_utils.flows.likelihood import Fitted, affine_log_prob, fit_flow
from genssl_utils.flows.realnvp import RealNVP, Recipe, alternating_masks
from genssl_utils.kit.data import two_moons

__all__ = ["Journey", "MoonsRun", "moons_log_density", "train_moons"]

NOISE = 0.08
MOMENTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the training at which the journey is recorded."""


def moons_log_density(x: Tensor, *, noise: float = NOISE, angles: int = 500) -> Tensor:
    """The true log-density of `kit.data.two_moons`, by a sum over angles.

    p(x) = ½ Σ over both moons of (1/π) ∫ N(x; μ(a), σ²I) da, with a from 0 to π. The midpoint sum
    is exact to many digits because neighbouring angles lie far closer together than σ.

    Args:
        x: points, (B, 2).
        noise: standard deviation σ of the noise.
        angles: points of the sum on each moon.

    Returns:
        Tensor (B,), float64, in nats.
    """
    a = (torch.arange(angles, dtype=torch.float64) + 0.5) * (math.pi / angles)
    upper = torch.stack([a.cos(), a.sin()], 1)
    lower = torch.stack([1 - a.cos(), 0.5 - a.sin()], 1)
    centres = torch.cat([upper, lower])  # (2·angles, 2)
    parts = []
    for some in x.detach().cpu().double().split(500):
        squares = torch.cdist(some, centres).square()
        parts.append((-squares / (2 * noise**2)).logsumexp(1))
    constant = math.log(2 * angles) + math.log(2 * math.pi * noise**2)
    return torch.cat(parts) - constant


@dataclass
class Journey:
    """Where latents stand after every layer on the way back to data, at moments of the training.

    Attributes:
        steps: training steps done at each moment.
        nll: mean −log p of test points at each moment, in nats.
        frames: one tensor a moment, (K + 1, n, 2): frame 0 is the latent, frame K the data.
        rings: how many of the n points, at the end, form rings around the middle of the latent.
    """

    steps: list[int] = field(default_factory=list)
    nll: list[float] = field(default_factory=list)
    frames: list[Tensor] = field(default_factory=list)
    rings: tuple[int, int] = (1, 256)


@dataclass(frozen=True)
class MoonsRun:
    """A trained flow on two moons, and what it was measured beside.

    Attributes:
        flow: the trained flow.
        fitted: the record of the training.
        nll: mean −log p of the test points under the flow, in nats.
        affine_nll: the same under the flow of one affine layer.
        floor: the same under the true density; no model does better in the long run.
        test: the test points, (n, 2).
        undone: largest distance between a test point and its way there and back.
        journey: what happens between latent and data.
    """

    flow: RealNVP
    fitted: Fitted
    nll: float
    affine_nll: float
    floor: float
    test: Tensor
    undone: float
    journey: Journey


def _latents(n: int, rings: tuple[int, int], generator: torch.Generator) -> Tensor:
    """n draws from N(0, I), then points on rings of radius 1, 2, …: (n + rings·points, 2)."""
    count, each = rings
    turn = torch.arange(each) * (2 * math.pi / each)
    circle = torch.stack([turn.cos(), turn.sin()], 1)
    return torch.cat(
        [torch.randn(n, 2, generator=generator), *[(k + 1) * circle for k in range(count)]]
    )


def train_moons(
    recipe: Recipe,
    affine_log_det: Callable[[Tensor], Tensor],
    *,
    steps: int = 1000,
    seed: int = 0,
    device: torch.device | str = "cpu",
    layers: int = 8,
    hidden: tuple[int, ...] = (64, 64),
) -> MoonsRun:
    """Train RealNVP on two moons by the student's functions.

    Training points are drawn afresh in each batch of 256; 2000 other points choose the best step,
    and 10,000 more, the same for every seed, are the test.

    Args:
        recipe: the student's `coupling_forward`, `coupling_inverse` and `flow_log_prob`.
        affine_log_det: the student's, for the baseline.
        steps: training steps.
        seed: of the weights, the batches and the latents.
        device: where to train.
        layers: number K of couplings.
        hidden: widths of each coupling's network.

    Returns:
        The run.
    """
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    flow = RealNVP(recipe, alternating_masks(2, layers), hidden=hidden).to(device)
    valid = two_moons(2000, noise=NOISE, generator=draw)[0].to(device)
    test = two_moons(10_000, noise=NOISE, generator=torch.Generator().manual_seed(2024))[0]
    journey = Journey()
    start = _latents(300, journey.rings, torch.Generator().manual_seed(7)).to(device)
    moments = {round(share * steps) for share in MOMENTS}

    def mean_nll(x: Tensor) -> float:
        with torch.no_grad():
            return -flow.log_prob(x.to(device)).mean().item()

    def look(done: int) -> None:
        if done in moments:
            with torch.no_grad():
                frames = torch.stack(list(flow.undo(start))).cpu()
            journey.steps.append(done)
            journey.nll.append(mean_nll(test))
            journey.frames.append(frames)

    look(0)
    fitted = fit_flow(
        flow,
        lambda: two_moons(256, noise=NOISE, generator=draw)[0].to(device),
        lambda: mean_nll(valid),
        steps=steps,
        lr=5e-3,
        title="RealNVP on two moons",
        after_step=lambda step: look(step + 1),
    )
    with torch.no_grad():
        back = flow.decode(flow.encode(test.to(device))).cpu()
        many = two_moons(10_000, noise=NOISE, generator=draw)[0]
        affine = affine_log_prob(recipe, affine_log_det, many, test)
    return MoonsRun(
        flow=flow,
        fitted=fitted,
        nll=mean_nll(test),
        affine_nll=-affine.mean().item(),
        floor=-moons_log_density(test).mean().item(),
        test=test,
        undone=(back - test).norm(dim=1).max().item(),
        journey=journey,
    )
