"""The live figure of three processes that carry one cloud: a flow, a diffusion and DiffFlow."""

from __future__ import annotations

from typing import Any

import torch
import traitlets as t
from torch import Tensor

from genssl_utils.diffflow.limits import kept_share, rate
from genssl_utils.diffflow.process import Field
from genssl_utils.kit.figure import Figure, packed

__all__ = ["HEAP", "PATHS", "STEPS", "THREE", "ThreeFigure", "cloud_fields", "three_figure"]

HEAP, PATHS, STEPS = 0.15, 200, 100
"""Spread of each of the two heaps, at −1 and 1; paths; steps of each."""
THREE = (0.0, 1.0, None)
"""Noise of the flow, of the diffusion, and of DiffFlow, which the reader chooses."""
REACH, PART = 2.4, 4000
"""How far the point goes from 0; parts of a unit in which the noise is written."""

_ALT = (
    "Three panels side by side: flow, diffusion, DiffFlow. In each, time runs to the right, from a "
    "cloud of data, two heaps on an upright line, to a standard normal; thin paths show points of "
    "the cloud on their way, and 16 thick paths start at one point that the reader moves. In the "
    "flow all thick paths are one line. In the diffusion they fan out; going back from the middle "
    "of the latent they end in both heaps. In DiffFlow the fan is as wide as the noise, which a "
    "slider sets: at 0 it is the flow, at 1 the diffusion. Below each panel stands how many points "
    "come home to their own heap when they walk forth and back."
)


def cloud_fields(gamma: float) -> tuple[Field, Field]:
    """Drift and score, both (x, t) → as x, that carry the two heaps to a standard normal.

    The density at each time is that of a diffusion at rate β, whatever gamma is; the noise is
    gamma · √β. Gamma 0 is the flow with the same densities, and 1 the diffusion.
    """

    def score(x: Tensor, t: Tensor) -> Tensor:
        kept = kept_share(t)
        variance = 1 - kept + kept * HEAP**2
        middle = kept.sqrt()
        up = torch.sigmoid(2 * middle * x / variance)  # how sure it is of the upper heap
        return ((2 * up - 1) * middle - x) / variance

    def drift(x: Tensor, t: Tensor) -> Tensor:
        return -0.5 * rate(t) * (x + (1 - gamma**2) * score(x, t))

    return drift, score


class ThreeFigure(Figure):
    """Paths of three processes, computed in the browser from closed forms.

    ``noise`` holds 16-bit whole numbers, 4000 to a unit: the noise of the ways forth, then of those
    back, each (paths, steps). ``starts`` are points of the data, ``latents`` of the latent.
    ``gamma`` (DiffFlow's noise), ``way`` (``forth`` or ``back``) and ``start`` (the point that is
    held) follow the browser.
    """

    _script = "three.js"

    noise = t.Bytes(b"").tag(sync=True)
    starts = t.List(t.Float()).tag(sync=True)
    latents = t.List(t.Float()).tag(sync=True)
    gamma = t.Float(0.5).tag(sync=True)
    way = t.Unicode("back").tag(sync=True)
    start = t.Float(0.0).tag(sync=True)

    @t.validate("gamma")
    def _check_gamma(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= 1:
            raise ValueError(f"gamma goes from 0 to 1, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("way")
    def _check_way(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in ("forth", "back"):
            raise ValueError(f"way is 'forth' or 'back', not {proposal['value']!r}.")
        return proposal["value"]

    @t.validate("start")
    def _check_start(self, proposal: dict[str, Any]) -> float:
        if not abs(proposal["value"]) <= REACH:
            raise ValueError(f"start goes from {-REACH} to {REACH}, not {proposal['value']}.")
        return proposal["value"]


def three_figure(gamma: float = 0.5, way: str = "back", start: float = 0.1) -> ThreeFigure:
    """A live figure of a flow, a diffusion and DiffFlow on one cloud.

    Args:
        gamma: DiffFlow's noise at the start, 0 (a flow) to 1 (a diffusion).
        way: `forth` (from data) or `back` (from the latent).
        start: the point where the thick paths start, −2.4 to 2.4.

    Raises:
        ValueError: one of them is out of range.
    """
    draw = torch.Generator().manual_seed(3)
    noise = torch.randn(2, PATHS, STEPS, generator=draw)
    heaps = torch.where(torch.arange(PATHS) % 2 == 0, 1.0, -1.0)
    starts = heaps + HEAP * torch.randn(PATHS, generator=draw)
    latents = torch.randn(PATHS, generator=draw)
    whole = (noise * PART).round().clamp(-32768, 32767).to(torch.int16).numpy()
    return ThreeFigure(
        title="Flow, diffusion, DiffFlow: one cloud, three ways to walk",
        alt=_ALT,
        noise=packed(whole.astype("<i2").tobytes()),
        starts=[round(v, 3) for v in starts.tolist()],
        latents=[round(v, 3) for v in latents.tolist()],
        gamma=gamma,
        way=way,
        start=start,
    )
