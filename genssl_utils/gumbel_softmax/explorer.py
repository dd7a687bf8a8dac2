"""Pictures of the noise, and of what the student's own sampler does to three categories."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy import stats
from torch import Tensor

from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore

__all__ = ["explore_samples", "noise_picture", "on_triangle", "sample_picture"]

CORNERS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])
NAMES = ("cat", "dog", "bird")


def on_triangle(y: Tensor) -> Tensor:
    """Places of mixtures of three in a triangle with sides of length 1: (B, 3) → (B, 2)."""
    return y @ CORNERS.to(y)


def noise_picture() -> Figure:
    """How a uniform becomes Gumbel noise, and the law that comes out (SciPy's `gumbel_r`)."""
    u = np.linspace(0.0005, 0.9995, 2000)
    g = np.linspace(-3, 7, 400)
    with plots.style():
        figure, (curve, density) = plots.panels(2, size=(3.7, 2.6))
        curve.plot(u, stats.gumbel_r.ppf(u), color=plots.COLOURS["model"])
        curve.plot([0.5, 0.5], [-2.1, 0.3665], ":", color=plots.COLOURS["baseline"], linewidth=1)
        curve.plot([0.5], [0.3665], "o", color=plots.COLOURS["data"])
        curve.annotate("u = 0.5 gives g = 0.3665", (0.5, 0.5), (0.06, 2.6), fontsize=9)
        curve.set(
            title="A uniform becomes noise", xlabel="uniform u", ylabel="noise g", ylim=(-2.1, 7.6)
        )
        density.fill_between(g, stats.gumbel_r.pdf(g), color=plots.COLOURS["model"], alpha=0.25)
        density.plot(g, stats.gumbel_r.pdf(g), color=plots.COLOURS["model"])
        density.text(2.1, 0.19, "the long tail to the right\nlets rare words win", fontsize=9)
        density.set(
            title="The standard Gumbel law", xlabel="noise g", ylabel="density", ylim=(0, 0.4)
        )
    return figure


def explore_samples(gumbel_softmax: Callable[..., Tensor]) -> Explorer:
    """Sliders for τ and π over samples of the student's `gumbel_softmax`.

    Args:
        gumbel_softmax: (log_pi (B, 3), tau, generator=…) → (B, 3).
    """
    return explore(
        lambda tau, cat: sample_picture(gumbel_softmax, tau, cat),
        alt="Samples of your gumbel_softmax in a triangle, and their mean beside π",
        tau=(0.05, 10.0, 0.5),
        cat=(0.05, 0.9, 0.5),
    )


def sample_picture(
    gumbel_softmax: Callable[..., Tensor], tau: float, cat: float, n: int = 500
) -> Figure:
    """n samples in the triangle, and their mean and winners beside π.

    Args:
        gumbel_softmax: the student's.
        tau: temperature.
        cat: probability of the first category; the other two share the rest 2 to 1.
        n: number of samples.
    """
    pi = torch.tensor([cat, (1 - cat) * 2 / 3, (1 - cat) / 3])
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        y = gumbel_softmax(pi.log().expand(n, 3), tau, generator=generator)
    with plots.style():
        return _draw(y, pi, tau)


def _draw(y: Tensor, pi: Tensor, tau: float) -> Figure:
    n = len(y)
    figure, (triangle, bars) = plots.panels(2, size=(3.6, 3.0))
    edge = torch.cat([CORNERS, CORNERS[:1]])
    triangle.plot(*edge.t(), color=plots.COLOURS["baseline"], linewidth=1)
    triangle.scatter(*on_triangle(y).t(), s=9, alpha=0.45, color=plots.COLOURS["model"])
    for name, (a, b) in zip(NAMES, CORNERS.tolist(), strict=True):
        triangle.text(a, b + (0.05 if b else -0.05), name, ha="center", va="bottom" if b else "top")
    triangle.set(title=f"{n} of your samples at τ = {tau:.2g}", aspect="equal", ylim=(-0.2, 1.1))
    triangle.axis("off")

    winners = torch.bincount(y.argmax(-1), minlength=3) / n
    series = (("π", pi, "data"), ("mean of y", y.mean(0), "model"), ("winners", winners, "teacher"))
    for k, (name, heights, role) in enumerate(series):
        places = torch.arange(3) + (k - 1) * 0.27
        drawn = bars.bar(
            places, heights, 0.25, color=plots.COLOURS[role], hatch=("", "//", "..")[k]
        )
        bars.bar_label(drawn, [f"{h:.2f}" for h in heights.tolist()], fontsize=7)
        bars.plot([], [], "s", color=plots.COLOURS[role], label=name)
    bars.set(title="Winners follow π; the mean may not", ylabel="share", ylim=(0, 1.08))
    bars.set_xticks(range(3), NAMES)
    bars.legend(loc="upper right", fontsize=8)
    return figure
