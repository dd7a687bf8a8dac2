"""How the unit shows its data and what its experiments found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.adversarial_debiasing.encoder import Encoder, Probed
from genssl_utils.adversarial_debiasing.persons import NUISANCES, SIZE, Gallery
from genssl_utils.adversarial_debiasing.predictors import Predictor
from genssl_utils.adversarial_debiasing.tables import Records, hiring
from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table

__all__ = [
    "Judged",
    "attack_table",
    "fairness_table",
    "hiring_picture",
    "judge",
    "leakage_table",
    "record_table",
    "swap_picture",
    "weight_ratio",
    "weight_table",
]


@dataclass(frozen=True)
class Judged:
    """What a predictor's decisions are worth on new rows.

    Attributes:
        record: accuracy on the recorded labels.
        deserved: accuracy on the labels without the bias.
        parity: demographic-parity gap.
        odds: equalised-odds gap, by the recorded labels.
    """

    record: float
    deserved: float
    parity: float
    odds: float


def judge(
    models: Sequence[Predictor], records: Records, *,
    demographic_parity_gap: Callable[[Tensor, Tensor], Tensor | float],
    equalized_odds_gap: Callable[[Tensor, Tensor, Tensor], Tensor | float],
) -> dict[str, Judged]:  # fmt: skip
    """Judge predictors on new rows, with the student's two gaps.

    Args:
        models: the trained predictors.
        records: rows that none of them has seen.
        demographic_parity_gap: (y_hat, s) → gap.
        equalized_odds_gap: (y_hat, y, s) → gap.

    Returns:
        Name → what its decisions are worth.
    """
    found = {}
    for model in models:
        y_hat = model.decide(records)
        found[model.name] = Judged(
            float((y_hat == records.y).float().mean()),
            float((y_hat == records.deserved).float().mean()),
            float(demographic_parity_gap(y_hat, records.s)),
            float(equalized_odds_gap(y_hat, records.y, records.s)),
        )
    return found


def hiring_picture(n: int = 100_000) -> Figure:
    """Who was hired at each result of the skill test, by group."""
    records = hiring(n)
    edges = torch.linspace(-2.25, 2.25, 10)
    place = torch.bucketize(records.x[:, 0].contiguous(), edges)
    middles = (edges[1:] + edges[:-1]) / 2
    figure, (axes,) = plots.panels(1, size=(5.2, 3.0))
    for group, role, mark in ((1, "data", "o-"), (0, "model", "s--")):
        shares = [
            records.y[(place == k) & (records.s == group)].float().mean().item()
            for k in range(1, len(edges))
        ]
        axes.plot(middles, shares, mark, color=plots.COLOURS[role], markersize=5)
        axes.annotate(
            f"group {group}", (middles[5], shares[5]), xytext=(-8, 8) if group else (8, -12),
            textcoords="offset points", ha="right" if group else "left",
            color=plots.COLOURS[role],
        )  # fmt: skip
    axes.set(
        title="Alike in the test, not alike in the record", xlabel="result of the skill test",
        ylabel="share hired", ylim=(0, 1.03),
    )  # fmt: skip
    return figure


def record_table(n: int = 100_000) -> Table:
    """Who was hired, by group: in all, of those who deserved it, and of those who did not."""
    records = hiring(n)
    rows = []
    for group in (1, 0):
        inside = records.s == group
        hired = {"hired, of all": records.y[inside].float().mean().item()}
        for label, words in ((1, "hired, of the deserving"), (0, "hired, of the others")):
            cell = inside & (records.deserved == label)
            hired[words] = records.y[cell].float().mean().item()
        rows.append({"group": f"group {group}", **hired})
    return table("Shares hired in the firm's record", rows)


def weight_ratio(model: Predictor) -> float:
    """The weight of the group over that of the proxy in the toy: +1 by theory without an adversary,
    −1 where the score tells nothing of the group."""
    return float(model.weight[1] / model.weight[0])


def weight_table(models: Sequence[Predictor]) -> Table:
    """The toy's two weights, and their ratio."""
    rows = [
        {
            "model": m.name, "weight of u": m.weight[0].item(), "weight of s": m.weight[1].item(),
            "ratio": weight_ratio(m),
        }
        for m in models
    ]  # fmt: skip
    return table("Where the weight of the group goes: +1 is the best guess, −1 is parity", rows)


def fairness_table(judged: Mapping[str, Judged]) -> Table:
    """Accuracies and gaps, one row a model."""
    rows = [
        {
            "model": name, "accuracy, record": m.record, "accuracy, one bar": m.deserved,
            "parity gap": m.parity, "odds gap, record": m.odds,
        }
        for name, m in judged.items()
    ]  # fmt: skip
    return table("Decisions on new people; for a gap, 0 is fair", rows)


def leakage_table(probed: Mapping[str, Probed]) -> Table:
    """What a fresh linear probe finds, beside the adversary that trained along."""
    rows = []
    for name, found in probed.items():
        cells = {
            f"{what}, fresh probe (along)": f"{value:.2f} ({found.along[what]:.2f})"
            for what, value in found.linear.items()
        }
        rows.append({"code": name, "who, accuracy": found.who, **cells})
    return table("What the code tells of new pictures: 0 is guessing, 1 is knowing", rows)


def attack_table(probed: Mapping[str, Probed], later: Mapping[str, Mapping[str, float]]) -> Table:
    """The fresh linear probe beside the new and stronger adversary."""
    rows = [
        {
            "code": name,
            **{
                f"{what}, linear → new": f"{probed[name].linear[what]:.2f} → {value:.2f}"
                for what, value in found.items()
            },
        }
        for name, found in later.items()
    ]
    return table("What a new and stronger adversary finds, beside the linear probe", rows)


def swap_picture(encoder: Encoder, shown: Gallery, persons: int = 6) -> Figure:
    """Pictures, their codes decoded as they were, and decoded with one nuisance changed.

    Args:
        encoder: whose decoder is told the nuisances.
        shown: pictures; the first of each person is taken.
        persons: how many rows.
    """
    first = [int((shown.who == k).nonzero()[0, 0]) for k in range(persons)]
    x, nuisance = shown.x[first], shown.nuisance[first]
    codes = encoder.code(x)
    columns = [("picture", x), ("as it was", encoder.decode(codes, nuisance))]
    for i, what in enumerate(NUISANCES):
        other = nuisance.clone()
        other[:, i] = 1 - other[:, i]
        columns.append((f"other {what}", encoder.decode(codes, other)))
    figure, axes = plots.panels(len(columns), size=(1.5, 1.5 * persons * 0.62))
    for panel, (title, pictures) in zip(axes, columns, strict=True):
        strip = pictures.view(persons, SIZE, SIZE).reshape(persons * SIZE, SIZE)
        panel.imshow(strip.cpu().numpy(), cmap="gray_r", vmin=0, vmax=1)
        panel.set_title(title, fontsize=9)
        panel.axis("off")
    return figure
