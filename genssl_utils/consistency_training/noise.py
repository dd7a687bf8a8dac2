"""Where it breaks: views so strong that they change the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from matplotlib.figure import Figure

from genssl_utils.consistency_training.digits import Task, Training, train
from genssl_utils.consistency_training.methods import METHODS, SUPERVISED
from genssl_utils.consistency_training.step import Answers
from genssl_utils.consistency_training.views import PictureViews
from genssl_utils.kit import plots

__all__ = ["Turned", "noise_picture", "noise_study"]


@dataclass(frozen=True)
class Turned:
    """What came out with strong views that turn by up to so many degrees.

    Attributes:
        degrees: largest turn; None for labels alone, without strong views.
        accuracy: over all test digits.
        sixes_and_nines: over those two classes.
    """

    degrees: float | None
    accuracy: float
    sixes_and_nines: float


def noise_study(
    answers: Answers,
    task: Task,
    *,
    degrees: Sequence[float] = (15, 90, 180),
    seed: int = 0,
    **how: Any,
) -> list[Turned]:
    """Labels alone, then FixMatch with the strong view turned further and further.

    Args:
        answers: the student's functions.
        task: pictures of digits.
        degrees: the largest turns.
        seed: of the trainings.
        how: passed to `train`.

    Returns:
        Labels alone first, then one entry a turn.
    """
    found = [_measure(None, train(SUPERVISED, answers, task, seed=seed, **how), task)]
    for most in degrees:
        turned = replace(task, views=PictureViews(most=most))
        made = train(METHODS["FixMatch"], answers, turned, seed=seed, **how)
        found.append(_measure(most, made, task))
    return found


def _measure(degrees: float | None, made: Training, task: Task) -> Turned:
    device = next(made.model.parameters()).device
    x, y = (part.to(device) for part in task.held_out)
    with torch.no_grad():
        right = made.model(x).argmax(1) == y
    pair = right[(y == 6) | (y == 9)]
    return Turned(degrees, made.accuracy, pair.float().mean().item())


def noise_picture(found: Sequence[Turned]) -> Figure:
    """Accuracy against the largest turn, beside the labels alone (the first entry)."""
    alone, *turned = found
    at = [f.degrees for f in turned]
    series = (
        ("all digits", [f.accuracy for f in turned], "o-", "model"),
        ("6 and 9 alone", [f.sixes_and_nines for f in turned], "s--", "negative"),
    )
    with plots.style():
        figure, (ax,) = plots.panels(1, size=(5.6, 2.9))
        for name, values, mark, role in series:
            ax.plot(at, values, mark, color=plots.COLOURS[role], label=name)
        ax.axhline(
            alone.accuracy, color=plots.COLOURS["baseline"], linestyle=":", label="labels alone"
        )
        ax.set(
            title="A view that changes the label teaches the wrong thing", xticks=at,
            xlabel="largest turn of a strong view, degrees", ylabel="share right",
        )  # fmt: skip
        ax.legend(fontsize=8, handlelength=3)
    return figure
