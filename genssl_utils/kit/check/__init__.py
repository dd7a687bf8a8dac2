"""Checks that name the mistake: the same code in the notebook, in the grader and in CI.

Example:
    >>> import torch
    >>> from genssl_utils.kit import check
    >>> def double(x):
    ...     return x + x
    >>> ex = check.exercise("start_here", "double", points=2)
    >>> with ex.check("doubles each element"):
    ...     ex.value(double(torch.tensor([1.0, 2.0])), torch.tensor([2.0, 4.0]))
    >>> ex.report()
    2.0
"""

from genssl_utils.kit.check.exercise import (
    RECORD,
    Enough,
    Exercise,
    exercise,
    finished,
    generator,
    latest,
    until_first_failure,
    using_key,
)
from genssl_utils.kit.check.report import (
    MIME,
    CheckFailed,
    Elsewhere,
    NotFinished,
    Outcome,
    Report,
    Stopped,
)

__all__ = [
    "MIME",
    "RECORD",
    "CheckFailed",
    "Elsewhere",
    "Enough",
    "Exercise",
    "NotFinished",
    "Outcome",
    "Report",
    "Stopped",
    "exercise",
    "finished",
    "generator",
    "latest",
    "until_first_failure",
    "using_key",
]
