"""Seeds, the device and the one training loop of the course.

A model is trained by one or more objectives. Each has its own optimiser; in every step they take
their turns in order: zero_grad → loss → backward → clip → optimiser step. A classifier has one
objective, a GAN has two.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from genssl_utils.kit.live_curves import LiveCurves, notebook_shell

__all__ = [
    "History",
    "Objective",
    "Patience",
    "cpu_threads",
    "fit",
    "pick_device",
    "seed_all",
    "stay_then_fall",
]


def seed_all(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Set every seed that a unit depends on: Python's, NumPy's and torch's.

    Args:
        seed: any whole number from 0 to 2**32 − 1.
        device: where the returned generator draws.

    Returns:
        A fresh generator with the same seed, to hand to functions that take one.

    Raises:
        ValueError: the seed is out of range.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is a whole number from 0 to 2**32 − 1, not {seed}.")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator(device).manual_seed(seed)


@contextmanager
def cpu_threads(number: int) -> Iterator[None]:
    """Let torch use so many CPU threads in a `with` block, or in a function that this decorates."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pick_device(name: str = "auto") -> torch.device:
    """The device to compute on.

    Args:
        name: `auto` (a CUDA GPU where there is one, else the CPU), or a device of torch's:
            `cpu`, `cuda`, `cuda:1`, `mps`.

    Returns:
        The device, on which a tensor was made as a trial.

    Raises:
        ValueError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"There is no device {name!r} here. Use device='auto', which takes what is there."
        ) from error
    return device


@dataclass(frozen=True)
class Objective:
    """One loss with the optimiser that lowers it.

    Attributes:
        optimizer: holds the parameters that this objective moves, and no others.
        loss_fn: takes the number of the step, from 0, and returns a scalar loss. It draws its
            own batch.
        clip: largest allowed norm of the gradient over all parameters; None for no limit.
    """

    optimizer: torch.optim.Optimizer
    loss_fn: Callable[[int], Tensor]
    clip: float | None = None


@dataclass
class History:
    """What was recorded in training: step numbers, and a list of values for each series.

    Attributes:
        steps: how many steps were done at each record.
        series: name → one value a record; a loss is its mean since the record before.
        stopped_early: whether `stop` ended the training.
    """

    steps: list[int] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)
    stopped_early: bool = False

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append one record; every record names the same series."""
        if self.steps and values.keys() != self.series.keys():
            changed = sorted(values.keys() ^ self.series.keys())
            raise ValueError(
                f"Each record must name the same series; {changed} came or went. "
                "Return the same keys from on_record every time."
            )
        self.steps.append(step)
        for name, value in values.items():
            self.series.setdefault(name, []).append(float(value))


@dataclass(frozen=True)
class Patience:
    """Stop when a recorded value has not improved for some records.

    Attributes:
        metric: the series to watch, a loss or a key that `on_record` returns.
        records: how many records in a row may pass without a new best.
        higher_is_better: watch for a rise, of an accuracy say, in place of a fall.
    """

    metric: str
    records: int = 5
    higher_is_better: bool = False

    def __post_init__(self) -> None:
        if self.records < 1:
            raise ValueError(f"records must be at least 1, not {self.records}.")

    def __call__(self, history: History) -> bool:
        """Whether training should stop now."""
        if self.metric not in history.series:
            raise ValueError(
                f"Patience watches {self.metric!r}, which is not recorded; "
                f"choose one of {sorted(history.series)}."
            )
        values = history.series[self.metric]
        best = values.index(max(values) if self.higher_is_better else min(values))
        return len(values) - 1 - best >= self.records


