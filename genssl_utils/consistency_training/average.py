"""The live figure of the averaged teacher: lag against noise as the decay moves."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["DECAY_RANGE", "NOISE_RANGE", "SPEED_RANGE", "AverageFigure", "average_figure"]

DECAY_RANGE = (0.0, 0.999)
NOISE_RANGE = (0.05, 1.0)
SPEED_RANGE = (0.0, 0.1)

_ALT = (
    "A first panel shows one weight of a student over 300 steps, a steady ramp plus noise, and the "
    "teacher's weight, its exponential moving average: the longer the average, the smoother the "
    "teacher and the later it comes. A second panel shows the error of the teacher over all "
    "decays: squared lag, which rises, noise left, which falls, and their sum, with a ring where "
    "it is smallest and a diamond, which you can drag, where you stand. A table compares the two."
)


class AverageFigure(Figure):
    """A student's noisy weight and its average θ̃_t = α θ̃_{t−1} + (1 − α) θ_t.

    Mean Teacher (Tarvainen & Valpola 2017, arXiv:1703.01780). The student is θ_t = v t + σ ε_t with
    independent ε_t ~ N(0, 1). Of a ramp, the settled average comes α / (1 − α) steps late; of the
    noise, the share (1 − α) / (1 + α) of the variance is left. ``decay``, ``noise``, ``speed`` and
    ``seed`` follow the browser.
    """

    _script = "average.js"

    decay = t.Float(0.98).tag(sync=True)
    noise = t.Float(0.3).tag(sync=True)
    speed = t.Float(0.01).tag(sync=True)
    seed = t.Int(1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault(
            "title", "A longer average is calmer but later: the best decay is between"
        )
        traits.setdefault("alt", _ALT)
        super().__init__(**traits)

    @t.validate("decay")
    def _check_decay(self, proposal: dict[str, Any]) -> float:
        return _require_inside("decay", proposal["value"], DECAY_RANGE)

    @t.validate("noise")
    def _check_noise(self, proposal: dict[str, Any]) -> float:
        return _require_inside("noise", proposal["value"], NOISE_RANGE)

    @t.validate("speed")
    def _check_speed(self, proposal: dict[str, Any]) -> float:
        return _require_inside("speed", proposal["value"], SPEED_RANGE)


def average_figure(
    decay: float = 0.98, noise: float = 0.3, speed: float = 0.01, seed: int = 1
) -> AverageFigure:
    """A live figure of a teacher that is the moving average of a noisy, moving student.

    Mean Teacher: Tarvainen & Valpola 2017 (arXiv:1703.01780).

    Args:
        decay: α at the start, from 0 to 0.999.
        noise: σ, the standard deviation of the student's noise, from 0.05 to 1, in units of the
            weight.
        speed: v, how far the student moves a step, from 0 to 0.1, in units of the weight.
        seed: of the noise.

    Returns:
        The figure; ``decay``, ``noise`` and ``speed`` on it follow what the reader does.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> figure = average_figure(decay=0.9)
        >>> figure.decay
        0.9
        >>> average_figure(decay=1.0)
        Traceback (most recent call last):
        ...
        ValueError: decay is 1.0: choose a number from 0 to 0.999.
    """
    return AverageFigure(
        decay=_require_inside("decay", decay, DECAY_RANGE),
        noise=_require_inside("noise", noise, NOISE_RANGE),
        speed=_require_inside("speed", speed, SPEED_RANGE),
        seed=int(seed),
    )


def _require_inside(name: str, value: float, span: tuple[float, float]) -> float:
    low, high = span
    if not low <= float(value) <= high:
        raise ValueError(f"{name} is {value}: choose a number from {low:g} to {high:g}.")
    return float(value)
