"""Wrong answers outside the catalogue: rejected, and never told that they made another mistake."""

import math

import pytest
import torch

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

UNIT = find_unit(project_root(), "08")


def half_forward(x, mask, net):
    """y is right, log_det is nothing."""
    log_s, t = net(mask * x)
    return mask * x + (1 - mask) * (x * log_s.exp() + t), torch.zeros(len(x))


def half_chain(x, layers):
    """z is right; the total forgets the first layer."""
    total = x.new_zeros(len(x))
    for k, layer in enumerate(layers):
        x, step = layer(x)
        total = total + (step if k else 0.0)
    return x, total


WRONG = {
    "the largest factor": ("affine_log_det", lambda scale: scale.abs().max(-1).values.log()),
    "a float": ("affine_log_det", lambda scale: 1.0986),
    "NumPy": ("affine_log_det", lambda scale: scale.detach().abs().log().sum(-1).numpy()),
    "half of the log-scales": (
        "coupling_forward",
        lambda x, mask, net: (half_forward(x, mask, net)[0], 0.5 * net(mask * x)[0].sum(-1)),
    ),
    "a scale that is squared": (
        "coupling_forward",
        lambda x, mask, net: half_forward(x, mask, lambda h: (2 * net(h)[0], net(h)[1])),
    ),
    "three things": ("coupling_forward", lambda x, mask, net: (x, x, x)),
    "no net at all": ("coupling_inverse", lambda y, mask, net: y * 1.0),
    "a net of ones": (
        "coupling_inverse",
        lambda y, mask, net: mask * y + (1 - mask) * (y - net(mask)[1]) / net(mask)[0].exp(),
    ),
    "the first layer forgotten": ("chain", half_chain),
    "the base alone": ("flow_log_prob", lambda x, layers, base: base(torch.zeros_like(x))),
    "half of the volume": (
        "flow_log_prob",
        lambda x, layers, base: base(layers[-1](x)[0]) + 0.5 * layers[-1](x)[1],
    ),
    "base 10": (
        "bits_per_dim",
        lambda log_prob, dims, bins=256: (-log_prob / dims + math.log(bins)) / math.log(10),
    ),
    "nothing at all": ("bits_per_dim", lambda log_prob, dims, bins=256: None),
}


@pytest.fixture(scope="module")
def checker():
    return Checker(UNIT)


@pytest.mark.parametrize("what", WRONG)
def test_no_wrong_mistake_is_named(what, checker):
    name, answer = WRONG[what]
    report = checker.report(UNIT.exercises[name], answer, hidden=False)
    assert not report.passed
    assert report.hints == []
    assert "Traceback" not in report.text


def test_a_log_det_that_is_always_0_is_told_so(checker):
    hints = checker.report(UNIT.exercises["coupling_forward"], half_forward, hidden=False).hints
    assert hints == ["log_det is always 0 here. The free coordinates stretch."]


def test_a_half_right_layer_gets_part_of_the_points(checker):
    exercise = UNIT.exercises["coupling_forward"]
    points = checker.report(exercise, half_forward).points
    assert 0.3 < points < 0.8 * exercise.points


@pytest.mark.parametrize("name", list(UNIT.exercises))
def test_what_is_no_answer_is_told_calmly(name, checker):
    for nothing in (lambda *a, **k: None, lambda *a, **k: 1 / 0):
        report = checker.report(UNIT.exercises[name], nothing)
        assert report.points == 0
        assert "Traceback" not in report.text
