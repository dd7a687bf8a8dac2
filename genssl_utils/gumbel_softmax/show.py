"""How the unit shows what its experiments measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.gumbel_softmax.gradients import (
    LOGITS,
    Quality,
    exact_gradient,
    judge,
    relaxed_gradients,
    reward,
)
from genssl_utils.gumbel_softmax.grammar import Measures, measure, small_grammar
from genssl_utils.gumbel_softmax.sentences import Training
from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table

__all__ = [
    "bump_picture",
    "bump_study",
    "quality_table",
    "sentence_table",
    "training_picture",
    "true_sample",
    "writer_table",
]


def quality_table(table_of: Mapping[str, Quality]) -> Table:
    """Bias and variance of every estimator, one row each."""
    return table(
        "Gradient estimators beside the exact gradient (in units of its length)",
        [
            {
                "estimator": name,
                "relative bias": f"{q.bias:.3f} ± {q.bias_error:.3f}",
                "relative variance": q.variance,
            }
            for name, q in table_of.items()
        ],
    )


def true_sample(n: int = 10_000, seed: int = 0) -> Measures:
    """The measures of n sentences of the grammar itself: no writer gets better."""
    grammar = small_grammar()
    return measure(grammar.sample(n, torch.Generator().manual_seed(seed)), grammar)


def writer_table(trainings: Sequence[Training], truth: Measures) -> Table:
    """What each writer's sentences are worth, beside as many true ones."""
    rows = [(t.name, t.measures, f"{t.seconds:.0f} s") for t in trainings]
    return table(
        "10,000 sentences of each writer, beside as many of the grammar",
        [
            {
                "writer": name,
                "valid": m.valid,
                "distance (TV)": m.distance,
                "bigram distance": m.bigram_distance,
                "coverage": m.coverage,
                "as varied as": f"{m.effective:.0f} sentences",
                "training": seconds,
            }
            for name, m, seconds in [*rows, ("the grammar itself", truth, "")]
        ],
    )


def sentence_table(training: Training, lines: int = 6) -> Table:
    """A few sentences before, during and after training; ✗ marks those not of the grammar."""
    grammar, moments = small_grammar(), list(training.examples)

    def marked(text: str) -> str:
        known = int(grammar.locate(grammar.encode(text)[None])) >= 0
        return text if known else f"✗ {text}"

    return table(
        f"What the writer trained by {training.name} wrote",
        [
            {f"after {m} updates": marked(training.examples[m][i]) for m in moments}
            for i in range(min(lines, *(len(e) for e in training.examples.values())))
        ],
    )


def training_picture(trainings: Sequence[Training]) -> Figure:
    """Share of valid sentences and coverage as training goes, for each of up to three writers."""
    roles, dashes = ("model", "baseline", "negative"), ("-", "--", ":")
    with plots.style():
        figure, axes = plots.panels(2, size=(3.9, 2.8), sharey=True)
        titles = {"valid": "Share of valid sentences", "coverage": "Probability mass covered"}
        for ax, (measured, title) in zip(axes, titles.items(), strict=True):
            for t, role, dash in zip(trainings, roles, dashes, strict=False):
                steps, values = t.history.steps, t.history.series[measured]
                ax.plot(steps, values, dash, color=plots.COLOURS[role], label=t.name)
            ax.set(title=title, xlabel="updates", ylim=(-0.02, 1.02))
        axes[0].legend(loc="lower right", fontsize=8, handlelength=3)
    return figure


@dataclass(frozen=True)
class Bump:
    """One row of the bump study: the height of the bump and each estimator's relative error."""

    height: float
    quality: Quality


def bump_study(
    gumbel_softmax: Callable[..., Tensor],
    *,
    heights: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 4.0),
    tau: float = 0.5,
    n: int = 50_000,
    seed: int = 0,
) -> list[Bump]:
    """Bias of the soft gradient when the reward is changed only where no choice lies.

    f(z) + h · Σ z_k (1 − z_k) is the same reward for every h on one-hot choices, so the exact
    gradient never moves. The soft samples do see the bump.

    Args:
        gumbel_softmax: the student's.
        heights: h, the heights of the bump.
        tau: the temperature.
        n: samples for each height.
        seed: of the noise, shared by all heights.
    """
    exact = exact_gradient(LOGITS)
    found = []
    for h in heights:
        estimates = relaxed_gradients(
            gumbel_softmax,
            LOGITS,
            n,
            tau=tau,
            payoff=lambda z, h=h: reward(z) + h * (z * (1 - z)).sum(-1),
            generator=torch.Generator().manual_seed(seed),
        )
        found.append(Bump(h, judge(estimates, exact)))
    return found


def bump_picture(found: Sequence[Bump]) -> Figure:
    """The bias of the soft gradient against the height of the bump."""
    with plots.style():
        figure, (ax,) = plots.panels(1, size=(5.2, 2.8))
        heights, biases = [b.height for b in found], [b.quality.bias for b in found]
        ax.plot(heights, biases, "o-", color=plots.COLOURS["model"])
        ax.axhline(0, color=plots.COLOURS["baseline"], linestyle="--")
        ax.text(heights[-1], 0, "REINFORCE never sees it", ha="right", va="bottom", fontsize=9)
        ax.set(
            title="A bump between the choices misleads the soft gradient (τ = 0.5)",
            xlabel="height of the bump h",
            ylabel="relative bias",
        )
        ax.set_ylim(bottom=-0.05 * max(biases))
    return figure
