"""DiffFlow: a path forth and a path back, both trained, around the student's functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genssl_utils.kit.nets import mlp

__all__ = ["DiffFlow", "FieldNet", "Recipe", "path_loss", "path_loss_recomputed", "weights_of"]

Field = Callable[[Tensor, Tensor], Tensor]
"""Points (…, D) and their time, () or (…), → a vector at each, (…, D)."""

BEND = 0.9
"""Exponent β of the paper's fixed times, t_i = (i / N)^β · T."""
WAVES, TICKS = 3, 3
"""How many sines and cosines of each coordinate, and of the time, a network is shown."""


class Recipe(NamedTuple):
    """The student's functions; the exercises say what each takes and returns."""

    forward_step: Callable[..., Tensor]
    backward_step_noise: Callable[..., Tensor]
    path_log_ratio: Callable[..., Tensor]
    nll_bound: Callable[..., Tensor]


def fine_view(x: Tensor, pitch: Tensor) -> Tensor:
    """Points (…, D) with sines and cosines of each coordinate beside it: (…, D (1 + 2 K)).

    A smooth network alone is slow to learn a sharp edge (Tancik et al. 2020, arXiv:2006.10739).

    Args:
        x: points.
        pitch: how fast each of the sines is, (K,).
    """
    fine = (x[..., None] * pitch).flatten(-2)  # (…, D · K)
    return torch.cat([x, fine.cos(), fine.sin()], -1)


