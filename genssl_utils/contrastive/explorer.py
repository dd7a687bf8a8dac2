"""Pictures of the question, and of what the student's own function chooses."""

from __future__ import annotations

from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from genssl_utils.contrastive.unseen import strangers
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore

__all__ = ["explore_semi_hard", "semi_hard_picture", "verification_picture"]


def verification_picture() -> Figure:
    """Six pairs of digits that no network of this unit sees in training: the same or not?"""
    data = strangers()
    picks = [(5, 5), (5, 6), (7, 7), (7, 9), (8, 8), (8, 9)]
    with plots.style():
        figure, axes = plots.panels(len(picks), size=(1.35, 1.35))
        for k, (ax, (a, b)) in enumerate(zip(axes, picks, strict=True)):
            first, second = (
                data.query_x[data.query_y == d][2 * k + i] for i, d in enumerate((a, b))
            )
            gap = torch.ones(1, 8, 1)
            ax.imshow(torch.cat([1 - first, gap, 1 - second], 2)[0], cmap="gray", vmin=0, vmax=1)
            ax.set_title("same" if a == b else "different", loc="center", fontsize=9)
            ax.axis("off")
        figure.suptitle("Are these two the same? Nobody trained on them.", x=0.01, ha="left",
                        fontsize=11, fontweight="bold")  # fmt: skip
    return figure


def explore_semi_hard(semi_hard_negatives: Callable[..., Tensor]) -> Explorer:
    """A slider for the margin and one for the anchor, over the triples that the student finds.

    Args:
        semi_hard_negatives: (distances (B, B), labels (B,), margin) → (A, 3).
    """
    return explore(
        lambda margin, anchor: semi_hard_picture(semi_hard_negatives, margin, anchor),
        alt="Points of two classes; the semi-hard triples of one anchor, found by your function",
        margin=(0.0, 3.0, 0.6),
        anchor=(0, 5, 2),
    )


def semi_hard_picture(
    semi_hard_negatives: Callable[..., Tensor], margin: float, anchor: int
) -> Figure:
    """Twelve points, one anchor, and the zone of its furthest positive that has a triple.

    Args:
        semi_hard_negatives: the student's.
        margin: width of the zone, in distance.
        anchor: a point of the first class, 0 to 5.
    """
    chance = torch.Generator().manual_seed(3)
    x = torch.randn(12, 2, generator=chance) * 0.75
    labels = torch.tensor([0] * 6 + [1] * 6)
    x[6:] += torch.tensor([1.5, 0.4])
    triples = semi_hard_negatives(torch.cdist(x, x), labels, margin)
    own = triples[triples[:, 0] == anchor]
    away = (x - x[anchor]).norm(dim=1)
    with plots.style():
        figure, (ax,) = plots.panels(1, size=(5.6, 4.0))
        if len(own):
            p = int(own[away[own[:, 1]].argmax(), 1])  # whatever the order of the rows
            for radius, dash in ((float(away[p]), "-"), (float(away[p]) + margin, "--")):
                ax.add_patch(Circle(x[anchor].tolist(), radius, fill=False, linestyle=dash,
                                    edgecolor=plots.COLOURS["baseline"]))  # fmt: skip
            ax.plot(*x[[anchor, p]].T, color=plots.COLOURS["positive"])
            for n in own[own[:, 1] == p, 2].tolist():
                ax.plot(*x[[anchor, n]].T, ":", color=plots.COLOURS["negative"])
        for c, (mark, role) in enumerate((("o", "positive"), ("s", "negative"))):
            ax.scatter(*x[labels == c].T, marker=mark, s=55, color=plots.COLOURS[role])
        ax.scatter(*x[anchor], marker="*", s=260, color=plots.COLOURS["anchor"], zorder=3)
        ax.annotate("anchor", x[anchor].tolist(), (0, -17), textcoords="offset points",
                    ha="center", fontsize=9)  # fmt: skip
        ax.set(
            title=f"{len(own)} semi-hard triples of this anchor, {len(triples)} in the batch",
            xlim=(-3, 4), ylim=(-2.4, 2.6), aspect="equal",
        )  # fmt: skip
    return figure
