"""Odd but right answers get all points; wrong ones outside the catalogue lose some, calmly."""

import math

import pytest
import torch

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

UNIT = find_unit(project_root(), "10")


def precise_noise(x, x_next, f, s, g, dt):
    """In float64 whatever comes in."""
    x, x_next, f, s, g, dt = (part.double() for part in (x, x_next, f, s, g, dt))
    return -((x_next - f * dt + g.square() * s * dt) - x) / (g.square() * dt).sqrt()


def inverse_root(x, x_next, f, s, g, dt):
    return (x - (x_next - (f - g * s * g) * dt)) * dt.rsqrt() * g.reciprocal()


RIGHT = {
    "fused": (
        "forward_step",
        lambda x, f, g, dt, noise: torch.addcmul(torch.addcmul(x, f, dt), g * dt.sqrt(), noise),
    ),
    "as one precise Gaussian": (
        "forward_step",
        lambda x, f, g, dt, noise: (
            x.double() + f.double() * dt.double() + (g.double() ** 2 * dt).sqrt() * noise
        ),
    ),
    "float64": ("backward_step_noise", precise_noise),
    "by the inverse root": ("backward_step_noise", inverse_root),
    "by lengths": (
        "path_log_ratio",
        lambda a, b, g: (
            (b.norm(dim=-1) ** 2 - a.norm(dim=-1) ** 2) / 2
            + a.shape[2] * (g[1:] / g[:-1]).log()[:, None]
        ).sum(0),
    ),
    "by a product of the widths": (
        "path_log_ratio",
        lambda a, b, g: (
            0.5 * ((b - a) * (b + a)).sum((0, 2)) + a.shape[2] * (g[1:] / g[:-1]).prod().log()
        ),
    ),
}
WRONG = {
    "twice the variance": (
        "forward_step",
        lambda x, f, g, dt, noise: x + f * dt + math.sqrt(2) * g * dt.sqrt() * noise,
    ),
    "a list": ("forward_step", lambda x, f, g, dt, noise: x.tolist()),
    "the cube": (
        "backward_step_noise",
        lambda x, x_next, f, s, g, dt: precise_noise(x, x_next, f, s, g, dt) ** 3,
    ),
    "x forgotten": (
        "backward_step_noise",
        lambda x, x_next, f, s, g, dt: (-x_next + (f - g**2 * s) * dt) / (g * dt.sqrt()),
    ),
    "logarithms to base 3": (
        "path_log_ratio",
        lambda a, b, g: (
            (b**2 - a**2).sum((0, 2)) / 2 + a.shape[2] * (g[-1] / g[0]).log() / math.log(3)
        ),
    ),
    "another column": ("path_log_ratio", lambda a, b, g: 7 * (b**2 - a**2).sum((0, 2))[:, None]),
    "nothing at all": ("nll_bound", lambda x, times, g, noise, drift, score: None),
}


@pytest.fixture(scope="module")
def checker():
    return Checker(UNIT)


@pytest.mark.parametrize("what", RIGHT)
def test_an_odd_right_answer_gets_all_points(what, checker):
    name, answer = RIGHT[what]
    exercise = UNIT.exercises[name]
    for seed in range(10):
        report = checker.report(exercise, answer, seed=seed)
        assert report.points == exercise.points, report.text


@pytest.mark.parametrize("what", WRONG)
def test_no_wrong_mistake_is_named(what, checker):
    name, answer = WRONG[what]
    report = checker.report(UNIT.exercises[name], answer, hidden=False)
    assert not report.passed
    assert report.hints == []
    assert "Traceback" not in report.text


@pytest.mark.parametrize("name", list(UNIT.exercises))
def test_what_is_no_answer_is_told_calmly(name, checker):
    for nothing in (lambda *a, **k: None, lambda *a, **k: 1 / 0):
        assert checker.report(UNIT.exercises[name], nothing).points == 0
