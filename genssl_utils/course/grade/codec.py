"""Values as a header and raw bytes: what may cross between box and judge, and nothing else.

A message is a JSON header and a payload. The header says what there is, the payload holds the
numbers of the tensors one behind the other. Nothing is unpickled, imported or evaluated. What does
not fit the format is refused with `BadMessage`, whatever the bytes are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

MOST_HEADER = 4 << 20
"""Bytes of a header."""
MOST_PAYLOAD = 256 << 20
"""Bytes of a payload."""
MOST_NODES = 100_000
"""Parts of one value, its containers counted."""
DEEPEST = 40
LONGEST_TEXT = 65_536
MOST_AXES = 32
LARGEST_INT = 10**300
_ALIGN = 16

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64,
        torch.complex128, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.bool,
    )
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class BadMessage(Exception):
    """The other side sent what no honest one sends."""


@dataclass
class Message:
    """One message: what it is, and the numbers of its tensors."""

    header: dict[str, Any]
    payload: bytes | bytearray | memoryview = b""


class Opaque:
    """Stands for a value that cannot cross; only the name of its class did."""


def opaque(name: str) -> Opaque:
    """A value of a class with this name and nothing in it.

    Example:
        >>> type(opaque("ndarray")).__name__
        'ndarray'
    """
    return type(_identifier(name), (Opaque,), {})()


def _identifier(name: object) -> str:
    """A class name as it may be shown; anything odd becomes `object`."""
    return name if isinstance(name, str) and name.isidentifier() and len(name) < 60 else "object"


# --- tensors ------------------------------------------------------------------------------------


def tensor_bytes(x: Tensor) -> memoryview:
    """The numbers of a CPU tensor in row-major order."""
    flat = x.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    if not flat.numel():
        return memoryview(b"")
    if flat.stride(0) != 1:  # one number, expanded
        flat = flat.clone(memory_format=torch.contiguous_format).as_strided((1,), (1,))
    return memoryview(flat.view(torch.uint8).numpy()).cast("B")


def tensor_of(dtype: str, shape: Sequence[int], data: memoryview) -> Tensor:
    """A new tensor with these numbers.

    Raises:
        BadMessage: no such dtype, an impossible shape, or too many or too few bytes for it.
    """
    kind = DTYPES.get(dtype) if isinstance(dtype, str) else None
    if kind is None:
        raise BadMessage("unknown dtype")
    if not isinstance(shape, list) or len(shape) > MOST_AXES:
        raise BadMessage("shape is not a list of sizes")
    if not all(type(size) is int and 0 <= size <= MOST_PAYLOAD for size in shape):
        raise BadMessage("shape holds what is no size")
    if math.prod(shape) * kind.itemsize != len(data):
        raise BadMessage("shape and bytes do not agree")
    if not len(data):
        return torch.empty(shape, dtype=kind)
    if kind == torch.bool:
        raw = torch.frombuffer(data, dtype=torch.uint8)
        if int(raw.max()) > 1:
            raise BadMessage("a boolean is neither 0 nor 1")
    return torch.frombuffer(bytearray(data), dtype=kind).reshape(shape)


# --- values to a header -------------------------------------------------------------------------


@dataclass
class Encoder:
    """Turns values into parts of one message's header and payload.

    What occurs twice is sent once, so that the other side sees one object, too.
    """

    export: Callable[[Callable], tuple[str, Any]]
    """Gives a function the sign under which the other side may call it."""
    compact: bool = False
    """Whether an expanded axis is sent as the one number that it holds; the judge takes none."""
    known: dict[int, int] = field(default_factory=dict)
    """Objects that the other side can be pointed at: id → number."""
    first: int = 0
    """How many of those it had before this message."""
    tensors: list[Tensor] = field(default_factory=list)
    generators: list[torch.Generator] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)
    _metas: list[dict[str, Any]] = field(default_factory=list)
    _chunks: list[memoryview] = field(default_factory=list)
    _size: int = 0
    _nodes: int = 0

    def value(self, x: Any, depth: int = 0) -> Any:
        """One value as JSON; its tensors go to the payload."""
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            return ["o", "object"]
        if id(x) in self.known:
            return ["@", self.known[id(x)]]
        if x is None or isinstance(x, bool):
            return x
        if isinstance(x, str):
            return ["s", x[:LONGEST_TEXT]]
        if isinstance(x, int):
            return int(x) if abs(x) < LARGEST_INT else ["o", "int"]
        if isinstance(x, float):
            return float(x)
        if isinstance(x, complex):
            return ["c", x.real, x.imag]
        if isinstance(x, Tensor):
            return self._tensor(x)
        if isinstance(x, torch.Generator):
            return self._generator(x)
        if isinstance(x, torch.dtype) and x in _NAMES:
            return ["y", _NAMES[x]]
        if isinstance(x, (tuple, list, dict)):
            return self._container(x, depth)
        if callable(x) and not isinstance(x, type):
            return list(self.export(x))
        return ["o", _identifier(type(x).__name__)]

    def _remember(self, x: Any) -> None:
        self.known[id(x)] = self.first + len(self.objects)
        self.objects.append(x)

    def _container(self, x: tuple | list | dict, depth: int) -> Any:
        if isinstance(x, tuple):
            return ["t", [self.value(part, depth + 1) for part in x]]
        self._remember(x)
        return self.contents(x, depth)

    def contents(self, x: list | dict, depth: int = 0) -> Any:
        """What a list or a dict holds, whether or not the other side knows the container."""
        if isinstance(x, list):
            return ["l", [self.value(part, depth + 1) for part in x]]
        pairs = [[self.value(k, depth + 1), self.value(v, depth + 1)] for k, v in x.items()]
        return ["d", pairs]

    def _tensor(self, x: Tensor) -> Any:
        if x.layout != torch.strided or x.dtype not in _NAMES or x.is_meta or x.is_quantized:
            return ["o", "Tensor"]
        with torch._C.DisableTorchFunctionSubclass():
            kept = x.detach()
            for axis, step in enumerate(x.stride()):
                if self.compact and step == 0 and x.shape[axis] > 1:
                    kept = kept.narrow(axis, 0, 1)
            about: dict[str, Any] = {"g": True, "leaf": x.is_leaf} if x.requires_grad else {}
            if kept.shape != x.shape:
                about["e"] = list(x.shape)
            number = self.numbers(kept, **about)
        self.tensors.append(x)
        self._remember(x)
        return ["T", number]

    def _generator(self, x: torch.Generator) -> Any:
        number = self.numbers(x.get_state())
        self.generators.append(x)
        self._remember(x)
        return ["G", number]

    def numbers(self, x: Tensor, **about: Any) -> int:
        """Put a tensor's numbers into the payload; gives their place among the tensors."""
        data = tensor_bytes(x.cpu())
        self._size += len(data) + -len(data) % _ALIGN
        if self._size > MOST_PAYLOAD:
            raise ValueError(f"More than {MOST_PAYLOAD >> 20} MiB of numbers in one call.")
        self._metas.append({"y": _NAMES[x.dtype], "n": list(x.shape)} | about)
        self._chunks.append(data)
        return len(self._metas) - 1

    def message(self, header: dict[str, Any]) -> Message:
        """The message, its header completed by what the payload holds."""
        padded: list[bytes | memoryview] = []
        for chunk in self._chunks:
            padded += [chunk, bytes(-len(chunk) % _ALIGN)]
        return Message(header | {"tensors": self._metas}, b"".join(padded))


