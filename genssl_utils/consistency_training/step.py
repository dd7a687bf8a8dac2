"""One training step for every method of the table.

The loss is J(θ) = E_L[−log p(y|x)] + λ E_U[d(target, p(y|x̂))]. Which target, which view x̂ and which
distance d follow from the method's four answers. The parts that the student wrote come in as
`Answers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.consistency_training.methods import Method
from genssl_utils.consistency_training.views import Views

__all__ = ["Answers", "Step", "distance"]

TINY = 1e-8  # a probability of 0 has no logarithm


class Answers(NamedTuple):
    """The student's seven functions, by name; the exercises say what each takes and returns."""

    kl_consistency: Callable[[Tensor, Tensor], Tensor]
    sharpen: Callable[[Tensor, float], Tensor]
    pseudo_label_loss: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]
    ema_update: Callable[[dict[str, Tensor], dict[str, Tensor], float], dict[str, Tensor]]
    vat_direction: Callable[..., Tensor]
    mixup: Callable[..., tuple[Tensor, Tensor]]
    ramp_up: Callable[[int, int], float]


class Step:
    """The loss of one step for a method; `fit` calls it with the number of the step.

    Args:
        method: the row of the table.
        answers: the student's functions.
        model: the network that learns; (B, …) → logits (B, K).
        views: how the data is augmented.
        labelled: inputs (N, …) and labels (N,).
        unlabelled: inputs (M, …).
        steps: length of the training, for the ramp.
        generator: of batches, views and mixing; on the data's device.
        batch: labelled and unlabelled examples a step.
        teacher: the network of the round before; needed where the method's teacher is `round`. It
            is put in evaluation mode: the student is noised, its teacher is not.
    """

    def __init__(
        self,
        method: Method,
        answers: Answers,
        model: nn.Module,
        views: Views,
        labelled: tuple[Tensor, Tensor],
        unlabelled: Tensor,
        *,
        steps: int,
        generator: torch.Generator,
        batch: tuple[int, int] = (32, 48),
        teacher: nn.Module | None = None,
    ) -> None:
        if method.teacher == "round" and method.weight and teacher is None:
            raise ValueError(
                f"{method.name} needs a trained teacher: give the last round's network."
            )
        self.method, self.answers, self.model, self.views = method, answers, model, views
        self.x, self.y = labelled
        self.u, self.steps, self.generator, self.batch = unlabelled, steps, generator, batch
        self.round_teacher = teacher.eval() if teacher is not None else None
        self.classes = int(self.y.max()) + 1
        self.share = F.one_hot(self.y, self.classes).float().mean(0)  # of the labelled classes
        self.seen_share = self.share.clone()  # running mean of the targets
        self.average = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.memory = torch.zeros(len(unlabelled), self.classes, device=self.u.device)
        self.passed = 1.0
        """Share of the last batch whose target counted."""

    def __call__(self, step: int) -> Tensor:
        """The loss of one step."""
        x, y = self._labelled()
        if not self.method.weight:
            return F.cross_entropy(self.model(x), y)
        if self.method.teacher == "weights":
            self._follow()
        at = self._draw(len(self.u), self.batch[1])
        u = self.u[at]
        if self.method.augmentation == "adversarial":  # the step leads away from what is judged
            u = self.views.weak(u, self.generator)
        target = self._target(u, at)  # (B, K), no gradient
        seen, target = self._students(u, target)
        if self.method.mix:
            labelled, unlabelled = self._mixed(x, y, seen, target)
        else:
            logits = self.model(torch.cat([x, seen]))
            labelled = F.cross_entropy(logits[: len(x)], y)
            unlabelled = self._compare(target, logits[len(x) :])
        ramp = self.answers.ramp_up(step, int(self.method.ramp_up * self.steps))
        return labelled + self.method.weight * ramp * unlabelled

    # --- question 1: who gives the target -------------------------------------------------------

    def averaged(self, x: Tensor) -> Tensor:
        """Logits of the network whose weights are the moving average."""
        return torch.func.functional_call(self.model, self.average, x)

    def _follow(self) -> None:
        """The average takes in the weights that the last step made."""
        student = dict(self.model.state_dict())
        self.average = self.answers.ema_update(self.average, student, self.method.decay)

    def _target(self, u: Tensor, at: Tensor) -> Tensor:
        """The teacher's probabilities, averaged over weak views, and made into labels."""
        network: Any = {
            "weights": self.averaged,
            "round": self.round_teacher,
        }.get(self.method.teacher, self.model)
        with torch.no_grad():
            views = [network(self._weak(u)) for _ in range(self.method.views)]
            p = torch.stack(views).softmax(-1).mean(0)  # (B, K)
            if self.method.teacher == "predictions":
                p = self._remembered(p, at)
            if self.method.align:
                p = self._aligned(p)
            if self.method.labels == "sharpened":
                p = self.answers.sharpen(p, self.method.temperature)
        return p

    def _weak(self, u: Tensor) -> Tensor:
        """What the teacher sees; before an adversarial step, u is a weak view already."""
        if self.method.augmentation == "adversarial":
            return u
        return self.views.weak(u, self.generator)

    def _remembered(self, p: Tensor, at: Tensor) -> Tensor:
        """The moving average of an example's predictions, freed of its start at 0."""
        decay = self.method.decay
        new = self.answers.ema_update({"p": self.memory[at]}, {"p": p}, decay)["p"]
        self.memory[at] = new
        return new / new.sum(1, keepdim=True)  # the weights of the past sum to 1 − αᵗ

    # --- question 2: what is done to it ---------------------------------------------------------

    def _aligned(self, p: Tensor) -> Tensor:
        """Distribution alignment: classes that are predicted too often count less."""
        self.seen_share = 0.95 * self.seen_share + 0.05 * p.mean(0)
        moved = p * self.share / self.seen_share.clamp(min=TINY)
        return moved / moved.sum(1, keepdim=True)

    # --- question 3: what the student sees ------------------------------------------------------

    def _students(self, u: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Views of the unlabelled batch and the target of each."""
        copies = self.method.students
        u = u.repeat(copies, *[1] * (u.ndim - 1))
        if self.method.augmentation == "adversarial":
            far = self.answers.vat_direction(self.model, u, 0.1, 1, self.generator)
            seen = u + self.views.radius * far.detach()
        else:
            seen = getattr(self.views, self.method.augmentation)(u, self.generator)
        return seen, target.repeat(copies, 1)

    def _mixed(self, x: Tensor, y: Tensor, seen: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Labelled and unlabelled loss after every example was mixed with another one."""
        everything = torch.cat([x, seen])
        labels = torch.cat([F.one_hot(y, self.classes).to(target), target])
        other = torch.randperm(len(labels), generator=self.generator, device=labels.device)
        lam = self._beta(0.75)
        mixed, labels = self.answers.mixup(
            everything, labels, everything[other], labels[other], lam
        )
        logits = self.model(mixed)
        labelled = distance("CE", labels[: len(x)], logits[: len(x)]).mean()
        unlabelled = self._compare(labels[len(x) :], logits[len(x) :])
        if self.method.unmixed:  # one copy of each as it is, which steadies the start
            alone = slice(None, len(seen) // self.method.students)
            unlabelled = unlabelled + self.method.unmixed * self._compare(
                target[alone], self.model(seen[alone])
            )
        return labelled, unlabelled

    def _beta(self, a: float) -> float:
        """One draw of Beta(a, a): the share of one of two Gamma draws, by Jöhnk's method."""
        while True:
            u, v = torch.rand(2, generator=self.generator, device=self.y.device).pow(1 / a).tolist()
            if 0 < u + v <= 1:
                return u / (u + v)

    # --- question 4: how the two are compared ---------------------------------------------------

    def _compare(self, target: Tensor, logits: Tensor) -> Tensor:
        """Mean distance over the whole batch; a target below the threshold counts as 0."""
        method, teacher_logits = self.method, target.clamp(min=TINY).log()
        if method.labels == "hard":
            loss, mask = self.answers.pseudo_label_loss(teacher_logits, logits, method.threshold)
            self.passed = float(mask.float().mean())
            return loss
        keep = target.max(1).values >= method.threshold  # (B,)
        self.passed = float(keep.float().mean())
        if not keep.any():
            return logits.sum() * 0.0
        if method.loss == "KL":
            loss = self.answers.kl_consistency(teacher_logits[keep], logits[keep])
        else:
            loss = distance(method.loss, target[keep], logits[keep]).mean()
        if method.entropy:
            loss = (
                loss + method.entropy * distance("CE", logits[keep].softmax(1), logits[keep]).mean()
            )
        return loss * self.passed

    # --- batches --------------------------------------------------------------------------------

    def _labelled(self) -> tuple[Tensor, Tensor]:
        at = self._draw(len(self.y), self.batch[0])
        return self.views.weak(self.x[at], self.generator), self.y[at]

    def _draw(self, size: int, number: int) -> Tensor:
        return torch.randint(size, (number,), generator=self.generator, device=self.y.device)


def distance(kind: str, target: Tensor, logits: Tensor) -> Tensor:
    """How far a prediction is from its target, one number an example.

    Args:
        kind: `L2` (squared length of the difference of probabilities), `CE` (cross-entropy, nats)
            or `JS` (Jensen–Shannon divergence, nats).
        target: probabilities (B, K).
        logits: of the student, (B, K).

    Returns:
        Distances (B,).

    Raises:
        ValueError: another kind.

    Example:
        >>> distance("L2", torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
        tensor([0.5000])
    """
    log_q = logits.log_softmax(1)
    if kind == "CE":
        return -(target * log_q).sum(1)
    q = log_q.exp()
    if kind == "L2":
        return (target - q).square().sum(1)
    if kind == "JS":
        middle = ((target + q) / 2).clamp(min=TINY).log()
        towards = torch.special.xlogy(target, target) - target * middle
        return (towards + q * (log_q - middle)).sum(1) / 2
    raise ValueError(f"loss is {kind!r}: choose 'L2', 'CE' or 'JS'.")
