"""The base of all live figures: a widget that computes in the reader's browser."""

from __future__ import annotations

import gzip
import inspect
import re
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets as t

__all__ = ["Figure", "bundle", "packed"]

_HERE = Path(__file__).parent
_KIT_IMPORT = re.compile(
    r"^import\s*\{(?P<names>[^}]*)\}\s*from\s*[\"']\.\./kit/figure\.js[\"'];?[ \t]*$", re.MULTILINE
)
_SIBLING = re.compile(
    r"^import\s*\{(?P<names>[^}]*)\}\s*from\s*[\"']\./(?P<file>[\w.-]+\.js)[\"'];?[ \t]*$",
    re.MULTILINE,
)
_ANY_IMPORT = re.compile(
    r"^\s*(?:import\b(?!\s*\.)|export\b[^;\n]*\bfrom\s*[\"'])|\bimport\s*\(", re.M
)
_DEFAULT = re.compile(r"^export\s+default\b", re.MULTILINE)


def bundle(script: str | Path) -> str:
    """One self-contained ES module: the kit's ``figure.js``, then the topic's own script.

    A topic's script imports from ``../kit/figure.js``, and may import from scripts beside it, so
    that it is a true module in an editor and in a test; here those imports are taken out, because
    the texts they name already stand above. So no two of the scripts may use the same name.

    Args:
        script: path of the topic's JavaScript file.

    Returns:
        The text of the module, which fetches nothing.

    Raises:
        ValueError: a script is missing, has no default export, renames what it imports, imports
            anything else, or imports from one that imports from it.
    """
    path, texts = Path(script), {}
    _gather(path, texts, ())
    if not _DEFAULT.search(texts[path.name]):
        raise ValueError(
            f"{path.name} has no default export: end with `export default {{ render }}`."
        )
    shared = (_HERE / "figure.js").read_text(encoding="utf-8")
    told = [f"// {name}\n{text.strip()}\n" for name, text in texts.items()]
    return "\n".join([f"{shared.rstrip()}\n", *told])


def _gather(path: Path, texts: dict[str, str], asked_by: tuple[str, ...]) -> None:
    """Put the scripts that a script imports from into `texts`, then the script itself."""
    if path.name in asked_by:
        circle = " imports from ".join([*asked_by[asked_by.index(path.name) :], path.name])
        raise ValueError(f"{circle}: put what both need into a third script.")
    source, beside = _taken_apart(path)
    for name in beside:
        if name not in texts:
            _gather(path.with_name(name), texts, (*asked_by, path.name))
    texts[path.name] = source


def _taken_apart(path: Path) -> tuple[str, list[str]]:
    """A script without its imports, and the files beside it that it imports from."""
    if not path.is_file():
        raise ValueError(f"{path.name} is missing: put it beside the figure's Python file.")
    source = path.read_text(encoding="utf-8")
    for found in (*_KIT_IMPORT.finditer(source), *_SIBLING.finditer(source)):
        if re.search(r"\bas\b", found["names"]):
            raise ValueError(f"{path.name} renames what it imports from the kit: use the names.")
    beside = [found["file"] for found in _SIBLING.finditer(source)]
    source = _SIBLING.sub("", _KIT_IMPORT.sub("", source))
    if _ANY_IMPORT.search(source):
        raise ValueError(
            f'{path.name} imports more than {{names}} from "../kit/figure.js": a figure brings all '
            "that it needs, so that it also moves without a network."
        )
    return source, beside


class Figure(anywidget.AnyWidget):
    """A live figure: moves in JupyterLab, VS Code, Colab and on a static page alike.

    A subclass names its JavaScript file, which lies beside its Python file, and adds what the
    reader can change as traits tagged ``sync=True``. Python then sees every change.

    Args:
        title: the one message of the figure, shown above it.
        alt: what the figure shows and does, for a reader who does not see it.

    Raises:
        ValueError: ``alt`` is empty.

    Example:
        class TemperatureFigure(Figure):
            _script = "temperature.js"
            tau = traitlets.Float(1.0).tag(sync=True)
    """

    _script: ClassVar[str] = ""
    _css = (_HERE / "figure.css").read_text(encoding="utf-8")

    title = t.Unicode("").tag(sync=True)
    alt = t.Unicode("").tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Bundle the subclass's script into the module that the browser runs."""
        if "_script" in cls.__dict__:
            cls._esm = bundle(Path(inspect.getfile(cls)).parent / cls._script)
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits: Any) -> None:
        if not self._script:
            raise ValueError(f'{type(self).__name__} has no script: set `_script = "name.js"`.')
        _require_alt(str(traits.get("alt", "")))
        super().__init__(**traits)

    @t.validate("alt")
    def _check_alt(self, proposal: dict[str, Any]) -> str:
        return _require_alt(proposal["value"])

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        """The live view, and the text alternative for places that show text alone."""
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is not None:
            shown[0]["text/plain"] = f"{self.title}\n{self.alt}".strip()
        return shown


def packed(data: bytes) -> bytes:
    """Bytes for a figure's state, made small; `unpacked` of `figure.js` gives them back."""
    return gzip.compress(data, mtime=0)  # no time of day in it, so that two runs agree


def _require_alt(alt: str) -> str:
    if not alt.strip():
        raise ValueError("a figure needs `alt`: say in a sentence what it shows and does.")
    return alt
