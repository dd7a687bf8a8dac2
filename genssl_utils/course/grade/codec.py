"""Values as a header and raw bytes: what may cross between box and judge, and nothing else.

A message is a JSON header and a payload. The header says what there is, the payload holds the
numbers of the tensors one behind the other. Nothing is unpickled, imported or evaluated. What does
not fit the format is refused with `BadMessage`, whatever the bytes are.

What crosses: None, booleans, numbers (numpy's, too), strings, dtypes, tensors, generators, tuples,
lists and dicts of these, and functions. Subclasses arrive as the plain kind. Anything else, and
what lies too deep, arrives as an empty object of a class with the same name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genssl_utils.course.grade.raw import (
    ALIGN,
    DTYPES,
    MOST_PAYLOAD,
    NAMES,
    BadMessage,
    crosses,
    describe,
    size_of,
    tensor_of,
)

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

_NUMPY = {
    name: getattr(np, name)
    for name in (
        "bool_", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8",
        "uint16", "uint32", "uint64",
    )
}  # fmt: skip
_NUMPY_NAMES = {kind: name for name, kind in _NUMPY.items()}


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


# --- values to a header -------------------------------------------------------------------------


@dataclass
class Encoder:
    """Turns values into parts of one message's header and payload.

    What occurs twice is sent once, so that the other side sees one object, too.
    """

    export: Callable[[Callable], tuple[str, int]]
    """Gives a function the sign under which the other side may call it."""
    compact: bool = False
    """Whether an expanded axis is sent as the one number that it holds; the judge takes none."""
    given: Sequence[Any] = ()
    """Objects that the other side has already and can be pointed at."""
    tensors: list[Tensor] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)
    """What this message brings; the other side numbers them behind those that it had."""
    _known: dict[int, int] = field(default_factory=dict)  # id → number
    _places: dict[int, int] = field(default_factory=dict)  # address of numbers → number
    _metas: list[dict[str, Any]] = field(default_factory=list)
    _chunks: list[bytes | memoryview] = field(default_factory=list)
    _size: int = 0
    _nodes: int = 0
    _tuple_keys: int = 0

    def __post_init__(self) -> None:
        for at, x in enumerate(self.given):
            self._known[id(x)] = at
            if isinstance(x, Tensor) and x.numel():
                self._places[x.data_ptr()] = at

    def value(self, x: Any, depth: int = 0) -> Any:
        """One value as JSON; its tensors go to the payload."""
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            return ["o", "object"]
        if id(x) in self._known:
            return ["@", self._known[id(x)]]
        if x is None or isinstance(x, bool):
            return x
        if isinstance(x, Tensor):
            return self._tensor(x)
        if isinstance(x, np.generic):
            return self._numpy(x)
        if isinstance(x, str):
            return ["s", x[:LONGEST_TEXT]]
        if isinstance(x, int):
            return int(x) if abs(x) < LARGEST_INT else ["o", "int"]
        if isinstance(x, float):
            return float(x)
        if isinstance(x, complex):
            return ["c", x.real, x.imag]
        if isinstance(x, torch.Generator):
            return self._generator(x)
        if isinstance(x, torch.dtype) and x in NAMES:
            return ["y", NAMES[x]]
        if isinstance(x, (tuple, list, dict)):
            return self._container(x, depth)
        if callable(x) and not isinstance(x, type):
            return list(self.export(x))
        return ["o", identifier(type(x).__name__)]

    def _remember(self, x: Any) -> None:
        self._known[id(x)] = len(self.given) + len(self.objects)
        self.objects.append(x)

    def _numpy(self, x: np.generic) -> Any:
        name = _NUMPY_NAMES.get(type(x))
        return ["n", name, x.item()] if name else ["o", identifier(type(x).__name__)]

    def _container(self, x: tuple | list | dict, depth: int) -> Any:
        if isinstance(x, tuple):
            return ["t", [self.value(part, depth + 1) for part in x]]
        self._remember(x)
        return self.contents(x, depth)

    def contents(self, x: list | dict, depth: int = 0) -> Any:
        """What a list or a dict holds, whether or not the other side knows the container."""
        if isinstance(x, list):
            return ["l", [self.value(part, depth + 1) for part in x]]
        return ["d", [[self._key(k), self.value(v, depth + 1)] for k, v in x.items()]]

    def _key(self, key: Any) -> Any:
        if isinstance(key, tuple):
            self._tuple_keys += 1
        if _plain(key) and self._tuple_keys <= MOST_TUPLE_KEYS:
            return self.value(key)
        return ["o", identifier(type(key).__name__)]

    def _tensor(self, x: Tensor) -> Any:
        with torch._C.DisableTorchFunctionSubclass():
            if not crosses(x):
                return ["o", "Tensor"]
            if not x.requires_grad and self._places:
                at = self._places.get(x.data_ptr())
                if at is not None and _same_memory(x, self.given[at]):
                    return ["A", at, list(x.shape)]
            about = {"g": True, "leaf": x.is_leaf} if x.requires_grad else {}
            number = self.numbers(x, **about)
        self.tensors.append(x)
        self._remember(x)
        return ["T", number]

    def _generator(self, x: torch.Generator) -> Any:
        number = self.numbers(x.get_state())
        self._remember(x)
        return ["G", number]

    def renewed(self, x: Tensor) -> int:
        """The numbers of a tensor that was changed along with its graph."""
        self.tensors.append(x)
        return self.numbers(x, g=True)

    def numbers(self, x: Tensor, **about: Any) -> int:
        """Put a tensor's numbers into the payload; gives their place among the tensors.

        Raises:
            ValueError: the message would become too large.
        """
        told, data = describe(x, compact=self.compact)
        self._size += len(data) + -len(data) % ALIGN
        if self._size > MOST_PAYLOAD - (1 << 16):  # room for what the machinery adds
            raise ValueError(f"More than {MOST_PAYLOAD >> 20} MiB of numbers in one call.")
        self._metas.append(told | about)
        self._chunks += [data, bytes(-len(data) % ALIGN)] if len(data) % ALIGN else [data]
        return len(self._metas) - 1

    def append(self, state: Tensor) -> int:
        """As `numbers`, for the machinery's own few bytes, which always find room."""
        self._size -= len(state)
        return self.numbers(state)

    def message(self, header: dict[str, Any]) -> Message:
        """The message, its header completed by what the payload holds."""
        return Message(header | {"tensors": self._metas}, chunks=self._chunks)


