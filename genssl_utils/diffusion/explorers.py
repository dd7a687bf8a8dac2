"""Two explorers of the student's functions, and the linear schedule that stands beside theirs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.kit import plots
from genssl_utils.kit.data import digits
from genssl_utils.kit.explore import Explorer, explore
from genssl_utils.kit.sheets import named_rows

__all__ = ["explore_noise", "explore_posterior", "linear_betas"]

Schedule = Callable[[int], Tensor]


def linear_betas(steps: int) -> Tensor:
    """β of each step on the straight line of Ho et al. 2020 (arXiv:2006.11239), (steps,).

    It was made for 1000 steps; for another number its ends are scaled, so that as much is left.
    """
    stretch = 1000 / steps
    return torch.linspace(1e-4 * stretch, 0.02 * stretch, steps).clamp(max=0.999)


def explore_noise(schedule: Schedule, q_sample: Callable[..., Tensor]) -> Explorer:
    """The student's schedule beside the linear one, and digits at a time of the reader's choice."""
    x = (digits(flat=True).x_test[:14] - 0.31) / 0.27
    fresh = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))

    def paint(T: int, share_of_time: float) -> Figure:
        alpha_bar = schedule(T).to(torch.float32)
        t = round(share_of_time * T)
        noised = q_sample(x, torch.full((len(x),), t), fresh, alpha_bar)
        figure, (line, sheet) = plots.panels(2, size=(4.2, 2.7))
        along = [k / T for k in range(T + 1)]
        straight = torch.cat([torch.ones(1), torch.cumprod(1 - linear_betas(T), 0)])
        mark = "o-" if T <= 40 else "-"
        for values, name, role, style in (
            (alpha_bar, "yours", "model", mark), (straight, "linear", "baseline", "--")
        ):  # fmt: skip
            line.plot(
                along, values.numpy(), style, color=plots.COLOURS[role], label=name, markersize=3
            )
        line.axvline(t / T, color=plots.INK, linewidth=1)
        line.set(xlabel="t / T", title=f"t = {t}: {float(alpha_bar[t]):.1%} of the variance left")
        line.legend(loc="upper right", fontsize=8)
        rows = [("x₀", x[:7]), ("xₜ", noised[:7]), ("x₀", x[7:]), ("xₜ", noised[7:])]
        drawn = [(name, (0.31 + 0.27 * part).view(-1, 1, 8, 8)) for name, part in rows]
        named_rows(sheet, drawn, gap=0.12, cmap="gray_r", vmin=0, vmax=1)
        sheet.set_title("digits at that time", fontsize=10)
        return figure

    return explore(
        paint,
        alt=(
            "Left, the share of variance that is left against time: your cosine schedule falls "
            "gently at both ends, the linear one is near zero from the middle on. Right, digits "
            "and under them the same digits noised to the chosen time."
        ),
        T=(1, 1000, 1000), share_of_time=(0.0, 1.0, 0.4),
    )  # fmt: skip


def explore_posterior(schedule: Schedule, posterior: Callable[..., tuple]) -> Explorer:
    """Walks that begin at x0 and come by near x_t: where they were a step before."""

    def paint(t: int, x0: float, xt: float) -> Figure:
        alpha_bar = schedule(10).double()
        start, here = (torch.tensor([v], dtype=torch.float64) for v in (x0, xt))
        mean, variance = posterior(start, here, torch.tensor([t]), alpha_bar)
        centre, spread = float(mean), max(float(variance), 0.0) ** 0.5
        source = torch.Generator().manual_seed(0)
        walkers = torch.full((500_000,), x0, dtype=torch.float64)
        for k in range(1, t + 1):
            before, kept = walkers, alpha_bar[k] / alpha_bar[k - 1]
            fresh = torch.randn(len(walkers), generator=source, dtype=torch.float64)
            walkers = kept.sqrt() * walkers + (1 - kept).sqrt() * fresh
        came = before[(walkers - xt).abs() < 0.05]
        figure, (axes,) = plots.panels(1, size=(5.8, 2.8))
        bars = f"bars {len(came)} walks" if len(came) > 50 else "hardly a walk came by"
        if len(came) > 50 and t > 1:
            axes.hist(came.numpy(), bins=40, density=True, color=plots.COLOURS["data"], alpha=0.5)
        if spread > 0:
            at = torch.linspace(centre - 4 * spread, centre + 4 * spread, 200)
            bell = torch.distributions.Normal(centre, spread).log_prob(at).exp()
            axes.plot(at, bell, color=plots.COLOURS["model"])
        else:
            axes.axvline(centre, color=plots.COLOURS["model"])
        axes.axvline(x0, color=plots.INK, linewidth=1, linestyle=":")
        axes.axvline(xt, color=plots.INK, linewidth=1, linestyle="--")
        axes.set(
            title=f"Place at time {t - 1}: {bars}, line your Gaussian",
            xlabel="dotted: x₀, dashed: xₜ", xlim=(-3.2, 3.2),
        )  # fmt: skip
        return figure

    return explore(
        paint,
        alt=(
            "A histogram of where simulated walks from x0 were one step before they came by near "
            "xt, and your Gaussian over it. Near t = 1 it is narrow and sits at x0, near t = 10 it "
            "is drawn to xt."
        ),
        t=(1, 10, 4), x0=(-1.5, 1.5, 1.0), xt=(-2.0, 2.0, -0.5),
    )  # fmt: skip
