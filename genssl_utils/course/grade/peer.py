"""Calls across the pipe, both ways, with gradients: box and judge each hold one end.

A tensor crosses as numbers. When one side calls a function of the other with inputs that need
gradients, the side that computes keeps the graph, and the side that asked gets its results out of
a `Bridge`: an autograd function whose backward asks the keeper for a vector–Jacobian product. That
product can be differentiated again. While a call runs, the side that computes may call functions
of the asking side (a model that was passed as an argument). Then the asking side's graph holds the
whole way: bridge, model, bridge, and so on; the other side differentiates its own stretches alone.
So gradients of any order reach what those functions hold.

What differs from a call in one process:

- Arguments are copies while a call runs. In-place changes are done to the originals when it ends,
  and not before: a function that is called meanwhile and holds an original sees the old numbers.
- Two tensors that share memory arrive as two. A result shares memory with an argument only where
  it holds just the same numbers, without a graph.
- An argument with gaps in its memory (a slice with steps) arrives without them.
- A gradient does not flow through what one call leaves for a later one, or through a function that
  the student passes on and that holds a tensor of the call around it.
- A graph can be differentiated twice without `retain_graph`; a second derivative of a call that
  changed its input in place is refused.
- A thread that goes on calling when the call that began it has ended breaks the link.
- Calls nest at most 20 deep. Classes are not functions: they don't cross.
- A generator or torch's own noise that is set anew by a call does not stay so: the former is
  refused, the latter ends with the call.
- Of a function's exception only the first base class that is Python's own is kept.
- A KeyboardInterrupt or SystemExit there is an ordinary exception of that name here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import RLock
from typing import Any

import torch
from torch import Tensor

from genssl_utils.course.grade.bridge import Kept, bridged, depends_on, place_of
from genssl_utils.course.grade.changes import TakeOver, Watched
from genssl_utils.course.grade.codec import BadMessage, Message, a_list
from genssl_utils.course.grade.encoder import Encoder
from genssl_utils.course.grade.errors import revive, tell
from genssl_utils.course.grade.frames import (
    Answering,
    Asking,
    arguments,
    chosen,
    flagged_in,
    looks_like,
    needing,
)
from genssl_utils.course.grade.link import Link, Shape
from genssl_utils.course.grade.wire import Severed, TooSlow, Wire
from genssl_utils.kit.check import CheckFailed

BROKEN = (BadMessage, Severed, TooSlow)
"""Raised when the other side cannot be talked to any more; never sent to it as an answer."""

ENDED = "It hangs on an answer from before your code was stopped."

DEEPEST_CALL = 20
HIGHEST_ORDER = 4
"""How often an untrusted side may differentiate: each time the graph grows by a factor."""
MOST_ERRORS = 16


class Peer(Link):
    """One end: calls what the other side offers and answers what it asks for.

    Args:
        wire: the pipe.
        lookup: gives the function behind a name, for names that this side offers.
        trusting: whether the other side is ours; the judge's end never trusts.
        names: graded functions, whose lines may be quoted when they raise.
        during: entered for each request that is not part of another one; time is kept there.
    """

    def __init__(
        self,
        wire: Wire,
        lookup: Callable[[str], Callable] | None = None,
        *,
        trusting: bool,
        names: Sequence[str] = (),
        during: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        super().__init__(wire, self.call, trusting=trusting)
        self._lookup, self._names = lookup, names
        self._during, self._lock = during, RLock()
        self._asked = 0
        self._asking: list[Asking] = []
        self._answering: list[Answering] = []
        self.stops_at_bridges = False
        """Whether a gradient ends where a bridge begins: what lies beyond is the other side's."""

    # --- asking -----------------------------------------------------------------------------

    def call(self, sign: Sequence[Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call a function of the other side.

        Args:
            sign: `("N", name)` for one that it offers by name, `("F", number)` for one it sent.
            args: its arguments.
            kwargs: its arguments by name.

        Raises:
            Exception: what the function raised there, as one that reads the same.
            BadMessage: the other side broke the rules.
            Severed: it ended.
            TooSlow: it did not answer in time.
            CheckFailed: it had ended before, or set a generator to another state.
        """
        with self._turn():
            encoder = self._encoder()
            header = {
                "kind": "call",
                "of": list(sign),
                "args": [encoder.value(x) for x in args],
                "kwargs": [[name, encoder.value(x)] for name, x in kwargs.items()],
                "grad": torch.is_grad_enabled(),
            }
            reply, asked = self._ask(header, encoder)
            join = self._joining(asked.number, asked.inputs)
            decoder = self._decoder(reply, join, encoder.objects)
            result = decoder.value(reply.header.get("value"))
            changes = TakeOver(
                decoder, encoder.objects, asked.lent, self.wire.check_time, trusting=self._trusting
            )
            changes.all_of(reply.header.get("changed", []))
            if reply.header["kind"] == "raise":
                raise self._revived(reply.header, asked)
            self._borrow(asked.number, decoder.objects)
            return result

    def differentiate(
        self, number: int, grads: Sequence[Tensor | None], inputs: Sequence[Tensor],
        about: Sequence[tuple[torch.Size, torch.dtype]], create: bool, fill: bool,
    ) -> list[Tensor | None]:  # fmt: skip
        """Ask for the vector–Jacobian product of a call.

        Args:
            number: the call's.
            grads: one an output, or None.
            inputs: of the call, with their graph; needed only where `create`.
            about: shape and dtype of each input.
            create: whether the product will be differentiated itself.
            fill: whether leaves on the other side get their share, as by `backward()`.
        """
        with self._turn():
            encoder = self._encoder()
            grads = [g if g is None or create else g.detach() for g in grads]
            parts = [None if g is None else encoder.value(g) for g in grads]
            header = {"kind": "vjp", "of": number, "grads": parts, "create": create, "fill": fill}
            reply, asked = self._ask(header, encoder)
            if reply.header["kind"] == "raise":
                raise self._revived(reply.header, asked)
            join = self._joining(asked.number, [*inputs, *asked.inputs]) if create else None
            decoder = self._decoder(reply, join)
            told = a_list(reply.header.get("value"))
            found = [None if part is None else decoder.value(part) for part in told]
        if len(found) != len(about):
            raise BadMessage("a gradient an input is needed")
        for x, (shape, dtype) in zip(found, about, strict=True):
            if x is not None and not looks_like(x, shape, dtype):
                raise BadMessage("a gradient does not look like its input")
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Around a request: one thread at a time, within its time, and never on a broken pipe."""
        with self._lock:
            if self.wire.closed:
                raise CheckFailed(ENDED)
            if len(self._asking) >= DEEPEST_CALL:
                raise RecursionError("calls across the pipe are nested too deep")
            if self._asking:
                yield
                return
            self._traffic = 0
            with self._during():
                try:
                    yield
                except BROKEN:
                    self.wire.close()
                    raise

    def _ask(self, header: dict[str, Any], encoder: Encoder) -> tuple[Message, Asking]:
        """Send a request and answer the other side's until its reply is there."""
        self._asked += 1
        asked = Asking(self._asked, needing(encoder.tensors))
        header |= {"id": asked.number, "on": self._origins(asked)}
        self._asking.append(asked)
        try:
            self._send(header, encoder)
            while True:
                message = self._receive()
                if message.header.get("kind") in ("return", "raise"):
                    break
                self._answer(message)
        finally:
            self._asking.pop()
        if message.header.get("to") != asked.number:
            raise BadMessage("an answer to what was not asked")
        return message, asked

    def _origins(self, asked: Asking) -> list[int]:
        """What the arguments of a call back hang on, among the inputs of the call being answered.

        The other side puts them into its graph there. This side keeps the way between.
        """
        if not self._answering or not asked.inputs:
            return []
        places = self._answering[-1].inputs
        on = depends_on(asked.inputs, places)
        if on:
            self._hold(-asked.number, Kept([places[at] for at in on], asked.inputs))
        return on

    def _joining(self, number: int, inputs: list[Tensor]) -> Shape:
        """Puts those tensors of a reply that have a graph there into the graph here."""

        def join(raw: list[Tensor], metas: list[dict[str, Any]]) -> list[Tensor]:
            flagged = flagged_in(raw, metas)
            if flagged:
                results = bridged(self, number, [raw[at] for at in flagged], inputs)
                for at, x in zip(flagged, results, strict=True):
                    raw[at] = x
                if self._answering:
                    self._answering[-1].inputs += [place_of(x) for x in results]
            return raw

        return join

    def _borrow(self, number: int, objects: Sequence[Any]) -> None:
        """Watch what a call back has brought: the call that we are answering may change it."""
        if self._answering:
            self._answering[-1].borrowed += [
                Watched(x, [number, at], closely=False) for at, x in enumerate(objects)
            ]

    def _revived(self, header: dict[str, Any], asked: Asking) -> BaseException:
        """What the other side raised; the very object, where it came from a function of ours."""
        origin = header.get("origin")
        if type(origin) is int and 0 <= origin < len(asked.errors):
            return asked.errors[origin]
        error = revive(header.get("error"))
        error.origin = (self, header.get("remember"))
        return error

    # --- answering --------------------------------------------------------------------------

    def serve(self) -> None:
        """Answer until the other side is gone."""
        while True:
            try:
                self._answer(self._receive())
            except Severed:
                return

    def _answer(self, message: Message) -> None:
        number = message.header.get("id")
        if type(number) is not int or len(self._answering) >= DEEPEST_CALL:
            raise BadMessage("a request without a number, or nested too deep")
        self._answering.append(Answering())
        try:
            match message.header.get("kind"):
                case "call":
                    reply, encoder, kept = self._called(message)
                case "vjp":
                    reply, encoder, kept = self._differentiated(message)
                case _:
                    raise BadMessage("a request of no known kind")
            self._reply(number, reply, encoder)
        except BROKEN:
            raise
        except BaseException as error:  # a student's code may raise anything
            reply, encoder, kept = self._told(error), self._encoder(), Kept([], [])
            self._reply(number, reply, encoder)
        finally:
            self._answering.pop()
        self._keep(number, kept, encoder)

    def _reply(self, number: int, reply: dict[str, Any], encoder: Encoder) -> None:
        with self._lock:  # another thread of the function's may be asking
            self._send(reply | {"to": number}, encoder)

    def _called(self, message: Message) -> tuple[dict[str, Any], Encoder, Kept]:
        header, here = message.header, self._answering[-1]
        decoder = self._decoder(message, self._growing(header, here))
        given, named = arguments(header, decoder)
        function = self._function_of(header.get("of"))
        watched = [Watched(x, at) for at, x in enumerate(decoder.objects)]
        encoder = self._encoder(decoder.objects)
        try:
            with torch.set_grad_enabled(bool(header.get("grad"))):
                result = function()(*given, **named)
        except BROKEN:
            raise
        except BaseException as error:
            reply = self._told(error)
        else:
            reply = {"kind": "return", "value": encoder.value(result)}
        reply["changed"] = [c for w in (*watched, *here.borrowed) for c in w.changes(encoder)]
        return reply, encoder, Kept(here.inputs, needing(encoder.tensors))

    def _differentiated(self, message: Message) -> tuple[dict[str, Any], Encoder, Kept]:
        header, here = message.header, self._answering[-1]
        create, of = bool(header.get("create")), header.get("of")
        kept = self._kept.get(of) if type(of) is int else None
        told = a_list(header.get("grads"))
        if kept is None or len(told) != len(kept.outputs):
            raise BadMessage("a gradient of what was not computed")
        if not self._trusting and kept.order >= HIGHEST_ORDER:
            raise BadMessage("a derivative of too high an order")
        decoder = self._decoder(message, self._growing(header, here) if create else None)
        grads = [None if part is None else decoder.value(part) for part in told]
        for (shape, dtype), g in zip(kept.about, grads, strict=True):
            if g is not None and not looks_like(g, shape, dtype):
                raise BadMessage("a gradient does not look like its output")
        self.stops_at_bridges = True  # what lies beyond them, the other side has in its own graph
        try:
            found = kept.product(grads, create=create, fill=bool(header.get("fill")))
        finally:
            self.stops_at_bridges = False
        encoder = self._encoder()
        parts = [None if x is None else encoder.value(x if create else x.detach()) for x in found]
        again = Kept(kept.inputs + here.inputs, needing(encoder.tensors), kept.order + 1)
        return {"kind": "return", "value": parts}, encoder, again

    def _growing(self, header: dict[str, Any], here: Answering) -> Shape:
        """Gives those tensors of a request that need a gradient their place; notes where it is.

        They are leaves, unless the request says on which inputs of a call of ours they hang.
        """

        def grow(raw: list[Tensor], metas: list[dict[str, Any]]) -> list[Tensor]:
            flagged, on = flagged_in(raw, metas), a_list(header.get("on", []))
            if on and flagged:
                inputs = chosen(self._asking[-1].inputs if self._asking else [], on)
                number = -header["id"]
                joined = bridged(self, number, [raw[at] for at in flagged], inputs)
                here.inputs += [place_of(x) for x in joined]
                for at, x in zip(flagged, joined, strict=True):
                    raw[at] = x
                return raw
            for at in flagged:
                with torch.enable_grad():
                    leaf = raw[at].requires_grad_()
                    here.inputs.append(leaf)
                    raw[at] = leaf if metas[at].get("leaf") else leaf.clone()
            return raw

        return grow

    def _told(self, error: BaseException) -> dict[str, Any]:
        """A reply that says what was raised."""
        if isinstance(error, KeyboardInterrupt) and not self._trusting:
            raise error  # somebody wants this process to end
        reply: dict[str, Any] = {"kind": "raise", "error": tell(error, self._names)}
        whose, number = getattr(error, "origin", (None, None))
        if whose is self:
            reply["origin"] = number
        if self._asking and len(self._asking[-1].errors) < MOST_ERRORS:
            reply["remember"] = len(self._asking[-1].errors)
            self._asking[-1].errors.append(error)
        return reply

    def _keep(self, number: int, kept: Kept, encoder: Encoder) -> None:
        """Hold what the other side may come back to."""
        if kept.outputs:
            self._hold(number, kept)
        if self._asking:  # the other side asked in the middle of a call of ours
            self._asking[-1].inputs += needing(encoder.tensors)
            self._asking[-1].lent[number] = encoder.objects

    def _function_of(self, of: Any) -> Callable[[], Callable]:
        """Finds the function that a request names: one of ours, by number (F) or by name (N)."""
        match of:
            case ["N", str(name)] if self._lookup:
                lookup = self._lookup
                return lambda: lookup(name)
            case ["F", number]:
                found = self._functions.ours(number)
                return lambda: found
        raise BadMessage("no such function")
