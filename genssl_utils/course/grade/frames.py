"""Calls that are open, and what a message must look like to belong to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genssl_utils.course.grade.bridge import Place
from genssl_utils.course.grade.changes import Watched
from genssl_utils.course.grade.codec import BadMessage, a_list
from genssl_utils.course.grade.decoder import Decoder


@dataclass
class Asking:
    """A call of ours that the other side has not answered yet."""

    number: int
    inputs: list[Tensor] = field(default_factory=list)
    """What was sent that has a graph here: with the call, and meanwhile in answers of ours."""
    lent: dict[int, list[Any]] = field(default_factory=dict)
    """All that they gave it, by the request's number."""
    errors: list[BaseException] = field(default_factory=list)
    """What functions of ours raised meanwhile."""


@dataclass
class Answering:
    """A call of the other side's that we have not answered yet."""

    inputs: list[Place] = field(default_factory=list)
    """What came that has a graph there: with the call, and meanwhile from calls back."""
    borrowed: list[Watched] = field(default_factory=list)
    """All that came from there meanwhile."""


def needing(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Those that need a gradient."""
    return [x for x in tensors if x.requires_grad]


def looks_like(x: Any, shape: torch.Size, dtype: torch.dtype) -> bool:
    """Whether something is a tensor of this shape and dtype."""
    return isinstance(x, Tensor) and x.shape == shape and x.dtype == dtype


def flagged_in(raw: Sequence[Tensor], metas: Sequence[dict[str, Any]]) -> list[int]:
    """Which tensors of a message have a graph on the sender's side."""
    flagged = [at for at, meta in enumerate(metas) if meta.get("g")]
    if not all(raw[at].dtype.is_floating_point or raw[at].is_complex() for at in flagged):
        raise BadMessage("whole numbers have no gradient")
    return flagged


def chosen(inputs: Sequence[Tensor], on: list[Any]) -> list[Tensor]:
    """The inputs of a call of ours that a request names, each once."""
    if not all(type(at) is int and 0 <= at < len(inputs) for at in on) or len({*on}) < len(on):
        raise BadMessage("an argument hangs on what was not given")
    return [inputs[at] for at in on]


def arguments(header: dict[str, Any], decoder: Decoder) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a request, by place and by name.

    Raises:
        BadMessage: they are not told as arguments.
    """
    given = [decoder.value(part) for part in a_list(header.get("args"))]
    named: dict[str, Any] = {}
    for pair in a_list(header.get("kwargs")):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise BadMessage("an argument by name has none")
        named[pair[0]] = decoder.value(pair[1])
    return given, named
