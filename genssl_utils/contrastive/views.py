"""Two views of a picture: small turns, shifts, zooms and a little noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["jitter"]


def jitter(
    x: Tensor,
    generator: torch.Generator,
    *,
    turn: float = 15.0,
    shift: float = 1.0,
    zoom: float = 0.15,
    noise: float = 0.1,
) -> Tensor:
    """Another view of every picture, each with its own random change.

    Args:
        x: pictures with values in [0, 1], (B, 1, S, S).
        generator: the source of chance, on the CPU.
        turn: largest rotation in degrees, either way.
        shift: largest shift in pixels, each way.
        zoom: largest change of size, a share.
        noise: standard deviation of the noise on every pixel.

    Returns:
        Tensor of x's shape and device.
    """
    b, side = len(x), x.shape[-1]
    unit = 2 * torch.rand(4, b, generator=generator) - 1  # four numbers from −1 to 1 a picture
    angle, size = unit[0] * math.radians(turn), 1 + unit[1] * zoom
    cos, sin = size * angle.cos(), size * angle.sin()
    move = unit[2:] * 2 * shift / side  # affine_grid counts from −1 to 1 over the side
    rows = [torch.stack([cos, -sin, move[0]], 1), torch.stack([sin, cos, move[1]], 1)]
    theta = torch.stack(rows, 1).to(x)  # (B, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    seen = F.grid_sample(x, grid, align_corners=False)
    grain = torch.randn(x.shape, generator=generator).to(x)
    return (seen + noise * grain).clamp(0, 1)
