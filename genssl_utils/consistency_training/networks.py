"""The networks of the unit, and the noise that Noisy Student puts into its students.

A student may be noised in two ways: dropout, and stochastic depth (Huang et al. 2016,
arXiv:1603.09382), which leaves out whole residual blocks. Both end with `eval()`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Residual", "WideResNet", "noisy_cnn"]


class Residual(nn.Module):
    """x + F(x); in training F is left out for an example with the chance `skip`.

    What stays is divided by 1 − skip, so that the mean is the same in training and in use.

    Args:
        body: F, from (B, …) to the same shape.
        skip: chance that an example goes round F, from 0 to below 1.
        around: the way round F where shapes change; None for the example itself.

    Raises:
        ValueError: `skip` is out of range.

    Example:
        >>> block = Residual(nn.Identity(), skip=0.5).train()
        >>> sorted(set(block(torch.ones(100, 1)).flatten().tolist()))
        [1.0, 3.0]
    """

    def __init__(self, body: nn.Module, skip: float = 0.0, around: nn.Module | None = None) -> None:
        super().__init__()
        if not 0 <= skip < 1:
            raise ValueError(f"skip is {skip}: it is a chance, from 0 to below 1.")
        self.body, self.skip = body, skip
        self.around = nn.Identity() if around is None else around

    def forward(self, x: Tensor) -> Tensor:
        """(B, …) → what body and way round give."""
        change = self.body(x)
        if self.training and self.skip:
            shape = (len(x), *[1] * (change.ndim - 1))
            stays = torch.rand(shape, device=x.device) >= self.skip
            change = change * stays / (1 - self.skip)
        return self.around(x) + change


def noisy_cnn(
    classes: int = 10, width: int = 16, *, dropout: float = 0.0, skip: float = 0.0
) -> nn.Sequential:
    """The small network for digits with a residual block after each pooling, and with noise.

    It is deeper than `kit.nets.cnn` of the same width: a student may be larger than its teacher.

    Args:
        classes: number of outputs K.
        width: features after the first convolution.
        dropout: share of the last features dropped in training.
        skip: chance that an example goes round a block.

    Returns:
        A fresh network, (B, 1, 8, 8) → logits (B, K).

    Example:
        >>> noisy_cnn(dropout=0.3, skip=0.2)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def block(size: int) -> Residual:
        body = nn.Sequential(
            nn.Conv2d(size, size, 3, padding=1), nn.ReLU(), nn.Conv2d(size, size, 3, padding=1)
        )
        return Residual(body, skip)

    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),  # (B, W, 8, 8)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, W, 4, 4)
        block(width),
        nn.Conv2d(width, 2 * width, 3, padding=1),  # (B, 2W, 4, 4)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 2W, 2, 2)
        block(2 * width),
        nn.Flatten(),  # (B, 8W)
        nn.Dropout(dropout),
        nn.Linear(8 * width, classes),
    )


class _Wide(nn.Module):
    """A block of the wide network: normalise, then two convolutions with a way round them."""

    def __init__(self, before: int, after: int, stride: int, skip: float) -> None:
        super().__init__()
        enter = nn.Sequential(nn.BatchNorm2d(before), nn.LeakyReLU(0.1))
        body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.1),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
        )
        if before == after:
            self.enter, self.block = nn.Identity(), Residual(nn.Sequential(enter, body), skip)
        else:  # here the way round starts after the normalisation
            around = nn.Conv2d(before, after, 1, stride, bias=False)
            self.enter, self.block = enter, Residual(body, skip, around)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, S, S) → (B, after, S / stride, S / stride)."""
        return self.block(self.enter(x))


class WideResNet(nn.Sequential):
    """WRN-28-2: 28 layers, twice as wide as the plain one (Zagoruyko & Komodakis 2016).

    arXiv:1605.07146; with about 1.5 million parameters the usual net of semi-supervised papers.

    Args:
        classes: number of outputs K.
        width: how many times as wide.
        blocks: blocks in each of the three groups; 4 for 28 layers.
        dropout: share of the last features dropped in training.
        skip: chance that an example goes round a block.
    """

    def __init__(
        self,
        classes: int = 10,
        width: int = 2,
        blocks: int = 4,
        *,
        dropout: float = 0.0,
        skip: float = 0.0,
    ) -> None:
        sizes = [16, 16 * width, 32 * width, 64 * width]
        groups = [
            _Wide(sizes[g] if b == 0 else sizes[g + 1], sizes[g + 1], 2 if g and not b else 1, skip)
            for g in range(3)
            for b in range(blocks)
        ]
        super().__init__(
            nn.Conv2d(3, 16, 3, 1, 1, bias=False),
            *groups,
            nn.BatchNorm2d(sizes[-1]),
            nn.LeakyReLU(0.1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(sizes[-1], classes),
        )
