"""A small language of pictures: two things on grey paper, and captions that say what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "COLOURS",
    "RELATIONS",
    "SHAPES",
    "SIZES",
    "Pictures",
    "draw_scenes",
    "is_held_out",
    "pictures",
    "render",
    "say",
    "scene_of",
    "words",
]

SIZES = ("small", "large")
COLOURS = ("red", "green", "blue", "yellow")
SHAPES = ("circle", "square", "triangle")
RELATIONS = ("above", "left of", "below", "right of")
"""The first two are how a scene is stored; the other two say the same with the things swapped."""

SCENE = (len(SIZES), len(COLOURS), len(SHAPES), 2, len(SIZES), len(COLOURS), len(SHAPES))
"""Choices for each of a scene's seven numbers: a thing, how it stands to the other, the other."""
PARTS = ("size", "colour", "shape", "relation", "size", "colour", "shape")
"""What each of the seven numbers is."""

_INKS = torch.tensor([[0.75, 0.12, 0.15], [0.12, 0.6, 0.2], [0.15, 0.25, 0.8], [0.9, 0.75, 0.1]])
_RADII = torch.tensor([0.28, 0.42])  # in half sides of the picture
_CHUNK = 250  # pictures rendered at once: they fit the processor's cache


@dataclass(frozen=True)
class Pictures:
    """Pictures with what they show.

    Attributes:
        large: (N, 3, 32, 32), from −1 to 1.
        small: the same pictures at half the side, (N, 3, 16, 16).
        scenes: what is in them, (N, 7), int64.
    """

    large: Tensor
    small: Tensor
    scenes: Tensor

    def __len__(self) -> int:
        return len(self.scenes)

    def to(self, device: torch.device | str) -> Pictures:
        """The same pictures on another device."""
        return replace(self, **{name: part.to(device) for name, part in vars(self).items()})


def pictures(n: int, *, held_out: bool = False, seed: int = 0) -> Pictures:
    """Rendered scenes: two things, each with a size, a colour and a shape, and how they stand.

    Data card:
        Source: drawn by `render`; nothing is photographed.
        Licence: MIT, as this course.
        Size: as many as are asked for. There are 1152 scenes (2 · 4 · 3 a thing, 2 relations),
            each with two captions; a place, a grey of the paper and two inks are drawn anew.
        Split: one scene of five is held out by a fixed draw: no picture of it is seen in training
            (`held_out=True` gives these alone). Each single word is seen.
        Not for: saying how good a method is on photographs. Here a picture has seven facts.

    Args:
        n: how many.
        held_out: draw from the scenes that training never sees.
        seed: the pictures depend on this number alone.

    Raises:
        ValueError: n is not positive.
    """
    draw = torch.Generator().manual_seed(2 * seed + held_out)
    scenes = draw_scenes(n, draw, held_out=held_out)
    large = render(scenes, draw)
    return Pictures(large, F.avg_pool2d(large, 2), scenes)


def draw_scenes(n: int, generator: torch.Generator, *, held_out: bool = False) -> Tensor:
    """Scenes drawn alike from those that are seen in training, or from those held out, (n, 7)."""
    if n < 1:
        raise ValueError(f"n is the number of scenes, at least 1, not {n}.")
    every = torch.cartesian_prod(*(torch.arange(k) for k in SCENE))
    kept = every[is_held_out(every) == held_out]
    return kept[torch.randint(len(kept), (n,), generator=generator)]


