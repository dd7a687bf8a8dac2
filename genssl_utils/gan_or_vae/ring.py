"""Both rivals on a ring of eight clouds, where every mistake can be counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.gan_or_vae.makers import frozen
from genssl_utils.kit.data import blobs
from genssl_utils.kit.metrics import total_variation
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.samples import energy_distance
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = [
    "CENTRES",
    "OnRing",
    "RingMaker",
    "answers_to",
    "judge_answers",
    "judge_ring",
    "ring_gan",
    "ring_points",
    "ring_regression",
    "ring_vae",
]

RADIUS, NOISE, CLOUDS, LATENT, WIDTH, BATCH = 2.0, 0.1, 8, 2, 64, 128
"""The ring; numbers of a code; units of a hidden layer; points a step."""

_ANGLES = 2 * torch.pi * torch.arange(CLOUDS) / CLOUDS
CENTRES = RADIUS * torch.stack([_ANGLES.cos(), _ANGLES.sin()], 1)
"""Middles of the clouds, (8, 2)."""


@dataclass(frozen=True)
class RingMaker:
    """A trained decoder of points.

    Attributes:
        name: for tables.
        decoder: codes (N, 2) → points (N, 2).
        noise: standard deviation that is added to what it decodes.
        seconds: that the training took.
    """

    name: str
    decoder: nn.Module
    noise: float
    seconds: float

    @torch.no_grad()
    def draw(self, n: int, seed: int = 0) -> Tensor:
        """Fresh points, (n, 2)."""
        device = next(self.decoder.parameters()).device
        draw = torch.Generator(device).manual_seed(seed)
        z = torch.randn(n, LATENT, generator=draw, device=device)
        grain = torch.randn(n, 2, generator=draw, device=device)
        return self.decoder(z) + self.noise * grain


def ring_vae(
    x: Tensor,
    reparameterize: Callable[[Tensor, Tensor, torch.Generator], Tensor],
    gaussian_kl: Callable[[Tensor, Tensor], Tensor],
    *,
    steps: int = 2000,
    seed: int = 0,
) -> RingMaker:
    """Train a VAE on points whose noise it is told.

    Args:
        x: training points, (N, 2).
        reparameterize: the student's.
        gaussian_kl: the student's.
        steps: each on 128 points.
        seed: of the weights, the batches and the noise.
    """
    draw = seed_all(seed, x.device)
    encoder = mlp(2, 2 * LATENT, hidden=(WIDTH, WIDTH)).to(x.device)
    decoder = mlp(LATENT, 2, hidden=(WIDTH, WIDTH)).to(x.device)

    def loss(step: int) -> Tensor:
        batch = _batch(x, draw)
        mean, log_var = encoder(batch).chunk(2, dim=1)
        missed = batch - decoder(reparameterize(mean, log_var, draw))
        return (missed.square().sum(1) / (2 * NOISE**2) + gaussian_kl(mean, log_var)).mean()

    learned = [*encoder.parameters(), *decoder.parameters()]
    turns = {"minus the bound": Objective(torch.optim.Adam(learned, 2e-3, fused=True), loss)}
    return RingMaker("VAE", decoder, NOISE, _timed(turns, steps, "VAE on the ring"))


def ring_gan(
    x: Tensor, *, steps: int = 2000, penalty: float = 0.0, seed: int = 0, name: str = "GAN"
) -> RingMaker:
    """Train a GAN with networks of the same size, one move each a step.

    Args:
        x: training points, (N, 2).
        steps: each on 128 true points and 128 made ones.
        penalty: weight of the discriminator's squared slope at true points (arXiv:1801.04406).
        seed: of the weights, the batches and the noise.
        name: for tables.
    """
    draw = seed_all(seed, x.device)
    decoder = mlp(LATENT, 2, hidden=(WIDTH, WIDTH)).to(x.device)
    judge = mlp(2, 1, hidden=(WIDTH, WIDTH)).to(x.device)

    def made() -> Tensor:
        return decoder(torch.randn(BATCH, LATENT, generator=draw, device=x.device))

    turn: dict[str, Tensor] = {}

    def judge_loss(step: int) -> Tensor:
        turn["made"] = made()
        real = _batch(x, draw).requires_grad_(penalty > 0)
        true, false = judge(real), judge(turn["made"].detach())
        loss = (F.softplus(-true) + F.softplus(false)).mean()
        if penalty == 0:
            return loss
        (slope,) = torch.autograd.grad(true.sum(), real, create_graph=True)
        return loss + penalty / 2 * slope.square().sum(1).mean()

    def generator_loss(step: int) -> Tensor:
        with frozen(judge):
            return F.softplus(-judge(turn["made"])).mean()

    def adam(net: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.9), fused=True)

    turns = {
        "discriminator": Objective(adam(judge), judge_loss),
        "generator": Objective(adam(decoder), generator_loss),
    }
    return RingMaker(name, decoder, 0.0, _timed(turns, steps, f"{name} on the ring"))


def ring_regression(x: Tensor, *, steps: int = 600, seed: int = 0) -> nn.Module:
    """Learn a point's height from its place, by the squared error: (N, 1) → (N, 1)."""
    draw = seed_all(seed, x.device)
    net = mlp(1, 1, hidden=(64, 64)).to(x.device)

    def loss(step: int) -> Tensor:
        batch = _batch(x, draw)
        return F.mse_loss(net(batch[:, :1]), batch[:, 1:])

    turns = {"loss": Objective(torch.optim.Adam(net.parameters(), 3e-3, fused=True), loss)}
    _timed(turns, steps, "regression")
    return net


