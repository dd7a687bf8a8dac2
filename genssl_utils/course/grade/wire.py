"""Messages over a socket, each within its deadline and its size."""

from __future__ import annotations

import socket
import struct
import time

from genssl_utils.course.grade.codec import (
    MOST_HEADER,
    MOST_PAYLOAD,
    BadMessage,
    Message,
    pack_header,
    read_header,
)

_HEAD = struct.Struct(">4sIQ")
_MAGIC = b"GSL1"


class Severed(Exception):
    """The other side is gone."""


class TooSlow(Exception):
    """The other side did not answer in time."""


class Wire:
    """One end of the pipe between box and judge."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.deadline: float | None = None
        """On `time.monotonic`'s clock; None waits for ever."""

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            Severed: nobody is there to take it.
            TooSlow: it was not taken in time.
        """
        header = pack_header(message.header)
        try:
            self._wait()
            head = _HEAD.pack(_MAGIC, len(header), len(message.payload))
            self._end.sendall(head + header)
            if len(message.payload):
                self._end.sendall(message.payload)
        except TimeoutError as error:
            raise TooSlow("it did not take what it was sent") from error
        except OSError as error:
            raise Severed(str(error)) from error

    def receive(self) -> Message:
        """The next message.

        Raises:
            BadMessage: what came is none.
            Severed: the other side is gone.
            TooSlow: it did not come in time.
        """
        magic, header, payload = _HEAD.unpack(self._take(_HEAD.size))
        if magic != _MAGIC:
            raise BadMessage("no message")
        if header > MOST_HEADER or payload > MOST_PAYLOAD:
            raise BadMessage("a message is too large")
        return Message(read_header(self._take(header)), self._take(payload))

    def _take(self, size: int) -> bytearray:
        # Grown as it comes: a length that is only claimed costs nothing.
        taken = bytearray()
        try:
            while len(taken) < size:
                self._wait()
                part = self._end.recv(min(size - len(taken), 1 << 20))
                if not part:
                    raise Severed("it ended")
                taken += part
        except TimeoutError as error:
            raise TooSlow("no answer in time") from error
        except OSError as error:
            raise Severed(str(error)) from error
        return taken

    def _wait(self) -> None:
        if self.deadline is None:
            self._end.settimeout(None)
            return
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TooSlow("no answer in time")
        self._end.settimeout(left)

    def close(self) -> None:
        """Let go of it."""
        self._end.close()