class FieldNet(nn.Module):
    """A network from a point and a time to a vector: (…, D), () or (…) → (…, D).

    It sees the `fine_view` of the point, each sine twice as fast as the one before. Its last layer
    starts at 0.

    Args:
        dims: D.
        hidden: widths of the hidden layers.
    """

    def __init__(self, dims: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("pitch", 2.0 ** torch.arange(WAVES))
        self.register_buffer("turns", math.pi * torch.arange(1.0, TICKS + 1))
        told = dims * (1 + 2 * WAVES) + 2 * TICKS
        self.body = mlp(told, dims, hidden=hidden, activation=nn.SiLU)
        nn.init.zeros_(self.body[-1].weight)
        nn.init.zeros_(self.body[-1].bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The vectors at points x and time t."""
        angle = t[..., None] * self.turns  # (…, TICKS)
        clock = torch.cat([angle.cos(), angle.sin()], -1)
        clock = clock.expand(*x.shape[:-1], clock.shape[-1])
        return self.body(torch.cat([fine_view(x, self.pitch), clock], -1))


class DiffFlow(nn.Module):
    """Two networks, drift and score, on one line of time (Zhang & Chen 2021, arXiv:2110.07579).

    Both know the time as a number, so that one model can walk in any number of steps.

    Args:
        dims: D.
        hidden: widths of the hidden layers of each network.
        noise: the diffusion coefficient g, the same at all times.
        end: T, when the latent is reached.

    Raises:
        ValueError: the noise or the end is not above 0.
    """

    def __init__(
        self, dims: int = 2, *, hidden: Sequence[int] = (64, 64), noise: float = 0.25,
        end: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        if min(noise, end) <= 0:
            raise ValueError("noise and end must be above 0.")
        self.dims, self.noise, self.end = dims, noise, end
        self.drift, self.score = FieldNet(dims, hidden), FieldNet(dims, hidden)

    def grid(self, steps: int) -> tuple[Tensor, Tensor]:
        """Times t_i = (i / N)^0.9 · T and the noise g_i at each, both (N + 1,).

        Raises:
            ValueError: there is no step.
        """
        if steps < 1:
            raise ValueError(f"A path has at least one step, not {steps}.")
        where = self.drift.turns.device
        times = self.end * (torch.arange(steps + 1, device=where) / steps) ** BEND
        return times, torch.full_like(times, self.noise)

    @torch.no_grad()
    def bound(self, recipe: Recipe, x: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """The student's `nll_bound` of each point, from one path each: (B, D) → (B,), in nats."""
        times, g = self.grid(steps)
        noise = _noise(steps, x, generator)
        return recipe.nll_bound(x, times, g, noise, self.drift, self.score)

    @torch.no_grad()
    def trail(
        self, n: int, steps: int, generator: torch.Generator, *, noise_at_last: bool = False
    ) -> list[Tensor]:
        """Rows on their way from the latent to data, steps + 1 heaps (n, D).

        The last step adds no noise, as in DDPM, unless told to: it would only blur what is done.
        The bound is that of the walk with it.
        """
        times, g = self.grid(steps)
        x = torch.randn(n, self.dims, generator=generator, device=generator.device).to(times)
        trail = [x]
        for i in range(steps, 0, -1):
            span = times[i] - times[i - 1]
            away = self.drift(x, times[i]) - g[i].square() * self.score(x, times[i])
            x = x - span * away
            if i > 1 or noise_at_last:
                fresh = torch.randn(x.shape, generator=generator, device=generator.device)
                x = x + g[i] * span.sqrt() * fresh.to(x)
            trail.append(x)
        return trail

    def draw(
        self, n: int, steps: int, generator: torch.Generator, *, noise_at_last: bool = False
    ) -> Tensor:
        """Fresh rows, (n, D), by so many steps."""
        return self.trail(n, steps, generator, noise_at_last=noise_at_last)[-1]


def weights_of(*nets: nn.Module) -> int:
    """How many numbers the networks learn."""
    return sum(p.numel() for net in nets for p in net.parameters())


def _noise(steps: int, x: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise of a path, (N, B, D), where x lives."""
    return torch.randn(steps, *x.shape, generator=generator, device=generator.device).to(x)


def _latent_cost(x: Tensor) -> Tensor:
    """−log of the standard normal density, (B, D) → (B,)."""
    return 0.5 * (x.square() + math.log(2 * math.pi)).sum(-1)


def path_loss(
    model: DiffFlow, recipe: Recipe, x: Tensor, steps: int, generator: torch.Generator
) -> Tensor:
    """The mean bound of a batch by the student's three step functions; autograd keeps the path.

    It is what the student's `nll_bound` gives; the score, which no later step needs, is asked for
    all steps at once, which is faster.

    Args:
        model: drift and score.
        recipe: the student's functions.
        x: data, (B, D).
        steps: N.
        generator: draws the noise.

    Returns:
        A scalar, in nats.
    """
    times, g = model.grid(steps)
    spans, noise = times.diff(), _noise(steps, x, generator)
    points, drifts = [x], [model.drift(x, times[0])]
    for i in range(steps):
        x = recipe.forward_step(points[-1], drifts[-1], g[i], spans[i], noise[i])
        points.append(x)
        drifts.append(model.drift(x, times[i + 1]))
    path, drift = torch.stack(points), torch.stack(drifts[1:])  # (N + 1, B, D), (N, B, D)
    when = times[1:, None].expand(steps, path.shape[1])
    score = model.score(path[1:], when)
    explained = recipe.backward_step_noise(
        path[:-1], path[1:], drift, score, g[1:, None, None], spans[:, None, None]
    )
    return (_latent_cost(x) + recipe.path_log_ratio(noise, explained, g)).mean()


class _Recomputed(torch.autograd.Function):
    """The same loss, of which only the points of the path are kept; steps are redone for slopes."""

    @staticmethod
    def forward(ctx: Any, model: DiffFlow, recipe: Recipe, x: Tensor, noise: Tensor,
                *weights: Tensor) -> Tensor:  # fmt: skip
        times, g = model.grid(len(noise))
        points, total = [x], 0.0
        for i in range(len(noise)):
            x, cost = _one_step(model, recipe, x, noise[i], i, times, g)
            points.append(x)
            total = total + cost
        ctx.model, ctx.recipe = model, recipe
        ctx.save_for_backward(torch.stack(points), noise, *weights)
        return total + _latent_cost(x).mean()

    @staticmethod
    def backward(ctx: Any, seed: Tensor) -> tuple[Tensor | None, ...]:
        path, noise, *weights = ctx.saved_tensors
        times, g = ctx.model.grid(len(noise))
        slopes = [torch.zeros_like(w) for w in weights]
        adjoint = path[-1] / len(path[-1])  # slope of the latent's cost
        for i in range(len(noise) - 1, -1, -1):
            with torch.enable_grad():
                x = path[i].detach().requires_grad_()
                after, cost = _one_step(ctx.model, ctx.recipe, x, noise[i], i, times, g)
                told = cost + (adjoint * after).sum()
            adjoint, *more = torch.autograd.grad(told, [x, *weights], allow_unused=True)
            for slope, one in zip(slopes, more, strict=True):
                if one is not None:
                    slope += one
        return None, None, seed * adjoint, None, *(seed * slope for slope in slopes)


def _one_step(
    model: DiffFlow, recipe: Recipe, x: Tensor, noise: Tensor, i: int, times: Tensor, g: Tensor
) -> tuple[Tensor, Tensor]:
    """Step i of the path: the next points (B, D), and the mean of what it adds to the bound."""
    span = times[i + 1] - times[i]
    after = recipe.forward_step(x, model.drift(x, times[i]), g[i], span, noise)
    drift, score = model.drift(after, times[i + 1]), model.score(after, times[i + 1])
    explained = recipe.backward_step_noise(x, after, drift, score, g[i + 1], span)
    return after, recipe.path_log_ratio(noise[None], explained[None], g[i : i + 2]).mean()


def path_loss_recomputed(
    model: DiffFlow, recipe: Recipe, x: Tensor, steps: int, generator: torch.Generator
) -> Tensor:
    """The loss of `path_loss`, with memory that hardly grows with the steps.

    On the way forth only the points are kept. For the slopes the path is walked from its end; each
    step is done again, with autograd, and hands its slope to the step before: the paper's
    stochastic adjoint. It costs one more walk, and asks the networks step by step, where
    `path_loss` asks for all scores at once.

    Args:
        model: drift and score.
        recipe: the student's functions.
        x: data, (B, D).
        steps: N.
        generator: draws the noise.

    Returns:
        A scalar, in nats; its gradient reaches the weights and x.
    """
    noise = _noise(steps, x, generator)
    return _Recomputed.apply(model, recipe, x, noise, *model.parameters())
