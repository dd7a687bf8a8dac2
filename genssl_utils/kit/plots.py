"""One plotting style for the whole course.

Pictures are saved as opaque paper-white cards, so the same file reads well on a light and on a
dark page. A colour means the same thing in every unit; no picture needs colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {
    "data": "#0072B2",
    "model": "#D55E00",
    "teacher": "#009E73",
    "student": "#CC79A7",
    "positive": "#117733",
    "negative": "#882255",
    "anchor": "#0072B2",
    "baseline": "#6B7280",
}
"""Role → colour, after Okabe and Ito's palette, which colour-blind readers can tell apart.
The live figures use the same values (`kit/figure.css`)."""

MOST_NAMES = 8
"""Lines of a panel that its description names."""

INK, PAPER, GRID = "#1F2933", "#FCFCFA", "#E3E6EA"

_STYLE = {
    "axes.edgecolor": "#9AA3AE",
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": plt.cycler(color=list(dict.fromkeys(COLOURS.values()))),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.facecolor": PAPER,
    "font.size": 10,
    "grid.color": GRID,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class Described(Figure):
    """A figure whose text form says what it shows: titles, axes, and the names of its lines."""

    def __repr__(self) -> str:
        told = [words for axes in self.axes if (words := _words(axes))]
        return f"A picture of {'; '.join(told)}." if told else super().__repr__()


def _words(axes: Axes) -> str:
    """What one panel says of itself, in one line."""
    title = " ".join(filter(None, (axes.get_title(side) for side in ("left", "center", "right"))))
    x, y = axes.get_xlabel(), axes.get_ylabel()
    against = f"{y} against {x}" if x and y else x or y
    names = [handle.get_label() for handle in [*axes.lines, *axes.collections, *axes.containers]]
    names += [text.get_text() for text in axes.texts]
    names = list(dict.fromkeys(str(name) for name in names if name and str(name)[0] != "_"))
    said = f"{title} ({against})" if title and against else title or against
    return " ".join(": ".join(filter(None, (said, ", ".join(names[:MOST_NAMES])))).split())


@contextmanager
def style() -> Iterator[None]:
    """Draw everything inside the `with` block in the course's style."""
    with plt.rc_context(_STYLE):
        yield


def panels(
    n: int = 1, *, size: tuple[float, float] = (3.4, 2.6), **kwargs: object
) -> tuple[Figure, list[Axes]]:
    """A row of n axes in the course's style.

    Its text form describes it, for those who do not see it. It is closed for pyplot already: a
    notebook shows it once, where it is the value of a cell, and a loop that draws many leaves none
    behind.

    Args:
        n: number of panels, at least 1.
        size: width and height of one panel in inches.
        kwargs: passed to `plt.subplots` (`sharey=True`, say).

    Returns:
        The figure and the list of its n axes.

    Raises:
        ValueError: n is not positive.
    """
    if n < 1:
        raise ValueError(f"A figure needs at least one panel, not {n}.")
    with style():
        figure, axes = plt.subplots(
            1, n, figsize=(size[0] * n, size[1]), squeeze=False, FigureClass=Described, **kwargs
        )
    plt.close(figure)
    return figure, list(axes[0])


def label_line(axes: Axes, x: float, y: float, text: str, role: str, **kwargs: object) -> None:
    """Write a direct label beside a line, in the colour of its role (no legend needed)."""
    options = {"fontsize": 9, "va": "center", **kwargs}
    axes.annotate(
        text, (x, y), xytext=(4, 0), textcoords="offset points", color=COLOURS[role], **options
    )
