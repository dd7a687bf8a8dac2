"""The unit's pictures of digits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.cycle_consistency.styles import Heaps, heaps
from genssl_utils.cycle_consistency.translator import Translators
from genssl_utils.kit import plots

__all__ = ["between_picture", "heaps_picture", "translations_picture"]


def _strips(columns: Sequence[tuple[str, Tensor]], height: float) -> Figure:
    """Columns of pictures, (n, 1, 8, 8) each, under their titles."""
    figure, axes = plots.panels(len(columns), size=(0.85, height))
    for panel, (title, pictures) in zip(axes, columns, strict=True):
        strip = pictures.cpu().reshape(-1, pictures.shape[-1])
        panel.imshow(strip.numpy(), cmap="gray_r", vmin=-1, vmax=1)
        panel.set_title(title, fontsize=9, loc="center")
        panel.axis("off")
    return figure


def heaps_picture(seed: int = 0) -> Figure:
    """Some of the heap of ink, and some of the heap in relief; no two belong together."""
    shown = heaps("relief", seed=seed)
    figure, axes = plots.panels(2, size=(3.0, 1.9))
    for panel, title, pictures in zip(
        axes, ("X: ink", "Y: relief, other digits"), (shown.x, shown.y), strict=True
    ):
        rows = pictures[:24].view(4, 6, 8, 8).permute(0, 2, 1, 3).reshape(32, 48)
        panel.imshow(rows.numpy(), cmap="gray_r", vmin=-1, vmax=1)
        panel.set_title(title, fontsize=10)
        panel.axis("off")
    return figure


def _one_of_each(labels: Tensor) -> list[int]:
    return [int((labels == k).nonzero()[0, 0]) for k in range(10)]


@torch.no_grad()
def translations_picture(pairs: Sequence[Translators], shown: Heaps) -> Figure:
    """New digits in ink, their true partners, and what each pair of translators makes of them."""
    at = _one_of_each(shown.labels)
    x, y = shown.x_test[at], shown.y_test[at]
    columns = [("x", x), ("partner", y)]
    for pair in pairs:
        columns += [(f"f(x)\n{pair.name}", pair.f(x)), ("g(f(x))", pair.g(pair.f(x)))]
    return _strips(columns, 6.2)


@torch.no_grad()
def between_picture(pair: Translators, shown: Heaps, sigma: float = 0.1, seed: int = 0) -> Figure:
    """Digits, the picture between, what comes home, and what comes home after a little noise."""
    at = _one_of_each(shown.labels)
    x, y = shown.x_test[at], shown.y_test[at]
    there = pair.f(x)
    draw = torch.Generator(x.device).manual_seed(seed)
    touched = there + sigma * torch.randn(x.shape, generator=draw, device=x.device)
    columns = [
        ("x", x), ("partner", y), ("f(x)", there), ("home", pair.g(there)),
        ("f(x)+noise", touched), ("home", pair.g(touched)),
    ]  # fmt: skip
    return _strips(columns, 6.2)