def fit(
    objectives: Objective | Mapping[str, Objective],
    steps: int,
    *,
    title: str = "training",
    record_every: int = 50,
    on_record: Callable[[int], Mapping[str, float] | None] | None = None,
    after_step: Callable[[int], None] | None = None,
    stop: Callable[[History], bool] | None = None,
    picture: bool = True,
    threads: int = 1,
) -> History:
    """Train, with a progress bar and, in a notebook, a picture of what is recorded as it comes.

    Args:
        objectives: one objective, recorded as `loss`, or name → objective in the order of their
            turns.
        steps: number of steps; in each, every objective moves once.
        title: what is trained, for the progress bar and the picture.
        record_every: steps between two records; the last step is always recorded.
        on_record: called at each record with the number of steps done; the values that it
            returns (a validation accuracy, say) are recorded beside the losses.
        after_step: called after each step with its number from 0: a learning-rate schedule, a
            moving average of weights.
        stop: called after each record; training ends when it returns True. See `Patience`.
        picture: whether to draw the records in a notebook. Elsewhere nothing is drawn.
        threads: torch's CPU threads while training. The nets of the course are so small that one
            is fastest; with more, two trainings side by side can be 100 times slower.

    Returns:
        The history of the losses and of what `on_record` returned.

    Raises:
        ValueError: a loss is no scalar tensor, or needs no gradient; a number is not positive.
        FloatingPointError: a loss is NaN or infinite. The message names the objective.

    Example:
        >>> w = torch.tensor([4.0], requires_grad=True)
        >>> descent = Objective(torch.optim.SGD([w], lr=0.1), lambda step: (w**2).sum())
        >>> history = fit(descent, 100, record_every=50)
        >>> history.steps, abs(w.item()) < 1e-6
        ([50, 100], True)
    """
    if isinstance(objectives, Objective):
        objectives = {"loss": objectives}
    if min(steps, record_every, threads) < 1 or not objectives:
        raise ValueError("fit needs an objective; steps, record_every, threads of at least 1.")
    history, live = History(), LiveCurves(title, set(objectives)) if picture else None
    sums, since = dict.fromkeys(objectives, 0.0), 0
    # Outside a terminal or a notebook (a log, a test) a moving bar is only noise.
    bar = tqdm(total=steps, desc=title, unit="step", disable=_quiet(), mininterval=0.25)
    with bar, cpu_threads(threads):
        for step in range(steps):
            for name, objective in objectives.items():
                sums[name] += _take_turn(name, objective, step)
            since += 1
            if after_step is not None:
                after_step(step)
            bar.update()
            done = step + 1
            if done % record_every and done < steps:
                continue
            losses = {name: total / since for name, total in sums.items()}
            sums, since = dict.fromkeys(objectives, 0.0), 0
            extra = (on_record(done) or {}) if on_record is not None else {}
            if clash := losses.keys() & extra.keys():
                raise ValueError(f"on_record may not return {sorted(clash)}: objectives' names.")
            history.add(done, losses | dict(extra))
            bar.set_postfix({name: f"{value:.3g}" for name, value in losses.items()})
            if live is not None:
                live.update(history)
            if stop is not None and stop(history):
                history.stopped_early = done < steps
                break
    if live is not None:
        live.update(history, last=True)
    return history


def stay_then_fall(
    optimizer: torch.optim.Optimizer, steps: int, *, last: float = 0.5
) -> torch.optim.lr_scheduler.LambdaLR:
    """A learning rate that stays at first, and falls to 0 over the last part of a training.

    Step it after each step: `fit(..., after_step=lambda step: schedule.step())`. Two networks that
    play against each other come to rest by it.

    Args:
        optimizer: whose rates fall.
        steps: of the training.
        last: share of the steps over which they fall, above 0 and at most 1.

    Raises:
        ValueError: last is out of range.

    Example:
        >>> sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> schedule, rates = stay_then_fall(sgd, 4), []
        >>> for _ in range(4):
        ...     rates.append(sgd.param_groups[0]["lr"])
        ...     _ = sgd.step(), schedule.step()
        >>> rates
        [1.0, 1.0, 1.0, 0.5]
    """
    if not 0 < last <= 1:
        raise ValueError(f"last is a share of the steps, above 0 and at most 1, not {last}.")
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (1 - step / steps) / last)
    )


def _take_turn(name: str, objective: Objective, step: int) -> float:
    """One step of one objective; returns its loss.

    Reading the loss waits for the GPU in every step. That costs little beside the step itself,
    and a bad loss is reported before it has spoilt any parameter.
    """
    objective.optimizer.zero_grad(set_to_none=True)
    loss = objective.loss_fn(step)
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        seen = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(
            f"The loss of {name!r} must be one number, a tensor of shape (), not {seen}. "
            "Return it, and take the mean over the batch."
        )
    if not loss.requires_grad:
        raise ValueError(
            f"The loss of {name!r} depends on no parameter. Look for a detach(), item(), argmax() "
            "or torch.no_grad() between the model and the loss."
        )
    value = loss.item()
    if not math.isfinite(value):
        raise FloatingPointError(
            f"The loss of {name!r} is {value} at step {step}. Try a smaller learning rate, set "
            "clip on the objective, and look for log(0) or a division by zero."
        )
    loss.backward()
    if objective.clip is not None:
        parameters = [p for group in objective.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, objective.clip)
    objective.optimizer.step()
    return value


def _quiet() -> bool:
    return not (notebook_shell() or sys.stderr.isatty())
