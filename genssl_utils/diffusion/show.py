"""Pictures and tables of the unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.diffusion.clouds import CLOUD_SPREAD, cloud, ring_middles
from genssl_utils.diffusion.denoiser import WAYS, Denoiser, Walkers
from genssl_utils.diffusion.digits import Copies, Heap, Quality, Trip
from genssl_utils.diffusion.exact import mixture_noise, perfect
from genssl_utils.diffusion.explorers import linear_betas
from genssl_utils.diffusion.moment import middles
from genssl_utils.kit import plots
from genssl_utils.kit.data import digits
from genssl_utils.kit.reader import Reader
from genssl_utils.kit.samples import Scores
from genssl_utils.kit.sheets import named_rows
from genssl_utils.kit.tables import Table, table

__all__ = [
    "bridges_picture",
    "clouds_table",
    "copies_picture",
    "copies_table",
    "fields_picture",
    "film_picture",
    "guess_picture",
    "losses_table",
    "quality_table",
    "samples_picture",
    "schedules_picture",
    "steps_curves",
    "steps_picture",
    "trails_picture",
    "trips_picture",
    "trips_table",
]

PAPER = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0}
ROLES = {"DDPM": "model", "DDIM": "teacher"}
MARKS = {"DDPM": "o-", "DDIM": "s--"}


def _rows_figure(title: str, rows: Sequence[tuple[str, Tensor]]) -> Figure:
    columns = len(rows[0][1])
    figure, (axes,) = plots.panels(1, size=(0.5 * columns + 1.6, 0.52 * len(rows) + 0.4))
    named_rows(axes, [(name, x.view(-1, 1, 8, 8)) for name, x in rows], gap=0.12, **PAPER)
    axes.set_title(title, fontsize=10)
    return figure


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
    names = [(f"{k + 1}", row) for k, row in enumerate(rows)]
    return _rows_figure("A film of noise, from left to right", names)


def schedules_picture() -> Figure:
    """What the linear schedule leaves of the variance, and how long there is next to nothing."""
    left = torch.cumprod(1 - linear_betas(1000), 0)
    figure, (axes,) = plots.panels(1, size=(5.6, 2.8))
    axes.plot(range(1, 1001), left.numpy(), color=plots.COLOURS["model"])
    low = int((left < 0.1).nonzero()[0]) + 1
    axes.axvspan(low, 1000, color=plots.GRID)
    axes.text(low + 15, 0.5, f"from step {low} on\nless than a tenth\nis left", fontsize=9)
    axes.set(
        title="A schedule that hurries: β rises on a straight line", xlabel="step t",
        ylabel="share left", xlim=(0, 1000), ylim=(0, 1.02),
    )  # fmt: skip
    return figure


def bridges_picture(steps: int = 10, start: float = 1.0, end: float = -0.5) -> Figure:
    """Walks of one start; those that come by near one place at the end are pinned at both ends."""
    source = torch.Generator().manual_seed(3)
    x = torch.full((4000,), start)
    walks = [x]
    for beta in (0.6 * torch.linspace(0.1, 0.5, steps)).tolist():
        x = (1 - beta) ** 0.5 * x + beta**0.5 * torch.randn(x.shape, generator=source)
        walks.append(x)
    every = torch.stack(walks)  # (steps + 1, n)
    pinned = every[:, (x - end).abs() < 0.03]
    figure, (axes,) = plots.panels(1, size=(6.2, 2.9))
    axes.plot(every[:, :60].numpy(), color=plots.COLOURS["baseline"], linewidth=0.6, alpha=0.5)
    axes.plot(pinned[:, :25].numpy(), color=plots.COLOURS["model"], linewidth=1)
    axes.plot([0, steps], [start, end], "o", color=plots.INK)
    axes.text(0.15, start + 0.35, "x₀", fontsize=11)
    axes.text(steps + 0.15, end + 0.1, "xₜ", fontsize=11)
    axes.set(
        title="Walks from x₀; orange: those that came by at xₜ", xlabel="step",
        xlim=(-0.3, steps + 0.7),
    )  # fmt: skip
    return figure


def guess_picture() -> Figure:
    """One noised place, the starts that it may have, and the mean of all noise."""
    places, _ = middles("twelve points")
    figure, panels = plots.panels(3, size=(2.7, 2.9))
    here = torch.tensor([[0.35, 0.85]])
    for axes, kept in zip(panels, (0.04, 0.5, 0.9), strict=True):
        schedule = torch.tensor([1.0, kept])
        guess = mixture_noise(schedule, places, 0.0)(here, torch.tensor([1]))
        start = (here - (1 - kept) ** 0.5 * guess) / kept**0.5
        far = (here - kept**0.5 * places).square().sum(1) / (2 * (1 - kept))
        share = (-far).softmax(0)
        axes.scatter(*places.T, s=6 + 260 * share, color=plots.COLOURS["data"], alpha=0.8)
        axes.plot(*here[0], "X", color=plots.INK, markersize=8)
        axes.plot(*start[0], "*", color=plots.COLOURS["model"], markersize=13)
        axes.set(
            title=f"{kept:.0%} of the variance left", xlim=(-2.1, 2.1), ylim=(-2.1, 2.1),
            aspect="equal", xticks=[], yticks=[],
        )  # fmt: skip
    panels[0].set_xlabel("cross: xₜ, star: mean start", fontsize=9)
    panels[1].set_xlabel("blue: starts, as likely as large", fontsize=9)
    return figure


# --- points ---------------------------------------------------------------------------------------


def losses_table(found: Mapping[str, tuple[float, float]]) -> Table:
    """The network's loss beside the best one, by times."""
    rows = [
        {"times": name, "network": net, "best possible": best, "above it": net - best}
        for name, (net, best) in found.items()
    ]
    return table("Squared error of the guessed noise, on fresh points of the eight clouds", rows)


