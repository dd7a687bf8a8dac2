"""What crosses with each message beside its values: noise, what is let go, what must be bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from genssl_utils.course.grade.bridge import Kept
from genssl_utils.course.grade.codec import BadMessage, Message, a_list
from genssl_utils.course.grade.decoder import Decoder
from genssl_utils.course.grade.encoder import Encoder
from genssl_utils.course.grade.functions import Call, Functions
from genssl_utils.course.grade.generators import lies_ahead
from genssl_utils.course.grade.wire import Wire

MOST_MESSAGES = 200_000
MOST_TRAFFIC = 1 << 30
"""Bytes of numbers that an untrusted side may send and be sent during one call."""
MOST_KEPT = 1 << 29
"""Bytes that graphs kept for an untrusted side may have as inputs and outputs."""
MOST_GRAPHS = 20_000

Shape = Callable[[list[Tensor], list[dict[str, Any]]], list[Tensor]]


class Link:
    """One end of the pipe with its book-keeping; `Peer` adds the calls.

    Args:
        wire: the pipe.
        call: calls a function of the other side's, by sign.
        trusting: whether the other side is ours.
    """

    def __init__(self, wire: Wire, call: Call, *, trusting: bool) -> None:
        self.wire, self._trusting = wire, trusting
        self._functions = Functions(call)
        self._kept: dict[int, Kept] = {}
        self._unneeded: list[int] = []
        self._messages = self._traffic = self._held = 0
        self._noise: Tensor | None = None  # torch's own generator, as both sides know it

    def forget(self, number: int) -> None:
        """A call's graph is needed no more; the other side is told with the next message."""
        self._unneeded.append(number)

    def _hold(self, number: int, kept: Kept) -> None:
        self._release(number)
        self._kept[number] = kept
        self._held += kept.size
        if not self._trusting and (len(self._kept) > MOST_GRAPHS or self._held > MOST_KEPT):
            raise BadMessage("too much is kept")

    def _release(self, number: Any) -> None:
        kept = self._kept.pop(number, None) if type(number) is int else None
        if kept is not None:
            self._held -= kept.size

    def _encoder(self, given: Sequence[Any] = ()) -> Encoder:
        return Encoder(self._functions.export, compact=not self._trusting, given=given)

    def _decoder(self, message: Message, shape: Shape | None, given: Sequence[Any] = ()) -> Decoder:
        resolve, trusting = self._functions.resolve, self._trusting
        return Decoder(message, resolve, given=given, shape=shape, expand=trusting)

    def _send(self, header: dict[str, Any], encoder: Encoder) -> None:
        noise, forget, drop = torch.get_rng_state(), [*self._unneeded], [*self._functions.unneeded]
        changed = self._noise is None or not torch.equal(noise, self._noise)
        if changed:
            header["noise"] = encoder.append(noise)
        if forget or drop:
            header |= {"forget": forget, "drop": drop}
        message = encoder.message(header)
        self.wire.send(message)
        if changed:
            self._noise = noise
        del self._unneeded[: len(forget)], self._functions.unneeded[: len(drop)]
        self._functions.sent()
        self._count(sum(map(len, message.chunks)))

    def _receive(self) -> Message:
        message = self.wire.receive()
        self._messages += 1
        self._count(len(message.payload))
        header = message.header
        if "forget" in header:
            for number in a_list(header["forget"]):
                self._release(number)
            self._functions.drop(header.get("drop"))
        if "noise" in header:
            self._follow(self._decoder(message, None).tensor(header["noise"]))
        return message

    def _count(self, size: int) -> None:
        self._traffic += size
        if self._trusting:
            return
        if self._messages > MOST_MESSAGES or self._traffic > MOST_TRAFFIC:
            raise BadMessage("too many messages, or too large ones")

    def _follow(self, state: Tensor) -> None:
        """Let torch's own generator go on where the other side left it."""
        if not self._trusting and (
            self._noise is None or not lies_ahead(self._noise, state, self.wire.check_time)
        ):
            self._noise = None  # set anew: with the next message ours goes out again
            return
        try:
            torch.set_rng_state(state)
        except (RuntimeError, TypeError) as error:
            raise BadMessage("no state of a generator") from error
        self._noise = state
