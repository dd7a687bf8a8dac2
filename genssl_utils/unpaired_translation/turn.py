"""The live figure of two clouds of words: the reader turns one, or an adversary does."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["TurnFigure", "turn_figure"]

_ALT = (
    "Two clouds of 24 points in one plane: English words as discs, French words as squares. A "
    "slider turns the English cloud. A ring lights up round each pair of words that are each "
    "other's nearest and translations; a dashed line joins those that are not. A curve shows for "
    "every angle how well a critic tells the clouds apart; it is lowest where all the words meet, "
    "and has other low places; the wider the critic, the shallower the curve. One button turns the "
    "cloud downhill, step by step; another puts it back to 140 degrees."
)


class TurnFigure(Figure):
    """Two made clouds in the plane, and the critic's kernel distance at every angle.

    ``angle`` (degrees) and ``width`` (of the critic's kernel) follow the browser.
    """

    _script = "turn.js"

    angle = t.Float(140.0).tag(sync=True)
    width = t.Float(0.3).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault("title", "Turn one cloud until the critic cannot tell it from the other")
        traits.setdefault("alt", _ALT)
        super().__init__(**traits)

    @t.validate("angle")
    def _check_angle(self, proposal: dict[str, Any]) -> float:
        if not -180 <= proposal["value"] <= 180:
            raise ValueError(f"angle goes from -180 to 180 degrees, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("width")
    def _check_width(self, proposal: dict[str, Any]) -> float:
        if not 0.1 <= proposal["value"] <= 2:
            raise ValueError(f"width goes from 0.1 to 2, not {proposal['value']}.")
        return proposal["value"]


def turn_figure(angle: float = 140.0, width: float = 0.3) -> TurnFigure:
    """A live figure of two word clouds and an adversary.

    Args:
        angle: how far the English cloud is turned at the start, from −180 to 180 degrees.
        width: of the critic's kernel, from 0.1, sharp, to 2, blurred.

    Raises:
        ValueError: one of them is out of range.
    """
    return TurnFigure(angle=angle, width=width)
