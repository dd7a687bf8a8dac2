"""In-place changes: seen by the side that works on copies, done by the side that has the things."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from genssl_utils.course.grade.codec import BadMessage, a_list
from genssl_utils.course.grade.decoder import Decoder
from genssl_utils.course.grade.encoder import Encoder
from genssl_utils.course.grade.generators import lies_ahead
from genssl_utils.course.grade.raw import crosses, describe
from genssl_utils.kit.check import CheckFailed

SET_ANEW = "The generator was set to another state. Only draw from it."


class Watched:
    """A thing as it was, to be compared with what it has become.

    Args:
        x: tensor, list, dict or generator.
        at: what the other side calls it.
        closely: whether a tensor's numbers are compared; if not, its count of changes is.
    """

    def __init__(self, x: Any, at: Any, *, closely: bool = True) -> None:
        self.x, self.at, self.closely = x, at, closely
        if isinstance(x, Tensor):
            self.needed, self.history, self.count = x.requires_grad, x.grad_fn, _count(x)
            self.before = self._of_tensor()
        elif isinstance(x, torch.Generator):
            self.before = x.get_state()
        else:
            self.before = _flat(x)

    def _of_tensor(self) -> Any:
        x = self.x
        if not self.closely:
            return _count(x)
        about, numbers = describe(x, compact=True)
        return about, bytes(numbers)

    def changes(self, encoder: Encoder) -> list[Any]:
        """What was done to it, as parts of a message."""
        return [[self.at, change] for change in self._changes(encoder)]

    def _changes(self, encoder: Encoder) -> list[Any]:
        x = self.x
        if isinstance(x, Tensor):
            return self._of_changed_tensor(encoder)
        if isinstance(x, torch.Generator):
            now = x.get_state()
            return [] if torch.equal(now, self.before) else [["G", encoder.numbers(now)]]
        now = _flat(x)
        same = len(now) == len(self.before) and all(map(operator.is_, now, self.before))
        return [] if same else [encoder.contents(x)]

    def _of_changed_tensor(self, encoder: Encoder) -> list[Any]:
        x, found = self.x, []
        if crosses(x) and self._of_tensor() != self.before:
            if x.grad_fn is not self.history:
                found.append(["T", encoder.renewed(x)])
            else:  # D: past autograd, as by `x.data`
                found.append(["D" if _count(x) == self.count else "T", encoder.numbers(x)])
        return found + (["grad"] if x.requires_grad and not self.needed else [])


def _count(x: Tensor) -> int:
    """How often autograd saw a tensor change."""
    return -1 if x.is_inference() else x._version


def _flat(x: list | dict) -> list[Any]:
    return list(x) if isinstance(x, list) else [part for pair in x.items() for part in pair]


class TakeOver:
    """Does to things of ours what a call did to the other side's copies of them.

    Args:
        decoder: of the call's answer; its value was read.
        given: what the call was given.
        lent: by number, what answers of ours gave the other side during the call.
        tick: raises when time is up.
        trusting: whether any state of a generator is believed.
    """

    def __init__(
        self, decoder: Decoder, given: Sequence[Any], lent: dict[int, Sequence[Any]],
        tick: Callable[[], None], *, trusting: bool,
    ) -> None:  # fmt: skip
        self._decoder, self._given, self._lent = decoder, given, lent
        self._tick, self._trusting = tick, trusting
        self._done: set[tuple[int, str]] = set()

    def all_of(self, told: Any) -> None:
        """Every change that was told.

        Raises:
            BadMessage: one of them is none, or happened twice.
            CheckFailed: a generator was set to a state that no draws lead to.
        """
        for entry in a_list(told):
            match entry:
                case [at, [("T" | "D") as how, number]]:
                    x, new = self._thing(at, "T", Tensor), self._decoder.tensor(number)
                    _overwrite(x, new, counted=how == "T")
                case [at, "grad"]:
                    x = self._thing(at, "grad", Tensor)
                    if x.is_leaf and (x.dtype.is_floating_point or x.is_complex()):
                        x.requires_grad_()
                case [at, ["l", _] as contents]:
                    self._thing(at, "l", list)[:] = self._decoder.value(contents)
                case [at, ["d", _] as contents]:
                    found, new = self._thing(at, "d", dict), self._decoder.value(contents)
                    found.clear()
                    found.update(new)
                case [at, ["G", number]]:
                    ours = self._thing(at, "G", torch.Generator)
                    self._generator(ours, self._decoder.tensor(number))
                case _:
                    raise BadMessage("a change to an argument is none")

    def _thing(self, at: Any, what: str, kind: type) -> Any:
        things = self._given
        if isinstance(at, list) and len(at) == 2 and type(at[0]) is int:
            things, at = self._lent.get(at[0], ()), at[1]
        if type(at) is not int or not 0 <= at < len(things) or not isinstance(things[at], kind):
            raise BadMessage("a change to what was not given")
        if (id(things[at]), what) in self._done:
            raise BadMessage("the same change twice")
        self._done.add((id(things[at]), what))
        return things[at]

    def _generator(self, ours: torch.Generator, state: Tensor) -> None:
        if not self._trusting and not lies_ahead(ours.get_state(), state, self._tick):
            raise CheckFailed(SET_ANEW)
        try:
            ours.set_state(state)
        except (RuntimeError, TypeError) as error:
            raise BadMessage("no state of a generator") from error


def _overwrite(x: Tensor, new: Tensor, *, counted: bool) -> None:
    """Give a tensor other numbers, and the place in the graph that these have."""
    if new.shape != x.shape or new.dtype != x.dtype or 0 in x.stride():
        x.data = new.detach().to(x.dtype)
    elif new.requires_grad and not (x.is_leaf and x.requires_grad):
        with torch.enable_grad():
            x.copy_(new)
    else:
        with torch.no_grad():
            (x.detach() if counted else x.data).copy_(new)
