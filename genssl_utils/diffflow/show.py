"""Pictures and tables of the unit, and the explorer of one step."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.diffflow.compare import Comparison, Row
from genssl_utils.diffflow.limits import kept_share, rate
from genssl_utils.diffflow.peers import WAYS
from genssl_utils.diffflow.sets import SETS
from genssl_utils.diffflow.three import HEAP, cloud_fields
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore
from genssl_utils.kit.tables import Table, table

__all__ = [
    "comparison_picture",
    "comparison_table",
    "explore_step",
    "longer_table",
    "paper_table",
    "paths_picture",
    "price_table",
    "samples_picture",
    "sets_picture",
]

LOOKS = {
    "DiffFlow": ("model", "o"), "DDPM": ("baseline", "s"), "DDPM, narrow": ("student", "v"),
    "DDIM": ("teacher", "^"),
}  # fmt: skip
FID = {
    "DiffFlow": {5: 28.51, 10: 22.66, 20: 19.05, 50: 17.72, 100: 16.14},
    "DDPM": {5: 370.0, 10: 365.0, 20: 135.0, 50: 34.6, 100: 10.0},
}
"""The paper's Fréchet inception distances on CIFAR-10, by method and number of steps."""


def sets_picture() -> Figure:
    """Points of both sets."""
    figure, panels = plots.panels(len(SETS), size=(2.9, 3.0))
    for axes, (name, points) in zip(panels, SETS.items(), strict=True):
        x = points.draw(3000, torch.Generator().manual_seed(0))
        axes.scatter(*x.T, s=1.5, color=plots.COLOURS["data"], label="points")
        _plane(axes, name)
    return figure


