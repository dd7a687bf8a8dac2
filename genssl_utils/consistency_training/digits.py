"""The experiment: a few labelled digits, many without a label, and any row of the table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from genssl_utils.consistency_training.methods import METHODS, SUPERVISED, Method
from genssl_utils.consistency_training.step import Answers, Step
from genssl_utils.consistency_training.views import PictureViews, Views
from genssl_utils.kit.data import digits, split
from genssl_utils.kit.metrics import accuracy
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.training import History, Objective, cpu_threads, fit

__all__ = ["Task", "Training", "digit_task", "few_labels", "train", "train_all"]


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

    def network(self) -> nn.Module:
        """A fresh network for this data."""
        return cnn(self.classes, width=16)


@dataclass
class Training:
    """A trained network and how it got there.

    Attributes:
        method: what trained it.
        model: the network to use; of Mean Teacher, the averaged one.
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


def train_all(answers: Answers, task: Task, **how: Any) -> dict[str, Training]:
    """The baseline and every row of the table, each by its name; arguments as for `train`."""
    rows = (SUPERVISED, *METHODS.values())
    return {row.name: train(row, answers, task, **how) for row in rows}


@cpu_threads(1)
def train(
    method: Method,
    answers: Answers,
    task: Task,
    *,
    steps: int = 400,
    batch: tuple[int, int] = (32, 48),
    learning_rate: float = 1e-2,
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
        steps: number of updates, shared by the rounds where there are several.
        batch: labelled and unlabelled examples an update.
        learning_rate: of Adam at the start; it falls to zero along a quarter of a cosine.
        seed: of weights, batches and views.
        device: where to train.
        records: how often the held-out accuracy is taken.
        picture: whether to draw the curves in a notebook.

    Returns:
        The training. Nothing is chosen by the held-out accuracy: the last network counts.

    Raises:
        ValueError: there are fewer steps than rounds.
    """
    if steps < method.rounds:
        raise ValueError(f"{method.name} has {method.rounds} rounds: take as many steps or more.")
    began, trained, teacher = time.process_time(), None, None
    for index in range(method.rounds):
        row = method if teacher is not None or method.teacher != "round" else SUPERVISED
        trained, teacher = _round(
            row, answers, task, steps // method.rounds, batch, learning_rate, seed + 1000 * index,
            device, max(1, records // method.rounds), picture, teacher, trained,
        )  # fmt: skip
    trained.method, trained.seconds = method, time.process_time() - began
    return trained


def _round(
    method: Method, answers: Answers, task: Task, steps: int, batch: tuple[int, int], rate: float,
    seed: int, device: torch.device | str, records: int, picture: bool,
    teacher: nn.Module | None, before: Training | None,
) -> tuple[Training, nn.Module]:  # fmt: skip
    """One network from its first weights to its last."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = task.network().to(device)
    step = Step(
        method, answers, model, task.views,
        tuple(part.to(device) for part in task.labelled), task.unlabelled.to(device),
        steps=steps, generator=torch.Generator(device).manual_seed(seed), batch=batch,
        teacher=teacher,
    )  # fmt: skip
    x, y = (part.to(device) for part in task.held_out)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    use = step.averaged if method.teacher == "weights" else model
    history = before.history if before else History()
    done_before = history.steps[-1] if history.steps else 0

    def look(done: int) -> Mapping[str, float]:
        with torch.no_grad():
            return {"accuracy": accuracy(use(x), y), "counted": step.passed}

    made = fit(
        Objective(optimizer, step), steps, title=method.name,
        record_every=max(1, steps // records), on_record=look,
        after_step=lambda _: schedule.step(), picture=picture,
    )  # fmt: skip
    for at, *values in zip(made.steps, *made.series.values(), strict=True):
        history.add(done_before + at, dict(zip(made.series, values, strict=True)))
    if method.teacher == "weights":
        model.load_state_dict(step.average)
    return Training(method, model, made.series["accuracy"][-1], history), model
