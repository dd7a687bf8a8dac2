"""Patches of three photographed grounds, and holes in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.conditional_gans.photographs import photograph

__all__ = [
    "GROUNDS",
    "SIDE",
    "WINDOW",
    "GroundPatches",
    "Holes",
    "ground_patches",
    "punch",
    "window",
]

GROUNDS = {"brick": 4, "grass": 3, "gravel": 3}
"""Photograph → how many of its pixels, each way, become one of ours."""

SIDE, WINDOW = 24, 16
"""The side of a picture, and of the window around its hole, in pixels."""

SMALLEST, LARGEST, RIM = 8, 12, 2
"""Sides of a hole; how many known pixels are left around it at least."""

CUT, GAP = 340, 4
"""Rows of a photograph from which training pictures come; rows below them that nobody sees."""


@dataclass(frozen=True)
class GroundPatches:
    """Square patches of photographs.

    Attributes:
        x: pictures, (N, 1, 24, 24), from −1 to 1.
        ground: which photograph each comes from, (N,), a place in `names`.
        names: the photographs.
    """

    x: Tensor
    ground: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device | str) -> GroundPatches:
        """The same patches on another device."""
        return replace(self, x=self.x.to(device), ground=self.ground.to(device))


@dataclass(frozen=True)
class Holes:
    """One rectangular hole a picture.

    Attributes:
        mask: (N, 1, 24, 24), 1 in the hole and 0 elsewhere.
        middle: its middle, (N, 2): row and column.
    """

    mask: Tensor
    middle: Tensor

    def __getitem__(self, rows: Tensor | slice) -> Holes:
        return Holes(self.mask[rows], self.middle[rows])


def ground_patches(
    n: int, *, held_out: bool = False, names: Sequence[str] = ("grass", "gravel"), seed: int = 0
) -> GroundPatches:
    """Patches of photographed ground, as many of each.

    Data card:
        Source: `brick`, `grass` and `gravel`, 512 × 512 grey, as bundled with scikit-image; from
            ambientCG (once CC0 Textures: Bricks25, Gravel04) and from DeviantArt (Grass-01).
        Licence: CC0.
        Size: as many patches of 24 × 24 as asked for; a pixel is the mean of 3 × 3 of the
            photograph's (4 × 4 of brick); half of the training patches are mirrored.
        Split: by place. Training patches come from the upper 340 rows, held-out ones from the rows
            below, and four rows between them are in neither.
        Must not be used for: claims about other grounds. Each is one photograph, and patches
            overlap.

    Args:
        n: how many, at least one for each photograph.
        held_out: take the part of the photographs that is kept for judging.
        names: which photographs.
        seed: which places.

    Raises:
        ValueError: a photograph has another name, or n is too small.
    """
    if unknown := [name for name in names if name not in GROUNDS] or not names:
        raise ValueError(f"{unknown or 'nothing'} is no ground; choose from {list(GROUNDS)}.")
    if n < len(names):
        raise ValueError(f"n is {n}; at least one patch of each of {len(names)} is needed.")
    draw = torch.Generator().manual_seed(seed)
    ground = torch.arange(n) % len(names)
    x = torch.empty(n, 1, SIDE, SIDE)
    for k, name in enumerate(names):
        sheets = _sheets(name, held_out)  # (P, H, W): the same place at several offsets
        rows = (ground == k).nonzero()[:, 0]
        sheet, top, left = (
            torch.randint(size, (len(rows),), generator=draw)
            for size in (len(sheets), sheets.shape[1] - SIDE + 1, sheets.shape[2] - SIDE + 1)
        )
        steps = torch.arange(SIDE)
        taken = sheets[
            sheet[:, None, None],
            (top[:, None] + steps)[:, :, None],
            (left[:, None] + steps)[:, None],
        ]
        turn = (torch.rand(len(rows), generator=draw) < 0.5) & (not held_out)
        x[rows, 0] = torch.where(turn[:, None, None], taken.flip(2), taken)
    return GroundPatches(x, ground, tuple(names))


def _sheets(name: str, held_out: bool) -> Tensor:
    """A photograph made small, once for each offset of its pixels that training may use."""
    photo = photograph(name)
    photo = (0.64 * (photo - photo.mean()) / photo.std()).clamp(-1.6, 1.6)
    by = GROUNDS[name]
    part = photo[CUT + GAP :] if held_out else photo[:CUT]
    offsets = range(1 if held_out else by)
    high, wide = ((size - len(offsets) + 1) // by * by for size in part.shape)
    made = [
        F.avg_pool2d(part[None, i : i + high, j : j + wide], by) for i in offsets for j in offsets
    ]
    return torch.cat(made).clamp(-1, 1)


def punch(n: int, *, generator: torch.Generator, side: int | None = None) -> Holes:
    """Draw a hole for each of n pictures: 8 to 12 pixels high and wide, two from the edge or more.

    Args:
        n: number of pictures.
        generator: the source of randomness; the holes are made on its device.
        side: make all of them squares of this side.
    """
    device = generator.device
    sizes = torch.randint(SMALLEST, LARGEST + 1, (n, 2), generator=generator, device=device)
    if side is not None:
        sizes = torch.full_like(sizes, side)
    room = SIDE - 2 * RIM - sizes + 1
    first = RIM + (torch.rand(n, 2, generator=generator, device=device) * room).long()
    at = torch.arange(SIDE, device=device)
    inside = (at >= first[..., None]) & (at < (first + sizes)[..., None])  # (N, 2, 24)
    mask = inside[:, 0, :, None] & inside[:, 1, None, :]
    return Holes(mask[:, None].float(), first + sizes // 2)


def window(x: Tensor, middle: Tensor, side: int = WINDOW) -> Tensor:
    """The square around a hole, moved inwards where the picture ends.

    Args:
        x: pictures, (N, C, H, W).
        middle: middles of the squares, (N, 2).
        side: of the squares.

    Returns:
        (N, C, side, side).
    """
    first = torch.stack(
        [
            (middle[:, k] - side // 2).clamp(0, x.shape[2 + k] - side)
            for k in (0, 1)
        ],
        1,
    )  # fmt: skip
    steps = torch.arange(side, device=x.device)
    rows, columns = first[:, :1] + steps, first[:, 1:] + steps  # (N, side)
    batch = torch.arange(len(x), device=x.device)[:, None, None]
    return x.movedim(1, -1)[batch, rows[:, :, None], columns[:, None]].movedim(-1, 1)
