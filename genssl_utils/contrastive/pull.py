"""The second live figure of the unit: who pulls and who pushes as the temperature moves."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["LOSSES", "TEMPERATURE_RANGE", "PullFigure", "pull_figure"]

TEMPERATURE_RANGE = (0.02, 20.0)
LOSSES = ("soft_nearest_neighbor", "info_nce")

CLASSES = (0, 0, 0, 0, 1, 1, 1, 1)
PARTNERS = (1, 0, 3, 2, 5, 4, 7, 6)  # two views of one picture
POINTS = (
    (-0.2, 0.65),
    (-0.78, 0.78),
    (-0.85, 0.05),
    (0.3, 0.12),
    (0.55, 0.85),
    (1.0, -0.3),
    (0.35, -0.75),
    (-0.55, -0.7),
)

_ALT = (
    "Eight points of two classes, circles and squares, can be dragged; one of them is the anchor. "
    "A line runs from it to every other point: its width and the printed share are the softmax "
    "weight of that point. Solid lines pull, dashed lines push. With the soft nearest neighbour "
    "loss the anchor's class pulls; with InfoNCE only its partner does. Beside it stand the weight "
    "of those that pull, the loss, and the effective number of neighbours, from 1 when the "
    "temperature is low to 7 when it is high."
)


class PullFigure(Figure):
    """The softmax weights that pull and push one anchor, and what the temperature does to them.

    InfoNCE: van den Oord et al. 2018 (arXiv:1807.03748), on unit vectors; soft nearest neighbour:
    Frosst et al. 2019 (arXiv:1902.01889), on squared distances. ``points``, ``anchor``,
    ``temperature`` and ``loss`` follow the browser.
    """

    _script = "pull.js"

    points = t.List(t.List(t.Float()), [list(p) for p in POINTS]).tag(sync=True)
    classes = t.List(t.Int(), list(CLASSES)).tag(sync=True)
    partners = t.List(t.Int(), list(PARTNERS)).tag(sync=True)
    anchor = t.Int(0).tag(sync=True)
    temperature = t.Float(0.5).tag(sync=True)
    loss = t.Enum(LOSSES, LOSSES[0]).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault("title", "Cold, the nearest alone counts; hot, all count alike")
        traits.setdefault("alt", _ALT)
        super().__init__(**traits)

    @t.validate("temperature")
    def _check_temperature(self, proposal: dict[str, Any]) -> float:
        return _require_temperature(proposal["value"])

    @t.validate("anchor")
    def _check_anchor(self, proposal: dict[str, Any]) -> int:
        return _require_anchor(proposal["value"])


def pull_figure(temperature: float = 0.5, loss: str = LOSSES[0], anchor: int = 0) -> PullFigure:
    """A live figure of who pulls and who pushes an anchor, with what weight.

    The weight of point j is its share of a softmax over all points but the anchor i: of
    −‖xᵢ − xⱼ‖² / T for the soft nearest neighbour loss (Frosst et al. 2019, arXiv:1902.01889), of
    zᵢᵀzⱼ / τ with unit vectors z = x / ‖x‖ for InfoNCE (van den Oord et al. 2018,
    arXiv:1807.03748). The anchor's loss is −log of the weight of those that pull.

    Args:
        temperature: T or τ at the start, from 0.02 to 20.
        loss: ``"soft_nearest_neighbor"``, where the anchor's class pulls, or ``"info_nce"``,
            where its partner alone does.
        anchor: index of the point whose loss is shown, from 0 to 7; 0 to 3 are of one class.

    Returns:
        The figure; ``points``, ``anchor``, ``temperature`` and ``loss`` follow what the reader
        does.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> pull_figure(temperature=0.1).temperature
        0.1
        >>> pull_figure(temperature=0)
        Traceback (most recent call last):
        ...
        ValueError: temperature is 0: choose one from 0.02 to 20.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}: choose one of {LOSSES}.")
    return PullFigure(
        temperature=_require_temperature(temperature), loss=loss, anchor=_require_anchor(anchor)
    )


def _require_temperature(temperature: float) -> float:
    low, high = TEMPERATURE_RANGE
    if not low <= float(temperature) <= high:
        raise ValueError(f"temperature is {temperature}: choose one from {low:g} to {high:g}.")
    return float(temperature)


def _require_anchor(anchor: int) -> int:
    if anchor not in range(len(POINTS)):
        raise ValueError(f"anchor is {anchor}: choose a point from 0 to {len(POINTS) - 1}.")
    return int(anchor)
