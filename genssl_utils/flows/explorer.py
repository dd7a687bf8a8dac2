"""The student's own coupling layer on a ring of points, there and back."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore

__all__ = ["coupling_picture", "explore_coupling"]

PASSES = {"the first": 0, "the second": 1}


def explore_coupling(
    coupling_forward: Callable[..., tuple[Tensor, Tensor]],
    coupling_inverse: Callable[..., Tensor],
) -> Explorer:
    """Sliders for a random network over a ring that the student's layer bends and unbends.

    Args:
        coupling_forward: the student's.
        coupling_inverse: the student's.
    """

    def draw(weights: float, network: int, passes: str) -> Figure:
        return coupling_picture(
            coupling_forward, coupling_inverse, weights, network, PASSES[passes]
        )

    return explore(
        draw,
        alt="A ring of points, the ring bent by your coupling layer, and the ring undone again, "
        "which lies on the first.",
        weights=(0.0, 3.0, 1.5),
        network=(0, 9, 0),
        passes=list(PASSES),
    )


def coupling_picture(
    coupling_forward: Callable[..., tuple[Tensor, Tensor]],
    coupling_inverse: Callable[..., Tensor],
    weights: float = 1.5,
    network: int = 0,
    passes: int = 0,
) -> Figure:
    """Three panels: x, your y, and what your inverse makes of y.

    Args:
        coupling_forward: the student's.
        coupling_inverse: the student's.
        weights: size of the random network's weights.
        network: which random network.
        passes: which coordinate passes.
    """
    draw = torch.Generator().manual_seed(network)
    w1 = weights * torch.randn(2, 16, generator=draw)
    bias = torch.randn(16, generator=draw)
    w2 = weights * torch.randn(16, 4, generator=draw) / 8

    def net(h: Tensor) -> tuple[Tensor, Tensor]:
        log_s, t = (torch.tanh(h @ w1 + bias) @ w2).chunk(2, -1)
        return log_s, t

    turn = torch.linspace(0, 2 * math.pi, 241)
    x = torch.stack([turn.cos(), turn.sin()], 1)
    mask = torch.eye(2)[passes]
    y, log_det = coupling_forward(x, mask, net)
    back = coupling_inverse(y, mask, net)
    error = (back - x).norm(dim=1).max().item()
    shown = (
        (x, "x", "data"),
        (y, f"your y, log-det {log_det.min():.2f} to {log_det.max():.2f}", "model"),
        (back, f"undone: largest error {error:.1e}", "data"),
    )
    with plots.style():
        figure, axes = plots.panels(3, size=(2.9, 2.9), sharex=True, sharey=True)
        for ax, (points, title, role) in zip(axes, shown, strict=True):
            ax.plot(*points.detach().T.numpy(), color=plots.COLOURS[role])
            ax.plot(*points[::20].detach().T.numpy(), "o", color=plots.COLOURS[role], markersize=4)
            ax.set_title(title, fontsize=9)
            ax.set_aspect("equal", adjustable="box")
            ax.set(xlabel="first coordinate")
        axes[0].set_ylabel("second coordinate")
    return figure
