"""Wrong answers outside the catalogue: rejected, and never told that they made another mistake."""

import pytest
import torch

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

UNIT = find_unit(project_root(), "05")


def noise(x, g=None):
    return -torch.empty(x.shape).exponential_(generator=g).log()


WRONG = {
    "absolute value of normal noise": (
        "sample_gumbel",
        lambda shape, generator=None: torch.randn(shape, generator=generator).abs(),
    ),
    "both signs lost": (
        "sample_gumbel",
        lambda shape, generator=None: torch.log(torch.log(torch.rand(shape, generator=generator))),
    ),
    "a list": ("sample_gumbel", lambda shape, generator=None: [0.0] * 3),
    "NumPy": ("sample_gumbel", lambda shape, generator=None: torch.rand(shape).numpy()),
    "indices as floats": (
        "gumbel_max",
        lambda log_pi, generator=None: (log_pi + noise(log_pi, generator)).argmax(-1).float(),
    ),
    "one category further": (
        "gumbel_max",
        lambda log_pi, generator=None: (log_pi + noise(log_pi, generator)).argmax(-1) + 1,
    ),
    "the logarithm twice": (
        "gumbel_softmax",
        lambda log_pi, tau, generator=None: torch.softmax(
            (log_pi.log() + noise(log_pi, generator)) / tau, -1
        ),
    ),
    "straight-through already": (
        "gumbel_softmax",
        lambda log_pi, tau, generator=None: torch.nn.functional.gumbel_softmax(
            log_pi, abs(tau) + 1e-9, hard=True
        ),
    ),
    "no reward": (
        "reinforce_loss",
        lambda log_prob, reward, baseline=0.0: -(reward - baseline).mean(),
    ),
    "nothing at all": ("reinforce_loss", lambda log_prob, reward, baseline=0.0: None),
}
TRUE_OF_IT = {
    "both signs lost": {"A minus is missing inside"},
    "indices as floats": {"You return floating-point numbers"},
    "straight-through already": {"You return hard one-hot rows", "The generator is not used"},
}


@pytest.fixture(scope="module")
def checker():
    return Checker(UNIT)


@pytest.mark.parametrize("what", WRONG)
def test_no_wrong_mistake_is_named(what, checker):
    name, answer = WRONG[what]
    report = checker.report(UNIT.exercises[name], answer, hidden=False)
    assert not report.passed
    allowed = TRUE_OF_IT.get(what, set())
    assert [h for h in report.hints if not any(h.startswith(a) for a in allowed)] == []


def test_the_naive_loss_is_not_told_that_it_detached_log_prob(checker):
    report = checker.report(
        UNIT.exercises["reinforce_loss"],
        lambda log_prob, reward, baseline=0.0: ((reward - baseline) * log_prob).mean(),
        hidden=False,
    )
    assert not any("log_prob was detached" in hint for hint in report.hints)