def trails_picture(
    trained: Mapping[str, Denoiser], walkers: Walkers, *, steps: int = 50, n: int = 1500,
    seed: int = 0,
) -> Figure:  # fmt: skip
    """Points on their way back, from left to right, one row a set; true points at the end."""
    shares = (1.0, 0.5, 0.3, 0.16, 0.0)
    figure, every = plots.panels(len(shares) + 1, size=(1.75, 1.85 * len(trained) + 0.4))
    high = 1 / len(trained)
    for axes in every:
        axes.set_axis_off()
    for row, (name, denoiser) in enumerate(trained.items()):
        trail = denoiser.trail(n, walkers, "DDIM", steps, seed=seed)
        true = cloud(name, n, seed + 9000, denoiser.shift.device)
        shown = [(f"t = {1000 * s:.0f}", trail[round((1 - s) * steps)], "model") for s in shares]
        for column, (told, points, role) in enumerate([*shown, ("true points", true, "data")]):
            part = every[column].inset_axes((0.02, 1 - high * (row + 1), 0.96, 0.88 * high))
            at = denoiser.inward(points).cpu()
            part.scatter(*at.T, s=1, alpha=0.5, color=plots.COLOURS[role])
            part.set(xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
            part.grid(visible=False)
            if row == 0:
                part.set_title(told, fontsize=9)
            if column == 0:
                part.set_ylabel(name, fontsize=9)
    figure.suptitle(f"Back from noise in {steps} steps of DDIM", fontsize=11, x=0.02, ha="left")
    return figure


@torch.no_grad()
def fields_picture(denoiser: Denoiser, times: Sequence[int] = (60, 200, 500)) -> Figure:
    """Arrows of the network over those of the best guess, on the eight clouds, at a few times."""
    best = perfect(denoiser, ring_middles(denoiser.shift.device), CLOUD_SPREAD)
    line = torch.linspace(-2.2, 2.2, 14)
    grid = torch.cartesian_prod(line, line).to(denoiser.shift.device)
    figure, panels = plots.panels(len(times), size=(3.2, 3.4), sharey=True)
    for axes, t in zip(panels, times, strict=True):
        for one, role, width in ((best, "baseline", 0.009), (denoiser, "model", 0.004)):
            way = -one.predict(grid, torch.full((len(grid),), t, device=grid.device)).cpu()
            size = way.norm(dim=1, keepdim=True).clamp(min=1e-6)
            way = way / size * size.clamp(max=1.5)  # far out they would cover all others
            axes.quiver(
                *grid.cpu().T, *way.T, color=plots.COLOURS[role], width=width, scale=20,
                scale_units="width",
            )  # fmt: skip
        axes.set(title=f"t = {t}", aspect="equal", xticks=[], yticks=[])
    panels[0].set_ylabel("grey: best, orange: network")
    return figure


def clouds_table(found: Mapping[str, Mapping[tuple[str, int], float]]) -> Table:
    """Energy distances, one row a set and a way."""
    rows = []
    for name, distances in found.items():
        steps = [number for way, number in distances if way == "DDIM"]
        for way in WAYS:
            row: dict[str, object] = {"set": name, "way": way}
            row |= {_steps(number): f"{distances[way, number]:.4f}" for number in steps}
            rows.append(row | {"true points": f"{distances['true', 0]:.4f}"})
    return table("Energy distance of 1500 drawn points from 1500 true ones; lower is better", rows)


def _steps(number: int) -> str:
    return f"{number} step" + "s" * (number > 1)


# --- digits ---------------------------------------------------------------------------------------


def samples_picture(
    bank: Mapping[str, Heap], drawn: Mapping[tuple[str, int], Tensor], true: Tensor, *,
    columns: int = 16,
) -> Figure:  # fmt: skip
    """The first draws of each maker under true digits; nothing is picked."""
    rows = [("true", true[:columns])]
    rows += [(name, heap.pictures[:columns]) for name, heap in bank.items()]
    for way, steps in (("DDIM", 20), ("DDIM", 1000), ("DDPM", 1000)):
        rows.append((f"{way}, {steps} steps", drawn[way, steps][:columns]))
    return _rows_figure("Digits that nobody wrote, under digits that somebody did", rows)


def quality_table(heaps: Mapping[str, Heap], judged: Mapping[str, Scores], reader: Reader) -> Table:
    """All scores and what each maker took, one row a heap."""
    rows = []
    for name, heap in heaps.items():
        found, nobody = judged[name], not heap.weights
        rows.append({
            "heap": name, "precision ↑": found.precision, "recall ↑": found.recall,
            "coverage ↑": found.coverage, "energy distance ↓": found.energy,
            "numbers it starts from": "" if nobody else str(heap.latent),
            "weights": "" if nobody else str(heap.weights),
            "CPU s to train": "" if nobody else f"{heap.trained:.1f}",
            "CPU s to draw 540": "" if nobody else f"{heap.drawn:.3f}",
        })  # fmt: skip
    return table(
        f"{len(next(iter(heaps.values())).pictures)} pictures against the test digits, in 128 "
        f"features of a classifier ({reader.accuracy:.1%} right). One budget: weights, digits seen",
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
    rows += [(f"back, {_steps(n)}", trip.back[:columns]) for n, trip in found.items()]
    return _rows_figure("Into the latent and back, without chance", rows)


def trips_table(found: Mapping[int, Trip]) -> Table:
    """Errors of the round trips, and how large codes are."""
    rows = [
        {
            "steps each way": number, "error of a pixel, of 1": trip.error,
            "mean square of a code's number (normal: 1)": trip.energy,
        }
        for number, trip in found.items()
    ]  # fmt: skip
    return table("540 test digits into the latent and back", rows)


def copies_picture(found: Mapping[str, Copies], train: Tensor, *, columns: int = 14) -> Figure:
    """Draws of both guessers, and under each the training digit that is nearest."""
    rows = []
    for name in ("perfect guesser", "network"):
        made = found[name].pictures[:columns]
        rows += [(name, made), ("nearest training", train[torch.cdist(made, train).argmin(1)])]
    return _rows_figure("Who draws, and who copies?", rows)


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
