"""The live figure of one affine coupling layer: a bent grid, and a point carried there and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["SIDE", "S_RANGE", "T_RANGE", "GridFigure", "grid_figure"]

POINT = (0.9, 0.7)
SIDE = 1.5  # the grid covers the square [−SIDE, SIDE]²
S_RANGE = (0.0, 0.6)
T_RANGE = (0.0, 0.8)

_ALT = (
    "A square grid in the plane of x, and the same grid in the plane of y after one affine "
    "coupling layer. One coordinate passes unchanged; the other is scaled and shifted by amounts "
    "that depend on the one that passes. Cells that grow are green and cells that shrink are "
    "purple, and numbers along the grid give the log-det of each line of cells. Sliders set how "
    "strong scale and shift are; buttons choose which coordinate passes. A point can be dragged in "
    "x, where its image in y follows, or in y, where its exact inverse in x follows."
)


class GridFigure(Figure):
    """The plane bent by y = (x₁, x₂·exp(s(x₁)) + t(x₁)), or with the coordinates swapped.

    Dinh et al. 2017 (arXiv:1605.08803). In place of a network s(v) = ``s_strength`` · sin(1.5 v)
    and t(v) = ``t_strength`` · cos(2 v): neither needs an inverse. The log-det is s at the
    coordinate that ``passes`` (1 or 2). ``x`` and all of these follow the browser.
    """

    _script = "grid_figure.js"

    x = t.List(t.Float(), list(POINT)).tag(sync=True)
    s_strength = t.Float(0.5).tag(sync=True)
    t_strength = t.Float(0.5).tag(sync=True)
    passes = t.Int(1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault("title", "One coordinate passes unchanged, so every bend can be undone")
        traits.setdefault("alt", _ALT)
        super().__init__(**traits)

    @t.validate("x")
    def _check_x(self, proposal: dict[str, Any]) -> list[float]:
        return _require_point(proposal["value"])

    @t.validate("s_strength")
    def _check_s(self, proposal: dict[str, Any]) -> float:
        return _require_strength("s_strength", proposal["value"], S_RANGE)

    @t.validate("t_strength")
    def _check_t(self, proposal: dict[str, Any]) -> float:
        return _require_strength("t_strength", proposal["value"], T_RANGE)

    @t.validate("passes")
    def _check_passes(self, proposal: dict[str, Any]) -> int:
        return _require_passes(proposal["value"])


def grid_figure(
    x: Sequence[float] = POINT,
    s_strength: float = 0.5,
    t_strength: float = 0.5,
    passes: int = 1,
) -> GridFigure:
    """A live figure of one affine coupling layer of RealNVP in the plane, forward and back.

    Dinh et al. 2017 (arXiv:1605.08803).

    Args:
        x: the point that travels, two numbers from −1.5 to 1.5.
        s_strength: how strong the log-scale s is, from 0 (areas stay as they are) to 0.6.
        t_strength: how strong the shift t is, from 0 to 0.8.
        passes: the coordinate that passes unchanged, 1 or 2.

    Returns:
        The figure; its traits of the same names follow what the reader does.

    Raises:
        ValueError: ``x`` lies outside the grid, a strength is out of range, or ``passes`` is
            neither 1 nor 2.

    Example:
        >>> figure = grid_figure(passes=2)
        >>> figure.passes
        2
        >>> grid_figure(passes=0)
        Traceback (most recent call last):
        ...
        ValueError: passes is 0: the coordinate that passes is 1 or 2.
    """
    return GridFigure(
        x=_require_point(x),
        s_strength=_require_strength("s_strength", s_strength, S_RANGE),
        t_strength=_require_strength("t_strength", t_strength, T_RANGE),
        passes=_require_passes(passes),
    )


def _require_point(x: Sequence[float]) -> list[float]:
    values = [float(v) for v in x]
    if len(values) != 2 or not all(abs(v) <= SIDE for v in values):
        raise ValueError(f"x must be two numbers from {-SIDE:g} to {SIDE:g}: got {values}.")
    return values


def _require_strength(name: str, strength: float, limits: tuple[float, float]) -> float:
    low, high = limits
    if not low <= float(strength) <= high:
        raise ValueError(f"{name} is {strength}: choose a number from {low:g} to {high:g}.")
    return float(strength)


def _require_passes(passes: int) -> int:
    if passes not in (1, 2):
        raise ValueError(f"passes is {passes}: the coordinate that passes is 1 or 2.")
    return int(passes)
