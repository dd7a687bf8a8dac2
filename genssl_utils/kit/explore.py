"""Explore the student's own function: controls over a picture that their code draws.

It needs a kernel, unlike the live figures. On the book's static page the first picture stays.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from io import BytesIO
from math import log10
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from genssl_utils.kit.check.report import CheckFailed

__all__ = ["Explorer", "explore"]


class Explorer(widgets.VBox):
    """Controls above a picture; shown without a kernel, it is the picture alone."""

    def __init__(self, draw: Callable[..., Figure], alt: str, controls: dict[str, Any]) -> None:
        self._draw, self._alt = draw, alt
        self._controls = {name: _control(name, spec) for name, spec in controls.items()}
        self._picture = widgets.HTML()
        for control in self._controls.values():
            control.observe(lambda _: self._redraw(), "value")
        super().__init__([*self._controls.values(), self._picture])
        self._png = b""
        self._redraw()

    def _redraw(self) -> None:
        try:
            figure = self._draw(**{name: c.value for name, c in self._controls.items()})
        except NotImplementedError:
            self._say("Your function is not written yet. Write it, then run this cell again.")
            return
        except Exception as error:
            words = (
                str(error) if isinstance(error, CheckFailed) else f"{type(error).__name__}: {error}"
            )
            self._say(f"Your function stopped. {words}")
            return
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        plt.close(figure)
        self._png = buffer.getvalue()
        data = base64.b64encode(self._png).decode()
        alt = escape(self._alt)
        self._picture.value = (
            f'<img alt="{alt}" style="max-width:100%" src="data:image/png;base64,{data}">'
        )

    def _say(self, text: str) -> None:
        self._picture.value = f"<p>{escape(text)}</p>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        made = super()._repr_mimebundle_(**kwargs)
        data = made[0] if isinstance(made, tuple) else made
        if self._png and data:
            data["image/png"] = base64.b64encode(self._png).decode()
            data["text/plain"] = self._alt
        return made


def explore(draw: Callable[..., Figure], *, alt: str, **controls: Any) -> Explorer:
    """Controls over a picture of the student's own function.

    Args:
        draw: takes one value a control by keyword and returns a matplotlib figure.
        alt: what the picture shows, in words.
        controls: name = (low, high, start) for a slider (a whole-number one where all three are
            ints, a logarithmic one where high is 50 times low or more), or a list of choices.

    Raises:
        ValueError: `alt` is empty, or a control is of another form.
    """
    if not alt.strip():
        raise ValueError("Say in `alt` what the picture shows.")
    return Explorer(draw, alt, controls)


def _control(name: str, spec: Any) -> widgets.ValueWidget:
    style, wide = {"description_width": "8em"}, widgets.Layout(width="30em", max_width="95%")
    options = {"description": name, "style": style, "layout": wide, "continuous_update": False}
    if isinstance(spec, list) and spec:
        return widgets.Dropdown(options=spec, description=name, style=style)
    if not (isinstance(spec, tuple) and len(spec) == 3 and spec[0] <= spec[2] <= spec[1]):
        raise ValueError(f"{name}: give (low, high, start) or a list of choices, not {spec!r}.")
    low, high, start = spec
    if all(isinstance(x, int) for x in spec):
        return widgets.IntSlider(start, low, high, **options)
    if low > 0 and high / low >= 50:
        return widgets.FloatLogSlider(start, min=log10(low), max=log10(high), **options)
    return widgets.FloatSlider(start, min=low, max=high, **options)