class OnRing(NamedTuple):
    """How points lie on the ring.

    Attributes:
        clouds: on which one point in a hundred lies, or more.
        on: share of the points within three standard deviations of a middle.
        uneven: total variation between the clouds' shares and equal ones, of the points on clouds.
        energy: energy distance from true points.
    """

    clouds: int
    on: float
    uneven: float
    energy: float


def judge_ring(points: Tensor, true: Tensor) -> OnRing:
    """Count on which clouds points (N, 2) lie, and compare them with true ones."""
    far, nearest = torch.cdist(points, CENTRES.to(points)).min(1)
    on = far <= 3 * NOISE
    counts = nearest[on].bincount(minlength=CLOUDS)
    clouds = int((counts >= len(points) / 100).sum())
    even = torch.ones(CLOUDS, device=counts.device)
    uneven = total_variation(counts, even) if on.any() else 1.0
    return OnRing(clouds, on.double().mean().item(), uneven, energy_distance(points, true))


def answers_to(place: Tensor, points: Tensor) -> Tensor:
    """Heights (N,) for places (N,): each that of the made point whose own place is nearest."""
    order = points[:, 0].argsort()
    at, height = points[order].T.contiguous()
    right = torch.searchsorted(at, place.contiguous()).clamp(1, len(at) - 1)
    nearer = torch.where(place - at[right - 1] < at[right] - place, right - 1, right)
    return height[nearer]


def judge_answers(place: Tensor, height: Tensor, asked: Tensor) -> tuple[float, float]:
    """Root mean square error against the true points, and share of answers that lie on a cloud.

    Args:
        place: what was asked, (N,).
        height: what was answered, (N,).
        asked: the true points with these places, (N, 2).
    """
    error = (height - asked[:, 1]).square().mean().sqrt()
    there = torch.cdist(torch.stack([place, height], 1), CENTRES.to(place)).amin(1) <= 3 * NOISE
    return float(error), there.double().mean().item()


def ring_points(n: int, seed: int, device: torch.device | str = "cpu") -> Tensor:
    """True points, (n, 2)."""
    draw = torch.Generator(device).manual_seed(seed)
    return blobs(n, centres=CLOUDS, radius=RADIUS, noise=NOISE, generator=draw)[0]


def _batch(x: Tensor, draw: torch.Generator) -> Tensor:
    return x[torch.randint(len(x), (BATCH,), generator=draw, device=draw.device)]


def _timed(turns: dict[str, Objective], steps: int, title: str) -> float:
    falls = [stay_then_fall(turn.optimizer, steps) for turn in turns.values()]
    began = time.perf_counter()
    fit(
        turns, steps, title=title, picture=False,
        after_step=lambda step: [fall.step() for fall in falls],
    )  # fmt: skip
    return time.perf_counter() - began
