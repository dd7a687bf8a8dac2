"""Photographs that ship with scikit-learn and scikit-image, cut into patches to enlarge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib import image
from skimage import data
from sklearn import datasets
from torch import Tensor

__all__ = [
    "FACTOR",
    "HELD_OUT",
    "LEARNED_FROM",
    "Patches",
    "enlarge",
    "held_out",
    "patches",
    "photograph",
    "shrink",
]

FACTOR = 4
"""How many times smaller the small picture is, along each side."""

_FILES = {
    "brick": "brick.png", "chelsea": "chelsea.png", "china": "china.jpg", "coins": "coins.png",
    "camera": "camera.png", "grass": "grass.png", "gravel": "gravel.png",
    "rocket": "rocket.jpg",
    "astronaut": "astronaut.png", "coffee": "coffee.png", "flower": "flower.jpg",
}  # fmt: skip

LEARNED_FROM = tuple(list(_FILES)[:8])
"""The photographs that networks learn from."""

HELD_OUT = {"astronaut": (0, 96), "coffee": (76, 160), "flower": (80, 176)}
"""Photographs that no network sees before it is judged, and the top left corner of the square of
256 × 256 pixels that is taken from each."""

_SQUARE = 256
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


class Patches(NamedTuple):
    """Pieces of photographs and the same pieces made small.

    Attributes:
        large: (N, 1, 4S, 4S), from 0 to 1.
        small: (N, 1, S, S), from 0 to 1.
    """

    large: Tensor
    small: Tensor

    def to(self, device: torch.device | str) -> Patches:
        """The same patches on another device."""
        return Patches(self.large.to(device), self.small.to(device))


@cache
def photograph(name: str) -> Tensor:
    """One photograph in grey, (H, W), from 0 to 1; both sides are multiples of 4.

    Data card:
        Source and licence, of the photographs to learn from:
            `china` by danielbuechele, on Flickr; in scikit-learn; CC BY 2.0.
            `chelsea`, a cat, by Stéfan van der Walt; in scikit-image; CC0.
            `rocket` by SpaceX; in scikit-image; public domain.
            `camera` by Lav Varshney; in scikit-image; CC0.
            `brick` and `gravel` from CC0Textures, `grass` by linolafett; in scikit-image; CC0.
            `coins` from Pompeii, Brooklyn Museum; in scikit-image; no known restrictions.
        Source and licence, of those that are held out:
            `astronaut`, Eileen Collins, by NASA; in scikit-image; public domain.
            `coffee` by Rachel Michetti; in scikit-image; CC0.
            `flower` by vultilion, on Flickr; in scikit-learn; CC BY 2.0.
        Size: 11 pictures of 300 to 512 by 384 to 640 pixels, luminance alone.
        Split: ours, by photograph: eight to learn from, three to be judged on. No network learned
            from the three, but the settings of the unit were chosen while looking at them.
        Must not be used for: finding out who somebody is; comparison with the numbers of a
            benchmark (other pictures, and few).

    Args:
        name: one of those above.

    Raises:
        ValueError: there is no photograph of that name.
    """
    if name not in _FILES:
        raise ValueError(f"There is no photograph {name!r}; choose one of {sorted(_FILES)}.")
    if name in ("china", "flower"):
        pixels = datasets.load_sample_image(_FILES[name])
    else:
        pixels = image.imread(Path(data.__file__).parent / _FILES[name])
    grey = np.asarray(pixels, dtype=np.float32)
    if grey.max() > 1:
        grey = grey / 255
    if grey.ndim == 3:
        grey = grey[..., :3] @ _GREY
    high, wide = (side // FACTOR * FACTOR for side in grey.shape)
    return torch.tensor(grey[:high, :wide])


def shrink(large: Tensor) -> Tensor:
    """A picture made 4 times smaller along each side, by a bicubic filter as wide as the factor.

    Args:
        large: (N, 1, H, W), sides multiples of 4.

    Returns:
        (N, 1, H / 4, W / 4), from 0 to 1.
    """
    small = F.interpolate(large, scale_factor=1 / FACTOR, mode="bicubic", antialias=True)
    return small.clamp(0, 1)


def enlarge(small: Tensor) -> Tensor:
    """A picture made 4 times larger along each side by bicubic interpolation.

    Args:
        small: (N, 1, H, W).

    Returns:
        (N, 1, 4H, 4W); it may go a little beyond the range of the small picture.
    """
    return F.interpolate(small, scale_factor=FACTOR, mode="bicubic")


def patches(
    number: int = 4000, *, side: int = 32, names: Sequence[str] = LEARNED_FROM, seed: int = 0
) -> Patches:
    """Squares from the photographs to learn from, as many from each, at random places.

    A photograph is made small as a whole and cut then, so that a patch has no edge of its own.

    Args:
        number: how many, at least one for each photograph; what does not divide evenly is left out.
        side: of a large patch in pixels, a multiple of 4.
        names: of the photographs.
        seed: of the places.

    Raises:
        ValueError: there are fewer patches than photographs, or the side is no multiple of 4.
    """
    each = number // len(names)
    if each < 1:
        raise ValueError(f"Ask for at least {len(names)} patches, one for each photograph.")
    if side < FACTOR or side % FACTOR:
        raise ValueError(f"side is a multiple of {FACTOR}, not {side}.")
    draw = torch.Generator().manual_seed(seed)
    inner = side // FACTOR
    found: list[tuple[Tensor, Tensor]] = []
    for name in names:
        large = photograph(name)
        small = shrink(large[None, None])[0, 0]
        tops, lefts = (
            torch.randint(length - inner + 1, (each,), generator=draw) for length in small.shape
        )
        windows = large.unfold(0, side, FACTOR).unfold(1, side, FACTOR)  # one for each small pixel
        found.append(
            (windows[tops, lefts], small.unfold(0, inner, 1).unfold(1, inner, 1)[tops, lefts])
        )
    large, small = (torch.cat(kind)[:, None] for kind in zip(*found, strict=True))
    return Patches(large, small)


def held_out() -> Patches:
    """A square of 256 × 256 pixels from each photograph that is held out, and made small."""
    squares = [
        photograph(name)[top : top + _SQUARE, left : left + _SQUARE]
        for name, (top, left) in HELD_OUT.items()
    ]
    large = torch.stack(squares)[:, None]
    return Patches(large, shrink(large))
