"""Two moons with six labels, trained by any answers to the four questions, as frames."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from genssl_utils.consistency_training.methods import SUPERVISED, Method
from genssl_utils.consistency_training.step import Answers, Step
from genssl_utils.consistency_training.views import MoonViews
from genssl_utils.kit.data import two_moons
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, cpu_threads, fit

__all__ = [
    "CHOICES",
    "GRID",
    "MOMENTS",
    "WINDOW",
    "Setting",
    "frames",
    "moons",
    "settings",
    "shipped_frames",
]

CHOICES: dict[str, tuple[str, ...]] = {
    "teacher": ("latest", "weights"),
    "target": ("soft, L2", "soft, KL", "soft, JS", "sharpened, KL", "hard, CE"),
    "augmentation": ("0.05", "0.15", "0.25", "0.4", "adversarial"),
    "threshold": ("0", "0.7", "0.9", "0.97"),
    "weight": ("0.5", "2", "8"),
}
"""What the reader can choose; labels and loss stand together, since a hard label has one loss. A
number for the augmentation is the standard deviation of the student's noise."""

MOMENTS = (10, 30, 60, 100, 160, 240)
"""Updates done at each frame."""

GRID = (22, 15)
"""Columns and rows of a frame."""

WINDOW = (-1.5, 2.5, -1.0, 1.5)
"""The part of the plane that a frame shows: left, right, bottom, top."""


def moons(seed: int = 3) -> tuple[tuple[Tensor, Tensor], Tensor, tuple[Tensor, Tensor]]:
    """Six labelled points (6, 2) with labels, 300 unlabelled ones, and 1000 points to test with."""
    generator = torch.Generator().manual_seed(seed)
    x, y = two_moons(300, noise=0.1, generator=generator)
    at = torch.cat([(y == k).nonzero()[:3, 0] for k in (0, 1)])
    return (x[at], y[at]), x, two_moons(1000, noise=0.1, generator=generator)


class Setting(NamedTuple):
    """A point of the grid: the method, and how strong its views are."""

    method: Method
    views: MoonViews


def settings() -> Iterator[Setting]:
    """Every setting of the figure in the order of its frames; the first has no unlabelled loss."""
    yield Setting(SUPERVISED, MoonViews())
    for teacher, target, augmentation, threshold, weight in product(*CHOICES.values()):
        labels, loss = target.split(", ")
        adversarial = augmentation == "adversarial"
        method = Method(
            f"{teacher}; {target}; {augmentation}; p ≥ {threshold}; λ = {weight}",
            teacher,
            labels,
            augmentation if adversarial else "strong",
            loss,
            weight=float(weight),
            threshold=float(threshold),
            ramp_up=0.3,
        )
        yield Setting(method, MoonViews() if adversarial else MoonViews(strong=float(augmentation)))


@cpu_threads(1)
def frames(
    method: Method, answers: Answers, views: MoonViews | None = None, seed: int = 0
) -> tuple[np.ndarray, float]:
    """Train a small net on the moons and look at it on the way.

    Args:
        method: any row, or that of one of `settings()`.
        answers: the student's functions.
        views: how strong the noise is; None for the usual strengths.
        seed: of weights, batches and noise.

    Returns:
        The probability of the lower moon on the grid at each moment, uint8 of shape (6, 330) with
        255 for 1, rows from the top down; and the accuracy on the test points at the end.
    """
    labelled, unlabelled, (x, y) = moons()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: nn.Module = mlp(2, 2, hidden=(32, 32))
    step = Step(
        method, answers, model, views or MoonViews(), labelled, unlabelled, steps=MOMENTS[-1],
        generator=torch.Generator().manual_seed(seed), batch=(6, 64),
    )  # fmt: skip
    use = step.averaged if method.teacher == "weights" else model
    left, right, bottom, top = WINDOW
    across = torch.linspace(left, right, GRID[0])
    down = torch.linspace(top, bottom, GRID[1])
    places = torch.cartesian_prod(down, across).flip(1)  # (330, 2), row by row
    seen = []

    def look(done: int) -> None:
        if done in MOMENTS:
            with torch.no_grad():
                p = use(places).softmax(1)[:, 1]
            seen.append((255 * p).round().to(torch.uint8).numpy())

    fit(
        Objective(torch.optim.Adam(model.parameters(), 0.01), step), MOMENTS[-1],
        title=method.name, record_every=10, on_record=look, picture=False,
    )  # fmt: skip
    with torch.no_grad():
        right_ones = use(x).argmax(1) == y
    return np.stack(seen), right_ones.float().mean().item()


def shipped_frames() -> tuple[np.ndarray, np.ndarray]:
    """The frames that the live figure carries: uint8 (601, 6, 330), and the accuracies (601,).

    They were made by `bench/once/moons_frames.py` with `frames` and the unit's own answers.
    """
    path = resources.files("genssl_utils.consistency_training") / "data" / "moons.npz"
    with path.open("rb") as file:
        stored = np.load(file)
        return stored["frames"], stored["accuracy"]
