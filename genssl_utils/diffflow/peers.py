"""The baselines: a small DDPM, and RealNVP of the library zuko."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
import zuko
from torch import Tensor, nn

from genssl_utils.diffflow.process import WAVES, FieldNet, fine_view
from genssl_utils.diffflow.sets import EdgeSet
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, stay_then_fall

__all__ = ["DDPM", "WAYS", "trained_ddpm", "trained_realnvp"]

WAYS = ("DDPM", "DDPM, narrow", "DDIM")
"""With the noise that fits best in each step back, with the posterior's, and without."""

BATCH, CLIP = 128, 5.0
EDGE = 2.0
"""A guess of the data is cut at ±2, as DDPM cuts its guesses of pixels at black and white."""


def kept_signal(t: Tensor) -> Tensor:
    """ᾱ at times from 0 (data, 1) to 1 (noise, nearly 0): a squared cosine.

    Example:
        >>> kept_signal(torch.tensor([0.0, 0.5])).tolist()
        [1.0, 0.5...]
    """
    return (0.99 * math.pi / 2 * t).cos().square()


class DDPM(nn.Module):
    """A network that guesses the noise (Ho et al. 2020, arXiv:2006.11239), in continuous time.

    One trained network serves every number of steps: N of them are laid evenly over the time.

    Args:
        dims: D.
        hidden: widths of the hidden layers.
    """

    def __init__(self, dims: int = 2, *, hidden: tuple[int, ...] = (95, 95)) -> None:
        super().__init__()
        self.dims, self.net = dims, FieldNet(dims, hidden)

    def loss(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """The paper's simple loss of a batch (B, D), at times drawn evenly."""
        where = generator.device
        t = torch.rand(len(x), generator=generator, device=where).to(x)
        noise = torch.randn(x.shape, generator=generator, device=where).to(x)
        kept = kept_signal(t)[:, None]
        error = self.net(kept.sqrt() * x + (1 - kept).sqrt() * noise, t) - noise
        return error.square().mean()

    def _guess(self, x: Tensor, t: Tensor) -> Tensor:
        """The data behind noised rows, cut at the edge of the data."""
        kept = kept_signal(t)
        return ((x - (1 - kept).sqrt() * self.net(x, t)) / kept.sqrt()).clamp(-EDGE, EDGE)

    @torch.no_grad()
    def draw(
        self, n: int, steps: int, generator: torch.Generator, *, way: str = "DDPM, narrow",
        known: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Fresh rows (n, D) by so many steps back, of which the last adds no noise.

        Args:
            n: rows.
            steps: N.
            generator: of the latent and of the noise.
            way: one of `WAYS`. `DDPM` adds the noise that fits best on known rows, `DDPM, narrow`
                that of the posterior, as if the guess were the true start; `DDIM` adds none.
            known: training rows, for `DDPM`.

        Raises:
            ValueError: there is no such way, or `DDPM` has no known rows.
        """
        if way not in WAYS or (way == WAYS[0] and known is None):
            raise ValueError(f"way is one of {WAYS}, and {WAYS[0]} needs known rows.")
        where = generator.device
        x = torch.randn(n, self.dims, generator=generator, device=where).to(self.net.turns)
        times = torch.linspace(0, 1, steps + 1, device=x.device)
        kept = kept_signal(times)
        wide = None if known is None else self.fitted(known, steps, generator)
        for i in range(steps, 0, -1):
            start = self._guess(x, times[i])
            unit = (x - kept[i].sqrt() * start) / (1 - kept[i]).sqrt()
            spread = torch.zeros_like(kept[i]) if way == "DDIM" else _spread(kept, i)
            x = kept[i - 1].sqrt() * start
            x = x + (1 - kept[i - 1] - spread.square()).clamp(min=0).sqrt() * unit
            if way != "DDIM" and i > 1:
                fresh = torch.randn(x.shape, generator=generator, device=where).to(x)
                x = x + (spread if wide is None else wide[i].sqrt()) * fresh
        return x

    @torch.no_grad()
    def fitted(self, known: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Variances of the steps back that fit best on known rows, (N + 1,); entry 0 is unused.

        They are the posterior's plus that of the start, which is only guessed (Bao et al. 2022,
        arXiv:2201.06503).
        """
        times = torch.linspace(0, 1, steps + 1, device=known.device)
        kept = kept_signal(times)
        found = [torch.zeros_like(kept[0])]
        for i in range(1, steps + 1):
            usual = self._error(known, times[i], kept[i], generator).mean() / self.dims
            found.append(_spread(kept, i).square() + _pull(kept, i) * usual)
        return torch.stack(found)

    @torch.no_grad()
    def bound(self, x: Tensor, known: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """A bound on −log p of each row with so many steps, (B, D) → (B,), in nats.

        The sum of the Kullback–Leibler divergences of the steps (their equation 5), with the
        variances that fit best on known rows, which can only help.

        Args:
            x: rows to judge.
            known: training rows, on which the spreads are chosen.
            steps: N.
            generator: draws the noise.
        """
        times = torch.linspace(0, 1, steps + 1, device=x.device)
        kept = kept_signal(times)
        last, wide = kept[-1], self.fitted(known, steps, generator)
        total = 0.5 * (last * x.square() - last - (1 - last).log()).sum(1)  # the latent's own KL
        for i in range(steps, 0, -1):
            error, variance = self._error(x, times[i], kept[i], generator), wide[i]
            if i == 1:  # a step onto the data, whose own density counts
                total = total + 0.5 * (
                    error / variance + self.dims * (2 * math.pi * variance).log()
                )
                continue
            true = _spread(kept, i).square()
            total = total + 0.5 * (
                (self.dims * true + _pull(kept, i) * error) / variance
                - self.dims
                + self.dims * (variance / true).log()
            )
        return total

    def _error(self, x: Tensor, t: Tensor, kept: Tensor, generator: torch.Generator) -> Tensor:
        """Squared distance of the guess from each row, noised once: (B,)."""
        noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x)
        return (self._guess(kept.sqrt() * x + (1 - kept).sqrt() * noise, t) - x).square().sum(1)


def _spread(kept: Tensor, i: int) -> Tensor:
    """Standard deviation of step i's true way back, given the data."""
    return ((1 - kept[i - 1]) / (1 - kept[i]) * (1 - kept[i] / kept[i - 1])).sqrt()


def _pull(kept: Tensor, i: int) -> Tensor:
    """How much of the squared error of a guessed start goes into step i's mean; 1 at step 1."""
    return kept[i - 1] * (1 - kept[i] / kept[i - 1]).square() / (1 - kept[i]).square()


class FineView(nn.Module):
    """What shifts and scales a coordinate in a coupling: it sees what the other networks see.

    Args:
        dims: numbers that come in.
        out: numbers that go out.
        hidden: widths of the hidden layers.
    """

    def __init__(self, dims: int, out: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("pitch", 2.0 ** torch.arange(WAVES))
        self.body = mlp(dims * (1 + 2 * WAVES), out, hidden=hidden, activation=nn.SiLU)
        nn.init.zeros_(self.body[-1].weight)
        nn.init.zeros_(self.body[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        """(…, dims) → (…, out)."""
        return self.body(fine_view(x, self.pitch))


def _trained(
    net: nn.Module, loss: Callable[[Tensor], Tensor], points: EdgeSet, draw: torch.Generator,
    steps: int, lr: float, title: str,
) -> float:  # fmt: skip
    """Train on fresh batches; returns the processor time, in seconds."""
    adam = torch.optim.Adam(net.parameters(), lr=lr, fused=True)
    falls = stay_then_fall(adam, steps)
    device, began = next(net.parameters()).device, time.process_time()
    turn = Objective(adam, lambda step: loss(points.draw(BATCH, draw).to(device)), clip=CLIP)
    fit(turn, steps, title=title, picture=False, after_step=lambda step: falls.step())
    return time.process_time() - began


def trained_ddpm(
    points: EdgeSet, *, steps: int, seed: int = 0, device: torch.device | str = "cpu",
    hidden: tuple[int, ...] = (95, 95),
) -> tuple[DDPM, float]:  # fmt: skip
    """A DDPM trained on fresh points, 128 a step, and the seconds that it took."""
    torch.manual_seed(seed)
    draw, chance = (torch.Generator().manual_seed(s) for s in (seed, seed + 1000))
    net = DDPM(hidden=hidden).to(device)
    seconds = _trained(net, lambda x: net.loss(x, chance), points, draw, steps, 6e-3, "DDPM")
    return net, seconds


def trained_realnvp(
    points: EdgeSet, *, steps: int, seed: int = 0, device: torch.device | str = "cpu",
    width: int = 48, couplings: int = 4, fine: bool = True,
) -> tuple[nn.Module, float]:  # fmt: skip
    """zuko's RealNVP trained by maximum likelihood, 128 fresh points a step, and its seconds.

    Args:
        points: the set.
        steps: updates.
        seed: of weights and batches.
        device: where to train.
        width: of the two hidden layers in each coupling.
        couplings: how many.
        fine: whether its networks see sines and cosines, as DiffFlow's and the DDPM's do.
    """
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    flow = zuko.flows.RealNVP(2, transforms=couplings, hidden_features=(width, width))
    for coupling in flow.transform.transforms if fine else ():
        told = coupling.hyper
        coupling.hyper = FineView(told.in_features, told.out_features, (width, width))
    flow = flow.to(device)
    cost = lambda x: -flow().log_prob(x).mean()  # noqa: E731
    return flow, _trained(flow, cost, points, draw, steps, 3e-3, "RealNVP")
