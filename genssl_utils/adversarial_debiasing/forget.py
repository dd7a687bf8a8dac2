"""The live figure of a score that forgets the group as λ grows, in a case with known truth."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["MOST", "ForgetFigure", "forget_figure"]

MOST = 50.0
"""The largest λ."""

_ALT = (
    "First the scores of people of two groups as two rows of dots under two densities, and "
    "a line; who stands right of it gets a yes. Then accuracy, parity gap and odds gap as "
    "the weight of the adversary grows. A slider sets the weight: at 0 the row of group 1 lies far "
    "to the right, and as the weight grows it moves back until both rows coincide; the parity gap "
    "goes to 0 and accuracy falls a little."
)


class ForgetFigure(Figure):
    """The toy of Zhang et al. 2018 (arXiv:1801.07593) with the best score u + ρs for each λ.

    The predictor minimises the loss of the best guess of y from the score plus λ times the
    information that the score has on s, in nats: an adversary at its best. Both are integrals over
    normal densities, which the browser reckons. ``lam`` follows the browser.
    """

    _script = "forget.js"

    lam = t.Float(0.0).tag(sync=True)
    seed = t.Int(0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault("title", "How a score forgets a group")
        traits.setdefault("alt", _ALT)
        super().__init__(**traits)

    @t.validate("lam")
    def _check_lam(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= MOST:
            raise ValueError(f"lam goes from 0 to {MOST:g}, not {proposal['value']}.")
        return proposal["value"]


def forget_figure(lam: float = 0.0, seed: int = 0) -> ForgetFigure:
    """A live figure of what an adversary's weight does to a score.

    Args:
        lam: the weight λ at the start, from 0 to 50.
        seed: of the people drawn as dots.

    Returns:
        The figure.

    Raises:
        ValueError: lam is out of range.
    """
    return ForgetFigure(lam=lam, seed=seed)
