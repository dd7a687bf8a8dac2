"""The live figure of a chain of 1-D bijections: densities, a travelling point, and its receipt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["BENDS", "SCALE_RANGE", "SHIFT_RANGE", "ChainFigure", "chain_figure"]

STEPS = 3
SCALES = (0.9, 1.2, 0.7)
SHIFTS = (0.3, 0.0, -0.9)
BENDS = (0.0, 1.0, 1.0)
SCALE_RANGE = (0.3, 2.0)  # of |scale|: a scale of 0 sends every point to one place
SHIFT_RANGE = (-2.0, 2.0)
POINT_RANGE = (-3.0, 3.0)
BEND_RANGE = (0.0, 2.0)

_ALT = (
    "Four densities stand one under another: a standard normal z0, then what each of three steps "
    "makes of it, the last being x. Lines cut every density into ten strips of equal area and "
    "join the strips from row to row. A point z0, which you can drag, travels down with its strip. "
    "Two sliders a step move its scale and its shift. A table adds up the log-density of x: "
    "log π0(z0) minus the log-det of each step. The area under each density is 1."
)


class ChainFigure(Figure):
    """A chain x = f₃(f₂(f₁(z₀))), z₀ ~ N(0, 1), with its change of variables as a receipt.

    Step i is z ↦ u + a·tanh 2u with u = scale·z + shift, and a = ``bends[i]``; with a = 0 it is
    affine. Its derivative is scale · (1 + 2a·(1 − tanh² 2u)), so that
    log p(x) = log π₀(z₀) − Σ log|f_i′| (Rezende & Mohamed 2015, arXiv:1505.05770).
    ``scales``, ``shifts`` and ``z0`` follow the browser.
    """

    _script = "chain_figure.js"

    scales = t.List(t.Float(), list(SCALES)).tag(sync=True)
    shifts = t.List(t.Float(), list(SHIFTS)).tag(sync=True)
    bends = t.List(t.Float(), list(BENDS)).tag(sync=True)
    z0 = t.Float(0.4).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault(
            "title",
            "Where a step stretches, the density sinks by its log-det; the area stays\u00a01",
        )
        traits.setdefault("alt", _ALT)
        super().__init__(**traits)

    @t.validate("scales")
    def _check_scales(self, proposal: dict[str, Any]) -> list[float]:
        return _require_scales(proposal["value"])

    @t.validate("shifts")
    def _check_shifts(self, proposal: dict[str, Any]) -> list[float]:
        return _require_numbers("shifts", proposal["value"], SHIFT_RANGE)

    @t.validate("bends")
    def _check_bends(self, proposal: dict[str, Any]) -> list[float]:
        return _require_numbers("bends", proposal["value"], BEND_RANGE)

    @t.validate("z0")
    def _check_z0(self, proposal: dict[str, Any]) -> float:
        return _require_point(proposal["value"])


def chain_figure(
    scales: Sequence[float] = SCALES,
    shifts: Sequence[float] = SHIFTS,
    bends: Sequence[float] = BENDS,
    z0: float = 0.4,
) -> ChainFigure:
    """A live figure of three 1-D bijections in a row, from a standard normal z₀ to x.

    Step i is z ↦ u + a·tanh 2u with u = scale·z + shift and a = ``bends[i]``. A bend pushes values
    away from 0, and may so split a density in two (Rezende & Mohamed 2015, arXiv:1505.05770).

    Args:
        scales: the scale of each of the three steps, 0.3 to 2 in size, of either sign.
        shifts: the shift of each step, from −2 to 2.
        bends: the strength a of each step's bend, from 0 (none: the step is affine) to 2.
        z0: where the travelling point starts, from −3 to 3.

    Returns:
        The figure; ``scales``, ``shifts`` and ``z0`` on it follow what the reader does.

    Raises:
        ValueError: a list has not three numbers, or a number is out of its range.

    Example:
        >>> figure = chain_figure(scales=(1.0, -1.0, 0.5))
        >>> figure.scales
        [1.0, -1.0, 0.5]
        >>> chain_figure(scales=(1.0, 0.0, 0.5))
        Traceback (most recent call last):
        ...
        ValueError: scales has a 0: it sends every point to one place, which cannot be undone.
    """
    return ChainFigure(
        scales=_require_scales(scales),
        shifts=_require_numbers("shifts", shifts, SHIFT_RANGE),
        bends=_require_numbers("bends", bends, BEND_RANGE),
        z0=_require_point(z0),
    )


def _require_scales(scales: Sequence[float]) -> list[float]:
    values = _require_three("scales", scales)
    if 0 in values:
        raise ValueError(
            "scales has a 0: it sends every point to one place, which cannot be undone."
        )
    low, high = SCALE_RANGE
    if not all(low <= abs(v) <= high for v in values):
        raise ValueError(f"scales must be from {low:g} to {high:g} in size: got {values}.")
    return values


def _require_numbers(name: str, numbers: Sequence[float], limits: tuple[float, float]) -> list:
    values = _require_three(name, numbers)
    low, high = limits
    if not all(low <= v <= high for v in values):
        raise ValueError(f"{name} must be from {low:g} to {high:g}: got {values}.")
    return values


def _require_three(name: str, numbers: Sequence[float]) -> list[float]:
    values = [float(v) for v in numbers]
    if len(values) != STEPS or not all(map(math.isfinite, values)):
        raise ValueError(f"{name} must be {STEPS} finite numbers, one a step: got {values}.")
    return values


def _require_point(z0: float) -> float:
    low, high = POINT_RANGE
    if not low <= float(z0) <= high:
        raise ValueError(f"z0 is {z0}: choose a point from {low:g} to {high:g}.")
    return float(z0)
