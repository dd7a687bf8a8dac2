"""The full scale: CIFAR-10 with a few labels and a wide residual network, through the same step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.datasets import fetch_openml
from torch import Tensor, nn

from genssl_utils.consistency_training.digits import Task, digit_task, few_labels
from genssl_utils.consistency_training.views import PictureViews
from genssl_utils.kit.data import split

__all__ = ["CifarTask", "WideResNet", "cifar_task", "task_for"]


class _Block(nn.Module):
    """Two 3 × 3 convolutions before which the input is normalised, and a way round them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.BatchNorm2d(before), nn.LeakyReLU(0.1))
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.1),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
        )
        same = before == after
        self.around = nn.Identity() if same else nn.Conv2d(before, after, 1, stride, bias=False)
        self.same = same

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, S, S) → (B, after, S / stride, S / stride)."""
        entered = self.enter(x)
        return self.around(x if self.same else entered) + self.body(entered)


class WideResNet(nn.Sequential):
    """WRN-28-2: 28 layers, twice as wide as the plain one (Zagoruyko & Komodakis 2016).

    arXiv:1605.07146; with about 1.5 million parameters the usual net of semi-supervised papers.

    Args:
        classes: number of outputs K.
        width: how many times as wide.
        blocks: blocks in each of the three groups; 4 for 28 layers.
    """

    def __init__(self, classes: int = 10, width: int = 2, blocks: int = 4) -> None:
        sizes = [16, 16 * width, 32 * width, 64 * width]
        groups = [
            _Block(sizes[g] if b == 0 else sizes[g + 1], sizes[g + 1], 2 if g and not b else 1)
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
            nn.Linear(sizes[-1], classes),
        )


@dataclass(frozen=True)
class CifarTask(Task):
    """CIFAR-10 with its usual network."""

    def network(self) -> nn.Module:
        """A fresh WRN-28-2."""
        return WideResNet(self.classes)


def cifar_task(per_class: int = 4, *, seed: int = 0, name: str = "CIFAR_10") -> CifarTask:
    """CIFAR-10 with a few labels a class, from OpenML.

    Data card:
        Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, as
            OpenML offers it (`CIFAR_10`; `CIFAR_10_small` holds a third).
        Licence: none stated by its makers; for research.
        Size: 60,000 colour pictures of 32 × 32 pixels, ten classes.
        Split: ours, stratified, a sixth for testing; not the makers' own, since OpenML does not
            mark it.
        Must not be used for: claims about other pictures; it holds near-duplicates.

    Args:
        per_class: labels a class; 4 for 40 labels, 25 for 250.
        seed: which pictures are labelled.
        name: `CIFAR_10` or `CIFAR_10_small`.

    Raises:
        ConnectionError: OpenML cannot be reached and the data is not in scikit-learn's cache.
    """
    try:
        pixels, labels = fetch_openml(name, version=1, return_X_y=True, as_frame=False)
    except OSError as error:
        raise ConnectionError(
            f"The full scale needs {name} from openml.org, which cannot be reached ({error}). "
            "Run the unit at scale='laptop', or fetch the data once where there is a network."
        ) from error
    x = torch.tensor(pixels, dtype=torch.float32).view(-1, 3, 32, 32) / 255
    y = torch.tensor([int(label) for label in labels])
    data = split(x, y, test=1 / 6)
    at = few_labels(data.y_train, per_class, torch.Generator().manual_seed(seed))
    views = PictureViews(shift=4, turn=0, strength=1.0, flip=True, radius=6.0)
    return CifarTask(
        f"CIFAR-10, {per_class} labels a class", (data.x_train[at], data.y_train[at]),
        data.x_train, (data.x_test, data.y_test), views,
    )  # fmt: skip


def task_for(scale: str, per_class: int = 4, *, seed: int = 0) -> Task:
    """The task of a scale: `laptop` has the bundled digits, `full` CIFAR-10."""
    return (cifar_task if scale == "full" else digit_task)(per_class, seed=seed)
