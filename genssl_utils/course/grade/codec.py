"""Values as a header and raw bytes: what may cross between box and judge, and nothing else.

A message is a JSON header and a payload. The header says what there is, the payload holds the
numbers of the tensors one behind the other. Nothing is unpickled, imported or evaluated. What does
not fit the format is refused with `BadMessage`, whatever the bytes are. Here are the limits, and
what `encoder` and `decoder` share.

What crosses: None, booleans, numbers (numpy's, too), strings, dtypes, tensors, generators, tuples,
lists and dicts of these, and functions. Subclasses arrive as the plain kind. A string is cut at a
million characters. Anything else, and what lies too deep, arrives as an empty object whose class
has the same name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from genssl_utils.course.grade.raw import BadMessage

MOST_HEADER = 8 << 20
"""Bytes of a header."""
MOST_NODES = 100_000
"""Parts of one message's values, their containers counted."""
MOST_TUPLE_KEYS = 1000
"""Keys of dicts that are tuples: whoever chooses them could make them all hash alike."""
DEEPEST = 40
LONGEST_TEXT = 1 << 20
"""Characters of a string, the source of a cell among them; what is longer is cut."""
LARGEST_INT = 10**300
LARGEST_KEY = 1 << 63

NUMPY = {
    name: getattr(np, name)
    for name in (
        "bool_", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8",
        "uint16", "uint32", "uint64",
    )
}  # fmt: skip
NUMPY_NAMES = {kind: name for name, kind in NUMPY.items()}


@dataclass
class Message:
    """One message: what it is, and the numbers of its tensors."""

    header: dict[str, Any]
    payload: bytes | bytearray = b""
    chunks: list[bytes | memoryview] = field(default_factory=list)
    """The payload in pieces, where it is about to be sent."""


class Opaque:
    """Stands for a value that cannot cross; only the name of its class did."""


def opaque(name: str) -> Opaque:
    """A value of a class with this name and nothing in it.

    Example:
        >>> type(opaque("ndarray")).__name__
        'ndarray'
    """
    return _class_named(identifier(name))()


@lru_cache(maxsize=1024)
def _class_named(name: str) -> type[Opaque]:
    return type(name, (Opaque,), {})


def identifier(name: object, otherwise: str = "object") -> str:
    """A class name as it may be shown; anything odd becomes `object`."""
    return name if isinstance(name, str) and name.isidentifier() and len(name) < 60 else otherwise


def plain_key(key: Any) -> bool:
    """Whether a key of a dict may cross: it is hashed and compared by the other side."""
    if isinstance(key, tuple):
        return len(key) < 100 and all(plain_key(part) and type(part) is not tuple for part in key)
    if isinstance(key, int):
        return abs(key) < LARGEST_KEY
    return key is None or isinstance(key, (str, float))


def a_list(part: Any) -> list[Any]:
    """A list that came, and of no more than so many parts.

    Raises:
        BadMessage: it is none.
    """
    if not isinstance(part, list) or len(part) > MOST_NODES:
        raise BadMessage("a list is needed")
    return part


_to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False, ensure_ascii=False).encode


def pack_header(header: dict[str, Any]) -> bytes:
    """A header as bytes.

    Raises:
        ValueError: it is too large to be sent.
    """
    data = _to_json(header).encode("utf-8", "surrogatepass")
    if len(data) > MOST_HEADER:
        raise ValueError(f"More than {MOST_HEADER >> 20} MiB of values in one call.")
    return data


def read_header(data: bytes | bytearray) -> dict[str, Any]:
    """Bytes as a header.

    Raises:
        BadMessage: they are not JSON of an object, or nested beyond all measure.
    """
    try:
        header = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise BadMessage("a header is not JSON") from error
    if not isinstance(header, dict):
        raise BadMessage("a header is not an object")
    return header
