"""The live figure of the temperature: who pulls the anchor, who pushes it, and how much."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["LABELS", "POINTS", "PullFigure", "pull_figure"]

TEMPERATURES = (0.02, 5.0)

POINTS = (
    (-0.25, 0.05), (-0.85, 0.55), (-0.95, -0.35), (0.5, -0.75),
    (0.25, 0.35), (0.75, 0.75), (0.95, 0.05), (0.05, -0.5), (1.25, -0.45),
)  # fmt: skip
LABELS = (0, 0, 0, 0, 1, 1, 1, 1, 1)
"""The first point is the anchor; 0 is its class."""

_ALT = (
    "An anchor, three points of its class and five of others, which you can drag. A line from the "
    "anchor to each is as wide as the weight with which the loss lets it pull the anchor (solid) or "
    "push it away (dashed), in percent beside the point. A cold temperature gives nearly all weight "
    "to the nearest points, a hot one spreads it evenly. A button keeps one positive alone, as "
    "InfoNCE does without labels; the others of its class are then pushed away."
)


class PullFigure(Figure):
    """The soft nearest neighbour loss of one anchor (Frosst et al. 2019, arXiv:1902.01889).

    With one positive it is InfoNCE (arXiv:1807.03748) on scores −‖x_i − x_j‖²/T. ``points``,
    ``temperature`` and ``single`` follow the browser.
    """

    _script = "pull.js"

    points = t.List(t.List(t.Float()), [list(p) for p in POINTS]).tag(sync=True)
    labels = t.List(t.Int(), list(LABELS)).tag(sync=True)
    temperature = t.Float(0.5).tag(sync=True)
    single = t.Bool(False).tag(sync=True)

    @t.validate("temperature")
    def _check_temperature(self, proposal: dict[str, Any]) -> float:
        return _require_temperature(proposal["value"])


def pull_figure(temperature: float = 0.5, single: bool = False) -> PullFigure:
    """A live figure of the weights that a temperature gives to positives and negatives.

    Args:
        temperature: T at the start, from 0.02 to 5, in squared distance.
        single: one positive alone, as in InfoNCE.

    Returns:
        The figure.

    Raises:
        ValueError: the temperature is out of range.

    Example:
        >>> pull_figure(temperature=0.1).temperature
        0.1
    """
    return PullFigure(
        title="Cold, the nearest points alone pull and push; hot, all of them alike",
        alt=_ALT,
        temperature=_require_temperature(temperature),
        single=bool(single),
    )


def _require_temperature(temperature: float) -> float:
    low, high = TEMPERATURES
    if not low <= float(temperature) <= high:
        raise ValueError(f"temperature is {temperature}: choose one from {low:g} to {high:g}.")
    return float(temperature)
