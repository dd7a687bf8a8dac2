"""Pictures and tables of the ring: who finds which cloud, and who answers with what."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from genssl_utils.gan_or_vae.ring import (
    CENTRES,
    NOISE,
    OnRing,
    RingMaker,
    answers_to,
    judge_answers,
)
from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table

__all__ = [
    "answer_all",
    "answers_picture",
    "answers_table",
    "judge_all",
    "ring_picture",
    "ring_table",
]

ROLES = {"true": "data", "VAE": "model", "GAN": "teacher", "GAN, penalty": "student",
         "regression": "baseline"}  # fmt: skip
HEAP = 10_000
"""Made points, of which the one that fits a question is taken."""


def ring_picture(heaps: Mapping[str, Tensor]) -> Figure:
    """Each heap of points beside the others; circles say where the clouds are."""
    figure, panels = plots.panels(len(heaps), size=(2.9, 3.1), sharex=True, sharey=True)
    for axes, (name, points) in zip(panels, heaps.items(), strict=True):
        axes.scatter(*points.cpu().T, s=2, alpha=0.5, color=plots.COLOURS[ROLES[name]])
        for x, y in CENTRES.tolist():
            ring = plots.plt.Circle((x, y), 3 * NOISE, fill=False, linewidth=0.8, color=plots.INK)
            axes.add_patch(ring)
        axes.set(title=name, aspect="equal", xlim=(-2.9, 2.9), ylim=(-2.9, 2.9))
    return figure


def ring_table(counted: Mapping[str, OnRing]) -> Table:
    """What was counted, one row a heap."""
    rows = [
        {
            "points": name, "clouds found, of 8": found.clouds, "share on a cloud": found.on,
            "unevenness": found.uneven, "energy distance": found.energy,
        }
        for name, found in counted.items()
    ]  # fmt: skip
    return table("2000 points on the ring; a cloud is found where one in a hundred lies", rows)


@torch.no_grad()
def answer_all(
    asked: Tensor, line: nn.Module, makers: Mapping[str, RingMaker], seen: Tensor, *, seed: int = 0
) -> dict[str, Tensor]:
    """Heights that each way gives for the places of the asked points, (N,) each.

    Args:
        asked: true points, (N, 2), of which only the place is looked at.
        line: the regression.
        makers: whose points are picked from.
        seen: training points, to pick from for comparison.
        seed: of the made points.
    """
    place = asked[:, 0]
    found = {"regression": line(asked[:, :1])[:, 0]}
    found |= {name: answers_to(place, maker.draw(HEAP, seed)) for name, maker in makers.items()}
    return found | {"true": answers_to(place, seen)}


def judge_all(replies: Mapping[str, Tensor], asked: Tensor) -> dict[str, tuple[float, float]]:
    """Error and share of possible answers of each way."""
    return {name: judge_answers(asked[:, 0], said, asked) for name, said in replies.items()}


def answers_picture(replies: Mapping[str, Tensor], asked: Tensor) -> Figure:
    """What each way answers to the same questions."""
    shown = [name for name in replies if name != "true"]
    figure, panels = plots.panels(len(shown), size=(2.9, 3.1), sharex=True, sharey=True)
    for axes, name in zip(panels, shown, strict=True):
        axes.scatter(*asked.cpu().T, s=2, alpha=0.25, color=plots.COLOURS["data"])
        axes.scatter(
            asked[:, 0].cpu(), replies[name].cpu(), s=3, alpha=0.6, color=plots.COLOURS[ROLES[name]]
        )
        axes.set(title=name, aspect="equal", xlim=(-2.9, 2.9), ylim=(-2.9, 2.9), xlabel="asked")
    panels[0].set_ylabel("answered")
    return figure


def answers_table(worth: Mapping[str, tuple[float, float]]) -> Table:
    """Error and share of possible answers, one row a way."""
    rows = [
        {
            "answered by": "a training point" if name == "true" else name,
            "root mean square error": error, "answers that lie on a cloud": right,
        }
        for name, (error, right) in worth.items()
    ]  # fmt: skip
    return table("How far north? 2000 questions", rows)
