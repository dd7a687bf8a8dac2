"""An exception told to the other side in words, and raised there as one that reads the same.

It is caught there as the first of its base classes that Python itself defines. One that comes home
(raised by a function of this side, let through by the other) is raised as the object that it was.
"""

from __future__ import annotations

import builtins
import linecache
import traceback
from collections.abc import Collection
from functools import lru_cache
from textwrap import shorten
from typing import Any

from genssl_utils.course.grade.codec import BadMessage, identifier
from genssl_utils.kit.check import Elsewhere

_MOST_WORDS = 400
_LONGEST = 200
_BASES = {
    name: error
    for name, error in vars(builtins).items()
    if isinstance(error, type)
    and issubclass(error, Exception)
    and not issubclass(error, BaseExceptionGroup)  # made of exceptions, not of words
    and not issubclass(error, (StopIteration, StopAsyncIteration))  # would end a check's own loop
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
            quoted = linecache.getline(frame.f_code.co_filename, line).strip()[:_LONGEST]
            break
    return {
        "name": identifier(type(error).__name__, "Exception"),
        "bases": [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"][:12],
        "words": words,
        "where": frames[-1][0].f_code.co_name[:_LONGEST] if frames else "",
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
    base = next((n for n in told["bases"] if isinstance(n, str) and n in _BASES), "Exception")
    error = _kind(identifier(told["name"], "Exception"), base)()
    error.words, error.elsewhere = told["words"], Elsewhere(told["where"], told["line"])
    return error


@lru_cache(maxsize=256)
def _kind(name: str, base: str) -> type[Exception]:
    """A class of exceptions that says the words it is given, whatever its base would say."""

    def begin(self: Exception) -> None:
        self.words = ""

    return type(name, (_BASES[base],), {"__init__": begin, "__str__": lambda self: self.words})
