"""TeX as MathML, which browsers show by themselves: no script, no font and no connection."""

from __future__ import annotations

from html import escape, unescape
from itertools import pairwise
from types import MappingProxyType
from xml.etree import ElementTree

from latex2mathml.converter import Converter

LONGEST = 4000
"""Characters of TeX; what is longer was not written for a reader."""

DEEPEST = 40
"""Parts within parts, as fractions in fractions."""

KNOWN = MappingProxyType({r"\arg": ([r"\operatorname{arg}"], 0)})
"""What the library lacks. It cannot be changed, so that TeX which defines macros stays TeX: a few
lines of them can grow without end."""

ATTRIBUTES = frozenset(
    (
        "accent", "columnalign", "columnlines", "columnspacing", "depth", "display",
        "displaystyle", "fence", "form", "height", "largeop", "linethickness", "lspace",
        "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowlines", "rowspacing",
        "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width",
    )
)  # fmt: skip
"""No link, style or class among them, which TeX can ask for."""


def mathml(tex: str, *, block: bool = False) -> str:
    """TeX as MathML, to stand in a page of HTML.

    Args:
        tex: without the dollars; anybody's, so anything.
        block: a formula on lines of its own.

    Returns:
        One `math` element; the TeX as text where it is not understood.

    Example:
        >>> mathml(r"\\pi_k")
        '<math display="inline"><mrow><msub><mi>π</mi><mi>k</mi></msub></mrow></math>'
    """
    try:
        if len(tex) > LONGEST:
            raise ValueError("too long")
        converter = Converter(display="block" if block else "inline")
        converter.macros = KNOWN
        math = converter.convert_to_element(tex)
        _tame(math)
        return ElementTree.tostring(math, encoding="unicode")
    except Exception:  # the library answers odd TeX with errors of many kinds
        mark = "$$" if block else "$"
        return f"<code>{escape(mark + tex + mark)}</code>"


def _tame(element: ElementTree.Element, depth: int = 0) -> None:
    """Text that is text, attributes that only arrange, and a space after `log` as TeX has it."""
    if depth > DEEPEST or not element.tag.startswith("m"):
        raise ValueError("no presentation MathML, or more of it than a page can show")
    element.text = unescape(element.text) if element.text else None
    element.attrib = {k: v for k, v in element.attrib.items() if k in ATTRIBUTES}
    for child in element:
        _tame(child, depth + 1)
    if element.tag in ("mrow", "mtd"):
        for number, (left, right) in reversed(list(enumerate(pairwise(element), 1))):
            if left.tag == "mi" and len(left.text or "") > 1 and right.tag != "mo":
                element.insert(number, ElementTree.Element("mspace", width="0.167em"))
