"""The experiment: a few labelled digits, many without a label, and any row of the table."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from genssl_utils.consistency_training.methods import METHODS, SUPERVISED, Method
from genssl_utils.consistency_training.networks import noisy_cnn
from genssl_utils.consistency_training.step import Answers, Step
from genssl_utils.consistency_training.views import PictureViews, Views
from genssl_utils.kit.data import digits, split
from genssl_utils.kit.metrics import accuracy
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.training import History, Objective, cpu_threads, fit

__all__ = ["Recipe", "Task", "Training", "digit_task", "few_labels", "train", "train_all"]


@dataclass(frozen=True)
class Task:
    """What a method is tried on.

    Attributes:
        name: of the data.
        labelled: inputs (N, …) and labels (N,).
        unlabelled: inputs (M, …), whose labels nobody looks at.
        held_out: inputs and labels to measure with.
        views: how the data is augmented.
        classes: number of classes K.
    """

    name: str
    labelled: tuple[Tensor, Tensor]
    unlabelled: Tensor
    held_out: tuple[Tensor, Tensor]
    views: Views
    classes: int = 10

    def network(self, method: Method) -> nn.Module:
        """A fresh network for this data, with the noise that the method asks for."""
        if method.residual or method.dropout:
            return noisy_cnn(self.classes, width=16, dropout=method.dropout, skip=method.skip)
        return cnn(self.classes, width=16)


@dataclass(frozen=True)
class Recipe:
    """How long and how a network is trained; the same for every row of the table.

    Attributes:
        steps: number of updates, shared by the rounds where there are several.
        batch: labelled and unlabelled examples an update.
        learning_rate: at the start; it falls to zero along half a cosine.
        momentum: of SGD with Nesterov's step; 0 takes Adam.
        weight_decay: pull of the weights to zero.
    """

    steps: int = 400
    batch: tuple[int, int] = (32, 48)
    learning_rate: float = 1e-2
    momentum: float = 0.0
    weight_decay: float = 0.0

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimiser of a network's weights."""
        how: dict[str, Any] = {"lr": self.learning_rate, "weight_decay": self.weight_decay}
        if self.momentum:
            return torch.optim.SGD(model.parameters(), momentum=self.momentum, nesterov=True, **how)
        return torch.optim.Adam(model.parameters(), **how)


@dataclass
class Training:
    """A trained network and how it got there.

    Attributes:
        method: what trained it.
        model: the network to use, in evaluation mode; of Mean Teacher, the averaged one.
        accuracy: on the held-out examples.
        history: loss, accuracy and share of targets that counted, as they came.
        seconds: CPU time of the training.
    """

    method: Method
    model: nn.Module
    accuracy: float
    history: History = field(default_factory=History)
    seconds: float = 0.0


def few_labels(y: Tensor, per_class: int, generator: torch.Generator) -> Tensor:
    """Positions of `per_class` examples of every class, drawn at random, (K · per_class,)."""
    order = torch.randperm(len(y), generator=generator)
    chosen = [order[y[order] == k][:per_class] for k in range(int(y.max()) + 1)]
    if any(len(part) < per_class for part in chosen):
        raise ValueError(f"A class has fewer than {per_class} examples.")
    return torch.cat(chosen)


def digit_task(per_class: int = 4, *, seed: int = 0, validation: bool = False) -> Task:
    """The bundled digits with a few labels a class; the rest of the training part unlabelled.

    The training part (1257 pictures) is cut once more: 252 pictures are a validation part on which
    the settings of `METHODS` were chosen, the other 1005 are trained on. Measured is on the 540
    test pictures.

    Args:
        per_class: labels a class.
        seed: which pictures are labelled.
        validation: measure on the validation part in place of the test part.
    """
    data = digits()
    own = split(data.x_train, data.y_train, test=0.2)
    at = few_labels(own.y_train, per_class, torch.Generator().manual_seed(seed))
    held_out = (own.x_test, own.y_test) if validation else (data.x_test, data.y_test)
    return Task(
        f"digits, {per_class} labels a class", (own.x_train[at], own.y_train[at]), own.x_train,
        held_out, PictureViews(),
    )  # fmt: skip


