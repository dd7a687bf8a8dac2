"""How the part on sharper photographs shows its pictures and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.conditional_gans.mixing import between
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
from genssl_utils.conditional_gans.sharper import Looks, Upscaler, judge_sharpness
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore
from genssl_utils.kit.tables import Table, table

__all__ = [
    "enlarged_picture",
    "explore_shuffle",
    "given_picture",
    "letters_picture",
    "looks_table",
    "photographs_picture",
    "printed",
    "same_error",
    "same_error_picture",
    "spectrum",
    "spectrum_picture",
    "trade",
    "trade_picture",
    "two_answers",
    "two_answers_picture",
]

ROLES = {"squared error": "model", "features + adversary": "teacher", "bicubic": "baseline"}
_CLOSE_UPS = ((52, 64), (60, 60), (60, 30))  # top left corners, in the held-out squares
_CLOSE = 112
LINES = ("Never read a number", "off such a picture:", "the plate is BX 4107")
"""What the printed page says."""

_LABELS = {"squared error": (15, False), "features + adversary": (14, True), "bicubic": (9, True)}
"""Where a curve of the spectrum has its name: at which ring, and whether below the curve."""


def _paint(axes: Axes, picture: Tensor, title: str = "") -> None:
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
    top, left = _CLOSE_UPS[0]
    small, rough, truth = shown.small[0, 0], enlarge(shown.small)[0, 0], shown.large[0, 0]
    inside = (slice(top, top + _CLOSE), slice(left, left + _CLOSE))
    near = tuple(slice(part.start // FACTOR, part.stop // FACTOR) for part in inside)
    figure, axes = plots.panels(3, size=(2.4, 2.5))
    for panel, picture, title in zip(
        axes,
        (small[near], rough[inside].clamp(0, 1), truth[inside]),
        ("given", "drawn smoothly through it", "wanted"),
        strict=True,
    ):
        _paint(panel, picture, title)
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
        _paint(panel, torch.cat(rows), title)
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
    top, left = _CLOSE_UPS[0]
    for panel, (name, picture) in zip(axes, shown.items(), strict=True):
        title = name
        if name != "truth":
            psnr = -10 * float((picture - truth).square().mean().log10())
            apart = float(judge().distance(picture, truth))
            title = f"{name}: {psnr:.1f} dB\ndistance {apart:.3f}"
        _paint(panel, picture[0, 0, top : top + _CLOSE, left : left + _CLOSE], title)
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
        _paint(panel, shown[name][0, 0], title)
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
            picture[0, top : top + _CLOSE, left : left + _CLOSE]
            for picture, (top, left) in zip(pictures, _CLOSE_UPS, strict=True)
        ]
        _paint(panel, torch.cat(tall), name)
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
        _paint(panel, picture[0, 0], name)
    return figure
