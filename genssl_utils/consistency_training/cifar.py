"""The full scale: CIFAR-10 with a few labels and a wide residual network, through the same step.

`plan_for` says what the experiment trains at each scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from sklearn.datasets import fetch_openml
from torch import nn

from genssl_utils.consistency_training.digits import (
    Recipe,
    Task,
    Training,
    digit_task,
    few_labels,
    train_all,
)
from genssl_utils.consistency_training.methods import METHODS, SUPERVISED, Method
from genssl_utils.consistency_training.networks import WideResNet
from genssl_utils.consistency_training.step import Answers
from genssl_utils.consistency_training.views import PictureViews
from genssl_utils.kit.data import split

__all__ = ["CifarTask", "Plan", "cifar_task", "plan_for", "train_plan"]


@dataclass(frozen=True)
class CifarTask(Task):
    """CIFAR-10 with its usual network."""

    def network(self, method: Method) -> nn.Module:
        """A fresh WRN-28-2."""
        return WideResNet(self.classes, dropout=method.dropout, skip=method.skip)


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


@dataclass(frozen=True)
class Plan:
    """What the experiment trains at a scale.

    Attributes:
        labels: numbers of labels a class, one training of every row for each.
        rows: the rows of the table.
        recipe: steps, batches and optimiser.
        task: labels a class and a seed → the data.
    """

    labels: tuple[int, ...]
    rows: tuple[Method, ...]
    recipe: Recipe
    task: Callable[..., Task]


_CIFAR_ROWS = (
    SUPERVISED,
    replace(METHODS["UDA"], threshold=0.8, temperature=0.4),
    replace(METHODS["MixMatch"], weight=7.5, ramp_up=0.3),  # the paper's 75 is for a mean over K
    replace(METHODS["ReMixMatch"], weight=1.5, ramp_up=0.3, unmixed=0.33),
    replace(METHODS["FixMatch"], threshold=0.95),
)
_PLANS = {
    "laptop": Plan((4,), (SUPERVISED, *METHODS.values()), Recipe(), digit_task),
    "full": Plan((4, 25), _CIFAR_ROWS, Recipe(20_000, (64, 192), 0.03, 0.9, 5e-4), cifar_task),
}


def plan_for(scale: str, *, steps: int | None = None) -> Plan:
    """What the experiment trains at a scale.

    `laptop` trains the baseline and all nine rows on the digits with 4 labels a class. `full`
    trains the baseline, UDA, MixMatch, ReMixMatch and FixMatch on CIFAR-10 with 40 and 250 labels
    by a WRN-28-2: ten trainings of 20,000 updates. FixMatch's paper takes 2²⁰ updates of 64
    labelled and 448 unlabelled pictures, views by RandAugment, and averaged weights for testing;
    ours takes none of these, so its errors will be higher than the paper's.

    Args:
        scale: `laptop` or `full`.
        steps: updates of each training, in place of the plan's own.

    Raises:
        ValueError: another scale.

    Example:
        >>> plan_for("full").labels, plan_for("full", steps=2).recipe.steps
        ((4, 25), 2)
    """
    if scale not in _PLANS:
        raise ValueError(f"scale is {scale!r}: choose one of {', '.join(_PLANS)}.")
    plan = _PLANS[scale]
    return plan if steps is None else replace(plan, recipe=replace(plan.recipe, steps=steps))


def train_plan(plan: Plan, answers: Answers, *, seed: int = 0, **how: Any) -> dict[str, Training]:
    """Train all that a plan holds.

    Args:
        plan: from `plan_for`.
        answers: the student's functions.
        seed: of the labelled pictures, weights, batches and views.
        how: passed to `train`.

    Returns:
        The trainings by the row's name; with several numbers of labels by name and number.
    """
    found = {}
    for per_class in plan.labels:
        task = plan.task(per_class, seed=seed)
        made = train_all(answers, task, plan.rows, recipe=plan.recipe, seed=seed, **how)
        note = f", {len(task.labelled[1])} labels" if len(plan.labels) > 1 else ""
        found |= {name + note: training for name, training in made.items()}
    return found
