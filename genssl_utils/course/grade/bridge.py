"""Where a call across the pipe sits in autograd's graph, on the side that asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

if TYPE_CHECKING:
    from genssl_utils.course.grade.peer import Peer


Place = Tensor | GradientEdge | None
"""A place in a graph. Of a tensor that has a history it is the edge where it stood: the tensor
itself may be changed in place and stand elsewhere afterwards. None is no place at all."""


def place_of(x: Tensor) -> Place:
    """Where a tensor stands in the graph now."""
    if not x.requires_grad:
        return None
    return x if x.is_leaf else get_gradient_edge(x)


class Kept:
    """What the computing side keeps of one call, so that it can be differentiated.

    Args:
        inputs: what it hangs on.
        outputs: results that have a graph.
        order: 0 for a call, 1 for its gradient, 2 for the gradient's, …
    """

    def __init__(self, inputs: Sequence[Place], outputs: Sequence[Tensor], order: int = 0) -> None:
        self.inputs, self.order = list(inputs), order
        self.outputs = [place_of(y) for y in outputs]
        self.about = [(y.shape, y.dtype) for y in outputs]
        self.size = sum(x.nbytes for x in (*inputs, *outputs) if isinstance(x, Tensor))

    def product(
        self, grads: Sequence[Tensor | None], *, create: bool, fill: bool
    ) -> list[Tensor | None]:
        """The vector–Jacobian product: one gradient an input, None where there is none.

        Args:
            grads: one an output, or None.
            create: whether the product has a graph itself.
            fill: whether the leaves on this side get theirs in `.grad`, as by `backward()`.
        """
        pairs = [(y, g) for y, g in zip(self.outputs, grads, strict=True) if g is not None]
        inputs = [x for x in self.inputs if x is not None]
        leaves = _leaves_beside(self.outputs, inputs) if fill else []
        if not pairs or not inputs + leaves:
            return [None] * len(self.inputs)
        with torch.enable_grad():
            found = torch.autograd.grad(
                [y for y, _ in pairs], inputs + leaves, [g for _, g in pairs],
                allow_unused=True, retain_graph=True, create_graph=create,
            )  # fmt: skip
        for leaf, grad in zip(leaves, found[len(inputs) :], strict=True):
            if grad is not None:
                leaf.grad = grad if leaf.grad is None else leaf.grad + grad
        each = iter(found)
        return [None if x is None else next(each) for x in self.inputs]


def depends_on(tensors: Sequence[Tensor], places: Sequence[Place]) -> list[int]:
    """Which of some places tensors hang on directly: by their numbers, in order.

    The way from a tensor ends at a bridge: what lies beyond it is its own affair.
    """
    edges = {
        (p.node, p.output_nr): at for at, p in enumerate(places) if isinstance(p, GradientEdge)
    }
    leaves = {id(p): at for at, p in enumerate(places) if isinstance(p, Tensor)}
    found, seen = {leaves[id(x)] for x in tensors if id(x) in leaves}, set()
    open_ones = [(x.grad_fn, x.output_nr) for x in tensors if x.grad_fn is not None]
    while open_ones:
        node, output = open_ones.pop()
        if (node, output) in edges:
            found.add(edges[node, output])
        if node in seen or type(node).__name__ == "BridgeBackward":
            continue
        seen.add(node)
        if id(getattr(node, "variable", None)) in leaves:
            found.add(leaves[id(node.variable)])
        open_ones += [edge for edge in node.next_functions if edge[0] is not None]
    return sorted(found)


def _leaves_beside(outputs: Sequence[Place], inputs: Sequence[Place]) -> list[Tensor]:
    """The leaves of a graph that are none of its inputs; those beyond a bridge are not ours."""
    known, seen = {id(x) for x in inputs}, set()
    leaves = {id(y): y for y in outputs if isinstance(y, Tensor)}
    open_ones = [y.node for y in outputs if isinstance(y, GradientEdge)]
    while open_ones:
        node = open_ones.pop()
        if node in seen or type(node).__name__ == "BridgeBackward":
            continue
        seen.add(node)
        if (leaf := getattr(node, "variable", None)) is not None:
            leaves[id(leaf)] = leaf
        open_ones += [before for before, _ in node.next_functions if before is not None]
    return [leaf for at, leaf in leaves.items() if at not in known]


_PROBE = torch.zeros((), requires_grad=True).clone()
"""An input of every bridge that no gradient is ever asked for: only `backward()` comes past it."""

# The first gradient with weights imports half a second's worth of modules: once, before any fork.
torch.autograd.grad(_PROBE, _PROBE, torch.ones(()))


def _accumulates() -> bool:
    """Whether the pass that is running is a `backward()`, which fills `.grad` of all leaves."""
    return bool(torch._C._will_engine_execute_node(_PROBE.grad_fn))


class Bridge(torch.autograd.Function):
    """Results of a call across the pipe; backward asks the other side for the product."""

    @staticmethod
    def forward(
        ctx: Any, peer: Peer, number: int, raw: list[Tensor], probe: Tensor, *inputs: Tensor
    ) -> Any:
        """Give the results that came back a place in this side's graph."""
        ctx.set_materialize_grads(False)
        ctx.peer, ctx.number, ctx.hold = peer, number, _Hold(peer, number)
        ctx.about = [(x.shape, x.dtype) for x in inputs]
        ctx.save_for_backward(*inputs)
        return tuple(raw)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """The product of the results' gradients with the Jacobian that the other side keeps."""
        create, fill = torch.is_grad_enabled(), _accumulates()
        found: Sequence[Tensor | None] = [None] * len(ctx.about)
        if (found or fill) and not ctx.peer.stops_at_bridges:
            inputs = ctx.saved_tensors if create else ()
            found = ctx.peer.differentiate(ctx.number, grads, inputs, ctx.about, create, fill)
        return (None, None, None, None, *found)


def bridged(peer: Peer, number: int, raw: list[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results of a call, with their place in this side's graph.

    Args:
        peer: whose call it was.
        number: the call's.
        raw: its results, as they came.
        inputs: everything on this side that they hang on.
    """
    with torch.enable_grad():
        return list(Bridge.apply(peer, number, raw, _PROBE, *inputs))


class _Hold:
    """Lets the other side forget a call when nothing here hangs on it any more."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.peer, self.number = peer, number

    def __del__(self) -> None:
        self.peer.forget(self.number)
