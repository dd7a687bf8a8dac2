"""Choose a row of the table, or mix your own, and train it on the moons with your functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from genssl_utils.consistency_training.methods import METHODS, Method
from genssl_utils.consistency_training.moons import GRID, MOMENTS, WINDOW, frames, moons
from genssl_utils.consistency_training.step import Answers
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore

__all__ = ["explore_methods", "moons_picture"]

AS_THE_ROW = "as the row"
SIDES = LinearSegmentedColormap.from_list(
    "sides", [plots.COLOURS["data"], plots.PAPER, plots.COLOURS["model"]]
)


def explore_methods(answers: Answers) -> Explorer:
    """Menus for the four questions over two moons, trained anew by the student's functions.

    Args:
        answers: the student's seven functions.
    """

    def draw(
        row: str, teacher: str, labels: str, augmentation: str, loss: str, weight: float
    ) -> Figure:
        chosen = {"teacher": teacher, "labels": labels, "augmentation": augmentation, "loss": loss}
        changed = {name: value for name, value in chosen.items() if value != AS_THE_ROW}
        if changed.get("labels", METHODS[row].labels) == "hard":
            changed["loss"] = "CE"
        return moons_picture(replace(METHODS[row], **changed, weight=weight), answers)

    rows = [name for name, m in METHODS.items() if m.teacher != "round"]
    return explore(
        draw,
        alt="The boundary on two moons that your functions train, early, half-way and at the end",
        row=["VAT", *(name for name in rows if name != "VAT")],
        teacher=[AS_THE_ROW, "latest", "weights", "predictions"],
        labels=[AS_THE_ROW, "soft", "sharpened", "hard"],
        augmentation=[AS_THE_ROW, "weak", "strong", "adversarial"],
        loss=[AS_THE_ROW, "L2", "CE", "KL", "JS"],
        weight=(0.0, 10.0, 2.0),
    )


def moons_picture(method: Method, answers: Answers) -> Figure:
    """Three moments of a training on the moons.

    Args:
        method: any row whose teacher is not the last round's.
        answers: the student's functions.
    """
    seen, share = frames(method, answers)
    (x, y), unlabelled, _ = moons()
    left, right, bottom, top = WINDOW
    across = np.linspace(left, right, GRID[0])
    down = np.linspace(top, bottom, GRID[1])
    with plots.style():
        figure, axes = plots.panels(3, size=(3.0, 2.5), sharey=True)
        for ax, at in zip(axes, (1, 3, len(MOMENTS) - 1), strict=True):
            p = seen[at].reshape(GRID[1], GRID[0]) / 255
            ax.contourf(across, down, p, levels=10, cmap=SIDES, alpha=0.7, vmin=0, vmax=1)
            ax.contour(across, down, p, levels=[0.5], colors=[plots.INK])
            ax.plot(*unlabelled.t().numpy(), ".", color=plots.COLOURS["baseline"], markersize=2)
            for k, mark, role in ((0, "o", "data"), (1, "s", "model")):
                ax.plot(
                    *x[y == k].t(),
                    mark,
                    color=plots.COLOURS[role],
                    markersize=7,
                    markeredgecolor="white",
                )
            ax.set(title=f"after {MOMENTS[at]} updates", xticks=[], yticks=[])
            ax.grid(visible=False)
        axes[-1].set_title(f"after {MOMENTS[-1]}: {share:.1%} right")
    return figure
