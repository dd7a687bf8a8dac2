"""Wrong answers of unit 09 that a student's checks once let pass, right ones that lost points."""

from __future__ import annotations

import pytest
import torch

from genssl_utils.course.catalogue import load

UNIT_NUMBER = "09"


def wide(numbers, x):
    return numbers.view(-1, *[1] * (x.ndim - 1))


def jump(x0, t, noise, alpha_bar, fit=wide):
    left = alpha_bar[t]
    return fit(left.sqrt(), x0) * x0 + fit((1 - left).sqrt(), x0) * noise


def pull(x0, xt, t, alpha_bar, fit=wide):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - new / old
    mean = fit(old.sqrt() * beta / (1 - new), xt) * x0
    mean = mean + fit((1 - beta).sqrt() * (1 - old) / (1 - new), xt) * xt
    return mean, (1 - old) / (1 - new) * beta


def guess_start(xt, eps, t, alpha_bar, fit=wide):
    left = alpha_bar[t]
    return (xt - fit((1 - left).sqrt(), xt) * eps) / fit(left.sqrt(), xt)


def back(xt, eps, t, alpha_bar, noise):
    mean, variance = pull(guess_start(xt, eps, t, alpha_bar), xt, t, alpha_bar)
    return mean + wide(variance, xt).sqrt() * noise


def skip(x, eps, a_t, a_prev, eta):
    spread = eta * max(0.0, (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev)) ** 0.5
    start = (x - (1 - a_t) ** 0.5 * eps) / a_t**0.5
    return a_prev**0.5 * start + (1 - a_prev - spread**2) ** 0.5 * eps, spread


def loss(net, x0, t, noise, alpha_bar):
    return (net(jump(x0, t, noise, alpha_bar), t) - noise).square().mean()


def doubled(answer):
    """The same answer, which goes over to double precision first."""

    def wider(value):
        floats = isinstance(value, torch.Tensor) and value.dtype == torch.float32
        return value.double() if floats else value

    return lambda *args: answer(*map(wider, args))


RIGHT = {"q_sample": jump, "posterior": pull, "simple_loss": loss, "ancestral_step": back}
RIGHT |= {"ddim_step": skip}


# --- right ones ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RIGHT)
def test_double_precision_never_loses(points, name):
    assert all(points(name, doubled(RIGHT[name]), seed) == 1 for seed in range(30))


def test_single_precision_shares_never_lose(points):
    def answer(x, eps, a_t, a_prev, eta):
        now, then = torch.tensor(a_t), torch.tensor(a_prev)
        spread = eta * ((1 - then) / (1 - now) * (1 - now / then)).clamp(min=0).sqrt()
        start = (x - (1 - now).sqrt() * eps) / now.sqrt()
        return then.sqrt() * start + (1 - then - spread**2).sqrt() * eps, spread

    assert all(points("ddim_step", answer, seed) == 1 for seed in range(30))


@pytest.mark.parametrize("name", ["q_sample", "posterior", "ancestral_step", "ddim_step"])
def test_steps_need_no_slopes(points, name):
    """Nothing in the unit differentiates through them, and no statement asks for it."""
    assert points(name, torch.no_grad()(RIGHT[name])) == 1


def test_what_the_net_is_shown_needs_no_slopes(points):
    def answer(net, x0, t, noise, alpha_bar):
        with torch.no_grad():
            xt = jump(x0, t, noise, alpha_bar)
        return (net(xt, t) - noise).square().mean()

    assert points("simple_loss", answer) == 1


# --- wrong ones ---------------------------------------------------------------------------------


def two(numbers, x):
    return numbers[:, None]


def bare(numbers, x):
    return numbers


@pytest.mark.parametrize("fit", [two, bare])
def test_pictures_are_seen(seen, fit):
    def shown(net, x0, t, noise, alpha_bar):
        return (net(jump(x0, t, noise, alpha_bar, fit), t) - noise).square().mean()

    def start(xt, eps, t, alpha_bar, noise):
        mean, variance = pull(guess_start(xt, eps, t, alpha_bar, fit), xt, t, alpha_bar)
        return mean + wide(variance, xt).sqrt() * noise

    def spread(xt, eps, t, alpha_bar, noise):
        mean, variance = pull(guess_start(xt, eps, t, alpha_bar), xt, t, alpha_bar)
        return mean + fit(variance, xt).sqrt() * noise

    assert seen("q_sample", lambda *a: jump(*a, fit))[0]
    assert seen("posterior", lambda *a: pull(*a, fit))[0]
    assert seen("simple_loss", shown)[0]
    assert seen("ancestral_step", start)[0]
    assert seen("ancestral_step", spread)[0]


