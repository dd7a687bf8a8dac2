"""Many small pictures in one: a sheet of tiles, and rows of pictures with their names."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.kit import plots

__all__ = ["named_rows", "rows_figure", "sheet"]


def sheet(pictures: Tensor, columns: int, *, gap: float = math.nan) -> Tensor:
    """Pictures side by side, row under row, with a line of one pixel round each.

    Args:
        pictures: (N, 1, H, W), N a multiple of columns.
        columns: pictures in a row.
        gap: value of the lines; NaN is left as paper by `imshow`.

    Returns:
        One picture, (N / columns · (H + 2), columns · (W + 2)), on the CPU.

    Raises:
        ValueError: the pictures are no such tensor, or do not fill their rows.

    Example:
        >>> sheet(torch.zeros(6, 1, 8, 8), 3).shape
        torch.Size([20, 30])
    """
    if pictures.ndim != 4 or pictures.shape[1] != 1:
        raise ValueError(f"Give pictures of shape (N, 1, H, W), not {tuple(pictures.shape)}.")
    if columns < 1 or len(pictures) % columns or not len(pictures):
        raise ValueError(f"{len(pictures)} pictures do not fill rows of {columns}.")
    framed = F.pad(pictures.detach().cpu(), (1, 1, 1, 1), value=gap)
    high, wide = framed.shape[2:]
    tiles = framed.view(-1, columns, high, wide).transpose(1, 2)  # (rows, H + 2, columns, W + 2)
    return tiles.reshape(-1, columns * wide)


def named_rows(
    axes: Axes, named: Sequence[tuple[str, Tensor]], *, gap: float = math.nan, **options: object
) -> None:
    """Draw one row of pictures under another, each with its name at the left.

    Args:
        axes: where to draw.
        named: (name, pictures (n, 1, H, W)), the same n in each row.
        gap: value of the lines between pictures, see `sheet`.
        options: passed to `imshow` (`cmap`, `vmin`, `vmax`).
    """
    names, rows = zip(*named, strict=True)
    whole = sheet(torch.cat([row.detach().cpu() for row in rows]), len(rows[0]), gap=gap)
    axes.imshow(whole.numpy(), **options)
    high = len(whole) / len(rows)
    axes.set_yticks([high * (k + 0.5) - 0.5 for k in range(len(rows))], names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def rows_figure(title: str, rows: Sequence[tuple[str, Tensor]]) -> Figure:
    """A figure of rows of 8 × 8 pictures, ink on paper, under one title.

    Args:
        title: what is shown.
        rows: (name, pictures as rows (n, 64) with values from 0 to 1), the same n in each.
    """
    size = (0.5 * len(rows[0][1]) + 1.6, 0.52 * len(rows) + 0.4)
    figure, (axes,) = plots.panels(1, size=size)
    pictures = [(name, x.view(-1, 1, 8, 8)) for name, x in rows]
    named_rows(axes, pictures, gap=0.12, cmap="gray_r", vmin=0.0, vmax=1.0)
    axes.set_title(title, fontsize=10)
    return figure
