"""A reader of digits, in whose features made digits are compared with true ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.kit.data import Split
from genssl_utils.kit.metrics import accuracy
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = ["Reader", "train_reader"]


@dataclass(frozen=True)
class Reader:
    """A classifier of the digits.

    Attributes:
        net: pictures (N, 1, 8, 8) → scores (N, 10).
        accuracy: on the test pictures.
    """

    net: nn.Sequential
    accuracy: float

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """What goes into the last layer, for pictures (N, 64): (N, 128)."""
        return self.net[:-1](x.view(-1, 1, 8, 8))

    @torch.no_grad()
    def read(self, x: Tensor) -> Tensor:
        """Which digit each of the pictures (N, 64) is, (N,)."""
        return self.net(x.view(-1, 1, 8, 8)).argmax(1)


def train_reader(data: Split, *, steps: int = 500, seed: int = 0) -> Reader:
    """Train the reader on the training digits; it is the yardstick, so take the same seed always.

    Args:
        data: pictures as rows (N, 64) with their labels.
        steps: each on 64 pictures.
        seed: of the weights and the batches.
    """
    draw = seed_all(seed, data.x_train.device)
    net = cnn(10, width=16).to(data.x_train.device)
    optimizer = torch.optim.Adam(net.parameters(), 4e-3, fused=True)
    fall = stay_then_fall(optimizer, steps)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(data.x_train), (64,), generator=draw, device=draw.device)
        x = data.x_train[rows].view(-1, 1, 8, 8)
        return F.cross_entropy(net(x), data.y_train[rows])

    fit(
        Objective(optimizer, loss), steps, title="reader", picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    with torch.no_grad():
        known = accuracy(net(data.x_test.view(-1, 1, 8, 8)), data.y_test)
    return Reader(net, known)