def _plane(axes: plots.Axes, title: str) -> None:
    axes.set(title=title, aspect="equal", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    axes.set_xticks([-2, 0, 2])
    axes.set_yticks([-2, 0, 2])


@torch.no_grad()
def paths_picture(steps: tuple[int, int] = (4, 40), count: int = 24) -> Figure:
    """Paths forth from two heaps of data, and paths back from the latent, in few steps and many."""
    drift, score = cloud_fields(0.5)
    figure, panels = plots.panels(len(steps), size=(3.6, 2.7), sharey=True)
    for axes, n in zip(panels, steps, strict=True):
        draw = torch.Generator().manual_seed(2)
        times, dt = torch.linspace(0, 1, n + 1), 1 / n
        g = 0.5 * rate(times).sqrt()
        heaps = torch.where(torch.arange(count) % 2 == 0, 1.0, -1.0)
        forth = [heaps + HEAP * torch.randn(count, generator=draw)]
        back = [torch.randn(count, generator=draw)]
        for i in range(n):
            chance = math.sqrt(dt) * torch.randn(2, count, generator=draw)
            x, z, now, late = forth[-1], back[-1], times[i], times[n - i]
            forth.append(x + drift(x, now) * dt + g[i] * chance[0])
            away = drift(z, late) - g[n - i].square() * score(z, late)
            back.append(z - away * dt + g[n - i] * chance[1])
        for path, role, name in ((forth, "data", "forth"), (back[::-1], "model", "back")):
            lines = axes.plot(
                times, torch.stack(path), color=plots.COLOURS[role], lw=0.8, alpha=0.7
            )
            lines[0].set_label(name)
        axes.set(title=f"{n} steps", xlabel="time, from data to latent")
        axes.legend(fontsize=8, loc="upper left")
    return figure


def comparison_table(found: Comparison) -> Table:
    """What was measured, one row a method and number of steps."""
    rows = [_told(row) for row in found.rows]
    counts = ", ".join(f"{name} {n}" for name, n in found.weights.items())
    return table(
        f"{found.name}: the truth costs {found.floor:.3f} nats. Parameters: {counts}. "
        "RealNVP's −log p is exact",
        rows,
    )


def comparison_picture(found: Comparison) -> Figure:
    """Energy distance, points off the set and the bound, against the number of steps."""
    figure, panels = plots.panels(3, size=(3.0, 2.9))
    sides = (
        ("energy", "energy distance"),
        ("off", "share off the set"),
        ("nats", "−log p at most"),
    )
    flow = found.row("RealNVP")
    for axes, (what, name) in zip(panels, sides, strict=True):
        for method, (role, mark) in LOOKS.items():
            seen = [r for r in found.rows if r.method == method and math.isfinite(getattr(r, what))]
            if seen:
                axes.plot(
                    [r.steps for r in seen], [getattr(r, what) for r in seen], marker=mark,
                    color=plots.COLOURS[role], label=method,
                )  # fmt: skip
        axes.axhline(getattr(flow, what), color=plots.INK, ls="--", lw=1, label="RealNVP")
        if what == "nats":
            axes.axhline(found.floor, color=plots.COLOURS["data"], ls=":", label="the truth")
        axes.set(xscale="log", xlabel="steps N", title=name)
        axes.set_xticks(found.lengths, [str(n) for n in found.lengths])
        axes.minorticks_off()
        if what != "off":
            axes.legend(fontsize=8)
    return figure


def samples_picture(found: Comparison, steps: tuple[int, int] = (5, 10)) -> Figure:
    """Points that each method made in few steps; those off the set in another colour."""
    few, more = steps
    wanted = [("DiffFlow", few), *((way, more) for way in WAYS), ("RealNVP", 0)]
    figure, panels = plots.panels(len(wanted), size=(2.0, 2.4))
    inside = SETS[found.name].inside
    for axes, (method, n) in zip(panels, wanted, strict=True):
        made = found.made[method, n]
        on = inside(made)
        axes.scatter(*made[on].T, s=1.5, color=plots.COLOURS["data"], label="on the set")
        axes.scatter(*made[~on].T, s=1.5, color=plots.COLOURS["model"], label="off the set")
        _plane(axes, f"{method}, N = {n}" if n else method)
        axes.title.set_fontsize(9)
        axes.set_yticks([])
    return figure


def price_table(found: Comparison) -> Table:
    """Milliseconds that one update took, by method."""
    rows, done, spent = [], 0, 0.0
    for steps, updates, seconds in found.stages:
        each = 1000 * (seconds - spent) / (updates - done)
        rows.append({"method": f"DiffFlow, N = {steps}", "ms an update": each})
        done, spent = updates, seconds
    for method, steps in (("DDPM", found.lengths[0]), ("RealNVP", 0)):
        row = found.row(method, steps)
        rows.append({"method": method, "ms an update": 1000 * row.seconds / row.updates})
    return table("What an update of 128 points costs, processor time", rows)


def longer_table(board: Comparison, longer: Comparison) -> Table:
    """DiffFlow beside peers that were trained for longer."""
    rows = []
    for steps in sorted({r.steps for r in longer.rows if r.steps}):
        rows.append(_told(board.row("DiffFlow", steps)))
        rows += [_told(longer.row(way, steps)) for way in WAYS]
    return table("DiffFlow, and its peers with more updates", [*rows, _told(longer.row("RealNVP"))])


def _told(row: Row) -> dict[str, object]:
    return {
        "method": row.method,
        "steps N": str(row.steps or ""),
        "−log p at most": f"{row.nats:.3f}" if math.isfinite(row.nats) else "",
        "energy distance": f"{row.energy:.4f}",
        "off the set": f"{row.off:.1%}",
        "updates": str(row.updates or ""),
        "seconds": f"{row.seconds:.1f}" if row.seconds else "",
    }


def paper_table() -> Table:
    """The paper's numbers on CIFAR-10."""
    rows = [
        {"FID ↓": name, **{f"N = {n}": f"{v:g}" for n, v in by.items()}} for name, by in FID.items()
    ]
    return table("Zhang & Chen 2021: Fréchet inception distance on CIFAR-10", rows)


def explore_step(
    forward_step: Callable[..., Tensor], backward_step_noise: Callable[..., Tensor]
) -> Explorer:
    """Sliders for where a step starts and how long it is; the noise that explains it, as counts."""

    @torch.no_grad()
    def draw(start: float, length: float) -> Figure:
        generator = torch.Generator().manual_seed(4)
        drift, score = cloud_fields(1.0)
        now = torch.tensor(start)
        later = now + length
        kept = kept_share(now)
        heaps = torch.where(torch.arange(4000) % 2 == 0, 1.0, -1.0)[:, None]
        x, noise = torch.randn(2, 4000, 1, generator=generator)
        x = kept.sqrt() * heaps + (1 - kept + kept * HEAP**2).sqrt() * x
        after = forward_step(x, drift(x, now), rate(now).sqrt(), later - now, noise)
        told = backward_step_noise(
            x, after, drift(after, later), score(after, later), rate(later).sqrt(), later - now
        )
        figure, (axes,) = plots.panels(1, size=(5.0, 2.7))
        edges = torch.linspace(-4, 4, 61)
        axes.hist(told.flatten().clamp(-4, 4), bins=edges.tolist(), density=True,
                  color=plots.COLOURS["model"], alpha=0.6, label="noise back")  # fmt: skip
        bell = (-edges.square() / 2).exp() / math.sqrt(2 * math.pi)
        axes.plot(edges, bell, color=plots.COLOURS["data"], label="standard normal")
        axes.set(title=f"Mean square {told.square().mean():.2f}; standard normal noise has 1",
                 xlabel="δ of the way back", yticks=[])  # fmt: skip
        axes.legend(fontsize=8)
        return figure

    return explore(
        draw,
        alt="Counts of the noise with which a step back explains 4000 steps forth, beside the bell "
        "of a standard normal. They agree where the step is short.",
        start=(0.0, 0.6, 0.2),
        length=(0.01, 0.4, 0.02),
    )
