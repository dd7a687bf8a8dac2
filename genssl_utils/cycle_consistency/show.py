"""The unit's pictures of digits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.cycle_consistency.styles import Heaps, heaps
from genssl_utils.cycle_consistency.translator import Translators
from genssl_utils.kit import plots
from genssl_utils.kit.sheets import named_rows, sheet

__all__ = ["between_picture", "heaps_picture", "translations_picture"]


def _rows(named: Sequence[tuple[str, Tensor]], title: str) -> Figure:
    """One row of pictures under another, each with its name beside it."""
    columns = len(named[0][1])
    figure, (axes,) = plots.panels(1, size=(0.55 * columns + 1.4, 0.53 * len(named) + 0.4))
    named_rows(axes, named, cmap="gray_r", vmin=-1, vmax=1)
    axes.set_title(title)
    return figure


def heaps_picture(seed: int = 0) -> Figure:
    """Some of the heap of ink, and some of the heap in relief; no two belong together."""
    shown = heaps("relief", seed=seed)
    figure, axes = plots.panels(2, size=(3.2, 2.4))
    for panel, title, pictures in zip(
        axes, ("X: ink", "Y: relief, other digits"), (shown.x, shown.y), strict=True
    ):
        panel.imshow(sheet(pictures[:24], 6).numpy(), cmap="gray_r", vmin=-1, vmax=1)
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