def train_all(
    answers: Answers, task: Task, rows: Sequence[Method] | None = None, **how: Any
) -> dict[str, Training]:
    """The baseline and every row of the table, each by its name; arguments as for `train`."""
    rows = (SUPERVISED, *METHODS.values()) if rows is None else rows
    return {row.name: train(row, answers, task, **how) for row in rows}


@cpu_threads(1)
def train(
    method: Method,
    answers: Answers,
    task: Task,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    records: int = 8,
    picture: bool = False,
) -> Training:
    """Train a fresh network by one row of the table, and measure it.

    Args:
        method: the row, or one of your own.
        answers: the student's functions.
        task: data and views.
        recipe: steps, batches and optimiser; None for those of the digits.
        seed: of weights, batches, views and the network's noise.
        device: where to train.
        records: how often the held-out accuracy is taken.
        picture: whether to draw the curves in a notebook.

    Returns:
        The training. Nothing is chosen by the held-out accuracy: the last network counts.

    Raises:
        ValueError: there are fewer steps than rounds.
    """
    recipe = recipe or Recipe()
    if recipe.steps < method.rounds:
        raise ValueError(f"{method.name} has {method.rounds} rounds: take as many steps or more.")
    began, history = time.process_time(), History()
    each = replace(recipe, steps=recipe.steps // method.rounds)
    teacher: nn.Module | None = None
    for index in range(method.rounds):
        first = method.teacher == "round" and teacher is None
        row = SUPERVISED if first else method
        # The generators of others stay as they are; weights and the network's noise draw here.
        with torch.random.fork_rng():
            torch.manual_seed(seed + 1000 * index)
            model = task.network(row).to(device)
            step = Step(
                row, answers, model, task.views, _to(task.labelled, device),
                task.unlabelled.to(device), steps=each.steps, batch=each.batch, teacher=teacher,
                generator=torch.Generator(device).manual_seed(seed + 1000 * index),
            )  # fmt: skip
            made = _run(step, each, _to(task.held_out, device), records // method.rounds, picture)
        _append(history, made)
        teacher = model
    return Training(
        method, model, made.series["accuracy"][-1], history, time.process_time() - began
    )


def _run(
    step: Step, recipe: Recipe, held_out: tuple[Tensor, Tensor], records: int, picture: bool
) -> History:
    """Train one network from its first weights to its last, and leave it in evaluation mode."""
    model, (x, y) = step.model.train(), held_out
    optimizer = recipe.optimizer(model)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.steps)
    averaged = step.method.teacher == "weights"

    def look(_: int) -> Mapping[str, float]:
        model.eval()  # no noise, and nothing is learned from what is held out
        with torch.no_grad():
            use = step.averaged if averaged else model
            scores = torch.cat([use(part) for part in x.split(1000)])
        model.train()
        return {"accuracy": accuracy(scores, y), "counted": step.passed}

    history = fit(
        Objective(optimizer, step), recipe.steps, title=step.method.name,
        record_every=max(1, recipe.steps // max(1, records)), on_record=look,
        after_step=lambda _: schedule.step(), picture=picture,
    )  # fmt: skip
    if averaged:
        model.load_state_dict(step.average)
    model.eval()
    return history


def _append(history: History, made: History) -> None:
    """Put the records of one more round behind those before it."""
    before = history.steps[-1] if history.steps else 0
    for at, *values in zip(made.steps, *made.series.values(), strict=True):
        history.add(before + at, dict(zip(made.series, values, strict=True)))


def _to(parts: tuple[Tensor, Tensor], device: torch.device | str) -> tuple[Tensor, Tensor]:
    return parts[0].to(device), parts[1].to(device)