# --- a header back to values --------------------------------------------------------------------


@dataclass
class Decoder:
    """Turns one message's header and payload back into values."""

    message: Message
    resolve: Callable[[str, Any], Callable]
    """Gives the function behind a sign, or a stand-in for one."""
    known: Sequence[Any] = ()
    """Objects that the sender may point at, beside those of the message itself."""
    shape: Callable[[list[Tensor], list[dict[str, Any]]], list[Tensor]] | None = None
    """What becomes of the raw tensors before the values are put together."""
    expand: bool = False
    """Whether axes may be expanded: from an untrusted side they may not."""
    objects: list[Any] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    metas: list[dict[str, Any]] = field(default_factory=list)
    generators: list[torch.Generator] = field(default_factory=list)
    _nodes: int = 0

    def __post_init__(self) -> None:
        self.metas = _list(self.message.header.get("tensors", []))
        rest = memoryview(self.message.payload)
        raw = []
        for meta in self.metas:
            if not isinstance(meta, dict):
                raise BadMessage("a tensor without a description")
            kind, shape = meta.get("y"), meta.get("n")
            size = _bytes_of(kind, shape)
            if size > len(rest):
                raise BadMessage("the payload is too short")
            raw.append(tensor_of(kind, shape, rest[:size]))
            rest = rest[size + -size % _ALIGN :]
        if len(rest):
            raise BadMessage("the payload is too long")
        if self.expand:
            raw = [
                x.expand(m["e"]) if "e" in m else x for x, m in zip(raw, self.metas, strict=True)
            ]
        self.tensors = self.shape(raw, self.metas) if self.shape else raw

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
        kind, *rest = part
        return self._tagged(kind, rest, depth)

    def _tagged(self, kind: str, rest: list[Any], depth: int) -> Any:
        match kind, rest:
            case "s", [str(text)] if len(text) <= LONGEST_TEXT:
                return text
            case "c", [float(re), float(im)]:
                return complex(re, im)
            case "y", [str(name)] if name in DTYPES:
                return DTYPES[name]
            case "o", [str(name)]:
                return opaque(name)
            case "@", [int(number)] if 0 <= number < len(self.known) + len(self.objects):
                known = len(self.known)
                return self.known[number] if number < known else self.objects[number - known]
            case "T", [int(number)] if 0 <= number < len(self.tensors):
                x = self.tensors[number]
                self.objects.append(x)
                return x
            case "G", [int(number)] if 0 <= number < len(self.tensors):
                return self._generator(self.tensors[number])
            case "t", [list(parts)]:
                return tuple(self.value(p, depth + 1) for p in parts)
            case "l", [list(parts)]:
                found: list[Any] = []
                self.objects.append(found)
                found += [self.value(p, depth + 1) for p in parts]
                return found
            case "d", [list(pairs)]:
                return self._dict(pairs, depth)
            case (("F" | "R" | "N"), [sign, *_]):
                return self.resolve(kind, sign)
        raise BadMessage("a part of a value is of no known kind")

    def _dict(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        self.objects.append(made)
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise BadMessage("an entry of a dict is no pair")
            key = self.value(pair[0], depth + 1)
            if not isinstance(key, (str, int, float, bool, tuple, type(None))):
                raise BadMessage("a key of a dict is no plain value")
            try:
                made[key] = self.value(pair[1], depth + 1)
            except TypeError as error:
                raise BadMessage("a key of a dict is no plain value") from error
        return made

    def _generator(self, state: Tensor) -> torch.Generator:
        made = torch.Generator()
        try:
            made.set_state(state)
        except (RuntimeError, TypeError) as error:
            raise BadMessage("no state of a generator") from error
        self.generators.append(made)
        self.objects.append(made)
        return made


def _bytes_of(dtype: Any, shape: Any) -> int:
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise BadMessage("unknown dtype")
    if not isinstance(shape, list) or len(shape) > MOST_AXES:
        raise BadMessage("shape is not a list of sizes")
    if not all(type(size) is int and 0 <= size <= MOST_PAYLOAD for size in shape):
        raise BadMessage("shape holds what is no size")
    size = math.prod(shape) * DTYPES[dtype].itemsize
    if size > MOST_PAYLOAD:
        raise BadMessage("a tensor is too large")
    return size


def _list(part: Any) -> list[Any]:
    if not isinstance(part, list) or len(part) > MOST_NODES:
        raise BadMessage("a list is needed")
    return part


def numbers_at(message: Message, number: Any) -> Tensor:
    """One tensor of a message, without putting its values together.

    Raises:
        BadMessage: there is none of that number.
    """
    metas = _list(message.header.get("tensors", []))
    if type(number) is not int or not 0 <= number < len(metas):
        raise BadMessage("no such tensor")
    start = 0
    for meta in metas[: number + 1]:
        if not isinstance(meta, dict):
            raise BadMessage("a tensor without a description")
        size = _bytes_of(meta.get("y"), meta.get("n"))
        begin, start = start, start + size + -size % _ALIGN
    return tensor_of(meta["y"], meta["n"], memoryview(message.payload)[begin : begin + size])


# --- bytes --------------------------------------------------------------------------------------


def pack_header(header: dict[str, Any]) -> bytes:
    """A header as bytes."""
    return json.dumps(header, separators=(",", ":"), check_circular=False).encode()


def read_header(data: bytes | bytearray) -> dict[str, Any]:
    """Bytes as a header.

    Raises:
        BadMessage: they are not JSON of an object, or nested beyond all measure.
    """
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadMessage("a header is not JSON") from error
    if not isinstance(header, dict):
        raise BadMessage("a header is not an object")
    return header
