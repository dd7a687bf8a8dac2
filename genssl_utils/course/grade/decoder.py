"""A header and raw bytes back to values: the receiver's half, which believes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genssl_utils.course.grade.codec import (
    DEEPEST,
    LARGEST_INT,
    LONGEST_TEXT,
    MOST_NODES,
    MOST_TUPLE_KEYS,
    NUMPY,
    BadMessage,
    Message,
    Opaque,
    a_list,
    opaque,
    plain_key,
)
from genssl_utils.course.grade.raw import ALIGN, DTYPES, NAMES, size_of, tensor_of


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
            case ["n", str(name), (bool() | int() | float()) as number] if name in NUMPY:
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
            if (
                not (plain_key(key) or isinstance(key, Opaque))
                or self._tuple_keys > MOST_TUPLE_KEYS
            ):
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
            return NUMPY[name](number)
    except (OverflowError, ValueError, TypeError) as error:
        raise BadMessage("a number of numpy's is out of range") from error
