"""The second live figure: sharpening and the threshold on a distribution that the reader drags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["TargetFigure", "target_figure"]

P = (0.45, 0.3, 0.15, 0.06, 0.04)
DIGITS = ("7", "1", "9", "4", "2")

_ALT = (
    "Bars show a teacher's probabilities for five digits, which you can drag. Beside each stands the "
    "sharpened target p^(1/T), normalised. A small temperature T moves it towards one-hot and lowers "
    "its entropy. Below, a line shows the largest probability beside the threshold: only a target at "
    "or above it counts."
)


class TargetFigure(Figure):
    """What becomes of a teacher's guess: sharpened by T, and kept or not by a threshold.

    Berthelot et al. 2019 (arXiv:1905.02249), Sohn et al. 2020 (arXiv:2001.07685). ``p``,
    ``temperature`` and ``threshold`` follow the browser.
    """

    _script = "target.js"

    p = t.List(t.Float(), list(P)).tag(sync=True)
    labels = t.List(t.Unicode(), list(DIGITS)).tag(sync=True)
    temperature = t.Float(0.5).tag(sync=True)
    threshold = t.Float(0.8).tag(sync=True)

    @t.validate("p")
    def _check_p(self, proposal: dict[str, Any]) -> list[float]:
        return _require_distribution(proposal["value"])


def target_figure(
    p: Sequence[float] = P, temperature: float = 0.5, threshold: float = 0.8
) -> TargetFigure:
    """A live figure of sharpening and filtering.

    Args:
        p: five probabilities, each at least 0.01, which sum to 1.
        temperature: T at the start, from 0.1 to 2.
        threshold: at the start, from 0.2 to 1.

    Raises:
        ValueError: a number is out of its range.
    """
    if not 0.1 <= temperature <= 2 or not 0.2 <= threshold <= 1:
        raise ValueError("Take a temperature from 0.1 to 2 and a threshold from 0.2 to 1.")
    return TargetFigure(
        title="Sharpening adds confidence; the threshold asks for it first",
        alt=_ALT,
        p=_require_distribution(p),
        temperature=float(temperature),
        threshold=float(threshold),
    )


def _require_distribution(p: Sequence[float]) -> list[float]:
    shares = [float(v) for v in p]
    good = all(math.isfinite(v) and v >= 0.01 - 1e-9 for v in shares)
    if len(shares) != len(DIGITS) or not good or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"p must hold five probabilities of at least 0.01 that sum to 1: {shares}.")
    return shares
