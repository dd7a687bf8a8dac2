"""Two explorers of the student's functions: a distance of heaps, and a walk between codes."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.gan_or_vae.reader import FrechetDistance
from genssl_utils.gan_or_vae.show import Slerp
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore

__all__ = ["explore_distance", "explore_walk"]


def explore_distance(frechet_distance: FrechetDistance) -> Explorer:
    """Two clouds of the plane under the reader's hand, and the student's distance."""
    draw = torch.Generator().manual_seed(3)
    true = torch.randn(400, 2, generator=draw)
    base = torch.randn(400, 2, generator=draw)
    base = (base - base.mean(0)) / base.std(0)

    def shaped(shape: str) -> Tensor:
        if shape == "one cloud":
            return base
        side = torch.where(torch.arange(400) < 200, -1.0, 1.0)
        across = 0.95 * side + 0.312 * base[:, 0]
        two = torch.stack([(across - across.mean()) / across.std(), base[:, 1]], 1)
        return two

    def paint(shift: float, stretch: float, turn: float, shape: str) -> Figure:
        angle = torch.tensor(turn).deg2rad()
        spin = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
        made = (shaped(shape) * torch.tensor([stretch, 1.0])) @ spin.T + torch.tensor([shift, 0.0])
        found = float(frechet_distance(true, made))
        figure, (axes,) = plots.panels(1, size=(4.6, 3.4))
        for points, name, role, mark in ((true, "true", "data", "o"), (made, "made", "model", "x")):
            axes.scatter(
                *points.T, s=7, marker=mark, linewidth=0.8, color=plots.COLOURS[role], label=name
            )
        axes.set(title=f"Fréchet distance {found:.2f}", xlim=(-6, 6), ylim=(-4.4, 4.4))
        axes.set_aspect("equal")
        axes.legend(loc="upper right", fontsize=8)
        return figure

    return explore(
        paint,
        alt=(
            "Two clouds of 400 points, true and made, and the Fréchet distance between them. It "
            "grows as the made cloud is shifted or stretched, and with the stretch as it is "
            "turned; with two clumps of the same mean and covariance it stays near zero."
        ),
        shift=(0.0, 3.0, 0.0), stretch=(0.3, 3.0, 1.0), turn=(0, 90, 0),
        shape=["one cloud", "two clumps"],
    )  # fmt: skip


def explore_walk(slerp: Slerp) -> Explorer:
    """The student's walk between two codes of the plane, beside the straight one."""

    def paint(angle: int, length: float) -> Figure:
        way = torch.tensor(float(angle)).deg2rad()
        a = torch.tensor([[1.0, 0.0]])
        b = length * torch.stack([way.cos(), way.sin()])[None]
        steps = torch.linspace(0, 1, 13).tolist()
        arc = torch.cat([slerp(a, b, t) for t in steps])
        line = torch.cat([(1 - t) * a + t * b for t in steps])
        figure, panels = plots.panels(2, size=(3.3, 3.0))
        for points, name, role, mark in (
            (arc, "yours", "model", "o-"), (line, "straight", "baseline", "s--")
        ):  # fmt: skip
            panels[0].plot(*points.T, mark, color=plots.COLOURS[role], markersize=4, label=name)
            panels[1].plot(steps, points.norm(dim=1), mark, color=plots.COLOURS[role], markersize=4)
        panels[0].plot([0], [0], "k+")
        panels[0].set(title="Two walks", xlim=(-2.1, 2.1), ylim=(-0.6, 2.1), aspect="equal")
        panels[0].legend(loc="lower left", fontsize=8)
        panels[1].set(title="Length on the way", xlabel="t", ylim=(0, 2.1))
        return figure

    return explore(
        paint,
        alt=(
            "Left, two walks between two codes: yours along an arc round the origin, and a "
            "straight one. Right, the length of the code on the way: on the arc it stays, on the "
            "line it dips, down to zero as the angle nears 180 degrees."
        ),
        angle=(0, 175, 110), length=(0.5, 2.0, 1.0),
    )  # fmt: skip
