"""The live figure of pseudo-labels: sharpened, made hard, and let through by a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["TEMPERATURE_RANGE", "THRESHOLD_RANGE", "ConfidenceFigure", "confidence_figure"]

P = (0.55, 0.25, 0.1, 0.06, 0.04)
WORDS = ("cat", "dog", "fox", "owl", "bee")
TEMPERATURE_RANGE = (0.1, 10.0)
THRESHOLD_RANGE = (0.2, 0.99)
CLASSES = 5
SMALLEST_SHARE = 0.001  # a softmax is never exactly 0

_ALT = (
    "Bars show a teacher's probabilities of {words}, which you can drag. Under each stands the "
    "probability sharpened at temperature T and the hard label; below, the entropies of the three "
    "in nats. As T goes to 0 the sharpened bars become the hard label, at T = 1 they are p, and "
    "above 1 they flatten. A second panel shows 60 drawn predictions as dots of entropy against "
    "confidence, and under them, for every threshold, the share that passes and the share of the "
    "passing labels that is right. A higher threshold keeps fewer labels, and as a rule a larger "
    "share of them is right."
)


class ConfidenceFigure(Figure):
    """A teacher's prediction as a soft, a sharpened and a hard label, and a threshold on it.

    Sharpening: p^(1/T), normalised (MixMatch, Berthelot et al. 2019, arXiv:1905.02249). Threshold:
    a hard label counts where max p, unsharpened, reaches it (FixMatch, Sohn et al. 2020,
    arXiv:2001.07685). The batch holds Dirichlet draws of varied concentration, and the true class
    of each is drawn from it: the teacher is calibrated. ``p``, ``temperature``, ``threshold`` and
    ``seed`` follow the browser.
    """

    _script = "confidence.js"

    p = t.List(t.Float(), list(P)).tag(sync=True)
    temperature = t.Float(0.5).tag(sync=True)
    threshold = t.Float(0.8).tag(sync=True)
    labels = t.List(t.Unicode(), list(WORDS)).tag(sync=True)
    seed = t.Int(7).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault(
            "title", "Sharpening moves p towards its hard label; the threshold says who may teach"
        )
        traits.setdefault("alt", _ALT.format(words=", ".join(traits.get("labels", WORDS))))
        super().__init__(**traits)

    @t.validate("p")
    def _check_p(self, proposal: dict[str, Any]) -> list[float]:
        return _require_distribution(proposal["value"])

    @t.validate("temperature")
    def _check_temperature(self, proposal: dict[str, Any]) -> float:
        return _require_inside("temperature", proposal["value"], TEMPERATURE_RANGE)

    @t.validate("threshold")
    def _check_threshold(self, proposal: dict[str, Any]) -> float:
        return _require_inside("threshold", proposal["value"], THRESHOLD_RANGE)


def confidence_figure(
    p: Sequence[float] = P,
    temperature: float = 0.5,
    threshold: float = 0.8,
    labels: Sequence[str] = WORDS,
    seed: int = 7,
) -> ConfidenceFigure:
    """A live figure of a teacher's prediction, sharpened and held against a threshold.

    Sharpening: MixMatch (arXiv:1905.02249). Threshold: FixMatch (arXiv:2001.07685).

    Args:
        p: 5 probabilities, each at least 0.001; they sum to 1.
        temperature: T of the sharpening p^(1/T) at the start, from 0.1 to 10.
        threshold: the smallest max p that passes at the start, from 0.2 to 0.99.
        labels: 5 different words, one a class.
        seed: of the batch of 60 predictions that is drawn first.

    Returns:
        The figure; ``p``, ``temperature`` and ``threshold`` on it follow what the reader does.

    Raises:
        ValueError: ``p`` is no distribution over 5 classes, a number is out of range, or the labels
            do not fit.

    Example:
        >>> figure = confidence_figure(threshold=0.95)
        >>> figure.threshold
        0.95
        >>> confidence_figure(temperature=0.0)
        Traceback (most recent call last):
        ...
        ValueError: temperature is 0.0: choose a number from 0.1 to 10.
    """
    shares = _require_distribution(p)
    words = [str(word).strip() for word in labels]
    if len(words) != CLASSES or not all(words) or len(set(words)) != CLASSES:
        raise ValueError(f"labels must be {CLASSES} different words, none of them empty.")
    return ConfidenceFigure(
        p=shares,
        temperature=_require_inside("temperature", temperature, TEMPERATURE_RANGE),
        threshold=_require_inside("threshold", threshold, THRESHOLD_RANGE),
        labels=words,
        seed=int(seed),
    )


def _require_distribution(p: Sequence[float]) -> list[float]:
    shares = [float(x) for x in p]
    if len(shares) != CLASSES:
        raise ValueError(f"p has {len(shares)} entries: the figure shows {CLASSES} classes.")
    if not all(math.isfinite(x) and x >= SMALLEST_SHARE - 1e-9 for x in shares):
        raise ValueError(f"every entry of p must be at least {SMALLEST_SHARE}: got {shares}.")
    if abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"p sums to {sum(shares):.6g}, not to 1: divide it by its sum.")
    return shares


def _require_inside(name: str, value: float, span: tuple[float, float]) -> float:
    low, high = span
    if not low <= float(value) <= high:
        raise ValueError(f"{name} is {value}: choose a number from {low:g} to {high:g}.")
    return float(value)
