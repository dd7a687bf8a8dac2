"""The third live figure: the decay of the teacher's average against lag and noise."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["AveragingFigure", "averaging_figure"]

_ALT = (
    "A thin jagged line is one weight of the student over 200 updates: it rises to a new level and "
    "jitters. A thick line is the teacher, its moving average with decay α. As α grows the teacher "
    "gets smooth and late. Below stand the lag in updates, α / (1 − α), and the share of the noise "
    "that is left, the root of (1 − α) / (1 + α)."
)


class AveragingFigure(Figure):
    """A moving average of a noisy, moving weight. ``decay``, ``noise`` and ``seed`` follow the browser.

    Mean Teacher: Tarvainen & Valpola 2017 (arXiv:1703.01780).
    """

    _script = "averaging.js"

    decay = t.Float(0.9).tag(sync=True)
    noise = t.Float(0.25).tag(sync=True)
    seed = t.Int(1).tag(sync=True)

    @t.validate("decay")
    def _check_decay(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] < 1:
            raise ValueError(f"decay is {proposal['value']}: choose from 0 to below 1.")
        return proposal["value"]


def averaging_figure(decay: float = 0.9, noise: float = 0.25) -> AveragingFigure:
    """A live figure of the teacher's average.

    Args:
        decay: α at the start, from 0 to below 1.
        noise: standard deviation of the student's jitter, in units of the rise.

    Raises:
        ValueError: the decay is out of its range.
    """
    return AveragingFigure(
        title="A teacher that averages longer is calmer, and later",
        alt=_ALT,
        decay=float(decay),
        noise=float(noise),
    )
