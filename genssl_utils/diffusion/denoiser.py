"""The network that guesses noise, its training, and draws from it, by the student's functions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.kit.training import Objective, cpu_threads, fit, seed_all, stay_then_fall

__all__ = [
    "WAYS",
    "Denoiser",
    "NoiseNet",
    "Predict",
    "Walkers",
    "moments",
    "train_denoiser",
    "walk",
]

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noised rows (N, D) and their times (N,) → the noise in them, (N, D)."""

SimpleLoss = Callable[[Predict, Tensor, Tensor, Tensor, Tensor], Tensor]

WAYS = ("DDPM", "DDIM")
"""With fresh noise in each step back, and without."""

WAVES = 16
"""Sines, and as many cosines, that tell the network the time."""


class Walkers(NamedTuple):
    """The student's two steps back; the exercises say what each takes and returns."""

    ancestral_step: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
    ddim_step: Callable[[Tensor, Tensor, float, float, float], tuple[Tensor, float]]


class NoiseNet(nn.Module):
    """A residual network from a noised row and its time to the noise in it: (N, D), (N,) → (N, D).

    Near the end a row is nearly all noise, and the answer is nearly the row itself. A narrow
    network passes 64 numbers badly, so the row goes round it: the answer is √(1−ᾱ) x + √ᾱ · body(x,
    t). What the body learns is then the *velocity*, up to its sign (Salimans & Ho 2022,
    arXiv:2202.00512).

    Of a point of the plane, a few sines and cosines are shown beside it, each twice as fast as the
    one before: a smooth network is slow to learn what is fine (Tancik et al. 2020,
    arXiv:2006.10739).

    Args:
        dims: D.
        width: units of each hidden layer.
        alpha_bar: the schedule, (T + 1,).
        layers: hidden layers.
        octaves: how many sines and cosines of each coordinate are shown beside it.
        velocity: whether the row goes round the body; else the body guesses the noise by itself.
    """

    def __init__(
        self, dims: int, width: int, alpha_bar: Tensor, layers: int = 3, octaves: int = 0,
        *, velocity: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.octaves, self.velocity = octaves, velocity
        self.register_buffer("alpha_bar", alpha_bar.float())
        self.register_buffer("pitch", torch.linspace(0, math.log(200.0), WAVES).exp())
        told = 2 * WAVES
        self.first = nn.Linear(dims * (1 + 2 * octaves) + told, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(layers - 1))
        self.clock = nn.ModuleList(nn.Linear(told, width) for _ in range(layers - 1))
        self.last = nn.Linear(width, dims)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The noise in x (N, D) at times t (N,), whole numbers from 1 to T."""
        turns = (t / (len(self.alpha_bar) - 1))[:, None] * self.pitch
        told = torch.cat([turns.sin(), turns.cos()], 1)  # (N, 2 · WAVES)
        fine = [wave(x * 2**k) for k in range(self.octaves) for wave in (torch.sin, torch.cos)]
        h = self.first(torch.cat([x, *fine, told], 1))
        for layer, clock in zip(self.hidden, self.clock, strict=True):
            h = h + layer(F.silu(h + clock(told)))
        body, kept = self.last(F.silu(h)), self.alpha_bar[t][:, None]
        return (1 - kept).sqrt() * x + kept.sqrt() * body if self.velocity else body


@dataclass(frozen=True)
class Denoiser:
    """A trained network, and what its training took.

    Rows of data are shifted and scaled to mean 0 and spread 1, as the noise has; `predict` works on
    such rows, `draw` gives rows as the data were.

    Attributes:
        predict: the network, or another function of the kind.
        alpha_bar: the schedule, (T + 1,), float32.
        shift: mean of each column, (D,).
        scale: one number, the spread of all columns together.
        seconds: processor time of the training, on one thread.
        weights: of the network.
        seen: rows that the training saw, counted each time.
    """

    predict: Predict
    alpha_bar: Tensor
    shift: Tensor
    scale: Tensor
    seconds: float = 0.0
    weights: int = 0
    seen: int = 0

    def inward(self, x: Tensor) -> Tensor:
        """Data to rows of mean 0 and spread 1, (N, D)."""
        return (x - self.shift) / self.scale

    def outward(self, x: Tensor) -> Tensor:
        """The way back to data."""
        return x * self.scale + self.shift

    @torch.no_grad()
    def draw(
        self, n: int, walkers: Walkers, way: str = "DDIM", steps: int = 50, *, seed: int = 0
    ) -> Tensor:
        """Fresh rows, (n, D), by so many steps of either way."""
        *_, last = self.trail(n, walkers, way, steps, seed=seed)
        return last

    @torch.no_grad()
    def trail(
        self, n: int, walkers: Walkers, way: str = "DDIM", steps: int = 50, *, seed: int = 0
    ) -> list[Tensor]:
        """Rows on their way from noise to data: steps + 1 heaps (n, D)."""
        source = torch.Generator(self.shift.device).manual_seed(seed)
        x = torch.randn(n, len(self.shift), generator=source, device=self.shift.device)
        times = moments(len(self.alpha_bar) - 1, steps)
        route = walk(self.predict, x, times, self.alpha_bar, walkers, way, source)
        return [self.outward(rows) for rows in route]


def moments(last: int, steps: int) -> list[int]:
    """Times from 0 to `last`, steps + 1 of them, evenly spaced and rounded.

    Raises:
        ValueError: there are more steps than times, or none.
    """
    if not 1 <= steps <= last:
        raise ValueError(f"steps goes from 1 to {last}, not {steps}.")
    return torch.linspace(0, last, steps + 1, dtype=torch.float64).round().long().tolist()


def walk(
    predict: Predict, x: Tensor, times: list[int], alpha_bar: Tensor, walkers: Walkers, way: str,
    source: torch.Generator,
) -> Iterator[Tensor]:  # fmt: skip
    """Steps back through the given times, from the last to the first, by the student's functions.

    DDPM's step knows only neighbours. To skip times, it is given the schedule of the times that are
    left, where these are neighbours (Nichol & Dhariwal 2021, arXiv:2102.09672).

    Args:
        predict: guesses the noise.
        x: rows at the last time, (N, D).
        times: which times are visited, rising.
        alpha_bar: the whole schedule, (T + 1,).
        walkers: the student's.
        way: `DDPM` or `DDIM`.
        source: of the noise of each step.

    Yields:
        The rows at each time, the last first.
    """
    if way not in WAYS:
        raise ValueError(f"way is one of {WAYS}, not {way!r}.")
    left = alpha_bar[times]
    yield x
    for k in range(len(times) - 1, 0, -1):
        guess = predict(x, torch.full((len(x),), times[k], device=x.device))
        if way == "DDPM":
            here = torch.full((len(x),), k, device=x.device)
            fresh = torch.randn(x.shape, generator=source, device=x.device)
            x = walkers.ancestral_step(x, guess, here, left, fresh)
        else:
            x, _ = walkers.ddim_step(x, guess, left[k].item(), left[k - 1].item(), 0.0)
        yield x


def train_denoiser(
    x: Tensor, alpha_bar: Tensor, simple_loss: SimpleLoss, *, steps: int, width: int,
    batch: int = 64, rate: float = 2e-3, octaves: int = 0, velocity: bool = True, seed: int = 0,
    title: str = "DDPM", picture: bool = True,
) -> Denoiser:  # fmt: skip
    """Train a network to guess noise, by the student's loss.

    Args:
        x: data, (n, D).
        alpha_bar: the student's schedule, (T + 1,).
        simple_loss: the student's.
        steps: training steps.
        width: units of each hidden layer.
        batch: rows a step, each at a time of its own.
        rate: the learning rate, which falls to 0 over the second half.
        octaves: of the network, for points of the plane.
        velocity: of the network.
        seed: of the weights, the batches, the times and the noise.
        title: for the progress bar.
        picture: whether to draw the loss in a notebook.
    """
    source, device = seed_all(seed, x.device), x.device
    alpha_bar = alpha_bar.to(device, torch.float32)
    shift = x.mean(0)
    scale = (x - shift).square().mean().sqrt()
    rows, last = (x - shift) / scale, len(alpha_bar) - 1
    net = NoiseNet(x.shape[1], width, alpha_bar, octaves=octaves, velocity=velocity).to(device)
    optimizer = torch.optim.Adam(net.parameters(), rate, fused=True)
    fall = stay_then_fall(optimizer, steps)

    def loss(step: int) -> Tensor:
        x0 = rows[torch.randint(len(rows), (batch,), generator=source, device=device)]
        t = torch.randint(1, last + 1, (batch,), generator=source, device=device)
        fresh = torch.randn(x0.shape, generator=source, device=device)
        return simple_loss(net, x0, t, fresh, alpha_bar)

    began = time.process_time()
    with cpu_threads(1):  # so small a network gains nothing by more, and times can be compared
        fit(
            Objective(optimizer, loss), steps, title=title, picture=picture,
            record_every=max(1, steps // 8), after_step=lambda step: fall.step(),
        )  # fmt: skip
    took = time.process_time() - began
    net.requires_grad_(False)
    size = sum(part.numel() for part in net.parameters())
    return Denoiser(net, alpha_bar, shift, scale, took, size, steps * batch)
