"""Wrong answers of unit 10 that a student's checks once let pass, right ones that lose nothing."""

from __future__ import annotations

import math

import pytest
import torch

UNIT_NUMBER = "10"


def forth(x, f, g, dt, noise):
    return x + f * dt + g * dt**0.5 * noise


def back(x, y, f, s, g, dt):
    return (x - y + (f - g * g * s) * dt) / (g * dt**0.5)


def ratio(e, b, g):
    return ((b**2 - e**2) / 2 + (g[1:] / g[:-1]).log()[:, None, None]).sum((0, 2))


def bound(x, times, g, noise, drift, score, *, explained=lambda d: d, again=False, keep=True):
    told = []
    for i, e in enumerate(noise):
        dt, t0, t1 = times[i + 1] - times[i], times[i], times[i + 1]
        f = drift(x, t0)
        y = forth(x, f, g[i], dt, e)
        f = f if again else drift(y, t1)
        told.append(explained(back(x if keep else y, y, f, score(y, t1), g[i + 1], dt)))
        x = y
    return ratio(noise, torch.stack(told), g) + (x**2 + math.log(2 * math.pi)).sum(1) / 2


RIGHT = {"forward_step": forth, "backward_step_noise": back, "path_log_ratio": ratio}
RIGHT |= {"nll_bound": bound}


# --- right ones ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("keep_dtype", [True, False])
def test_double_precision_never_loses(points, name, keep_dtype):
    def answer(*args):
        wider = [a.double() if isinstance(a, torch.Tensor) else a for a in args]
        made = RIGHT[name](*wider)
        return made.to(args[0].dtype) if keep_dtype else made

    assert all(points(name, RIGHT[name], seed) == 1 for seed in range(30))
    assert all(points(name, answer, seed) == 1 for seed in range(30))


@pytest.mark.parametrize("name", ["forward_step", "backward_step_noise", "path_log_ratio"])
def test_g_is_no_part_of_the_training(points, name):
    place = {"forward_step": 2, "backward_step_noise": 4, "path_log_ratio": 2}[name]

    def answer(*args):
        return RIGHT[name](*(a.detach() if i == place else a for i, a in enumerate(args)))

    assert points(name, answer) == 1


# --- wrong ones ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts"), [("forward_step", (0, 1)), ("backward_step_noise", range(4))]
)
def test_nothing_that_learns_is_detached(seen, name, parts):
    for cut in parts:

        def answer(*args, cut=cut):
            return RIGHT[name](*(a.detach() if i == cut else a for i, a in enumerate(args)))

        failed, hints = seen(name, answer)
        assert len(failed) == 1
        assert len(hints) == 1
        assert "detached" in hints[0]


@pytest.mark.parametrize("name", ["forward_step", "backward_step_noise"])
def test_more_than_two_axes_are_seen(seen, name):
    def answer(*args):
        flat = [a.view(-1, 1) if a.numel() != args[0].numel() and a.ndim else a for a in args]
        return RIGHT[name](*flat)

    failed, _ = seen(name, answer)
    assert failed == {"a g and a dt for each point, then for each step"}


def test_a_bound_may_be_below_0(seen):
    failed, hints = seen("nll_bound", lambda *a: bound(*a).clamp(min=0))
    assert len(failed) == 1
    assert len(hints) == 1


def test_a_large_noise_of_the_way_back_stays(seen):
    assert seen("nll_bound", lambda *a: bound(*a, explained=lambda d: d.clamp(-5, 5)))[1]


def test_points_may_lie_anywhere(seen):
    assert seen("forward_step", lambda *a: forth(*a).clamp(-3, 3))[1]


# --- what is said -------------------------------------------------------------------------------


def test_the_drift_of_the_step_forth_is_not_the_one_back(seen):
    assert "again" in seen("nll_bound", lambda *a: bound(*a, again=True))[1][0]


def test_an_overwritten_point_is_told(seen):
    assert "overwritten" in seen("nll_bound", lambda *a: bound(*a, keep=False))[1][0]


def test_plain_noise_of_ones_own_is_told(seen):
    fresh = [
        lambda x, f, g, dt, noise: forth(x, f, g, dt, torch.randn_like(x)),
        lambda x, f, g, dt, noise: forth(x, f, g, dt, torch.randn(x.shape)),
        lambda x, f, g, dt, noise: torch.normal(x + f * dt, (g * dt**0.5).expand_as(x)),
    ]
    for answer in fresh:
        assert "of your own" in seen("forward_step", answer)[1][0]


@pytest.mark.parametrize("counted", [1, 3])
def test_widths_are_not_taken_for_others(seen, counted):
    """In each exercise the visible sizes N, B, D and 2 differ, so that no other is blamed."""

    def answer(e, b, g):
        return ratio(e, b, g) + counted * e.shape[2] * (g[1:] / g[:-1]).log().sum()

    hints = seen("path_log_ratio", answer)[1]
    assert not any("twice" in hint for hint in hints)
    assert not any("multiplied by B" in hint for hint in hints)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("place", range(6))
def test_a_change_in_place_costs_one_check(seen, name, place):
    """No input of one check is an input of the next, or twice in one call."""

    def answer(*args):
        told = RIGHT[name](*(1 * a if isinstance(a, torch.Tensor) else a for a in args))
        if place < len(args) and isinstance(args[place], torch.Tensor):
            args[place].data += 1
        return told

    failed, _ = seen(name, answer)
    assert len(failed) <= 1


@pytest.mark.parametrize("operation", ["x", "noise"])
def test_a_change_in_place_is_called_so(seen, operation):
    def step(x, f, g, dt, noise):
        if operation == "x":
            x += f * dt
            return x + g * dt.sqrt() * noise
        noise *= g * dt.sqrt()
        return x + f * dt + noise

    def length(noise_forward, noise_backward, g):
        return ratio(noise_forward, noise_backward, g.log_().exp())

    def missing(x, x_next, f, s, g, dt):
        if operation == "x":
            x -= x_next - (f - g**2 * s) * dt
            return x / (g * dt.sqrt())
        f -= g**2 * s
        return (x - (x_next - f * dt)) / (g * dt.sqrt())

    for name, answer in [
        ("forward_step", step),
        ("backward_step_noise", missing),
        ("path_log_ratio", length),
    ]:
        failed, hints = seen(name, answer)
        assert len(failed) == 1
        assert "in place" in hints[0]
