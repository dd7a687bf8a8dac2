"""How the part on sharper photographs shows what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.conditional_gans.blur import CLOSE, CLOSE_UPS, paint
from genssl_utils.conditional_gans.mixing import between
from genssl_utils.conditional_gans.photographs import enlarge, held_out, shrink
from genssl_utils.conditional_gans.sharper import Looks, Upscaler, judge_sharpness
from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table

__all__ = [
    "enlarged_picture",
    "letters_picture",
    "looks_table",
    "printed",
    "spectrum",
    "spectrum_picture",
    "trade",
    "trade_picture",
]

ROLES = {"squared error": "model", "features + adversary": "teacher", "bicubic": "baseline"}
LINES = ("Never read a number", "off such a picture:", "the plate is BX 4107")
"""What the printed page says."""

_LABELS = {"squared error": (15, False), "features + adversary": (14, True), "bicubic": (9, True)}
"""Where a curve of the spectrum has its name: at which ring, and whether below the curve."""


def enlarged_picture(made: Mapping[str, Tensor], truth: Tensor) -> Figure:
    """A close-up of each held-out photograph, enlarged in several ways, beside the truth.

    Args:
        made: name → pictures (3, 1, 256, 256), from 0 to 1.
        truth: the same pictures as they were.
    """
    columns = {**made, "truth": truth}
    figure, axes = plots.panels(len(columns), size=(2.2, 6.4))
    for panel, (name, pictures) in zip(axes, columns.items(), strict=True):
        tall = [
            picture[0, top : top + CLOSE, left : left + CLOSE]
            for picture, (top, left) in zip(pictures, CLOSE_UPS, strict=True)
        ]
        paint(panel, torch.cat(tall), name)
    return figure


def looks_table(found: Mapping[str, Looks]) -> Table:
    """PSNR, SSIM, the judge's distance and the detail, one row a way to enlarge."""
    rows = [
        {
            "enlarged by": name, "PSNR, dB ↑": one.psnr, "SSIM ↑": one.ssim,
            "distance ↓": one.distance, "fine detail (truth is 1)": one.detail,
        }
        for name, one in found.items()
    ]  # fmt: skip
    return table("Three photographs that no network has seen, enlarged four times", rows)


def spectrum(pictures: Tensor, bins: int = 24) -> tuple[Tensor, Tensor]:
    """Mean power at each spatial frequency, by the length of the wave alone.

    Args:
        pictures: (N, 1, S, S).
        bins: rings of frequencies between 0 and ½.

    Returns:
        The middles of the rings in cycles a pixel, (bins,), and the mean power in each, (bins,).
    """
    side = pictures.shape[-1]
    window = torch.hann_window(side, periodic=False).to(pictures)
    still = pictures - pictures.mean((2, 3), keepdim=True)
    power = torch.fft.fft2(still * window[:, None] * window).abs().square().mean((0, 1))
    across = torch.fft.fftfreq(side).to(pictures)
    radius = (across[:, None].square() + across.square()).sqrt()
    ring = (radius * 2 * bins).long().clamp(max=bins)
    total, count = (
        torch.zeros(bins + 1).to(pictures).index_add_(0, ring.flatten(), values.flatten())
        for values in (power, torch.ones_like(power))
    )
    middles = (torch.arange(bins) + 0.5) / (2 * bins)
    return middles, (total / count)[:bins].cpu()


