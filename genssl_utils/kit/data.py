"""Data sets that need no download, each with its card, and the one way to split them.

A card says where the data come from, their licence, size and split, and what they must not be
used for. Read it before you draw a conclusion.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

__all__ = ["Split", "blobs", "digits", "pinwheel", "split", "two_moons"]


class Split(NamedTuple):
    """Inputs and labels, for training and for testing.

    Attributes:
        x_train: training inputs, shape (n_train, …).
        y_train: their labels, shape (n_train,), int64.
        x_test: test inputs, shape (n_test, …).
        y_test: their labels, shape (n_test,), int64.
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    def to(self, device: torch.device | str) -> Split:
        """The same split on another device."""
        return Split(*(part.to(device) for part in self))


def split(x: Tensor, y: Tensor, *, test: float = 0.3, seed: int = 0) -> Split:
    """Split examples in two parts with the same share of every class in both.

    Args:
        x: inputs, shape (n, …).
        y: class labels, shape (n,).
        test: share of the examples kept for testing, between 0 and 1.
        seed: the split depends on this number and on nothing else.

    Returns:
        A `Split`; every example is in exactly one of the two parts.

    Raises:
        ValueError: x and y differ in length, or the share is not between 0 and 1.

    Example:
        >>> parts = split(torch.arange(10.0), torch.tensor([0, 1] * 5), test=0.4)
        >>> len(parts.x_train), parts.y_test.bincount().tolist()
        (6, [2, 2])
    """
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} examples and y {len(y)}; give one label an example.")
    if not 0 < test < 1:
        raise ValueError(f"test is the share kept for testing, between 0 and 1, not {test}.")
    # scikit-learn splits positions, so that x and y may live on any device.
    train_at, test_at = train_test_split(
        range(len(y)), test_size=test, stratify=y.tolist(), random_state=seed
    )
    train_at = torch.tensor(train_at, device=y.device)
    test_at = torch.tensor(test_at, device=y.device)
    return Split(x[train_at], y[train_at], x[test_at], y[test_at])


def digits(*, flat: bool = False, test: float = 0.3, seed: int = 0) -> Split:
    """Handwritten digits, 8 × 8 pixels, as tensors with values in [0, 1].

    Data card:
        Source: test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and
            C. Kaynak, UCI Machine Learning Repository, 1998), as bundled with scikit-learn.
        Licence: CC BY 4.0 at UCI; scikit-learn ships it under BSD 3-Clause.
        Size: 1797 pictures of the digits 0 to 9, 174 to 183 of each; 17 grey levels, 0 to 16,
            divided by 16 here.
        Split: ours, stratified by class, 1257 for training and 540 for testing as the arguments
            stand. The bundle does not say who wrote what, so one writer's digits can be in both
            parts.
        Must not be used for: claims about new writers or about real documents; comparison with
            published MNIST numbers (other pictures, other size, other split).

    Args:
        flat: give each picture as a row of 64 pixels in place of (1, 8, 8).
        test: share of the pictures kept for testing.
        seed: which split.

    Returns:
        A `Split` with float32 pictures (n, 1, 8, 8) or (n, 64), and int64 labels (n,).

    Example:
        >>> data = digits()
        >>> tuple(data.x_train.shape), tuple(data.x_test.shape)
        ((1257, 1, 8, 8), (540, 1, 8, 8))
    """
    pixels, labels = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16, dtype=torch.float32)  # (1797, 64)
    y = torch.tensor(labels, dtype=torch.int64)
    return split(x if flat else x.view(-1, 1, 8, 8), y, test=test, seed=seed)


