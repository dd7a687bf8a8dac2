"""How the unit shows its views, its table of methods and what the experiment measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from matplotlib.figure import Figure

from genssl_utils.consistency_training.digits import Training, digit_task
from genssl_utils.consistency_training.methods import METHODS, QUESTIONS
from genssl_utils.kit import plots, results
from genssl_utils.kit.tables import Table, table

__all__ = [
    "accuracy_picture",
    "label_table",
    "method_table",
    "paper_table",
    "result_table",
    "schedule_picture",
    "views_picture",
]

CIFAR = "FixMatch, arXiv:2001.07685, table 2"
PAPERS = (
    ("Mean Teacher", "", "32.32", "9.19"),
    ("MixMatch", "47.54", "11.05", "6.42"),
    ("UDA", "29.05", "8.82", "4.88"),
    ("ReMixMatch", "19.10", "5.44", "4.72"),
    ("FixMatch (RandAugment)", "13.81", "5.07", "4.26"),
)
"""Error in % on CIFAR-10 with 40, 250 and 4000 labels."""


def views_picture(seed: int = 4) -> Figure:
    """Three digits, each beside two weak and three strong views of it."""
    task = digit_task()
    generator = torch.Generator().manual_seed(seed)
    x = task.unlabelled[[0, 5, 12]]
    shown = [("as it is", x)]
    shown += [("weak", task.views.weak(x, generator)) for _ in range(2)]
    shown += [("strong", task.views.strong(x, generator)) for _ in range(3)]
    with plots.style():
        figure, axes = plots.panels(len(shown), size=(1.1, 3.3))
        for ax, (title, pictures) in zip(axes, shown, strict=True):
            column = torch.nn.functional.pad(pictures[:, 0], (0, 0, 0, 1), value=0.5)
            ax.imshow(column.reshape(-1, 8)[:-1].numpy(), cmap="gray_r", vmin=0, vmax=1)
            ax.set_title(title, fontsize=10)
            ax.axis("off")
    return figure


def method_table() -> Table:
    """The published methods as answers to the four questions."""
    return table(
        "Nine methods, four questions",
        [
            {"method": name} | {f"{question}: {words}": m.answers()[question]
             for question, words in QUESTIONS.items()}
            for name, m in METHODS.items()
        ],
    )  # fmt: skip


def result_table(trainings: Sequence[Training]) -> Table:
    """Test accuracy and CPU seconds of every training, the best first."""
    order = sorted(trainings, key=lambda t: -t.accuracy)
    return table(
        f"Test accuracy after one training each (seed of this run), {len(order)} methods",
        [
            {
                "method": t.method.name,
                **({q: t.method.answers()[q] for q in QUESTIONS} if t.method.weight
                   else dict.fromkeys(QUESTIONS, "none")),
                "accuracy": round(t.accuracy, 3),
                "CPU s": f"{t.seconds:.1f}",
            }
            for t in order
        ],
    )  # fmt: skip


def accuracy_picture(trainings: Sequence[Training]) -> Figure:
    """Accuracies as bars with the baseline as a line, and the share of targets that count."""
    order = sorted(trainings, key=lambda t: t.accuracy)
    base = next(t.accuracy for t in trainings if not t.method.weight)
    with plots.style():
        figure, (bars, lines) = plots.panels(2, size=(4.3, 3.4))
        names = [t.method.name for t in order]
        colours = [plots.COLOURS["model" if t.method.weight else "baseline"] for t in order]
        drawn = bars.barh(names, [t.accuracy for t in order], color=colours, height=0.65)
        bars.bar_label(drawn, [f" {t.accuracy:.3f}" for t in order], fontsize=8)
        bars.axvline(base, color=plots.COLOURS["baseline"], linestyle="--", linewidth=1.2)
        bars.set(title="Test accuracy; dashed: labels alone", xlabel="share right")
        bars.set_xlim(min(0.5, order[0].accuracy - 0.05), 1.06)
        bars.tick_params(axis="y", labelsize=8)
        bars.grid(axis="y", visible=False)
        marks = zip(("UDA", "FixMatch"), ("teacher", "student"), ("o-", "s--"), strict=True)
        for name, role, mark in marks:
            for t in (t for t in trainings if t.method.name == name):
                x, y = t.history.steps, t.history.series["counted"]
                lines.plot(x, y, mark, color=plots.COLOURS[role], label=name)
        lines.set(
            title="Targets above the threshold", xlabel="updates", ylabel="share of a batch",
            ylim=(0, 1.05),
        )  # fmt: skip
        lines.legend(loc="lower right", handlelength=3)
    return figure


def schedule_picture(ramp_up: Callable[[int, int], float], length: int = 200) -> Figure:
    """The student's ramp over 400 updates."""
    steps = list(range(0, 401, 4))
    with plots.style():
        figure, (ax,) = plots.panels(1, size=(5.0, 2.3))
        ax.plot(steps, [float(ramp_up(s, length)) for s in steps], color=plots.COLOURS["teacher"])
        ax.axvline(length, color=plots.COLOURS["baseline"], linestyle="--", linewidth=1.2)
        ax.text(length + 5, 0.05, f"length = {length}", fontsize=9)
        ax.set(title="Your ramp: slow, then all of λ", xlabel="updates", ylabel="share of λ")
    return figure


def paper_table() -> Table:
    """What papers report on CIFAR-10, in % wrong."""
    return table(
        f"Error in % on CIFAR-10 ({CIFAR})",
        [
            {"method": name, "40 labels": a, "250 labels": b, "4000 labels": c}
            for name, a, b, c in PAPERS
        ],
    )


def label_table() -> Table:
    """The recorded sweep over 2, 4 and 10 labels a class and five seeds."""
    found = results.measured("consistency_training")
    if not found:
        raise FileNotFoundError(
            "book/results/bench/consistency_training.json is missing: run "
            "`python bench/consistency_training.py` in the course's folder."
        )
    return table(found["title"], found["rows"])
