"""Drawn persons: who it is stays, and clothing, beard and pose change from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["NUISANCES", "PERSONS", "SIZE", "Gallery", "draw_persons", "gallery"]

PERSONS, SIZE, OVER = 12, 16, 4
"""How many persons there are; the side of a picture in pixels; how finely an edge is sampled."""

LEAN = 0.15
"""How far a leaning person's head is off, for each pixel of height."""

NUISANCES = ("clothing", "beard", "pose")
"""What changes: striped or plain, bearded or shaven, leaning to the right or to the left."""


@dataclass(frozen=True)
class Gallery:
    """Pictures of persons.

    Attributes:
        x: pictures, (N, 256), 0 is white.
        who: the person, (N,), 0 to 11.
        nuisance: clothing, beard and pose, (N, 3), 0 or 1.
    """

    x: Tensor
    who: Tensor
    nuisance: Tensor

    def __len__(self) -> int:
        return len(self.who)

    def to(self, device: torch.device | str) -> Gallery:
        """The same pictures on another device."""
        return replace(self, **{k: getattr(self, k).to(device) for k in ("x", "who", "nuisance")})


def gallery(n: int, *, seed: int = 0) -> Gallery:
    """Pictures of twelve persons who change clothes, beard and pose from one to the next.

    Data card:
        Source: drawn here. A person is a size of head, shoulders, waist, hair and legs.
        Licence: MIT, as this code.
        Size: as many pictures as asked for, 16 × 16, grey; persons and nuisances independent.
        Split: none; draw a second gallery with another seed: other pictures of the same persons.
        Must not be used for: claims about photographs, or about real people.

    Args:
        n: number of pictures.
        seed: the pictures depend on n and on this alone. The persons are always the same.

    Raises:
        ValueError: n is not positive.
    """
    if n < 1:
        raise ValueError(f"n is the number of pictures, at least 1, not {n}.")
    draw = torch.Generator().manual_seed(seed)
    who = torch.randint(PERSONS, (n,), generator=draw)
    nuisance = torch.randint(2, (n, 3), generator=draw)
    return Gallery(draw_persons(who, nuisance, draw), who, nuisance)


def draw_persons(who: Tensor, nuisance: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each person as told, a little off the middle and with grain.

    Args:
        who: persons, (N,).
        nuisance: clothing, beard, pose, (N, 3).
        generator: the source of place and grain.

    Returns:
        Pictures, (N, 256), from 0 to 1 with a grain of 0.08.
    """
    head, wide, waist, hair, legs = (_body()[who, i, None, None] for i in range(5))
    clothing, beard, pose = (nuisance[:, i, None, None].float() for i in range(3))
    n, side = len(who), SIZE * OVER
    axis = (torch.arange(side) + 0.5) / OVER  # in pixels of the picture
    down, across = axis[None, :, None], axis[None, None, :]
    shift = torch.rand(n, 2, generator=generator) * 1.6 - 0.8
    y = down - shift[:, 0, None, None]
    lean = LEAN * (2 * pose - 1)
    x = across - shift[:, 1, None, None] - SIZE / 2 - lean * (9 - y)  # (N, side, side)

    in_head = x.square() + (y - 4).square() < head.square()
    in_hair = in_head & (y < 4 - head + hair)
    in_beard = in_head & (y > 4 + 0.35 * head) & (beard > 0)
    top = 4 + head
    share = ((y - top) / (12 - top)).clamp(0, 1)
    in_body = (y > top) & (y < 12) & (x.abs() < wide + (waist - wide) * share)
    in_legs = (y >= 12) & (y < 15.5) & ((x.abs() - legs).abs() < 0.7)
    stripe = ((y / 1.5).floor() % 2 == 0) & (clothing > 0)

    ink = torch.zeros(n, side, side)
    ink = torch.where(in_head, 0.35, ink)
    ink = torch.where(in_body, torch.where(stripe, 0.85, 0.5), ink)
    ink = torch.where(in_hair | in_beard, 0.9, ink)
    ink = torch.where(in_legs, 0.7, ink)
    small = torch.nn.functional.avg_pool2d(ink[:, None], OVER).flatten(1)  # (N, 256)
    return small + 0.08 * torch.randn(small.shape, generator=generator)


def _body() -> Tensor:
    """The twelve persons, (12, 5): head, shoulders, waist, hair and legs in pixels."""
    draw = torch.Generator().manual_seed(3)
    low = torch.tensor([1.7, 1.8, 1.4, 0.5, 0.9])
    high = torch.tensor([2.8, 4.2, 3.8, 2.2, 2.4])
    return low + (high - low) * torch.rand(PERSONS, 5, generator=draw)
