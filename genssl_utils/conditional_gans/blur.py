"""Sharper photographs, before any training: what is given, what is asked, and why a mean blurs."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.conditional_gans.perception import blurred, judge
from genssl_utils.conditional_gans.photographs import (
    FACTOR,
    HELD_OUT,
    LEARNED_FROM,
    enlarge,
    held_out,
    photograph,
    shrink,
)
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore

__all__ = [
    "CLOSE",
    "CLOSE_UPS",
    "explore_shuffle",
    "given_picture",
    "paint",
    "photographs_picture",
    "same_error",
    "same_error_picture",
    "two_answers",
    "two_answers_picture",
]

CLOSE_UPS, CLOSE = ((52, 64), (60, 60), (60, 30)), 112
"""Top left corners of the close-ups in the held-out squares, and their side, in pixels."""


def paint(axes: Axes, picture: Tensor, title: str = "") -> None:
    """One grey picture (H, W), from 0 to 1."""
    axes.imshow(picture.cpu().numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, fontsize=9)
    axes.axis("off")


def same_error(sigma: float = 1.0, *, seed: int = 0) -> dict[str, Tensor]:
    """A held-out photograph, and four ways to spoil it that have the same mean squared error.

    Args:
        sigma: of the blur, in pixels, which says how large the error is.
        seed: of the noise.

    Returns:
        Name → (1, 1, 256, 256): truth, lighter, flatter, noise, blur.
    """
    truth = held_out().large[:1]
    blur = blurred(truth, sigma)
    error = (blur - truth).square().mean().sqrt()
    away = truth - truth.mean()
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(seed))
    return {
        "truth": truth,
        "lighter": truth + error,
        "flatter": truth.mean() + away * (1 - error / away.square().mean().sqrt()),
        "noise": truth + noise * error / noise.square().mean().sqrt(),
        "blur": blur,
    }


def given_picture() -> Figure:
    """What is given, what interpolation makes of it, and what is asked for."""
    shown = held_out()
    top, left = CLOSE_UPS[0]
    small, rough, truth = shown.small[0, 0], enlarge(shown.small)[0, 0], shown.large[0, 0]
    inside = (slice(top, top + CLOSE), slice(left, left + CLOSE))
    near = tuple(slice(part.start // FACTOR, part.stop // FACTOR) for part in inside)
    figure, axes = plots.panels(3, size=(2.4, 2.5))
    for panel, picture, title in zip(
        axes,
        (small[near], rough[inside].clamp(0, 1), truth[inside]),
        ("given", "drawn smoothly through it", "wanted"),
        strict=True,
    ):
        paint(panel, picture, title)
    return figure


def photographs_picture() -> Figure:
    """The photographs to learn from and those held out, a square from the middle of each."""
    figure, axes = plots.panels(2, size=(3.2, 3.3))
    for panel, names, across, title in zip(
        axes, (LEARNED_FROM, tuple(HELD_OUT)), (3, 2), ("to learn from", "held out"), strict=True
    ):
        squares = [_middle(photograph(name)) for name in names]
        squares += [torch.ones_like(squares[0])] * (-len(squares) % across)
        rows = [torch.cat(squares[k : k + across], 1) for k in range(0, len(squares), across)]
        paint(panel, torch.cat(rows), title)
    return figure


def _middle(picture: Tensor, size: int = 96) -> Tensor:
    """The largest square in the middle, made small."""
    side = min(picture.shape)
    top, left = ((length - side) // 2 for length in picture.shape)
    square = picture[None, None, top : top + side, left : left + side]
    return F.interpolate(square, size=(size, size), mode="area")[0, 0]


def same_error_picture() -> Figure:
    """Four ways to spoil a photograph that cost the same PSNR, and how far each looks away."""
    shown = same_error()
    truth = shown["truth"]
    figure, axes = plots.panels(len(shown), size=(1.9, 2.3))
    top, left = CLOSE_UPS[0]
    for panel, (name, picture) in zip(axes, shown.items(), strict=True):
        title = name
        if name != "truth":
            psnr = -10 * float((picture - truth).square().mean().log10())
            apart = float(judge().distance(picture, truth))
            title = f"{name}: {psnr:.1f} dB\ndistance {apart:.3f}"
        paint(panel, picture[0, 0, top : top + CLOSE, left : left + CLOSE], title)
    return figure


def two_answers(size: int = 32) -> dict[str, Tensor]:
    """Two sharp pictures that are the same picture when made small, and their mean.

    Args:
        size: of a side in pixels, a multiple of 4.

    Returns:
        "A" and "B", striped balls whose stripes are dark where the other's are light, their "mean",
        each (1, 1, size, size), and "small", a quarter of it along each side.
    """
    place = torch.arange(size) - (size - 1) / 2
    radius = (place[:, None].square() + place.square()).sqrt() / (0.42 * size)
    ball = 0.2 + 0.4 * torch.sigmoid(10 * (1 - radius))
    fading = torch.cos(0.5 * torch.pi * radius.clamp(max=1)).square()  # no hard end to the stripes
    stripes = 0.38 * fading * (1 - 2 * (torch.arange(size) % 2))
    a, b = (ball + stripes)[None, None], (ball - stripes)[None, None]
    return {"A": a, "B": b, "mean": (a + b) / 2, "small": shrink(a)}


def two_answers_picture() -> Figure:
    """The small picture, the two answers that both fit it, and the guess that is in between."""
    shown = two_answers()
    apart = float((shown["A"] - shown["B"]).square().mean())
    titles = {
        "small": "what we are given",
        "A": f"answer A: error {apart / 2:.3f}",
        "B": f"answer B: error {apart / 2:.3f}",
        "mean": f"their mean: error {apart / 4:.3f}",
    }
    figure, axes = plots.panels(len(titles), size=(2.2, 2.4))
    for panel, (name, title) in zip(axes, titles.items(), strict=True):
        paint(panel, shown[name][0, 0], title)
    return figure


def explore_shuffle(pixel_shuffle: Callable[[Tensor, int], Tensor]) -> Explorer:
    """Where each number of a small grid with many channels goes.

    Args:
        pixel_shuffle: the student's, (x, r) → y.
    """

    def draw(r: int, channel: int) -> Figure:
        high, wide, count = 2, 3, r * r
        x = torch.arange(count)[None, :, None, None].expand(1, count, high, wide).float()
        y = pixel_shuffle(x.clone(), r)[0, 0]
        figure, (before, after) = plots.panels(2, size=(4.2, 3.1))
        chosen = channel % count
        stacked = x[0].reshape(count * high, wide)
        for panel, numbers, title in (
            (before, stacked, f"x: {count} channels of {high} × {wide}"),
            (after, y, "y: one channel of " + " × ".join(map(str, y.shape))),
        ):
            panel.imshow((numbers == chosen).float().numpy(), cmap="Oranges", vmin=0, vmax=1.6)
            size = 8 if numbers.numel() < 60 else 6
            for i, row in enumerate(numbers.tolist()):
                for j, value in enumerate(row):
                    panel.text(j, i, f"{value:g}", ha="center", va="center", fontsize=size)
            panel.set(title=title, xticks=[], yticks=[], aspect="auto")
            panel.grid(visible=False)
        for edge in range(1, count):
            before.axhline(edge * high - 0.5, color=plots.COLOURS["baseline"], linewidth=0.8)
        return figure

    alt = (
        "Left, the channels of x one below the other; each number is that of its channel. Right, "
        "what your pixel_shuffle makes of them. One channel is marked."
    )
    return explore(draw, alt=alt, r=(1, 4, 2), channel=(0, 15, 1))
