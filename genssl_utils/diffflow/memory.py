"""What a gradient through a path keeps in memory, counted tensor by tensor."""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from genssl_utils.diffflow.process import DiffFlow, Recipe, path_loss, path_loss_recomputed
from genssl_utils.kit.tables import Table, table

__all__ = ["held_for_backward", "memory_rows", "memory_table"]


class _Kept:
    """A tensor that autograd keeps for its way back; its end is noticed."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class _Meter:
    """Bytes of all storages that are kept at once, each counted once; `peak` is the most so far."""

    def __init__(self, leave_out: nn.Module) -> None:
        self.own = {p.untyped_storage().data_ptr() for p in leave_out.parameters()}
        self.users: Counter[int] = Counter()
        self.now = self.peak = 0

    def pack(self, tensor: Tensor) -> _Kept:
        kept, storage = _Kept(tensor), tensor.untyped_storage()
        at, size = storage.data_ptr(), storage.nbytes()
        if at not in self.own:
            if not self.users[at]:
                self.now += size
                self.peak = max(self.peak, self.now)
            self.users[at] += 1
            weakref.finalize(kept, self.drop, at, size)
        return kept

    def drop(self, at: int, size: int) -> None:
        self.users[at] -= 1
        if not self.users[at]:
            self.now -= size


def held_for_backward(model: nn.Module, loss: Callable[[], Tensor]) -> int:
    """The most bytes that autograd keeps at once while a loss and its gradients are computed.

    The weights themselves are not counted: they are there anyway.
    """
    meter = _Meter(model)
    with torch.autograd.graph.saved_tensors_hooks(meter.pack, lambda kept: kept.tensor):
        loss().backward()
    return meter.peak


def memory_rows(
    recipe: Recipe, steps: Sequence[int] = (5, 10, 20, 50, 100), *, batch: int = 128,
    device: torch.device | str = "cpu",
) -> list[dict[str, float]]:  # fmt: skip
    """Both ways to the gradient for a fresh model at each number of steps.

    Returns:
        One row a number of steps: kilobytes and milliseconds of both ways, and the largest
        difference of their gradients relative to the largest slope.
    """
    torch.manual_seed(0)
    model = DiffFlow().to(device)
    with torch.no_grad():
        for net in (model.drift, model.score):  # a fresh network is 0 everywhere
            nn.init.normal_(net.body[-1].weight, std=0.1)
    x = torch.randn(batch, 2, generator=torch.Generator().manual_seed(1)).to(device)
    return [_both(model, recipe, x, n) for n in steps]


def _both(model: DiffFlow, recipe: Recipe, x: Tensor, steps: int) -> dict[str, float]:
    row, slopes = {"steps": steps}, []
    for name, loss in (("kept", path_loss), ("recomputed", path_loss_recomputed)):

        def cost(loss: Callable[..., Tensor] = loss) -> Tensor:
            return loss(model, recipe, x, steps, torch.Generator().manual_seed(2))

        row[f"{name}, kB"] = held_for_backward(model, cost) / 1000
        model.zero_grad()
        began = time.perf_counter()
        cost().backward()
        row[f"{name}, ms"] = 1000 * (time.perf_counter() - began)
        slopes.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
        model.zero_grad()
    row["gradients differ by"] = (
        (slopes[0] - slopes[1]).abs().max() / slopes[0].abs().max()
    ).item()
    return row


def memory_table(rows: Sequence[dict[str, float]]) -> Table:
    """The rows of `memory_rows`."""
    return table("What one gradient keeps and takes, 128 paths", rows)
