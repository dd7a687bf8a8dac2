"""The live figure of time: points on their way to noise and back, and arrows that lead them."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
import torch
import traitlets as t
from torch import Tensor

from genssl_utils.kit.figure import Figure, packed

__all__ = ["SETS", "STEPS", "WALKS", "MomentFigure", "moment_figure", "pool"]

POINTS, NUMBERS, STEPS = 240, 4096, (1, 2, 5, 10, 20, 50, 100, 200)
"""Points on their way; normal numbers that all chance is taken from; numbers of steps to choose."""

WALKS = ("forward", "DDIM", "DDPM")

_ALT = (
    "Left, 240 points of the plane at one time, with a field of small arrows that point to where "
    "noised points are more likely, and lines behind some of the points. Forward, true points blur "
    "into one round cloud of noise; back, the cloud parts into the set, along smooth lines without "
    "fresh noise and along jagged ones with it. Right, the energy distance from true points "
    "against the number of steps, for both ways back: it falls steeply up to about twenty steps "
    "and then lies at what true points have among each other."
)


def _ring() -> tuple[Tensor, float]:
    angle, spread = 2 * math.pi * torch.arange(8.0) / 8, 0.12
    return torch.stack([angle.cos(), angle.sin()], 1), spread


def _moons() -> tuple[Tensor, float]:
    angle, spread = math.pi * (torch.arange(16.0) + 0.5) / 16, 0.12
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    return torch.cat([upper, torch.tensor([1.0, 0.5]) - upper]), spread


def _twelve() -> tuple[Tensor, float]:
    places = [
        (-1.6, 0.9), (-0.9, 1.6), (0.2, 1.1), (1.3, 1.5), (1.7, 0.4), (0.7, -0.1), (-0.4, 0.2),
        (-1.4, -0.5), (-0.7, -1.4), (0.3, -1.0), (1.2, -1.5), (1.9, -0.7),
    ]  # fmt: skip
    return torch.tensor(places), 0.0


SETS: dict[str, Callable[[], tuple[Tensor, float]]] = {
    "eight clouds": _ring, "two moons": _moons, "twelve points": _twelve,
}  # fmt: skip


def middles(name: str) -> tuple[Tensor, float]:
    """Middles (K, 2) of equally likely round clouds, and their standard deviation.

    All together have mean 0 and spread 1, as the noise has.
    """
    places, spread = SETS[name]()
    places = places - places.mean(0)
    return places * ((1 - spread**2) / places.square().mean()).sqrt(), spread


def pool() -> np.ndarray:
    """The normal numbers that the figure takes in turn, (4096,), float32."""
    return torch.randn(NUMBERS, generator=torch.Generator().manual_seed(9)).numpy()


def _saved() -> dict[str, np.ndarray]:
    file = resources.files("genssl_utils.diffusion") / "data" / "moment.npz"
    with file.open("rb") as stream, np.load(stream) as saved:
        return dict(saved)


class MomentFigure(Figure):
    """Points at one time, forward or on one of two ways back, computed in the browser.

    ``kept`` is the schedule (float32), ``pool`` normal numbers (float32), ``sets`` the middles and
    spreads of the clouds, ``quality`` energy distances by set, way (DDIM, DDPM) and number of
    steps. ``time`` (0 to 1000), ``cloud``, ``walk`` and ``steps`` follow the browser.
    """

    _script = "moment.js"

    kept = t.Bytes(b"").tag(sync=True)
    pool = t.Bytes(b"").tag(sync=True)
    sets = t.List().tag(sync=True)
    counts = t.List(t.Int(), list(STEPS)).tag(sync=True)
    quality = t.List().tag(sync=True)
    floor = t.Float(0.001).tag(sync=True)
    points = t.Int(POINTS).tag(sync=True)
    cloud = t.Unicode("eight clouds").tag(sync=True)
    walk = t.Unicode("forward").tag(sync=True)
    steps = t.Int(50).tag(sync=True)
    time = t.Int(0).tag(sync=True)

    @t.validate("cloud")
    def _check_cloud(self, proposal: dict[str, Any]) -> str:
        return _one_of("cloud", proposal["value"], tuple(SETS))

    @t.validate("walk")
    def _check_walk(self, proposal: dict[str, Any]) -> str:
        return _one_of("walk", proposal["value"], WALKS)

    @t.validate("steps")
    def _check_steps(self, proposal: dict[str, Any]) -> int:
        return _one_of("steps", proposal["value"], STEPS)

    @t.validate("time")
    def _check_time(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] <= 1000:
            raise ValueError(f"time goes from 0 to 1000, not {proposal['value']}.")
        return proposal["value"]


def _one_of(what: str, value: Any, known: tuple) -> Any:
    if value not in known:
        raise ValueError(f"{what} is one of {known}, not {value!r}.")
    return value


def moment_figure(
    cloud: str = "eight clouds", walk: str = "forward", steps: int = 50, time: int = 300
) -> MomentFigure:
    """A live figure of points on their way to noise and back.

    Args:
        cloud: of `SETS`.
        walk: `forward`, or one of the ways back, `DDIM` and `DDPM`.
        steps: of the way back, one of `STEPS`.
        time: from 0, the data, to 1000, the noise.

    Returns:
        The figure.

    Raises:
        ValueError: an argument is none of these.
    """
    saved = _saved()
    clouds = [(name, *middles(name)) for name in SETS]
    return MomentFigure(
        title="Time under your thumb: to noise, and back",
        alt=_ALT,
        kept=packed(saved["kept"].astype("<f4").tobytes()),
        pool=packed(pool().astype("<f4").tobytes()),
        sets=[
            {"name": name, "middles": _rounded(places), "spread": spread}
            for name, places, spread in clouds
        ],
        quality=np.round(saved["quality"], 5).tolist(),
        floor=float(saved["floor"]),
        cloud=cloud, walk=walk, steps=steps, time=time,
    )  # fmt: skip


def _rounded(places: Tensor) -> list[list[float]]:
    return [[round(v, 5) for v in row] for row in places.tolist()]
