"""Messages over a socket, each within its deadline and its size."""

from __future__ import annotations

import select
import socket
import struct
import time

from genssl_utils.course.grade.codec import (
    MOST_HEADER,
    BadMessage,
    Message,
    pack_header,
    read_header,
)
from genssl_utils.course.grade.raw import MOST_PAYLOAD

_HEAD = struct.Struct(">4sIQ")
_MAGIC = b"GSL1"
_GULP = 1 << 16
_MOST_PIECES = 512
"""Pieces that one system call sends; the system takes 1024 at most."""


class Severed(Exception):
    """The other side is gone."""


class TooSlow(Exception):
    """The other side did not answer in time."""


class Wire:
    """One end of the pipe between box and judge."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end, self.closed = end, False
        self._ahead = bytearray()  # received, and not yet asked for
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(end, select.POLLIN)
        self._writable.register(end, select.POLLOUT)
        self.deadline: float | None = None
        """On `time.monotonic`'s clock; None waits for ever."""

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            ValueError: it is too large; nothing was sent.
            Severed: nobody is there to take it.
            TooSlow: it was not taken in time.
        """
        header = pack_header(message.header)
        chunks = message.chunks or [message.payload]
        size = sum(map(len, chunks))
        if size > MOST_PAYLOAD:
            raise ValueError(f"More than {MOST_PAYLOAD >> 20} MiB of numbers in one call.")
        rest = [memoryview(_HEAD.pack(_MAGIC, len(header), size) + header)]
        rest += [memoryview(chunk) for chunk in chunks if len(chunk)]
        rest.reverse()
        try:
            while rest:
                self.check_time()
                self._send_some(rest)
        except OSError as error:
            raise Severed(str(error)) from error

    def _send_some(self, rest: list[memoryview]) -> None:
        """Send the pieces at the end of a list, the last one first, as far as they are taken."""
        try:
            sent = self._end.sendmsg(rest[: -_MOST_PIECES - 1 : -1])
        except BlockingIOError:
            self._wait(self._writable, "it did not take what it was sent")
            return
        while rest and sent >= len(rest[-1]):
            sent -= len(rest.pop())
        if sent:
            rest[-1] = rest[-1][sent:]

    def receive(self) -> Message:
        """The next message.

        Raises:
            BadMessage: what came is none.
            Severed: the other side is gone.
            TooSlow: it did not come in time.
        """
        self.check_time()
        magic, header, payload = _HEAD.unpack(self._take(_HEAD.size))
        if magic != _MAGIC:
            raise BadMessage("no message")
        if header > MOST_HEADER or payload > MOST_PAYLOAD:
            raise BadMessage("a message is too large")
        return Message(read_header(self._take(header)), self._take(payload))

    def _take(self, size: int) -> bytearray:
        # Grown as it comes: a length that is only claimed costs nothing.
        taken = self._ahead[:size]
        del self._ahead[:size]
        try:
            while (missing := size - len(taken)) > 0:
                part = self._receive_some(max(_GULP, min(missing, 1 << 20)))
                if not part:
                    raise Severed("it ended")
                taken += part[:missing]
                self._ahead += part[missing:]
        except OSError as error:
            raise Severed(str(error)) from error
        return taken

    def _receive_some(self, most: int) -> bytes:
        while True:
            self._wait(self._readable, "no answer in time")
            try:
                return self._end.recv(most)
            except BlockingIOError:  # somebody else took it
                continue

    def _wait(self, ready: select.poll, late: str) -> None:
        if self.closed:
            raise Severed("it is closed")
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and (left <= 0 or not ready.poll(left * 1000)):
            raise TooSlow(late)
        if left is None:
            ready.poll()

    def check_time(self) -> None:
        """Stop whoever goes on past the deadline.

        Raises:
            TooSlow: it is past.
        """
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TooSlow("no answer in time")

    def close(self) -> None:
        """Let go of it."""
        self.closed = True
        self._end.close()
