"""The first live figure of the unit: a triplet, its margin, and the zones of its negatives."""

from __future__ import annotations

import math
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["MARGIN_RANGE", "TripletFigure", "triplet_figure"]

MARGIN_RANGE = (0.0, 2.0)
PLACES = ("circle", "plane")

# Anchor, positive, then three negatives: a hard one, a semi-hard one and an easy one.
ANGLES = tuple(math.radians(degrees) for degrees in (95.0, 145.0, 64.0, 36.0, -65.0))
POINTS = ((-0.3, 0.1), (-0.75, 0.55), (0.1, -0.25), (0.45, 0.5), (1.0, -0.8))

_ALT = (
    "An anchor, a positive and {count} negatives can be dragged on the unit circle or in the "
    "plane. Around the anchor lie three zones: hard, no further than the positive; semi-hard, "
    "further but inside the margin; easy, beyond it. Arrows show minus the gradient of the mean "
    "triplet loss: an easy negative has none. A plot shows the loss against the squared distance "
    "to the positive minus that to the negative: zero up to minus the margin, then a kink and a "
    "line of slope one, with each negative on it. A table gives zone, distance and loss."
)


class TripletFigure(Figure):
    """The triplet loss [d_ap − d_an + margin]₊ of squared distances, under the reader's hand.

    Schroff et al. 2015 (arXiv:1503.03832). ``where`` says which of two places is shown:
    ``angles`` hold the points on the unit circle, in radians, ``points`` those in the plane; each
    list is anchor, positive, then the negatives. All follow the browser.
    """

    _script = "triplet.js"

    margin = t.Float(0.5).tag(sync=True)
    where = t.Enum(PLACES, "circle").tag(sync=True)
    angles = t.List(t.Float(), list(ANGLES)).tag(sync=True)
    points = t.List(t.List(t.Float()), [list(p) for p in POINTS]).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault("title", "Beyond the margin a negative teaches nothing")
        traits.setdefault("alt", _ALT.format(count=len(traits.get("angles", ANGLES)) - 2))
        super().__init__(**traits)

    @t.validate("margin")
    def _check_margin(self, proposal: dict[str, Any]) -> float:
        return _require_margin(proposal["value"])


def triplet_figure(margin: float = 0.5, where: str = "circle", negatives: int = 3) -> TripletFigure:
    """A live figure of the triplet loss and of the zones easy, semi-hard and hard.

    Each negative n makes a triplet with the anchor a and the positive p, whose loss is
    [‖a − p‖² − ‖a − n‖² + margin]₊ (Schroff et al. 2015, arXiv:1503.03832). A negative is hard
    when d_an ≤ d_ap, semi-hard when d_ap < d_an < d_ap + margin, easy beyond. On the circle the
    gradient is the one that reaches the unnormalised coordinates.

    Args:
        margin: in squared distance, from 0 to 2.
        where: ``"circle"`` for unit norm or ``"plane"``.
        negatives: how many, 2 or 3.

    Returns:
        The figure; ``margin``, ``where``, ``angles`` and ``points`` follow what the reader does.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> triplet_figure(margin=0.2).margin
        0.2
        >>> triplet_figure(margin=-1)
        Traceback (most recent call last):
        ...
        ValueError: margin is -1: choose one from 0 to 2.
    """
    if where not in PLACES:
        raise ValueError(f"where is {where!r}: choose one of {PLACES}.")
    if negatives not in (2, 3):
        raise ValueError(f"negatives is {negatives}: the figure shows 2 or 3.")
    size = 2 + negatives
    return TripletFigure(
        margin=_require_margin(margin),
        where=where,
        angles=list(ANGLES[:size]),
        points=[list(p) for p in POINTS[:size]],
    )


def _require_margin(margin: float) -> float:
    low, high = MARGIN_RANGE
    if not low <= float(margin) <= high:
        raise ValueError(f"margin is {margin}: choose one from {low:g} to {high:g}.")
    return float(margin)
