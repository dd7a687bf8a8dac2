"""What a training records, as curves that grow in a notebook."""

from __future__ import annotations

import math
import sys
import time
from io import BytesIO
from itertools import cycle
from typing import TYPE_CHECKING

from genssl_utils.kit import plots

if TYPE_CHECKING:
    from genssl_utils.kit.training import History

__all__ = ["LiveCurves", "notebook_shell"]


def notebook_shell() -> bool:
    """Whether this runs in a Jupyter kernel; IPython is looked at only where it is loaded."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class LiveCurves:
    """The records as curves, drawn again in the same place of a notebook as training goes on.

    The left panel shows the losses, the right one what `on_record` returns, where it does.
    """

    def __init__(self, title: str, losses: set[str], seconds_between: float = 0.5) -> None:
        self.title, self.losses, self.seconds_between = title, losses, seconds_between
        self.handle, self.drawn_at = None, -math.inf
        self.active = notebook_shell()

    def update(self, history: History, last: bool = False) -> None:
        """Draw again, unless the last drawing is fresh; the last call always draws."""
        now = time.monotonic()
        if not self.active or (now - self.drawn_at < self.seconds_between and not last):
            return
        from IPython.display import Image, display

        values = ", ".join(f"{name} {value[-1]:.3g}" for name, value in history.series.items())
        alt = f"{self.title}, curves up to step {history.steps[-1]}: {values}"
        image = Image(self._png(history), alt=alt)
        if self.handle is None:
            self.handle = display(image, display_id=True)
        else:
            self.handle.update(image)
        self.drawn_at = now

    def _png(self, history: History) -> bytes:
        others = [name for name in history.series if name not in self.losses]
        losses = [name for name in history.series if name in self.losses]
        groups = [losses, others] if others else [losses]
        buffer = BytesIO()
        with plots.style():
            figure, panels = plots.panels(len(groups), size=(4.2, 2.6))
            for axes, names in zip(panels, groups, strict=True):
                for role, name in zip(cycle(("model", "data", "baseline")), names, strict=False):
                    axes.plot(history.steps, history.series[name], color=plots.COLOURS[role])
                    last = history.series[name][-1]
                    below = any(last < history.series[other][-1] for other in names)
                    plots.label_line(
                        axes, history.steps[-1], last, name, role, va="top" if below else "bottom"
                    )
                axes.set(xlabel="steps", ylabel="loss" if names is losses else "measured")
            panels[0].set_title(self.title)
            figure.savefig(buffer, format="png")
            plots.plt.close(figure)
        return buffer.getvalue()
