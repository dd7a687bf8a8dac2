"""How the unit shows its views, its table of methods and what the experiment measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    "student_table",
    "tagger_table",
    "views_picture",
]

# What papers report. On CIFAR-10 the error in % with 40, 250 and 4000 labels; the second three are
# those of a later run of all methods in one code base.
CIFAR = "Error in % on CIFAR-10: FixMatch's paper (arXiv:2001.07685) and the re-run by USB"
PAPERS = (
    ("labels alone", "", "", "", "77.58", "55.96", "15.51"),
    ("Π-model", "", "", "", "75.56", "47.69", "12.80"),
    ("Mean Teacher", "", "", "", "76.93", "56.06", "15.47"),
    ("VAT", "", "", "", "76.42", "42.58", "10.97"),
    ("MixMatch", "47.54", "11.05", "6.42", "70.67", "37.28", "7.38"),
    ("UDA", "29.05", "8.82", "4.88", "8.01", "5.12", "4.32"),
    ("ReMixMatch", "19.10", "5.44", "4.72", "14.50", "9.21", "4.88"),
    ("FixMatch (RandAugment)", "13.81", "5.07", "4.26", "8.33", "4.97", "4.29"),
)
"""USB's numbers stand in github.com/microsoft/Semi-supervised-learning, results/classic_cv.csv."""

STUDENTS = (
    ("EfficientNet-B0, % right", "AutoAugment", "77.1", "78.8"),
    ("EfficientNet-B5, % right", "RandAugment", "83.7", "86.1"),
    ("EfficientNet-B7, % right", "RandAugment", "84.7", "86.9"),
    ("EfficientNet-L2, % right", "", "", "88.4"),
    ("ImageNet-A, hard pictures, % right", "best before", "61.0", "83.7"),
    ("ImageNet-C, damaged pictures, mean error", "best before", "45.7", "28.3"),
)
"""ImageNet: EfficientNets by their authors' list of checkpoints (github.com/tensorflow/tpu),
robustness by the paper's abstract."""

TAGGERS = (
    ("parts of speech, Penn Treebank", "% right", "97.76", "several tasks"),
    ("CCG supertags, CCGbank", "% right", "96.1", "several tasks, large"),
    ("names, CoNLL-2003", "F1", "92.61", "several tasks"),
    ("chunks, CoNLL-2000", "F1", "96.6", "one task"),
    ("dependencies, Penn Treebank", "% attached and named", "95.02", "several tasks"),
    ("translation, English to Vietnamese", "BLEU", "29.6", "one task"),
)
"""CVT: paperswithcode.com's copy of the paper's results; chunks by the authors' own code base."""


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


def result_table(trainings: Mapping[str, Training]) -> Table:
    """Test accuracy and CPU seconds of every training, the best first."""
    order = sorted(trainings.items(), key=lambda item: -item[1].accuracy)
    return table(
        f"Test accuracy after one training each (seed of this run), {len(order)} trainings",
        [
            {
                "method": name,
                **({q: t.method.answers()[q] for q in QUESTIONS} if t.method.weight
                   else dict.fromkeys(QUESTIONS, "none") | {"augmentation": "weak"}),
                "accuracy": round(t.accuracy, 3),
                "CPU s": f"{t.seconds:.1f}",
            }
            for name, t in order
        ],
    )  # fmt: skip


def accuracy_picture(trainings: Mapping[str, Training]) -> Figure:
    """Accuracies as bars with each baseline as a line, and the share of targets that count."""
    order = sorted(trainings.items(), key=lambda item: item[1].accuracy)
    with plots.style():
        figure, (bars, lines) = plots.panels(2, size=(4.3, 3.4))
        colours = [plots.COLOURS["model" if t.method.weight else "baseline"] for _, t in order]
        values = [t.accuracy for _, t in order]
        drawn = bars.barh([name for name, _ in order], values, color=colours, height=0.65)
        bars.bar_label(drawn, [f" {value:.3f}" for value in values], fontsize=8)
        for t in trainings.values():
            if not t.method.weight:
                bars.axvline(
                    t.accuracy, color=plots.COLOURS["baseline"], linestyle="--", linewidth=1.2
                )
        bars.set(title="Test accuracy; dashed: labels alone", xlabel="share right")
        bars.set_xlim(min(0.5, max(0.0, values[0] - 0.05)), 1.06)
        bars.tick_params(axis="y", labelsize=8)
        bars.grid(axis="y", visible=False)
        marks = zip(("UDA", "FixMatch"), ("teacher", "student"), ("o-", "s--"), strict=True)
        for method, role, mark in marks:
            for name, t in trainings.items():
                if t.method.name == method:
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
    columns = [f"{n} labels{by}" for by in (", paper", ", USB") for n in (40, 250, 4000)]
    return table(
        CIFAR,
        [{"method": name, **dict(zip(columns, errors, strict=True))} for name, *errors in PAPERS],
    )


def student_table() -> Table:
    """What Noisy Student reports on ImageNet and its harder versions."""
    return table(
        "Noisy Student on ImageNet, with 300 million more pictures (arXiv:1911.04252)",
        [
            {"measure": name, "compared with": other, "that": a, "Noisy Student": b}
            for name, other, a, b in STUDENTS
        ],
    )


def tagger_table() -> Table:
    """What cross-view training reports on its tasks."""
    return table(
        "Cross-view training on real text (arXiv:1809.08370)",
        [
            {"task": task, "measure": measure, "result": result, "trained on": how}
            for task, measure, result, how in TAGGERS
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
