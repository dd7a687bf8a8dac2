"""The unit's pictures of digits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.cycle_consistency.styles import Heaps, heaps
from genssl_utils.cycle_consistency.translator import Translators
from genssl_utils.kit import plots

__all__ = ["between_picture", "heaps_picture", "translations_picture"]

CELL = 10
"""Pixels of a digit with the gap around it."""


def _sheet(pictures: Tensor, columns: int) -> Tensor:
    """Pictures (rows · columns, 1, 8, 8) side by side with gaps, which are NaN."""
    framed = F.pad(pictures.cpu(), (1, 1, 1, 1), value=torch.nan)
    rows = len(pictures) // columns
    tiles = framed.view(rows, columns, CELL, CELL)
    return tiles.permute(0, 2, 1, 3).reshape(rows * CELL, columns * CELL)


def _rows(named: Sequence[tuple[str, Tensor]], title: str) -> Figure:
    """One row of pictures under another, each with its name beside it."""
    columns = len(named[0][1])
    figure, (axes,) = plots.panels(1, size=(0.55 * columns + 1.4, 0.53 * len(named) + 0.4))
    sheet = _sheet(torch.cat([pictures for _, pictures in named]), columns)
    axes.imshow(sheet.numpy(), cmap="gray_r", vmin=-1, vmax=1)
    middles = [CELL * i + CELL / 2 - 0.5 for i in range(len(named))]
    axes.set_yticks(middles, [name for name, _ in named])
    axes.set_xticks([])
    axes.set_title(title)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def heaps_picture(seed: int = 0) -> Figure:
    """Some of the heap of ink, and some of the heap in relief; no two belong together."""
    shown = heaps("relief", seed=seed)
    figure, axes = plots.panels(2, size=(3.2, 2.4))
    for panel, title, pictures in zip(
        axes, ("X: ink", "Y: relief, other digits"), (shown.x, shown.y), strict=True
    ):
        panel.imshow(_sheet(pictures[:24], 6).numpy(), cmap="gray_r", vmin=-1, vmax=1)
        panel.set_title(title)
        panel.axis("off")
    return figure


def _one_of_each(labels: Tensor) -> list[int]:
    return [int((labels == k).nonzero()[0, 0]) for k in range(10)]


@torch.no_grad()
def translations_picture(pairs: Sequence[Translators], shown: Heaps) -> Figure:
    """New digits in ink, their true partners, and what each pair of translators makes of them."""
    at = _one_of_each(shown.labels)
    x = shown.x_test[at]
    named = [("x", x), ("its partner", shown.y_test[at])]
    for pair in pairs:
        there = pair.f(x)
        named += [(f"f(x), {pair.name}", there), ("home: g(f(x))", pair.g(there))]
    return _rows(named, "New digits, there and back")


@torch.no_grad()
def between_picture(pair: Translators, shown: Heaps, sigma: float = 0.1, seed: int = 0) -> Figure:
    """Digits, the picture between, what comes home, and what comes home after a little noise."""
    at = _one_of_each(shown.labels)
    x = shown.x_test[at]
    there = pair.f(x)
    draw = torch.Generator(x.device).manual_seed(seed)
    touched = there + sigma * torch.randn(x.shape, generator=draw, device=x.device)
    named = [
        ("x", x), ("its partner", shown.y_test[at]), ("f(x)", there),
        ("home: g(f(x))", pair.g(there)), (f"f(x) + noise {sigma:g}", touched),
        ("home from there", pair.g(touched)),
    ]  # fmt: skip
    return _rows(named, "The picture between holds what no mosaic can")