@pytest.mark.parametrize(
    "noisy", [lambda t: t[0] > 1, lambda t: (t > 1).all(), lambda t: not (t == 1).any()]
)
def test_each_row_has_its_own_last_step(seen, noisy):
    def answer(xt, eps, t, alpha_bar, noise):
        return back(xt, eps, t, alpha_bar, noise if noisy(t) else 0 * noise)

    assert seen("ancestral_step", answer)[0]


def test_the_fresh_noise_is_not_spoiled(seen):
    def answer(xt, eps, t, alpha_bar, noise):
        noise[t == 1] = 0
        return back(xt, eps, t, alpha_bar, noise)

    assert seen("ancestral_step", answer)[0]


def test_nothing_is_clipped(seen):
    def clipped_mean(*args):
        mean, variance = pull(*args)
        return mean.clamp(-1, 1), variance

    def clipped_net(net):
        return lambda x, t: net(x, t).clamp(-3, 3)

    def shown(net):
        return lambda x, t: net(x.clamp(-1, 1), t)

    assert seen("posterior", lambda x0, *rest: pull(x0.clamp(-1, 1), *rest))[0]
    assert seen("posterior", clipped_mean)[0]
    assert seen("simple_loss", lambda net, *rest: loss(clipped_net(net), *rest))[0]
    assert seen("simple_loss", lambda net, *rest: loss(shown(net), *rest))[0]
    assert seen("ancestral_step", lambda *a: back(*a).clamp(-3, 3))[0]


def test_times_stay_whole_numbers(seen):
    def told(net):
        return lambda x, t: net(x, t.float())

    assert seen("simple_loss", lambda net, *rest: loss(told(net), *rest))[0]


def test_the_net_is_asked_once(seen):
    def answer(net, x0, t, noise, alpha_bar):
        rows = [slice(i, i + 1) for i in range(len(t))]
        return torch.stack([loss(net, x0[i], t[i], noise[i], alpha_bar) for i in rows]).mean()

    assert seen("simple_loss", answer)[0]


def test_no_variance_is_left_at_the_first_step(points):
    def answer(*args):
        mean, variance = pull(*args)
        return mean, variance.clamp(min=1e-5)

    assert points("posterior", answer) < 1


def test_half_precision_is_too_coarse(points, checker):
    right = checker.namespace["cosine_alpha_bar"]
    assert points("q_sample", lambda *a: jump(*a).half()) < 1
    assert points("cosine_alpha_bar", lambda T: right(T).half()) < 0.6


# --- what is said -------------------------------------------------------------------------------


def test_a_spoiled_input_does_not_reach_the_next_check(seen):
    def step(x, eps, a_t, a_prev, eta):
        x -= (1 - a_t) ** 0.5 * eps
        x /= a_t**0.5
        spread = eta * max(0.0, (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev)) ** 0.5
        return a_prev**0.5 * x + (1 - a_prev - spread**2) ** 0.5 * eps, spread

    def spoiled(xt, eps, t, alpha_bar, noise):
        right = back(xt, eps, t, alpha_bar, noise)
        xt += 1
        return right

    assert seen("ddim_step", step)[0] == {"six numbers, half the chance"}
    assert seen("ancestral_step", spoiled)[0] == {
        "three rows of three, the first at its first step"
    }


def test_a_step_late_is_no_index_error(unit, checker):
    late = {
        "q_sample": lambda x0, t, *rest: jump(x0, t + 1, *rest),
        "posterior": lambda x0, xt, t, a: pull(x0, xt, t + 1, a),
        "ancestral_step": lambda xt, eps, t, a, noise: back(xt, eps, t + 1, a, noise),
        "simple_loss": lambda net, x0, t, noise, a: (
            (net(jump(x0, t + 1, noise, a), t) - noise).square().mean()
        ),
    }
    for name, answer in late.items():
        report = checker.report(unit.exercises[name], answer, hidden=False)
        assert "IndexError" not in report.text
        assert len(report.hints) == 1, report.text


def test_the_catalogue_hides_no_error(unit):
    """A student writes no clamp round an index."""
    source = unit.mistakes.read_text("utf-8")
    assert "clamp(max=len(alpha_bar)" not in source
    assert len(load(unit).mistakes["ancestral_step"]) > 40
