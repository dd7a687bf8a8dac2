"""Values to a header and raw bytes: the sender's half."""

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
    NUMPY_NAMES,
    Message,
    identifier,
    plain_key,
)
from genssl_utils.course.grade.raw import ALIGN, MOST_PAYLOAD, NAMES, crosses, describe


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
        name = NUMPY_NAMES.get(type(x))
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
        if plain_key(key) and self._tuple_keys <= MOST_TUPLE_KEYS:
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


def _same_memory(x: Tensor, given: Tensor) -> bool:
    """Whether a tensor holds just the numbers of one that was given, perhaps in another shape."""
    return (
        x.dtype == given.dtype and x.numel() == given.numel()
        and x.is_contiguous() and given.is_contiguous()
    )  # fmt: skip
