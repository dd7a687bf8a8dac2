"""Functions that one side gives the other to call, and forgets when nobody can call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from genssl_utils.course.grade.codec import BadMessage, a_list

Call = Callable[[Sequence[Any], Sequence[Any], dict[str, Any]], Any]


class StandIn:
    """A function of the other side, to be called like one of this side."""

    def __init__(self, functions: Functions, number: int) -> None:
        self._functions, self._number, self._times = functions, number, 0
        self.__name__ = "function"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it where it lives."""
        return self._functions.call(("F", self._number), args, kwargs)

    def __del__(self) -> None:
        self._functions.unneeded.append([self._number, self._times])


@dataclass
class _Given:
    """A function of ours that the other side has."""

    function: Callable
    times: int = 0
    """How often it was sent."""


class Functions:
    """The functions that have crossed, in both directions.

    Args:
        call: calls one of the other side's, by sign.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.unneeded: list[list[int]] = []
        """The other side's functions that nobody here holds: number, and how often it came."""
        self._given: dict[int, _Given] = {}
        self._number_of: dict[int, int] = {}  # id → number
        self._next = 0
        self._sent: list[StandIn] = []  # home, in a message that is not out yet
        self._stand_ins: WeakValueDictionary[int, StandIn] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._given)

    def export(self, function: Callable) -> tuple[str, int]:
        """The sign of a function in a value: ours (F), or the receiver's own (R)."""
        if isinstance(function, StandIn) and function._functions is self:
            self._sent.append(function)
            return "R", function._number
        number = self._number_of.get(id(function))
        if number is None:
            number, self._next = self._next, self._next + 1
            self._given[number], self._number_of[id(function)] = _Given(function), number
        self._given[number].times += 1
        return "F", number

    def resolve(self, kind: str, number: Any) -> Callable:
        """The function behind a sign in a value.

        Raises:
            BadMessage: there is none.
        """
        if kind == "R":
            return self.ours(number)
        if type(number) is not int or not 0 <= number < 1 << 62:
            raise BadMessage("no such function")
        found = self._stand_ins.get(number)
        if found is None:
            found = self._stand_ins[number] = StandIn(self, number)
        found._times += 1
        return found

    def ours(self, number: Any) -> Callable:
        """A function that the other side was given.

        Raises:
            BadMessage: it was given none of that number.
        """
        if type(number) is not int or number not in self._given:
            raise BadMessage("no such function")
        return self._given[number].function

    def sent(self) -> None:
        """The message is out: the other side has read what it names before it reads of drops."""
        self._sent.clear()

    def drop(self, told: Any) -> None:
        """The other side holds some of ours no more.

        Args:
            told: pairs of a number and of how often the other side had got it.
        """
        for pair in a_list(told):
            match pair:
                case [int(number), int(times)]:
                    self._release(number, times)
                case _:
                    raise BadMessage("no function to drop")

    def _release(self, number: int, times: int) -> None:
        given = self._given.get(number)
        if given is None:
            return
        given.times -= max(times, 0)
        if given.times <= 0:
            del self._given[number], self._number_of[id(given.function)]
