"""Points of the plane: two sets, and how near drawn points come to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import (
    WAYS,
    Denoiser,
    SimpleLoss,
    Walkers,
    train_denoiser,
)
from genssl_utils.diffusion.exact import mean_loss, perfect
from genssl_utils.kit.data import blobs, two_moons
from genssl_utils.kit.samples import energy_distance

__all__ = [
    "CLOUDS",
    "CLOUD_SPREAD",
    "by_steps",
    "cloud",
    "losses_beside_the_best",
    "on_a_cloud",
    "ring_middles",
    "shares_on_a_cloud",
    "train_on_clouds",
]

CLOUD_SPREAD, ON_RING, RADIUS = 0.15, 8, 2.0
"""The ring of clouds: their standard deviation, their number, the radius of their middles."""

CLOUDS: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "two moons": lambda n, source: two_moons(n, generator=source)[0],
    "eight clouds": lambda n, source: blobs(
        n, centres=ON_RING, radius=RADIUS, noise=CLOUD_SPREAD, generator=source
    )[0],
}
"""Name → what draws so many points, (n, 2)."""


def cloud(name: str, n: int, seed: int, device: torch.device | str = "cpu") -> Tensor:
    """Fresh points of a set, (n, 2).

    Raises:
        ValueError: there is no set of that name.
    """
    if name not in CLOUDS:
        raise ValueError(f"There is no set {name!r}; choose one of {sorted(CLOUDS)}.")
    return CLOUDS[name](n, torch.Generator(device).manual_seed(seed))


def ring_middles(device: torch.device | str = "cpu") -> Tensor:
    """Middles of the eight clouds, (8, 2)."""
    angle = 2 * torch.pi * torch.arange(ON_RING, device=device) / ON_RING
    return RADIUS * torch.stack([angle.cos(), angle.sin()], 1)


def on_a_cloud(points: Tensor) -> float:
    """Share of points (N, 2) within three standard deviations of one of the eight middles."""
    far = torch.cdist(points, ring_middles(points.device)).amin(1)
    return (far <= 3 * CLOUD_SPREAD).double().mean().item()


def train_on_clouds(
    alpha_bar: Tensor, simple_loss: SimpleLoss, *, steps: int, width: int = 64, seed: int = 0,
    device: torch.device | str = "cpu",
) -> dict[str, Denoiser]:  # fmt: skip
    """A network for each set, trained on 2000 points by the student's loss, 128 points a step."""
    return {
        name: train_denoiser(
            cloud(name, 2000, seed, device), alpha_bar, simple_loss, steps=steps, width=width,
            batch=128, rate=5e-3, octaves=3, seed=seed, title=name, picture=False,
        )
        for name in CLOUDS
    }  # fmt: skip


def losses_beside_the_best(
    denoiser: Denoiser, simple_loss: SimpleLoss, *, n: int = 4000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """The student's loss on fresh points of the eight clouds, by times.

    Returns:
        Times → the network's loss, and that of the best guess that there is.
    """
    device = denoiser.shift.device
    fresh = cloud("eight clouds", n, seed + 7000, device)
    best = perfect(denoiser, ring_middles(device), CLOUD_SPREAD)
    last = len(denoiser.alpha_bar) - 1
    edges = [0, last // 4, last // 2, 3 * last // 4, last]
    spans = {f"{a + 1} to {b}": (a + 1, b) for a, b in pairwise(edges)}
    return {
        name: (
            mean_loss(denoiser, fresh, simple_loss, times=span, seed=seed),
            mean_loss(best, fresh, simple_loss, times=span, seed=seed),
        )
        for name, span in (spans | {"all times": (1, last)}).items()
    }


def shares_on_a_cloud(
    denoiser: Denoiser, walkers: Walkers, *, steps: int = 100, n: int = 1500, seed: int = 0
) -> dict[tuple[str, str], float]:
    """Share of points on one of the eight clouds, by the network and by the best guess there is.

    Returns:
        (who guesses, way) → share; (`nobody`, `true points`) for fresh points.
    """
    device = denoiser.shift.device
    best = perfect(denoiser, ring_middles(device), CLOUD_SPREAD)
    found = {
        (who, way): on_a_cloud(one.draw(n, walkers, way, steps, seed=seed))
        for who, one in (("network", denoiser), ("best guesser", best))
        for way in WAYS
    }
    true = cloud("eight clouds", n, seed + 5000, device)
    return found | {("nobody", "true points"): on_a_cloud(true)}


def by_steps(
    trained: Mapping[str, Denoiser], walkers: Walkers, *, steps: Sequence[int], n: int = 1500,
    seed: int = 0,
) -> dict[str, dict[tuple[str, int], float]]:  # fmt: skip
    """Energy distance between n drawn points and n fresh true ones.

    Returns:
        Set → (way, steps) → distance; (`true`, 0) is that of other fresh true points.
    """
    found: dict[str, dict[tuple[str, int], float]] = {}
    for name, denoiser in trained.items():
        device = denoiser.shift.device
        true, other = (cloud(name, n, seed + at, device) for at in (5000, 6000))
        rows = {("true", 0): energy_distance(other, true)}
        for way in WAYS:
            for number in steps:
                made = denoiser.draw(n, walkers, way, number, seed=seed)
                rows[way, number] = energy_distance(made, true)
        found[name] = rows
    return found
