"""Pictures and tables of the schedule, the posterior, the guess, and of points of the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from genssl_utils.diffusion.clouds import CLOUD_SPREAD, cloud, ring_middles
from genssl_utils.diffusion.denoiser import WAYS, Denoiser, Walkers
from genssl_utils.diffusion.exact import mixture_noise, perfect
from genssl_utils.diffusion.explorers import linear_betas
from genssl_utils.diffusion.moment import middles
from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table

__all__ = [
    "bridges_picture",
    "clouds_table",
    "fields_picture",
    "guess_picture",
    "losses_table",
    "schedules_picture",
    "shares_table",
    "trails_picture",
]

ARROW = {"arrowstyle": "->", "color": plots.INK, "shrinkA": 6, "shrinkB": 5}


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
        title="Walks from x₀; orange: those that came by at xₜ", xlabel="step", ylabel="place",
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
        axes.annotate("", xy=here[0].tolist(), xytext=start[0].tolist(), arrowprops=ARROW)
        axes.plot(*here[0], "X", color=plots.INK, markersize=8)
        axes.plot(*start[0], "*", color=plots.COLOURS["model"], markersize=13)
        axes.set(
            title=f"{kept:.0%} of the variance left", xlim=(-2.1, 2.1), ylim=(-2.1, 2.1),
            aspect="equal", xticks=[], yticks=[],
        )  # fmt: skip
    panels[0].set_xlabel("cross: xₜ, star: mean start", fontsize=9)
    panels[2].set_xlabel("arrow: along the guessed noise", fontsize=9)
    panels[1].set_xlabel("blue: starts, as likely as large", fontsize=9)
    return figure


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


def shares_table(found: Mapping[tuple[str, str], float]) -> Table:
    """Shares of points on a cloud, one row a guesser."""
    rows: dict[str, dict[str, object]] = {}
    for (who, way), share in found.items():
        if who != "nobody":
            rows.setdefault(who, {"guesses": who})[way] = f"{share:.1%}"
    true = found["nobody", "true points"]
    return table(f"Points on one of the eight clouds; of true points {true:.1%}", [*rows.values()])


def _steps(number: int) -> str:
    return f"{number} step" + "s" * (number > 1)
