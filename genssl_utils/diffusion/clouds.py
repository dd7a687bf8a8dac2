"""Points of the plane: three sets, and how near drawn points come to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import WAYS, Denoiser, Walkers
from genssl_utils.kit.data import blobs, pinwheel, two_moons
from genssl_utils.kit.samples import energy_distance

__all__ = ["CLOUDS", "CLOUD_SPREAD", "by_steps", "cloud", "ring_middles"]

CLOUD_SPREAD, ON_RING, RADIUS = 0.15, 8, 2.0
"""The ring of clouds: their standard deviation, their number, the radius of their middles."""

CLOUDS: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "two moons": lambda n, source: two_moons(n, generator=source)[0],
    "eight clouds": lambda n, source: blobs(
        n, centres=ON_RING, radius=RADIUS, noise=CLOUD_SPREAD, generator=source
    )[0],
    "pinwheel": lambda n, source: pinwheel(n, generator=source)[0],
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


def by_steps(
    trained: Mapping[str, Denoiser], walkers: Walkers, *, steps: Sequence[int], n: int = 2000,
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