def spectrum_picture(made: Mapping[str, Tensor], truth: Tensor) -> Figure:
    """How much of the truth's power each way to enlarge has, at each spatial frequency."""
    figure, (axes,) = plots.panels(1, size=(5.6, 3.2))
    middles, right = spectrum(truth)
    for name, pictures in made.items():
        _, power = spectrum(pictures)
        share, colour = power / right, plots.COLOURS[ROLES[name]]
        axes.plot(middles, share, color=colour)
        at, below = _LABELS[name]
        axes.annotate(
            name, (middles[at], share[at]), xytext=(6, -12 if below else 5),
            textcoords="offset points", color=colour,
        )  # fmt: skip
    axes.axhline(1, color=plots.COLOURS["data"], linewidth=1)
    axes.annotate(
        "truth", (0.5, 1), xytext=(0, 4), textcoords="offset points", ha="right",
        color=plots.COLOURS["data"],
    )  # fmt: skip
    axes.axvline(0.125, color=plots.COLOURS["baseline"], linestyle=":")
    axes.annotate(
        "finest wave of the\nsmall picture", (0.125, 0.0015), xytext=(-4, 0),
        textcoords="offset points", ha="right", fontsize=8,
    )  # fmt: skip
    axes.set(
        title="The blur is missing power", xlabel="spatial frequency, cycles a pixel",
        ylabel="share of the truth's power", yscale="log", ylim=(1e-3, 3), xlim=(0, 0.5),
    )  # fmt: skip
    return figure


def trade(first: Upscaler, second: Upscaler, *, points: int = 5) -> dict[float, Looks]:
    """What networks between two are worth on the held-out photographs: share of the second → worth.

    Args:
        first: trained on the squared error.
        second: trained on from it with an adversary.
        points: how many networks, both ends included.
    """
    shown = held_out().to(next(first.parameters()).device)
    shares = torch.linspace(0, 1, points).tolist()
    made = {share: between(first, second, share).picture(shown.small) for share in shares}
    names = judge_sharpness({str(share): picture for share, picture in made.items()}, shown.large)
    return {share: names[str(share)] for share in shares}


def trade_picture(found: Mapping[float, Looks], bicubic: Looks) -> Figure:
    """PSNR against the judge's distance, from one network to the other."""
    figure, (axes,) = plots.panels(1, size=(5.2, 3.2))
    psnr, apart = [one.psnr for one in found.values()], [one.distance for one in found.values()]
    axes.plot(psnr, apart, "o-", color=plots.COLOURS["model"], markersize=5)
    axes.plot([bicubic.psnr], [bicubic.distance], "s", color=plots.COLOURS["baseline"])
    ends = {
        "squared error": (psnr[0], apart[0], "model"),
        "features + adversary": (psnr[-1], apart[-1], "model"),
        "bicubic": (bicubic.psnr, bicubic.distance, "baseline"),
    }
    lowest = min(ends, key=lambda name: ends[name][1])
    middle = (min(*psnr, bicubic.psnr) + max(psnr)) / 2
    for name, (x, y, role) in ends.items():
        left = x < middle
        axes.annotate(
            name, (x, y), xytext=(8 if left else -8, -12 if name == lowest else 5),
            textcoords="offset points",
            ha="left" if left else "right", color=plots.COLOURS[role],
        )  # fmt: skip
    axes.margins(0.12)
    axes.set(
        title="Truer pixel by pixel, or truer to the eye",
        xlabel="PSNR, dB (right is better)",
        ylabel="distance (low is better)",
    )
    return figure


def printed(lines: Sequence[str] = LINES) -> Tensor:
    """A printed page in grey, (1, 1, 64, 160), made here: dark letters about 8 pixels high."""
    page = Figure(figsize=(1.6, 0.64), dpi=100, facecolor="#e6e6e6")
    for k, line in enumerate(lines):
        page.text(0.03, 0.8 - 0.3 * k, line, fontsize=8, color="#202020", va="center")
    canvas = FigureCanvasAgg(page)
    canvas.draw()
    grey = torch.tensor(np.asarray(canvas.buffer_rgba())[..., 0].copy(), dtype=torch.float32)
    return grey[None, None] / 255


def letters_picture(first: Upscaler, second: Upscaler) -> Figure:
    """A printed page enlarged: what no photograph to learn from has taught."""
    truth = printed().to(next(first.parameters()).device)
    small = shrink(truth)
    shown = {
        "bicubic": enlarge(small).clamp(0, 1), "squared error": first.picture(small),
        "features + adversary": second.picture(small), "truth": truth,
    }  # fmt: skip
    figure, axes = plots.panels(len(shown), size=(2.7, 1.4))
    for panel, (name, picture) in zip(axes, shown.items(), strict=True):
        paint(panel, picture[0, 0], name)
    return figure
