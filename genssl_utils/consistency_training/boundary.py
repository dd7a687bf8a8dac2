"""The first live figure: two moons with six labels, and the four questions to operate."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import traitlets as t

from genssl_utils.consistency_training.moons import (
    CHOICES,
    GRID,
    MOMENTS,
    WINDOW,
    moons,
    shipped_frames,
)
from genssl_utils.kit.figure import Figure, packed

__all__ = ["BoundaryFigure", "boundary_figure"]

_ALT = (
    "Points in the plane form two interleaved half moons; three points of each carry a label, a "
    "circle or a square. A line shows where a small network changes its mind, and shading how sure "
    "it is. Choose the teacher, the target with its loss and the view, move the threshold and the "
    "weight λ, and move through the training. With labels alone the line cuts through the moons; "
    "with VAT and a sharpened target it follows the gap between them."
)


class BoundaryFigure(Figure):
    """The boundary of a classifier as training goes, for any answers to the four questions.

    ``choice`` holds one position for each question of `CHOICES`; that of λ, the last, starts with
    λ = 0, where the network learns from labels alone. ``moment`` is the frame.
    """

    _script = "boundary.js"

    frames = t.Bytes().tag(sync=True)
    accuracy = t.List(t.Float()).tag(sync=True)
    points = t.List().tag(sync=True)
    labelled = t.List().tag(sync=True)
    grid = t.List(t.Int()).tag(sync=True)
    window = t.List(t.Float()).tag(sync=True)
    moments = t.List(t.Int()).tag(sync=True)
    sizes = t.List(t.Int()).tag(sync=True)
    choice = t.List(t.Int(), [0, 0, 2, 0, 2]).tag(sync=True)
    moment = t.Int(5).tag(sync=True)

    @t.validate("choice")
    def _check_choice(self, proposal: dict[str, Any]) -> list[int]:
        choice = [int(c) for c in proposal["value"]]
        most = [len(options) for options in CHOICES.values()]
        most[-1] += 1  # λ = 0
        if len(choice) != len(most) or not all(
            0 <= c < m for c, m in zip(choice, most, strict=True)
        ):
            raise ValueError(f"choice is {choice}: one position a question, each below {most}.")
        return choice

    @t.validate("moment")
    def _check_moment(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] < len(MOMENTS):
            raise ValueError(f"moment is {proposal['value']}: choose from 0 to {len(MOMENTS) - 1}.")
        return proposal["value"]


def boundary_figure() -> BoundaryFigure:
    """The live figure, with the frames that `moons.frames` made of every setting.

    Returns:
        The figure; ``choice`` and ``moment`` follow what the reader does.
    """
    stored, accuracy = shipped_frames()
    expected = 1 + len(list(product(*CHOICES.values())))
    if stored.shape != (expected, len(MOMENTS), GRID[0] * GRID[1]):
        raise ValueError(
            "The stored frames do not fit the choices: run bench/once/moons_frames.py."
        )
    (x, y), unlabelled, _ = moons()
    return BoundaryFigure(
        title="What you ask of unlabelled points decides where the boundary runs",
        alt=_ALT,
        frames=packed(np.ascontiguousarray(stored).tobytes()),
        accuracy=[round(float(a), 4) for a in accuracy],
        points=[[round(v, 3) for v in row] for row in unlabelled.tolist()],
        labelled=[
            [*(round(v, 3) for v in row), k] for row, k in zip(x.tolist(), y.tolist(), strict=True)
        ],
        grid=list(GRID),
        window=list(WINDOW),
        moments=list(MOMENTS),
        sizes=[len(options) for options in CHOICES.values()],
    )
