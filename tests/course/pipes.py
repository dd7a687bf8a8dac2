"""A box without a sandbox: the two ends of a pipe, for tests."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from genssl_utils.course.grade.peer import BROKEN, Peer
from genssl_utils.course.grade.wire import Wire


class Far:
    """The judge's end of a pipe; `far.name(...)` calls a function on the other side."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def __getattr__(self, name: str) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self.peer.call(("N", name), args, kwargs)

        call.__name__ = name
        return call


@contextlib.contextmanager
def far_side(functions: dict[str, Callable], seconds: float = 60.0) -> Iterator[Far]:
    """Serve functions in a forked process."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        with contextlib.suppress(BaseException):
            Peer(Wire(theirs), functions.__getitem__, trusting=True, names=[*functions]).serve()
        os._exit(0)
    theirs.close()
    peer = Peer(Wire(ours), trusting=False)
    peer.wire.deadline = time.monotonic() + seconds
    try:
        yield Far(peer)
    finally:
        peer.wire.close()
        os.waitpid(child, 0)


@contextlib.contextmanager
def two_ends(functions: dict[str, Callable]) -> Iterator[tuple[Far, Peer]]:
    """Serve functions in a thread, so that both ends can be looked at."""
    ours, theirs = socket.socketpair()
    far = Peer(Wire(theirs), functions.__getitem__, trusting=True)
    thread = threading.Thread(target=_serve, args=(far,))
    thread.start()
    near = Peer(Wire(ours), trusting=False)
    near.wire.deadline = time.monotonic() + 60
    try:
        yield Far(near), far
    finally:
        near.wire.close()
        thread.join()


def _serve(peer: Peer) -> None:
    with contextlib.suppress(*BROKEN):
        peer.serve()
