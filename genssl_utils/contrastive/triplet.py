"""The first live figure of the unit: the triplet loss and its margin, with points to drag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["TripletFigure", "triplet_figure"]

MARGINS = (0.0, 2.0)
REACH = 1.5

_ALT = (
    "An anchor, a positive and three negatives, as points that you can drag, on the unit circle or "
    "in the plane. Rings around the anchor show where a negative is hard (nearer than the positive), "
    "semi-hard (further, but by less than the margin m) and easy. Arrows show the step that lowers "
    "the triplet loss. A second picture shows the hinge: each negative's loss against how much "
    "further away it is than the positive, with a kink at the margin, beyond which the loss is 0."
)


class TripletFigure(Figure):
    """The triplet loss [‖a−p‖² − ‖a−n‖² + m]₊ under the reader's hand.

    Schroff et al. 2015 (arXiv:1503.03832). The points, ``margin`` and ``circle`` follow the
    browser.
    """

    _script = "triplet.js"

    anchor = t.List(t.Float(), [1.0, 0.0]).tag(sync=True)
    positive = t.List(t.Float(), [1.0, 0.0]).tag(sync=True)
    negatives = t.List(t.List(t.Float()), [[0.0, 1.0]] * 3).tag(sync=True)
    margin = t.Float(0.5).tag(sync=True)
    circle = t.Bool(True).tag(sync=True)

    @t.validate("margin")
    def _check_margin(self, proposal: dict[str, Any]) -> float:
        return _require_margin(proposal["value"])


def triplet_figure(
    margin: float = 0.5, angles: Sequence[float] = (80, 125, 45, 158, 260)
) -> TripletFigure:
    """A live figure of the triplet loss, with all points on the unit circle at the start.

    Args:
        margin: m at the start, from 0 to 2, in squared distance.
        angles: of the anchor, the positive and the three negatives, in degrees.

    Returns:
        The figure.

    Raises:
        ValueError: the margin is out of range, or there are not five angles.

    Example:
        >>> triplet_figure(margin=0.2).margin
        0.2
    """
    if len(angles) != 5 or not all(map(math.isfinite, angles)):
        raise ValueError(f"angles are five numbers in degrees, not {list(angles)}.")
    anchor, positive, *negatives = (
        [math.cos(math.radians(a)), math.sin(math.radians(a))] for a in angles
    )
    return TripletFigure(
        title="Only negatives inside the margin teach; beyond the kink the loss is off",
        alt=_ALT,
        anchor=anchor,
        positive=positive,
        negatives=negatives,
        margin=_require_margin(margin),
    )


def _require_margin(margin: float) -> float:
    low, high = MARGINS
    if not low <= float(margin) <= high:
        raise ValueError(f"margin is {margin}: choose one from {low:g} to {high:g}.")
    return float(margin)
