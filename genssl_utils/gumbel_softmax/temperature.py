"""The live figure of the unit: one Gumbel-softmax sample as its temperature moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["SMALLEST_SHARE", "TAU_RANGE", "TemperatureFigure", "temperature_figure"]

PI = (0.4, 0.25, 0.2, 0.1, 0.05)
WORDS = ("cat", "dog", "bird", "fish", "horse")
TAU_RANGE = (0.05, 10.0)
SMALLEST_SHARE = 0.01  # a probability of 0 has no logarithm

_ALT = (
    "Bars show the probabilities of {words}, which you can drag. Beside each stands one "
    "Gumbel-softmax sample at temperature τ, and in a second panel the mean of 1000 samples and "
    "how often each word won. At a low temperature the sample is close to one-hot and the mean is "
    "close to the probabilities; at a high one every bar is flat. The word that wins does not "
    "depend on τ."
)


class TemperatureFigure(Figure):
    """A Gumbel-softmax sample y = softmax((log π + g) / τ) under the reader's hand.

    Jang et al. 2017 (arXiv:1611.01144). Moving τ keeps the noise g, so that the reader sees the
    same sample harden and soften. ``pi``, ``tau``, ``seed`` and ``seed_many`` follow the browser.
    """

    _script = "temperature.js"

    pi = t.List(t.Float(), list(PI)).tag(sync=True)
    tau = t.Float(1.0).tag(sync=True)
    labels = t.List(t.Unicode(), list(WORDS)).tag(sync=True)
    seed = t.Int(1).tag(sync=True)
    seed_many = t.Int(1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault(
            "title", "Cold samples are one-hot, hot samples are flat; the winner never changes"
        )
        traits.setdefault("alt", _ALT.format(words=", ".join(traits.get("labels", WORDS))))
        super().__init__(**traits)

    @t.validate("pi")
    def _check_pi(self, proposal: dict[str, Any]) -> list[float]:
        return _require_distribution(proposal["value"])

    @t.validate("tau")
    def _check_tau(self, proposal: dict[str, Any]) -> float:
        return _require_tau(proposal["value"])


def temperature_figure(
    pi: Sequence[float] = PI,
    tau: float = 1.0,
    labels: Sequence[str] = WORDS,
    seed: int = 1,
) -> TemperatureFigure:
    """A live figure of one Gumbel-softmax sample, y = softmax((log π + g) / τ), g ~ Gumbel(0, 1).

    Jang et al. 2017 (arXiv:1611.01144).

    Args:
        pi: K probabilities, 2 ≤ K ≤ 8, each at least 0.01; they sum to 1.
        tau: the temperature at the start, from 0.05 to 10.
        labels: K different words, one a category.
        seed: the first noise that is drawn.

    Returns:
        The figure; ``pi`` and ``tau`` on it follow what the reader does.

    Raises:
        ValueError: ``pi`` is no distribution, ``tau`` is out of range, or the labels do not fit.

    Example:
        >>> figure = temperature_figure(tau=0.5)
        >>> figure.tau
        0.5
        >>> temperature_figure(tau=0.0)
        Traceback (most recent call last):
        ...
        ValueError: tau is 0.0: choose a temperature from 0.05 to 10.
    """
    shares = _require_distribution(pi)
    words = [str(word).strip() for word in labels]
    if len(words) != len(shares):
        raise ValueError(f"{len(shares)} probabilities but {len(words)} labels: give one each.")
    if not all(words) or len(set(words)) != len(words):
        raise ValueError("labels must be different words, none of them empty.")
    return TemperatureFigure(pi=shares, tau=_require_tau(tau), labels=words, seed=int(seed))


def _require_distribution(pi: Sequence[float]) -> list[float]:
    shares = [float(p) for p in pi]
    if not 2 <= len(shares) <= 8:
        raise ValueError(f"pi has {len(shares)} entries: the figure shows from 2 to 8 categories.")
    if not all(math.isfinite(p) and p >= SMALLEST_SHARE - 1e-9 for p in shares):
        raise ValueError(f"every entry of pi must be at least {SMALLEST_SHARE}: got {shares}.")
    if abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"pi sums to {sum(shares):.6g}, not to 1: divide it by its sum.")
    return shares


def _require_tau(tau: float) -> float:
    low, high = TAU_RANGE
    if not low <= float(tau) <= high:
        raise ValueError(f"tau is {tau}: choose a temperature from {low:g} to {high:g}.")
    return float(tau)