def _plain(key: Any) -> bool:
    """Whether a key of a dict may cross: it is hashed and compared by the other side."""
    if isinstance(key, tuple):
        return len(key) < 100 and all(_plain(part) and type(part) is not tuple for part in key)
    if isinstance(key, int):
        return abs(key) < LARGEST_KEY
    return key is None or isinstance(key, (str, float))


def _same_memory(x: Tensor, given: Tensor) -> bool:
    """Whether a tensor holds just the numbers of one that was given, perhaps in another shape."""
    return (
        x.dtype == given.dtype and x.numel() == given.numel()
        and x.is_contiguous() and given.is_contiguous()
    )  # fmt: skip


# --- a header back to values --------------------------------------------------------------------


@dataclass
class Decoder:
    """Turns one message's header and payload back into values."""

    message: Message
    resolve: Callable[[str, Any], Callable]
    """Gives the function behind a sign, or a stand-in for one."""
    given: Sequence[Any] = ()
    """Objects that the sender may point at, beside those of the message itself."""
    shape: Callable[[list[Tensor], list[dict[str, Any]]], list[Tensor]] | None = None
    """What becomes of the raw tensors before the values are put together."""
    expand: bool = False
    """Whether axes may be expanded: from an untrusted side they may not."""
    objects: list[Any] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    _nodes: int = 0
    _tuple_keys: int = 0

    def __post_init__(self) -> None:
        metas, raw = a_list(self.message.header.get("tensors", [])), []
        payload, start = self.message.payload, 0
        if not isinstance(payload, bytearray):
            payload = bytearray(payload)
        for told in metas:
            size = size_of(told)
            if start + size > len(payload):
                raise BadMessage("the payload is too short")
            raw.append(tensor_of(told, payload, start, expand=self.expand))
            start += size + -size % ALIGN
        if start != len(payload):
            raise BadMessage("the payload is too long or too short")
        self.tensors = self.shape(raw, metas) if self.shape else raw

    def value(self, part: Any, depth: int = 0) -> Any:
        """One value."""
        self._nodes += 1
        if depth > DEEPEST + 2 or self._nodes > 2 * MOST_NODES:
            raise BadMessage("a value is too deep or too large")
        if part is None or isinstance(part, (bool, float)):
            return part
        if isinstance(part, int):
            if abs(part) >= LARGEST_INT:
                raise BadMessage("an integer is too large")
            return part
        if not isinstance(part, list) or not part or not isinstance(part[0], str):
            raise BadMessage("a part of a value is none")
        return self._tagged(part, depth)

    def _tagged(self, part: list[Any], depth: int) -> Any:
        match part:
            case ["T", number]:
                return self._known_from_now(self.tensor(number))
            case ["s", str(text)] if len(text) <= LONGEST_TEXT:
                return text
            case ["t", list(parts)]:
                return tuple([self.value(p, depth + 1) for p in parts])
            case ["l", list(parts)]:
                found = self._known_from_now([])
                found += [self.value(p, depth + 1) for p in parts]
                return found
            case ["d", list(pairs)]:
                return self._dict(pairs, depth)
            case ["@", number]:
                return self._pointed_at(number)
            case ["A", number, list(shape)]:
                return self._known_from_now(self._alias(number, shape))
            case ["G", number]:
                return self._generator(self.tensor(number))
            case ["c", float(re), float(im)]:
                return complex(re, im)
            case ["y", str(name)] if name in DTYPES:
                return DTYPES[name]
            case ["n", str(name), (bool() | int() | float()) as number] if name in _NUMPY:
                return _numpy_scalar(name, number)
            case ["o", str(name)]:
                return opaque(name)
            case [("F" | "R") as kind, sign]:
                return self.resolve(kind, sign)
        raise BadMessage("a part of a value is of no known kind")

    def _known_from_now(self, x: Any) -> Any:
        self.objects.append(x)
        return x

    def tensor(self, number: Any) -> Tensor:
        """One of the message's tensors.

        Raises:
            BadMessage: there is none of that number.
        """
        if type(number) is not int or not 0 <= number < len(self.tensors):
            raise BadMessage("no such tensor")
        return self.tensors[number]

    def _pointed_at(self, number: Any) -> Any:
        known = len(self.given)
        if type(number) is not int or not 0 <= number < known + len(self.objects):
            raise BadMessage("no such object")
        return self.given[number] if number < known else self.objects[number - known]

    def _alias(self, number: Any, shape: list[Any]) -> Tensor:
        """The memory of a tensor that the sender was given, in another shape."""
        x = self._pointed_at(number)
        if not isinstance(x, Tensor) or x.dtype not in NAMES:
            raise BadMessage("memory of what is no tensor")
        told = {"y": NAMES[x.dtype], "n": shape}
        if not x.numel() or size_of(told) != x.numel() * x.element_size():
            raise BadMessage("memory in an impossible shape")
        return x.detach().reshape(shape)

    def _dict(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = self._known_from_now({})
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise BadMessage("an entry of a dict is no pair")
            key = self.value(pair[0], depth + 1)
            self._tuple_keys += isinstance(key, tuple)
            if not (_plain(key) or isinstance(key, Opaque)) or self._tuple_keys > MOST_TUPLE_KEYS:
                raise BadMessage("a key of a dict is no plain value")
            made[key] = self.value(pair[1], depth + 1)
        return made

    def _generator(self, state: Tensor) -> torch.Generator:
        made = torch.Generator()
        try:
            made.set_state(state)
        except (RuntimeError, TypeError) as error:
            raise BadMessage("no state of a generator") from error
        return self._known_from_now(made)


def _numpy_scalar(name: str, number: bool | int | float) -> np.generic:
    try:
        with np.errstate(all="ignore"):
            return _NUMPY[name](number)
    except (OverflowError, ValueError, TypeError) as error:
        raise BadMessage("a number of numpy's is out of range") from error


def a_list(part: Any) -> list[Any]:
    """A list that came, and of no more than so many parts.

    Raises:
        BadMessage: it is none.
    """
    if not isinstance(part, list) or len(part) > MOST_NODES:
        raise BadMessage("a list is needed")
    return part


# --- bytes --------------------------------------------------------------------------------------

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