def is_held_out(scenes: Tensor) -> Tensor:
    """Whether training never sees the scene: one in five, by a fixed draw. (N, 7) → (N,)."""
    total = math.prod(SCENE)
    place = torch.zeros(len(scenes), dtype=torch.int64, device=scenes.device)
    for k, choices in enumerate(SCENE):
        place = place * choices + scenes[:, k]
    order = torch.randperm(total, generator=torch.Generator().manual_seed(1612))
    return (order < total // 5).to(scenes.device)[place]


def words(scenes: Tensor) -> Tensor:
    """The seven words of a scene's caption, (N, 7) → (N, 20): one 1 for each of them.

    Of the two captions of a scene it is the one with "above" or "left of".
    """
    return torch.cat([F.one_hot(scenes[:, k], n) for k, n in enumerate(SCENE)], 1).float()


def say(scene: Tensor, *, turned: bool = False) -> str:
    """A caption of one scene (7,).

    Example:
        >>> say(torch.tensor([0, 0, 0, 0, 1, 2, 1]))
        'a small red circle above a large blue square'
        >>> say(torch.tensor([0, 0, 0, 0, 1, 2, 1]), turned=True)
        'a large blue square below a small red circle'
    """
    first, other = scene[:3].tolist(), scene[4:].tolist()
    relation = int(scene[3])
    if turned:
        first, other, relation = other, first, relation + 2
    things = [f"a {SIZES[s]} {COLOURS[c]} {SHAPES[f]}" for s, c, f in (first, other)]
    return f"{things[0]} {RELATIONS[relation]} {things[1]}"


def scene_of(caption: str) -> Tensor:
    """The scene that a caption speaks of, (7,).

    Raises:
        ValueError: the caption is not of this language.

    Example:
        >>> scene_of("a large blue square below a small red circle").tolist()
        [0, 0, 0, 0, 1, 2, 1]
    """
    try:
        relation = next(k for k, words in enumerate(RELATIONS) if f" {words} " in caption)
        halves = caption.split(f" {RELATIONS[relation]} ")
        things = []
        for half in halves:
            _, size, colour, shape = half.split()
            things.append([SIZES.index(size), COLOURS.index(colour), SHAPES.index(shape)])
        first, other = things if relation < 2 else reversed(things)
    except (StopIteration, ValueError) as error:
        raise ValueError(
            f"{caption!r} is none of these captions. "
            "Say: a small red circle above a large blue square."
        ) from error
    return torch.tensor([*first, relation % 2, *other])


def render(scenes: Tensor, generator: torch.Generator, *, size: int = 32) -> Tensor:
    """Draw the scenes, each with a place, a paper and inks of its own.

    Args:
        scenes: (N, 7), int64, on the CPU.
        generator: the source of chance.
        size: side of a picture in pixels.

    Returns:
        Pictures (N, 3, size, size), from −1 to 1, with soft edges of one pixel.
    """
    return torch.cat([_render(part, generator, size) for part in scenes.split(_CHUNK)])


def _render(scenes: Tensor, generator: torch.Generator, size: int) -> Tensor:
    n, pixel = len(scenes), 2 / size

    def chance(*shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=generator)

    axis = (torch.arange(size) + 0.5) * pixel - 1
    relation = scenes[:, 3]
    apart = torch.tensor([[0.0, -1.0], [-1.0, 0.0]])[relation] * (0.46 + 0.06 * chance(1))
    along = torch.tensor([[1.0, 0.3], [0.3, 1.0]])[relation]  # little play towards the other
    play = 0.2 * (chance(2, 2) - 0.5) * along[:, None]
    centres = torch.stack([apart, -apart], 1) + play  # (n, 2 things, x and y)
    canvas = (0.77 + 0.06 * chance(1, 1, 1)).expand(n, 3, size, size)
    for k in (1, 0):
        thing = scenes[:, 4 * k : 4 * k + 3]
        radius = (_RADII[thing[:, 0]] * (0.95 + 0.1 * chance()))[:, None, None]
        dx = axis - centres[:, k, 0, None, None]  # (n, 1, size)
        dy = axis[:, None] - centres[:, k, 1, None, None]  # (n, size, 1)
        outside = torch.stack(  # how far outside of a circle, a square, a triangle
            [
                (dx**2 + dy**2).sqrt() - radius,
                torch.maximum(dx.abs(), dy.abs()) - 0.9 * radius,
                torch.maximum(dy - 0.85 * radius, 0.515 * (dx.abs() / 0.6 - dy - 1.1 * radius)),
            ],
            1,
        )  # (n, 3, size, size)
        shape = thing[:, 2, None, None, None].expand(-1, 1, size, size)
        cover = (0.5 - outside.gather(1, shape) / pixel).clamp(0, 1)
        ink = (_INKS[thing[:, 1]] + 0.06 * (chance(3) - 0.5))[:, :, None, None]
        canvas = canvas + cover * (ink - canvas)
    return 2 * canvas - 1
