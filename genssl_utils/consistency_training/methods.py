"""Four design questions, and the published methods as answers to them.

Who gives the target, what is done to it, what the student sees, and how the two are compared: each
method of the unit is one row of `METHODS`, and nothing else. The one training step that reads a row
is in `step.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args, get_type_hints

__all__ = ["METHODS", "QUESTIONS", "SUPERVISED", "Method", "mixed"]

Teacher = Literal["latest", "weights", "predictions", "round"]
Labels = Literal["soft", "sharpened", "hard"]
Augmentation = Literal["weak", "strong", "adversarial"]
Loss = Literal["L2", "CE", "KL", "JS"]

QUESTIONS = {
    "teacher": "who gives the target",
    "labels": "what is done to it",
    "augmentation": "what the student sees",
    "loss": "how the two are compared",
}
"""The four design questions, in the order of the table."""


@dataclass(frozen=True)
class Method:
    """A way to train on unlabelled examples: the four answers, and the numbers that go with them.

    Attributes:
        name: what it is called.
        teacher: whose prediction is the target: the `latest` network, a network whose `weights` are
            a moving average, the moving average of the `predictions` for that example, or the
            network that the last `round` ended with.
        labels: the target is left `soft`, `sharpened` by a temperature, or made `hard`.
        augmentation: what the student sees: a `weak`, a `strong` or an `adversarial` view.
        loss: squared distance (`L2`), cross-entropy (`CE`), `KL` or Jensen–Shannon (`JS`).
        weight: λ, the weight of the unlabelled loss beside the labelled one.
        ramp_up: share of the training over which λ rises from almost nothing.
        threshold: the target counts where its largest probability reaches this; 0 keeps all.
        temperature: T of the sharpening.
        decay: α of the moving average.
        views: weak views whose predictions are averaged to the target.
        students: augmented copies of each example that learn from one target.
        mix: whether labelled and unlabelled examples are mixed in pairs.
        unmixed: weight of one unmixed copy beside the mixed ones.
        align: whether the targets' mean is moved towards the labelled classes' shares.
        entropy: weight of the entropy of the student's own predictions.
        rounds: how often the teacher is replaced by its student; 1 for all but Noisy Student.
        residual: whether the student has residual blocks, and so is deeper than its first teacher.
        dropout: share of the student's last features dropped while it learns.
        skip: chance that an example goes round a residual block of the student (stochastic depth).
        paper: where it comes from.
    """

    name: str
    teacher: Teacher = "latest"
    labels: Labels = "soft"
    augmentation: Augmentation = "weak"
    loss: Loss = "KL"
    weight: float = 1.0
    ramp_up: float = 0.0
    threshold: float = 0.0
    temperature: float = 0.5
    decay: float = 0.95
    views: int = 1
    students: int = 1
    mix: bool = False
    unmixed: float = 0.0
    align: bool = False
    entropy: float = 0.0
    rounds: int = 1
    residual: bool = False
    dropout: float = 0.0
    skip: float = 0.0
    paper: str = ""

    def __post_init__(self) -> None:
        for question, kind in get_type_hints(Method).items():
            answer = getattr(self, question)
            if question in QUESTIONS and answer not in get_args(kind):
                raise ValueError(f"{question} is {answer!r}: choose one of {get_args(kind)}.")
        if self.labels == "hard" and self.loss not in ("CE", "KL"):
            raise ValueError("A hard label needs the loss 'CE': pseudo_label_loss holds both.")
        if not 0 <= self.threshold <= 1 or not 0 <= self.decay < 1 or self.temperature <= 0:
            raise ValueError("Take 0 ≤ threshold ≤ 1, 0 ≤ decay < 1 and temperature > 0.")
        if not (0 <= self.dropout < 1 and 0 <= self.skip < 1):
            raise ValueError("dropout and skip are chances: take each from 0 to below 1.")
        if self.skip and not self.residual:
            raise ValueError("Only residual blocks can be skipped: set residual=True.")
        if min(self.views, self.students, self.rounds) < 1 or min(self.weight, self.entropy) < 0:
            raise ValueError(
                "Take views, students, rounds of at least 1, and weights of at least 0."
            )

    def answers(self) -> dict[str, str]:
        """The row of the table: each of the four questions with its answer in words."""
        teacher = {
            "latest": "latest network",
            "weights": "average of weights",
            "predictions": "average of predictions",
            "round": "the last round's network",
        }[self.teacher]
        labels = self.labels + (f", T = {self.temperature:g}" if self.labels == "sharpened" else "")
        labels += ", aligned" if self.align else ""
        labels += f", p ≥ {self.threshold:g}" if self.threshold else ""
        augmentation = self.augmentation + (f" × {self.students}" if self.students > 1 else "")
        augmentation += " + mixup" if self.mix else ""
        augmentation += " + dropout" if self.dropout else ""
        augmentation += " + skipped blocks" if self.skip else ""
        return {
            "teacher": teacher + (f", {self.views} views" if self.views > 1 else ""),
            "labels": labels,
            "augmentation": augmentation,
            "loss": self.loss + (" + entropy" if self.entropy else ""),
        }


SUPERVISED = Method("supervised, weak views", weight=0.0)
"""The fair baseline: the same labelled batches under the same weak augmentation, and no more."""

METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method("Π-model", "latest", "soft", "weak", "L2",
               weight=10, ramp_up=0.5, paper="laine2017temporal"),
        Method("Temporal Ensembling", "predictions", "soft", "weak", "L2",
               weight=10, ramp_up=0.5, decay=0.8, paper="laine2017temporal"),
        Method("Mean Teacher", "weights", "soft", "weak", "L2",
               weight=10, ramp_up=0.3, paper="tarvainen2017mean"),
        Method("VAT", "latest", "soft", "adversarial", "KL",
               weight=0.3, entropy=0.3, paper="miyato2019virtual"),
        Method("UDA", "latest", "sharpened", "strong", "KL",
               weight=1, threshold=0.8, temperature=0.4, paper="xie2020unsupervised"),
        Method("MixMatch", "latest", "sharpened", "weak", "L2",
               weight=10, ramp_up=0.5, views=2, students=2, mix=True,
               paper="berthelot2019mixmatch"),
        Method("ReMixMatch", "latest", "sharpened", "strong", "CE",
               weight=1, ramp_up=0.3, students=2, mix=True, unmixed=0.5, align=True,
               paper="berthelot2020remixmatch"),
        Method("FixMatch", "latest", "hard", "strong", "CE",
               weight=1, threshold=0.8, paper="sohn2020fixmatch"),
        Method("Noisy Student", "round", "hard", "strong", "CE",
               weight=1, rounds=3, align=True, residual=True, dropout=0.1, skip=0.1,
               paper="xie2020self"),
    )
}  # fmt: skip
"""The eight rows of the table and Noisy Student, with the settings of the experiment on digits.

They were chosen on a validation part of the training pictures (`digits.py`), never on test labels.
"""


def mixed(name: str, **answers: object) -> Method:
    """A method of your own: a row of the table with other answers.

    Example:
        >>> mixed("FixMatch", teacher="weights", threshold=0.8).answers()["teacher"]
        'average of weights'
    """
    return replace(METHODS[name], name=f"{name}, changed", paper="", **answers)
