"""The report's plots as SVG text: narrow enough for a telephone, labelled directly."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genssl_utils.kit.plots import COLOURS, INK, PAPER, panels, style

WIDTH = 3.7
"""Inches of every picture: 355 pixels, so that its letters are readable at 360."""
LINE = 0.165
"""Inches of one line of text."""
LETTERS = 50
"""Letters of the small size that fit into a line."""
SOFT = "#52606D"
"""Ink of what is said second."""

LOOKS = {
    "passed": (COLOURS["positive"], ""),
    "partly": ("#8FBC9A", "////"),
    "failed": (COLOURS["negative"], ""),
    "unanswered": ("#C5CAD1", ""),
    "no verdict": ("#7B8794", "xxxx"),
}
"""How each state of an exercise is filled: colour and pattern."""


@dataclass(frozen=True)
class Bar:
    """One labelled bar."""

    name: str
    value: float
    told: str
    """What stands at its end."""
    note: str = ""
    role: str = "negative"
    hatched: bool = False


def svg(figure: Figure) -> str:
    """A figure as SVG without the date and other things that differ from run to run."""
    file = io.StringIO()
    with plt.rc_context({"svg.hashsalt": "genssl", "svg.fonttype": "path"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    text = file.getvalue()
    return text[text.index("<svg") :]


def bars(rows: Sequence[Bar], most: float) -> str:
    """A bar a row, its name and note above it, the number at its end.

    Args:
        rows: from top to bottom, at least one.
        most: what a bar of the full width stands for.
    """
    names = [textwrap.wrap(row.name, LETTERS - 4) or [""] for row in rows]
    notes = [textwrap.wrap(row.note, LETTERS) for row in rows]
    heights = [len(a) + len(b) + 1.75 for a, b in zip(names, notes, strict=True)]
    with style():
        figure, axes = _sheet(sum(heights))
        top = 0.0
        for row, name, note, height in zip(rows, names, notes, heights, strict=True):
            _text(axes, top, name, weight="bold")
            _text(axes, top + len(name), note, color=SOFT)
            at, length = top + height - 1.15, row.value / max(most, 1e-9) * 0.8
            _fill(axes, at, 0.0, length, COLOURS[row.role], "////" if row.hatched else "")
            axes.text(length + 0.012, at, row.told, va="center", fontsize=9, weight="bold")
            top += height
        return svg(figure)


def stacked(rows: Mapping[str, Mapping[str, int]]) -> str:
    """A bar an exercise, parted by how its answers stand; what each part is stands below it.

    Args:
        rows: exercise → state → how many.
    """
    height = 4.1
    with style():
        figure, axes = _sheet(height * len(rows))
        for number, (name, counts) in enumerate(rows.items()):
            top, start = number * height, 0.0
            total = max(sum(counts.values()), 1)
            _text(axes, top, textwrap.wrap(name, LETTERS - 4), weight="bold")
            for state, count in counts.items():
                _fill(axes, top + 1.6, start, count / total, *LOOKS[state], thick=0.95)
                start += count / total
            _shares(axes, top + 2.75, counts)
        return svg(figure)


def _shares(axes: Axes, at: float, counts: Mapping[str, int]) -> None:
    """A swatch, a number and a word for each part of a bar, one beside the other."""
    size = 8 if len(counts) < 5 else 7
    x, pixels = 0.0, axes.get_window_extent().width
    for state, count in counts.items():
        _fill(axes, at, x, 0.022, *LOOKS[state], thick=0.6)
        text = axes.text(x + 0.03, at, f"{count} {state}", va="center", fontsize=size)
        x += 0.05 + text.get_window_extent().width / pixels


def ridges(rows: Mapping[str, tuple[Sequence[float], float]]) -> str:
    """How the points of each exercise are spread, from none to all of them.

    Args:
        rows: exercise → (points of each answer, the most there are).
    """
    height, edges = 4.2, np.linspace(0, 1, 11)
    with style():
        figure, axes = _sheet(height * len(rows) + 1.2)
        for number, (name, (points, most)) in enumerate(rows.items()):
            top, floor = number * height, number * height + 3.6
            _text(axes, top, textwrap.wrap(f"{name}, of {most:g} points", LETTERS), weight="bold")
            shares = np.clip(np.asarray(points, float) / most, 0, 1)
            counts = np.histogram(shares, edges)[0]
            tall = 1.7 * counts / max(counts.max(initial=0), 1)
            axes.bar(edges[:-1] + 0.05, -tall, 0.09, floor, color=COLOURS["data"])
            axes.plot([0, 1], [floor, floor], color="#9AA3AE", linewidth=0.8)
            for x, count, up in zip(edges, counts, tall, strict=False):
                if count:
                    axes.text(x + 0.05, floor - up - 0.08, f"{count}", ha="center", fontsize=8)
        last = height * len(rows)
        for x, side, told in ((0, "left", "no points"), (1, "right", "all points")):
            axes.text(x, last, told, ha=side, va="top", fontsize=9, color=SOFT)
        return svg(figure)


def histogram(values: Sequence[float], label: str, *, log: bool = False, of: float = 0) -> str:
    """How a number is spread over the submissions, with its median.

    Args:
        values: one a submission, at least one.
        label: the number's name with its unit.
        log: whether the axis is logarithmic; every value is positive then.
        of: where the axis ends; 0 lets the values say.
    """
    numbers = np.asarray(values, float)
    low, high = (0.0, of) if of else (numbers.min(), numbers.max())
    if low == high:
        pad = max(0.5, 0.1 * abs(low))
        low, high = (low / 1.5, high * 1.5) if log else (low - pad, high + pad)
    edges = np.geomspace(low, high, 16) if log else np.linspace(low, high, 16)
    middle = float(np.median(numbers))
    figure, (axes,) = panels(1, size=(WIDTH, 2.3))
    with style():
        counts, _, _ = axes.hist(np.clip(numbers, low, high), edges, color=COLOURS["data"],
                                 edgecolor=PAPER)  # fmt: skip
        axes.axvline(middle, color=INK, linewidth=1.2, linestyle="--")
        side = "right" if middle > edges[10] else "left"
        gap = -4 if side == "right" else 4
        axes.annotate(
            f"median {middle:.3g}", (middle, counts.max() * 1.1), xytext=(gap, 0), fontsize=9,
            textcoords="offset points", ha=side, va="center",
        )  # fmt: skip
        axes.set(xlabel=label, ylabel="submissions", ylim=(0, counts.max() * 1.2))
        axes.yaxis.get_major_locator().set_params(integer=True)
        if log:
            _log_axis(axes, low, high)
        return svg(figure)


def _log_axis(axes: Axes, low: float, high: float) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_xscale("log")
    marks = [m * 10.0**p for p in range(-3, 6) for m in (1, 2, 5)]
    shown = [mark for mark in marks if low <= mark <= high]
    step = 1 + len(shown) // 7
    axes.set_xticks(shown[::step] or [low])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _sheet(lines: float) -> tuple[Figure, Axes]:
    """An empty sheet of so many lines of text; x runs from 0 to 1, y counts lines downwards."""
    height = LINE * lines + 0.12
    figure, (axes,) = panels(1, size=(WIDTH, height))
    figure.set_layout_engine("none")
    axes.set_position((0.03, 0.06 / height, 0.94, 1 - 0.12 / height))
    axes.set(xlim=(0, 1), ylim=(lines, 0))
    axes.set_axis_off()
    return figure, axes


def _text(axes: Axes, top: float, lines: Sequence[str], **look: str) -> None:
    for number, line in enumerate(lines):
        axes.text(0, top + number + 0.5, line, va="center", fontsize=9, parse_math=False, **look)


def _fill(
    axes: Axes, at: float, start: float, length: float, colour: str, pattern: str,
    thick: float = 0.8,
) -> None:  # fmt: skip
    axes.barh(at, length, thick, start, color=colour, hatch=pattern, edgecolor=PAPER, linewidth=0.8)
