"""Weak and strong views: the same example, seen a little or very differently."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["MoonViews", "PictureViews", "Views", "warp"]


class Views(Protocol):
    """How a kind of data is augmented; both keep the shape and draw from the generator."""

    radius: float
    """Length of an adversarial step, in the units of the data."""

    def weak(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A view that surely keeps the label."""

    def strong(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A view that shows less, and should still keep the label."""


class MoonViews:
    """Points of the plane: noise added, a little or more.

    Args:
        weak: standard deviation of the weak noise, in units of a moon's radius.
        strong: the same for the strong noise.
        radius: length of an adversarial step.
    """

    def __init__(self, weak: float = 0.05, strong: float = 0.25, radius: float = 0.3) -> None:
        self.sd = (weak, strong)
        self.radius = radius

    def weak(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A point nearby."""
        return x + self.sd[0] * torch.randn(x.shape, generator=generator, device=x.device)

    def strong(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A point further off."""
        return x + self.sd[1] * torch.randn(x.shape, generator=generator, device=x.device)


class PictureViews:
    """Pictures (B, C, S, S) in [0, 1]: shifted, or turned, sheared, scaled and partly covered.

    Args:
        shift: largest shift of a weak view, in pixels.
        turn: largest turn of a weak view, in degrees.
        strength: how far a strong view goes; 1 turns by up to 30° and shears by up to 0.3.
        most: largest turn of a strong view, in degrees, where it is not 30 times the strength.
        flip: whether half of all views are mirrored; not for digits.
        radius: length of an adversarial step, in units of the pixel values.
    """

    def __init__(
        self,
        shift: float = 0.5,
        turn: float = 10.0,
        strength: float = 0.5,
        *,
        most: float | None = None,
        flip: bool = False,
        radius: float = 1.0,
    ) -> None:
        self.shift, self.turn, self.strength = shift, turn, strength
        self.most = 30 * strength if most is None else most
        self.flip, self.radius = flip, radius

    def weak(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A picture moved and turned a little."""
        return warp(x, generator, shift=self.shift, turn=self.turn, flip=self.flip)

    def strong(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A picture turned, sheared, scaled, moved, with other contrast and a hole in it."""
        s = self.strength
        seen = warp(
            x, generator, shift=1.5 * self.shift, turn=self.most, shear=0.3 * s, scale=0.25 * s,
            flip=self.flip,
        )  # fmt: skip
        gain, bias = _uniform((2, len(x), 1, 1, 1), generator, x.device)
        seen = (seen * (1 + 0.4 * s * gain) + 0.2 * s * bias).clamp(0, 1)
        return _cover(seen, max(1, round(x.shape[-1] * 3 / 8)), generator)


def warp(
    x: Tensor,
    generator: torch.Generator,
    *,
    shift: float = 0.0,
    turn: float = 0.0,
    shear: float = 0.0,
    scale: float = 0.0,
    flip: bool = False,
) -> Tensor:
    """Move each picture by an affine map of its own, with bilinear interpolation.

    Args:
        x: pictures (B, C, S, S); what comes in from outside is 0.
        generator: source of the maps.
        shift: largest shift in pixels, along each axis.
        turn: largest turn in degrees.
        shear: largest shear.
        scale: largest relative change of size.
        flip: whether half of the pictures are mirrored.

    Returns:
        Pictures (B, C, S, S).
    """
    u = _uniform((6, len(x)), generator, x.device)  # each from −1 to 1
    angle = torch.deg2rad(turn * u[0])
    size = 1 + scale * u[1]
    mirror = torch.where(u[5] < 0, -1.0, 1.0) if flip else torch.ones_like(size)
    cos, sin, lean = size * angle.cos(), size * angle.sin(), shear * u[2]
    move = 2 * shift / x.shape[-1] * u[3:5]  # (2, B), where a picture is 2 wide
    top = torch.stack([mirror * cos, mirror * (lean * cos - sin), move[0]], dim=1)
    bottom = torch.stack([sin, lean * sin + cos, move[1]], dim=1)
    grid = F.affine_grid(torch.stack([top, bottom], dim=1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def _cover(x: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Set a square of `side` pixels to the mean of the picture, at a place of its own in each."""
    n, size = len(x), x.shape[-1]
    corner = torch.randint(
        1 - side, size, (2, n, 1), generator=generator, device=generator.device
    ).to(x.device)
    at = torch.arange(size, device=x.device)
    rows, columns = ((at >= c) & (at < c + side) for c in corner)  # each (B, S)
    hole = (rows[:, :, None] & columns[:, None, :])[:, None]  # (B, 1, S, S)
    return torch.where(hole, x.mean(dim=(1, 2, 3), keepdim=True), x)


def _uniform(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Numbers from −1 to 1."""
    return (2 * torch.rand(shape, generator=generator, device=generator.device) - 1).to(device)
