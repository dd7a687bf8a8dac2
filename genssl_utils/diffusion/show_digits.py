"""Pictures and tables of the digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.diffusion.denoiser import WAYS
from genssl_utils.diffusion.digits import Copies, Fewer, Heap, Quality
from genssl_utils.diffusion.explorers import linear_betas
from genssl_utils.diffusion.latent import Trip
from genssl_utils.kit import plots
from genssl_utils.kit.data import digits
from genssl_utils.kit.reader import Reader
from genssl_utils.kit.samples import Scores
from genssl_utils.kit.sheets import named_rows, rows_figure
from genssl_utils.kit.tables import Table, table

__all__ = [
    "codes_table",
    "copies_picture",
    "copies_table",
    "film_picture",
    "noise_table",
    "quality_table",
    "reading_table",
    "samples_picture",
    "steps_curves",
    "steps_picture",
    "trips_picture",
    "trips_table",
]

PAPER = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0}
ROLES = {"DDPM": "model", "DDIM": "teacher"}
MARKS = {"DDPM": "o-", "DDIM": "s--"}


def film_picture(frames: int = 12) -> Figure:
    """Three digits on their way to noise, walked step by step on the linear schedule."""
    shown = [(0, 12), (1, 5), (2, 8)]
    x = digits(flat=True).x_test[[row for _, row in shown]]
    source = torch.Generator().manual_seed(4)
    x = (x - 0.31) / 0.27
    film, betas = [x], linear_betas(1000)
    stops = torch.linspace(0, 0.62, frames).mul(1000).round().int().tolist()
    for step, beta in enumerate(betas.tolist(), start=1):
        x = x * (1 - beta) ** 0.5 + beta**0.5 * torch.randn(x.shape, generator=source)
        if step in stops:
            film.append(x)
    rows = 0.31 + 0.27 * torch.stack(film, 1)  # (3, frames, 64)
    return rows_figure("A film of noise, from left to right", [("", row) for row in rows])


def samples_picture(
    bank: Mapping[str, Heap], drawn: Mapping[tuple[str, int], Tensor], true: Tensor, *,
    columns: int = 16,
) -> Figure:  # fmt: skip
    """The first draws of each maker under true digits; nothing is picked."""
    rows = [("true", true[:columns])]
    rows += [(name, heap.pictures[:columns]) for name, heap in bank.items()]
    for way, steps in (("DDIM", 20), ("DDIM", 1000), ("DDPM", 1000)):
        rows.append((f"{way}, {steps} steps", drawn[way, steps][:columns]))
    return rows_figure("Digits that nobody wrote, under digits that somebody did", rows)


def quality_table(heaps: Mapping[str, Heap], judged: Mapping[str, Scores], reader: Reader) -> Table:
    """All scores and what each maker took, one row a heap."""
    rows = []
    for name, heap in heaps.items():
        found, nobody = judged[name], not heap.weights
        rows.append({
            "heap": name, "precision ↑": found.precision, "recall ↑": found.recall,
            "coverage ↑": found.coverage, "energy distance ↓": found.energy,
            "weights": "" if nobody else f"{heap.weights:,}",
            "digits seen": "" if nobody else f"{heap.seen:,}",
            "CPU s to train": "" if nobody else f"{heap.trained:.1f}",
            "CPU s to draw 540": "" if nobody else f"{heap.drawn:.3f}",
        })  # fmt: skip
    return table(
        f"{len(next(iter(heaps.values())).pictures)} pictures against the test digits, in 128 "
        f"features of a classifier ({reader.accuracy:.1%} right). CPU seconds: GAN, VAE and flow "
        "elsewhere",
        rows,
    )


def steps_picture(
    drawn: Mapping[tuple[str, int], Tensor], counts: Sequence[int], *, columns: int = 10
) -> Figure:
    """The same noise, drawn in fewer and more steps by both ways."""
    figure, panels = plots.panels(2, size=(4.4, 0.45 * len(counts) + 0.5))
    for axes, way in zip(panels, ("DDIM", "DDPM"), strict=True):
        rows = [(str(n), drawn[way, n][:columns].view(-1, 1, 8, 8)) for n in counts]
        named_rows(axes, rows, gap=0.12, **PAPER)
        axes.set_title(f"{way}, steps", fontsize=10)
    return figure


def steps_curves(
    scan: Sequence[Quality], judged: Mapping[str, Scores], bank: Mapping[str, Heap]
) -> Figure:
    """Coverage and recall against steps, and processor time against steps."""
    figure, panels = plots.panels(3, size=(3.1, 2.9))
    for axes, what in zip(panels, ("coverage", "recall", "seconds"), strict=True):
        for way in WAYS:
            rows = [row for row in scan if row.way == way]
            values = [
                row.seconds if what == "seconds" else getattr(row.scores, what) for row in rows
            ]
            axes.plot(
                [row.steps for row in rows], values, MARKS[way], color=plots.COLOURS[ROLES[way]],
                markersize=4, label=way,
            )  # fmt: skip
        for name, heap in bank.items() if what == "seconds" else ():
            axes.axhline(heap.drawn, color=plots.COLOURS["baseline"], linewidth=1)
            if name != "VAE":  # its line lies on the GAN's
                label = "GAN, VAE" if name == "GAN" else name
                axes.text(300, heap.drawn * 1.15, label, fontsize=8, color=plots.INK)
        if what != "seconds":
            for name in ("GAN", "training digits"):
                value = getattr(judged[name], what)
                axes.axhline(value, color=plots.COLOURS["baseline"], linewidth=1)
                axes.text(1.1, value + 0.012, name, fontsize=8, color=plots.INK)
        axes.set(xscale="log", xlabel="steps", title=what)
    panels[0].set(ylim=(0, 1.05))
    panels[1].set(ylim=(0, 1.05))
    panels[2].set(yscale="log", title="CPU seconds for 540")
    panels[0].legend(loc="lower right", fontsize=8)
    return figure


def trips_picture(found: Mapping[int, Trip], true: Tensor, *, columns: int = 14) -> Figure:
    """Digits, their codes, and what comes back after fewer and more steps."""
    codes = list(found.values())[-1].codes[:columns]
    rows = [("digits", true[:columns]), ("their codes", (0.5 + codes / 6).clamp(0, 1))]
    for number, trip in found.items():
        rows.append((f"back, {number} step{'s' * (number > 1)}", trip.back[:columns]))
    return rows_figure("Into the latent and back, without chance", rows)


def trips_table(found: Mapping[int, Trip]) -> Table:
    """Errors of the round trips."""
    rows = [
        {"steps each way": number, "error of a pixel, of 1": trip.error}
        for number, trip in found.items()
    ]
    return table("540 test digits into the latent and back", rows)


def codes_table(sizes: Mapping[str, Tensor]) -> Table:
    """How large codes are, one row a heap of digits."""
    rows = [
        {
            "digits": name, "how many": str(len(found)), "median digit's": float(found.median()),
            "mean of all": float(found.mean()), "largest": float(found.max()),
        }
        for name, found in sizes.items()
        if len(found)
    ]  # fmt: skip
    return table("Mean square of a code's 64 numbers; 1 would be normal", rows)


def reading_table(read: Mapping[float, float]) -> Table:
    """How often noised digits are read rightly, by the share of the variance that is left."""
    row = {f"{share:.0%} left": f"{right:.0%}" for share, right in read.items()}
    return table("Noised test digits that a small classifier reads rightly", [row])


def noise_table(found: Mapping[tuple[int, str], Fewer]) -> Table:
    """What noise was put back, and what came of it."""
    rows = []
    for (steps, noise), one in found.items():
        rows.append({
            "steps": str(steps or ""), "noise put back": noise,
            "coverage ↑": f"{one.scores.coverage:.3f}" if steps else "",
            "recall ↑": f"{one.scores.recall:.3f}" if steps else "",
            "spread of a pixel": f"{one.spread:.3f}",
        })  # fmt: skip
    return table("Few steps: more noise, or none", rows)


def copies_picture(found: Mapping[str, Copies], train: Tensor, *, columns: int = 14) -> Figure:
    """Draws of both guessers, and under each the training digit that is nearest."""
    rows = []
    for name in ("perfect guesser", "network"):
        made = found[name].pictures[:columns]
        rows += [(name, made), ("nearest training", train[torch.cdist(made, train).argmin(1)])]
    return rows_figure("Who draws, and who copies?", rows)


def copies_table(found: Mapping[str, Copies]) -> Table:
    """Losses, scores and distances, one row a drawer."""
    rows = [
        {
            "drawn by": name, "loss, training digits": _or_blank(one.seen),
            "loss, test digits": _or_blank(one.new),
            "precision ↑": "" if name == "test digits" else f"{one.scores.precision:.3f}",
            "coverage ↑": "" if name == "test digits" else f"{one.scores.coverage:.3f}",
            "nearest training digit": one.near,
            "copies": f"{one.share:.0%}",
        }
        for name, one in found.items()
    ]  # fmt: skip
    return table("DDIM in 100 steps, with two who guess the noise; test digits beside them", rows)


def _or_blank(value: float) -> str:
    return "" if value != value else f"{value:.3f}"
