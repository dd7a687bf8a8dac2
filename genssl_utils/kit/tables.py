"""A small table that reads well in a notebook, in the book and as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table", "table"]


@dataclass(frozen=True)
class Table:
    """Rows of texts and numbers under one caption."""

    caption: str
    rows: tuple[Mapping[str, object], ...]

    def _sides(self) -> dict[str, str]:
        """Texts stand on the left, numbers on the right."""
        first = self.rows[0].items()
        return {name: "left" if isinstance(value, str) else "right" for name, value in first}

    def _texts(self) -> list[list[str]]:
        return [[_text(row.get(name, "")) for name in self.rows[0]] for row in self.rows]

    def __repr__(self) -> str:
        lines = [list(self.rows[0]), *self._texts()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        told = ["  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([self.caption, *(line.rstrip() for line in told)])

    def _repr_html_(self) -> str:
        pad, sides = "padding:.2em .9em .2em 0;vertical-align:top;", self._sides()
        caption = escape(self.caption)
        head = "".join(
            f'<th scope="col" style="{pad}text-align:{side}">{escape(name)}</th>'
            for name, side in sides.items()
        )
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="{pad}text-align:{sides[name]}">{escape(_text(value))}</td>'
                for name, value in row.items()
            )
            + "</tr>"
            for row in self.rows
        )
        return (
            # It scrolls where it is too wide, by keyboard as well.
            f'<div style="overflow-x:auto" tabindex="0" role="group" aria-label="{caption}">'
            '<table style="border-collapse:collapse;color:inherit">'
            '<caption style="caption-side:top;text-align:left;font-weight:600;color:inherit">'
            f"{caption}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )


def table(caption: str, rows: Sequence[Mapping[str, object]]) -> Table:
    """Show rows as a table.

    Args:
        caption: what the table says, in one line.
        rows: one mapping a row, all with the keys of the first; numbers get three digits.

    Raises:
        ValueError: there are no rows, or their keys differ.

    Example:
        >>> table("Two animals", [{"name": "cat", "legs": 4.0}, {"name": "hen", "legs": 2.0}])
        Two animals
        name  legs
        cat   4
        hen   2
    """
    if not rows or any(list(row) != list(rows[0]) for row in rows):
        raise ValueError("Give at least one row, and the same columns in each.")
    return Table(caption, tuple(rows))


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
