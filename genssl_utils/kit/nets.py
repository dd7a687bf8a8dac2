"""Small networks: a perceptron and a convolutional net for pictures of a few pixels a side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

__all__ = ["cnn", "mlp"]


def mlp(
    inputs: int,
    outputs: int,
    *,
    hidden: Sequence[int] = (64, 64),
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """A multi-layer perceptron: linear layers with an activation between each two.

    Args:
        inputs: size of an input row; (B, inputs) goes in.
        outputs: size of an output row; (B, outputs) comes out, with no activation after it.
        hidden: widths of the hidden layers; empty for a linear map.
        activation: makes a fresh activation for each hidden layer.

    Returns:
        The network, freshly initialised from torch's global seed.

    Raises:
        ValueError: a width is not positive.

    Example:
        >>> import torch
        >>> mlp(2, 1, hidden=(16,))(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """
    widths = [inputs, *hidden, outputs]
    if min(widths) < 1:
        raise ValueError(f"Every layer needs a width of at least 1; the widths are {widths}.")
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), activation()]  # (B, before) → (B, after)
    return nn.Sequential(*layers[:-1])


def cnn(classes: int, *, channels: int = 1, width: int = 32, size: int = 8) -> nn.Sequential:
    """A small convolutional classifier for square pictures, such as the 8 × 8 digits.

    Two 3 × 3 convolutions, each followed by 2 × 2 pooling, then one linear layer.

    Args:
        classes: number of outputs K.
        channels: channels of a picture, C.
        width: features W after the first convolution; the second has twice as many.
        size: side S of a picture in pixels, a multiple of 4.

    Returns:
        The network, from (B, C, S, S) to scores (B, K), freshly initialised from torch's
        global seed.

    Raises:
        ValueError: a number is not positive, or the side is not a multiple of 4.

    Example:
        >>> import torch
        >>> cnn(10)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """
    if min(classes, channels, width) < 1:
        raise ValueError("classes, channels and width must each be at least 1.")
    if size < 4 or size % 4:
        raise ValueError(f"size is the side of a picture, a multiple of 4, not {size}.")
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),  # (B, W, S, S)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, W, S/2, S/2)
        nn.Conv2d(width, 2 * width, 3, padding=1),  # (B, 2W, S/2, S/2)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 2W, S/4, S/4)
        nn.Flatten(),  # (B, 2W·S²/16)
        nn.Linear(2 * width * (size // 4) ** 2, classes),  # (B, K)
    )