def two_moons(
    n: int, *, noise: float = 0.08, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Two interleaved half circles in the plane.

    The upper moon is (cos a, sin a), the lower one (1 − cos a, ½ − sin a), with the angle a
    uniform on [0, π] and Gaussian noise added to both coordinates.

    Data card:
        Source: made here; the shape of scikit-learn's `make_moons`, with random angles.
        Licence: MIT, as this code.
        Size: as many points as asked for; half of them (rounded down) on the upper moon.
        Split: none; draw a second set with another seed.
        Must not be used for: claims about data with more than two dimensions.

    Args:
        n: number of points.
        noise: standard deviation of the noise, in units of a moon's radius.
        generator: the source of randomness; the points are made on its device.

    Returns:
        Points (n, 2), float32, in random order, and which moon each belongs to (n,): 0 is the
        upper one.

    Raises:
        ValueError: n is not positive, or the noise is negative.
    """
    _check_cloud(n, noise)
    device = _device_of(generator)
    label = torch.randperm(n, generator=generator, device=device) >= n // 2  # (n,)
    angle = math.pi * torch.rand(n, generator=generator, device=device)
    upper = torch.stack([angle.cos(), angle.sin()], dim=1)  # (n, 2)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
    points = torch.where(label[:, None], lower, upper)
    return points + noise * _normal(n, generator), label.long()


def blobs(
    n: int,
    *,
    centres: int = 8,
    radius: float = 2.0,
    noise: float = 0.1,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Round Gaussian clouds, evenly spaced on a circle: p(x) = mean over k of N(x; μ_k, σ²I).

    Data card:
        Source: made here; the ring of eight on which mode collapse of GANs is often shown
            (Metz et al. 2017, arXiv:1611.02163).
        Licence: MIT, as this code.
        Size: as many points as asked for; every cloud is equally likely.
        Split: none; draw a second set with another seed.
        Must not be used for: claims about data whose modes overlap or differ in weight.

    Args:
        n: number of points.
        centres: number of clouds K.
        radius: radius of the circle of the means.
        noise: standard deviation σ of each cloud, in the units of the radius.
        generator: the source of randomness; the points are made on its device.

    Returns:
        Points (n, 2), float32, and the cloud that each comes from (n,), from 0 to K − 1.

    Raises:
        ValueError: n or centres is not positive, or the noise is negative.
    """
    _check_cloud(n, noise)
    if centres < 1:
        raise ValueError(f"centres is the number of clouds, at least 1, not {centres}.")
    label = torch.randint(centres, (n,), generator=generator, device=_device_of(generator))
    angle = 2 * math.pi * label / centres
    mean = radius * torch.stack([angle.cos(), angle.sin()], dim=1)  # (n, 2)
    return mean + noise * _normal(n, generator), label


def pinwheel(
    n: int, *, arms: int = 5, twist: float = 0.25, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """A wheel of curved arms: stretched Gaussians, turned the more the further out they reach.

    Data card:
        Source: made here; the shape follows Johnson et al. 2016, arXiv:1603.06277.
        Licence: MIT, as this code.
        Size: as many points as asked for; every arm is equally likely.
        Split: none; draw a second set with another seed.
        Must not be used for: claims about data with more than two dimensions.

    Args:
        n: number of points.
        arms: number of arms K.
        twist: how much an arm bends, in turns for each unit of radius.
        generator: the source of randomness; the points are made on its device.

    Returns:
        Points (n, 2), float32, and the arm that each comes from (n,), from 0 to K − 1.

    Raises:
        ValueError: n or arms is not positive.
    """
    _check_cloud(n, 0.0)
    if arms < 1:
        raise ValueError(f"arms is the number of arms, at least 1, not {arms}.")
    label = torch.randint(arms, (n,), generator=generator, device=_device_of(generator))
    along, across = (_normal(n, generator) * 0.3).unbind(dim=1)
    along, across = 1 + along, across / 3
    turn = 2 * math.pi * (label / arms + twist * along)
    x = along * turn.cos() - across * turn.sin()
    y = along * turn.sin() + across * turn.cos()
    return torch.stack([x, y], dim=1), label  # (n, 2), (n,)


def _check_cloud(n: int, noise: float) -> None:
    if n < 1:
        raise ValueError(f"n is the number of points, at least 1, not {n}.")
    if noise < 0:
        raise ValueError(f"noise is a standard deviation, 0 or more, not {noise}.")


def _device_of(generator: torch.Generator | None) -> torch.device:
    return torch.device("cpu") if generator is None else generator.device


def _normal(n: int, generator: torch.Generator | None) -> Tensor:
    return torch.randn(n, 2, generator=generator, device=_device_of(generator))
