"""Digits in three styles, and two heaps of which no picture has its partner in the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.kit import data
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.training import Objective, fit, seed_all

__all__ = ["STYLES", "Heaps", "Reader", "heaps", "ink", "mosaic", "relief"]


def ink(x: Tensor) -> Tensor:
    """Digits as they come, (N, 1, 8, 8) from 0 to 1, as ink from −1 (paper) to 1."""
    return 2 * x - 1


def relief(x: Tensor) -> Tensor:
    """Digits pressed into a grey plate, with light from one corner: x(up, left) − x(down, right).

    Args:
        x: (N, 1, 8, 8), from 0 to 1.

    Returns:
        Pictures from −1 to 1, (N, 1, 8, 8); flat places are 0.
    """
    padded = F.pad(x, (1, 1, 1, 1))
    return padded[..., :-2, :-2] - padded[..., 2:, 2:]


def mosaic(x: Tensor) -> Tensor:
    """Digits as four tiles, each the mean of the 4 × 4 pixels under it: a style that loses.

    Args:
        x: (N, 1, 8, 8), from 0 to 1.

    Returns:
        Pictures from −1 to 1, (N, 1, 8, 8).
    """
    return 2 * F.interpolate(F.avg_pool2d(x, 4), scale_factor=4.0, mode="nearest") - 1


STYLES = {"relief": relief, "mosaic": mosaic}
"""Name → style, each from digits between 0 and 1 to pictures between −1 and 1."""


@dataclass(frozen=True)
class Heaps:
    """Two heaps to train on, and pairs to judge by.

    Data card:
        Source: the digits of `genssl_utils.kit.data.digits`, in ink and in a second style that we
            make from them.
        Licence: CC BY 4.0 at UCI, as the digits of the kit.
        Size: 628 pictures in X, 629 others in Y, 540 pairs to judge by; 8 × 8 pixels.
        Split: ours, stratified by class. No picture of X has its partner in Y, and none of the
            pairs is in either.
        Must not be used for: claims about new writers; the labels are for judging alone.

    Attributes:
        style: the name of Y's style.
        x: ink, (N, 1, 8, 8), from −1 to 1.
        y: *other* digits in the second style.
        x_labels: digits of x, for the judge alone.
        y_labels: digits of y, for the judge alone.
        x_test: pictures to be judged on.
        y_test: their true partners.
        labels: their digits.
    """

    style: str
    x: Tensor
    y: Tensor
    x_labels: Tensor
    y_labels: Tensor
    x_test: Tensor
    y_test: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> Heaps:
        """The same heaps on another device."""
        parts = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return Heaps(self.style, **parts)


def heaps(style: str = "relief", *, seed: int = 0) -> Heaps:
    """Two unpaired heaps of digits, and pairs to judge by.

    Args:
        style: `relief` or `mosaic`.
        seed: which split.

    Raises:
        ValueError: there is no such style.
    """
    if style not in STYLES:
        raise ValueError(f"style is {style!r}; choose one of {sorted(STYLES)}.")
    known = data.digits(seed=seed)
    half = data.split(known.x_train, known.y_train, test=0.5, seed=seed)
    second = STYLES[style]
    return Heaps(
        style, ink(half.x_train), second(half.x_test), half.y_train, half.y_test,
        ink(known.x_test), second(known.x_test), known.y_test,
    )  # fmt: skip


class Reader:
    """A classifier of one style: it reads what digit a picture shows, and trains on true ones.

    Args:
        pictures: (N, 1, 8, 8).
        labels: (N,).
        steps: of Adam, each on 64 pictures.
        seed: of the initial weights and the batches.
    """

    def __init__(
        self, pictures: Tensor, labels: Tensor, *, steps: int = 200, seed: int = 0
    ) -> None:
        draw = seed_all(seed, pictures.device)
        self.net = cnn(10, width=16).to(pictures.device)

        def loss(step: int) -> Tensor:
            rows = torch.randint(len(labels), (64,), generator=draw, device=pictures.device)
            return F.cross_entropy(self.net(pictures[rows]), labels[rows])

        descent = Objective(torch.optim.Adam(self.net.parameters(), 3e-3, fused=True), loss)
        fit(descent, steps, title="a reader of digits", picture=False)
        self.net.eval()

    @torch.no_grad()
    def read(self, pictures: Tensor) -> Tensor:
        """The digits that it reads, (N,)."""
        return self.net(pictures).argmax(1)

    def share_right(self, pictures: Tensor, labels: Tensor) -> float:
        """The share of the pictures that it reads as their labels say."""
        return (self.read(pictures) == labels).float().mean().item()
