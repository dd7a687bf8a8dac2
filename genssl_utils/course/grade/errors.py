"""An exception told to the other side in words, and raised there as one that reads the same."""

from __future__ import annotations

import builtins
import linecache
import traceback
from collections.abc import Collection
from textwrap import shorten
from typing import Any

from genssl_utils.course.grade.codec import BadMessage
from genssl_utils.kit.check import Elsewhere

_MOST_WORDS = 400
_BASES = {
    name: error
    for name, error in vars(builtins).items()
    if isinstance(error, type) and issubclass(error, Exception)
}
_MACHINERY = "genssl_utils.course.grade"


def tell(error: BaseException, names: Collection[str] = ()) -> dict[str, Any]:
    """What is said of an exception: its class, its words, and the student's line it came through.

    Args:
        error: what was raised.
        names: graded functions; the innermost line of one of them is quoted.
    """
    try:
        words = shorten(str(error), _MOST_WORDS, placeholder=" …")
    except Exception:
        words = ""
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not str(frame.f_globals.get("__name__", "")).startswith(_MACHINERY)
    ]
    quoted = ""
    for frame, line in reversed(frames):
        if frame.f_code.co_name in names:
            quoted = linecache.getline(frame.f_code.co_filename, line).strip()[:200]
            break
    return {
        "name": type(error).__name__,
        "bases": [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"][:12],
        "words": words,
        "where": frames[-1][0].f_code.co_name if frames else "",
        "line": quoted,
    }


def revive(told: Any) -> Exception:
    """An exception that reads like the one that was told, and is caught like it.

    Raises:
        BadMessage: what was told is not of that form.
    """
    texts = ("name", "words", "where", "line")
    if not isinstance(told, dict) or not all(isinstance(told.get(t), str) for t in texts):
        raise BadMessage("an error is not told as one")
    if not isinstance(told.get("bases"), list) or any(len(told[t]) > 2000 for t in texts):
        raise BadMessage("an error is not told as one")
    base = next((_BASES[n] for n in told["bases"] if isinstance(n, str) and n in _BASES), Exception)
    name = told["name"] if told["name"].isidentifier() and len(told["name"]) < 60 else "Exception"
    words = told["words"]
    kind = type(name, (base,), {"__str__": lambda self: words, "__init__": lambda self: None})
    error = kind()
    error.elsewhere = Elsewhere(told["where"], told["line"])
    return error
