"""What students write for the exercises of 09_diffusion: wrong, or right and unusual."""

import math

import numpy as np
import torch
from torch import Tensor

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- cosine_alpha_bar ---------------------------------------------------------------------------


def _curve(T: int, s: float = 0.008) -> list[float]:
    return [math.cos((i / T + s) / (1 + s) * math.pi / 2) ** 2 for i in range(T + 1)]


def _products(betas: list[float]) -> Tensor:
    shares = [1.0]
    for beta in betas:
        shares.append(shares[-1] * (1 - beta))
    return torch.tensor(shares, dtype=torch.float64)


def _betas(f: list[float], most: float = 0.999) -> list[float]:
    return [min(1 - f[i] / f[i - 1], most) for i in range(1, len(f))]


@oracle("cosine_alpha_bar")
def by_plain_numbers(T):
    return _products(_betas(_curve(T)))


@mistake("cosine_alpha_bar", "The last share is 0: β is not kept to 0.999.")
def not_clipped(T):
    return _products(_betas(_curve(T), most=1.0))


@mistake("cosine_alpha_bar", "The largest β may be 0.999; yours may be 0.9999.")
def another_limit(T):
    return _products(_betas(_curve(T), most=0.9999))


@mistake("cosine_alpha_bar", "The first entry, 1 for t = 0, is missing: T + 1 numbers are needed.")
def without_the_first(T):
    return by_plain_numbers(T)[1:]


@mistake("cosine_alpha_bar", "The cosine is not squared.")
def not_squared(T):
    f = [math.sqrt(v) for v in _curve(T)]
    return _products(_betas(f))


@mistake("cosine_alpha_bar", "The offset s is missing.")
def no_offset(T):
    return _products(_betas(_curve(T, s=0.0)))


@mistake(
    "cosine_alpha_bar", "The offset is added and not divided out again: 1 + s is missing below."
)
def offset_not_divided(T):
    f = [math.cos((i / T + 0.008) * math.pi / 2) ** 2 for i in range(T + 1)]
    return _products(_betas(f))


@mistake("cosine_alpha_bar", "These are the single shares 1 − β. Multiply them up.")
def not_multiplied(T):
    return torch.tensor([1.0] + [1 - b for b in _betas(_curve(T))], dtype=torch.float64)


@mistake("cosine_alpha_bar", "These are the β. The shares that are left are asked for.")
def the_betas(T):
    return torch.tensor([0.0, *_betas(_curve(T))], dtype=torch.float64)


@mistake("cosine_alpha_bar", "You keep the share itself from falling below 0.001, and not β.")
def share_clipped(T):
    f = _curve(T)
    return torch.tensor([max(v / f[0], 0.001) for v in f], dtype=torch.float64)


@mistake("cosine_alpha_bar", "f itself does not begin at 1, and its last value is 0. Go by the β.")
def the_curve_itself(T):
    return torch.tensor(_curve(T), dtype=torch.float64)


@mistake("cosine_alpha_bar", "You took the root of the shares.")
def roots_of_shares(T):
    return by_plain_numbers(T).sqrt()


@mistake("cosine_alpha_bar", "Your times stop before T: the last one is T itself.")
def times_too_short(T):
    f = [math.cos((i / (T + 1) + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(T + 1)]
    return _products(_betas(f))


@mistake("cosine_alpha_bar", "π / 2 is missing, so the cosine does not get down to 0.")
def no_half_turn(T):
    f = [math.cos((i / T + 0.008) / 1.008) ** 2 for i in range(T + 1)]
    return _products(_betas(f))


@variant("cosine_alpha_bar")
def closed_form_and_a_last_one(T):
    t = torch.linspace(0, 1, T + 1, dtype=torch.float64)
    f = torch.cos((t + 0.008) / 1.008 * math.pi / 2).square()
    shares = f / f[0]
    shares[-1] = shares[-2] * 0.001
    return shares


@variant("cosine_alpha_bar")
def by_numpy(T):
    f = np.array(_curve(T))
    beta = np.minimum(1 - f[1:] / f[:-1], 0.999)
    return torch.from_numpy(np.concatenate([[1.0], np.cumprod(1 - beta)]))


@variant("cosine_alpha_bar")
def in_single_precision(T):
    t = torch.arange(T + 1).float() / T
    f = torch.cos((t + 0.008) / 1.008 * torch.pi / 2) ** 2
    beta = torch.clip(1 - f[1:] / f[:-1], 0, 0.999)
    return torch.cumprod(torch.cat([torch.ones(1), 1 - beta]), 0)


# --- q_sample -----------------------------------------------------------------------------------


def _like(numbers: Tensor, x: Tensor) -> Tensor:
    """Numbers (B,) with as many axes as x has."""
    return numbers.reshape(-1, *(1 for _ in x.shape[1:]))


@oracle("q_sample")
def row_by_row(x0, t, noise, alpha_bar):
    rows = []
    for x, e, when in zip(x0, noise, t.tolist(), strict=True):
        left = alpha_bar[when]
        rows.append(torch.sqrt(left) * x + torch.sqrt(1 - left) * e)
    return torch.stack(rows)


@mistake(
    "q_sample", "Shares of the variance stand there; spreads are wanted. Both roots are missing."
)
def no_roots(x0, t, noise, alpha_bar):
    a = _like(alpha_bar[t], x0)
    return a * x0 + (1 - a) * noise


@mistake("q_sample", "The root of the noise's share is missing.")
def noise_not_rooted(x0, t, noise, alpha_bar):
    a = _like(alpha_bar[t], x0)
    return a**0.5 * x0 + (1 - a) * noise


@mistake("q_sample", "The root of the example's share is missing.")
def example_not_rooted(x0, t, noise, alpha_bar):
    a = _like(alpha_bar[t], x0)
    return a * x0 + (1 - a) ** 0.5 * noise


@mistake("q_sample", "The noise weighs 1 − √ᾱ. The variances add up to 1, and not the spreads.")
def spreads_add_up(x0, t, noise, alpha_bar):
    root = _like(alpha_bar[t], x0) ** 0.5
    return root * x0 + (1 - root) * noise


@mistake("q_sample", "Example and noise are swapped.")
def swapped(x0, t, noise, alpha_bar):
    return row_by_row(noise, t, x0, alpha_bar)


@mistake("q_sample", "You are one step early: entry t of the schedule belongs to time t.")
def a_step_early(x0, t, noise, alpha_bar):
    return row_by_row(x0, (t - 1).clamp(min=0), noise, alpha_bar)


@mistake("q_sample", "All rows get the time of the first one. Each has its own.")
def one_time_for_all(x0, t, noise, alpha_bar):
    return row_by_row(x0, t[:1].expand(len(t)), noise, alpha_bar)


@mistake("q_sample", "The times run along the last axis. Each row has one: give it more axes.")
def along_the_last_axis(x0, t, noise, alpha_bar):
    a = alpha_bar[t]
    return a**0.5 * x0 + (1 - a) ** 0.5 * noise


@mistake("q_sample", "Right for rows of numbers. Pictures have more axes: fit the shape to x0.")
def two_axes_only(x0, t, noise, alpha_bar):
    a = alpha_bar[t][:, None]
    return a**0.5 * x0 + (1 - a) ** 0.5 * noise


@mistake("q_sample", "The example is not scaled down, so the spread grows.")
def example_not_scaled(x0, t, noise, alpha_bar):
    return x0 + (1 - _like(alpha_bar[t], x0)) ** 0.5 * noise


@mistake("q_sample", "You are one step late: entry t of the schedule belongs to time t.")
def a_step_late(x0, t, noise, alpha_bar):
    return row_by_row(x0, (t + 1).clamp(max=len(alpha_bar) - 1), noise, alpha_bar)


@mistake("q_sample", "The noise is added as it is. It is scaled, too.")
def whole_noise(x0, t, noise, alpha_bar):
    return _like(alpha_bar[t], x0) ** 0.5 * x0 + noise


@variant("q_sample")
def by_unsqueeze(x0, t, noise, alpha_bar):
    a = alpha_bar.gather(0, t)
    while a.dim() < x0.dim():
        a = a.unsqueeze(-1)
    return torch.addcmul((1 - a).sqrt() * noise, a.sqrt(), x0)


@variant("q_sample")
def by_einsum(x0, t, noise, alpha_bar):
    a = alpha_bar[t]
    return torch.einsum("b,b...->b...", a**0.5, x0) + torch.einsum("b,b...->b...", (1 - a) ** 0.5, noise)  # fmt: skip


# --- posterior ----------------------------------------------------------------------------------


def _shares(t: Tensor, alpha_bar: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What is left now, what was left before, and α, (B,) each."""
    new, old = alpha_bar[t], alpha_bar[t - 1]
    return new, old, new / old


def _mixed(x0: Tensor, xt: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return _like(one, xt) * x0 + _like(other, xt) * xt


def _weights(t: Tensor, alpha_bar: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weight of the start, weight of the place, and the variance, (B,) each."""
    new, old, a = _shares(t, alpha_bar)
    return old**0.5 * (1 - a) / (1 - new), a**0.5 * (1 - old) / (1 - new), (1 - old) / (1 - new) * (1 - a)  # fmt: skip


@oracle("posterior")
def by_regression(x0, xt, t, alpha_bar):
    """Where x_{t−1} lies given x_t: its mean given x0, moved by the covariance of both."""
    new, old, a = _shares(t, alpha_bar)
    gain = a**0.5 * (1 - old) / (1 - new)
    middle = _like(old**0.5, xt) * x0
    mean = middle + _like(gain, xt) * (xt - _like(new**0.5, xt) * x0)
    return mean, 1 - old - gain * a**0.5 * (1 - old)


@mistake("posterior", "Your variance is β. Knowing the start makes it smaller.")
def variance_is_beta(x0, xt, t, alpha_bar):
    one, other, _ = _weights(t, alpha_bar)
    return _mixed(x0, xt, one, other), 1 - _shares(t, alpha_bar)[2]


@mistake("posterior", "The second number is the variance. Yours is its root.")
def spread_for_variance(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, one, other), variance**0.5


@mistake("posterior", "The two weights of the mean are swapped.")
def weights_swapped(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, other, one), variance


@mistake("posterior", "In the weight of x0 the root of ᾱ before is missing.")
def start_not_rooted(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    old = alpha_bar[t - 1]
    return _mixed(x0, xt, one * old**0.5, other), variance


@mistake("posterior", "In the weight of xt the root of α is missing.")
def place_not_rooted(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, one, other * _shares(t, alpha_bar)[2] ** 0.5), variance


@mistake("posterior", "You take ᾱ for α: β is 1 minus the share that this one step leaves.")
def bar_for_alpha(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    one, other = old**0.5 * (1 - new) / (1 - new), new**0.5 * (1 - old) / (1 - new)
    return _mixed(x0, xt, one, other), (1 - old) / (1 - new) * (1 - new)


@mistake("posterior", "Both roots of the mean are missing.")
def no_roots_in_the_mean(x0, xt, t, alpha_bar):
    new, old, a = _shares(t, alpha_bar)
    one, other = old * (1 - a) / (1 - new), a * (1 - old) / (1 - new)
    return _mixed(x0, xt, one, other), _weights(t, alpha_bar)[2]


@mistake("posterior", "You look one entry too far: before t comes t − 1, and now is entry t.")
def one_too_far(x0, xt, t, alpha_bar):
    later = (t + 1).clamp(max=len(alpha_bar) - 1)
    return by_regression(x0, xt, later, alpha_bar)


@mistake("posterior", "The root of ᾱ now stands in the weight of x0. The one before belongs there.")
def now_for_before(x0, xt, t, alpha_bar):
    new, _, a = _shares(t, alpha_bar)
    one = new**0.5 * (1 - a) / (1 - new)
    return _mixed(x0, xt, one, _weights(t, alpha_bar)[1]), _weights(t, alpha_bar)[2]


@mistake(
    "posterior", "The variance has the shape of the rows; one number a row is asked for, (B,)."
)
def variance_with_axes(x0, xt, t, alpha_bar):
    mean, variance = by_regression(x0, xt, t, alpha_bar)
    return mean, _like(variance, xt)


@mistake("posterior", "The times run along the last axis. Each row has one: give it more axes.")
def posterior_along_the_last_axis(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    return one * x0 + other * xt, variance


@mistake("posterior", "The mean came back alone. The variance is asked for, too.")
def mean_alone(x0, xt, t, alpha_bar):
    return by_regression(x0, xt, t, alpha_bar)[0]


@mistake("posterior", "All rows get the time of the first one. Each has its own.")
def posterior_one_time(x0, xt, t, alpha_bar):
    return by_regression(x0, xt, t[:1].expand(len(t)), alpha_bar)


@variant("posterior")
def by_rows(x0, xt, t, alpha_bar):
    means, spreads = [], []
    for x, y, i in zip(x0, xt, t.tolist(), strict=True):
        new, old = alpha_bar[i], alpha_bar[i - 1]
        alpha = new / old
        means.append((old.sqrt() * (1 - alpha) * x + alpha.sqrt() * (1 - old) * y) / (1 - new))
        spreads.append((1 - old) * (1 - alpha) / (1 - new))
    return torch.stack(means), torch.stack(spreads)


@variant("posterior")
def by_a_list(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    mean = torch.einsum("b,b...->b...", one, x0) + torch.einsum("b,b...->b...", other, xt)
    return [mean, variance]


# --- simple_loss --------------------------------------------------------------------------------


def _noised(x0: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    left = _like(alpha_bar[t], x0)
    return left**0.5 * x0 + (1 - left) ** 0.5 * noise


@oracle("simple_loss")
def by_mse(net, x0, t, noise, alpha_bar):
    return torch.nn.functional.mse_loss(net(_noised(x0, t, noise, alpha_bar), t), noise)


@mistake("simple_loss", "You sum all squares. The mean is asked for.")
def summed(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).sum()


@mistake("simple_loss", "You sum over the numbers of a row, and take the mean of the rows alone.")
def summed_over_numbers(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).flatten(1).sum(1).mean()


@mistake("simple_loss", "You compare the guess with the example. It is a guess of the noise.")
def beside_the_example(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - x0).pow(2).mean()


@mistake("simple_loss", "The errors are not squared.")
def not_squares(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).abs().mean()


@mistake("simple_loss", "You took the root at the end. The mean of the squares is asked for.")
def root_of_the_mean(net, x0, t, noise, alpha_bar):
    return by_mse(net, x0, t, noise, alpha_bar).sqrt()


@mistake("simple_loss", "The net gets the clean example. Show it the noised one.")
def clean_shown(net, x0, t, noise, alpha_bar):
    return (net(x0, t) - noise).pow(2).mean()


@mistake("simple_loss", "The net gets the times as shares of T. Give them as they are.")
def times_as_shares(net, x0, t, noise, alpha_bar):
    guess = net(_noised(x0, t, noise, alpha_bar), t / (len(alpha_bar) - 1))
    return (guess - noise).pow(2).mean()


@mistake("simple_loss", "No slope reaches the net: its guess is cut off.")
def guess_detached(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t).detach() - noise).pow(2).mean()


@mistake("simple_loss", "The noised example is wrong: noise is added without the two roots.")
def added_plainly(net, x0, t, noise, alpha_bar):
    return (net(x0 + noise, t) - noise).pow(2).mean()


@mistake("simple_loss", "You draw noise of your own. Take the noise that is given.")
def own_noise(net, x0, t, noise, alpha_bar):
    noise = torch.full_like(noise, 0.5)
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).mean()


@mistake("simple_loss", "It is half of what is asked for.")
def halved(net, x0, t, noise, alpha_bar):
    return by_mse(net, x0, t, noise, alpha_bar) / 2


@variant("simple_loss")
def by_norms(net, x0, t, noise, alpha_bar):
    gap = noise - net(_noised(x0, t, noise, alpha_bar), t)
    return torch.linalg.vector_norm(gap) ** 2 / gap.numel()


@variant("simple_loss")
def mean_of_means(net, x0, t, noise, alpha_bar):
    guess = net(row_by_row(x0, t, noise, alpha_bar), t)
    rows = [((g - e) ** 2).mean() for g, e in zip(guess, noise, strict=True)]
    return torch.stack(rows).mean()


# --- ancestral_step -----------------------------------------------------------------------------


def _mean(xt: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The mean in the other form: the noise's part taken off, and scaled up."""
    new, _, a = _shares(t, alpha_bar)
    return (xt - _like((1 - a) / (1 - new) ** 0.5, xt) * eps) / _like(a**0.5, xt)


def _wide(t: Tensor, alpha_bar: Tensor, xt: Tensor) -> Tensor:
    return _like(_weights(t, alpha_bar)[2], xt)


@oracle("ancestral_step")
def by_the_other_form(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + _wide(t, alpha_bar, xt).clamp(min=0) ** 0.5 * noise


@mistake("ancestral_step", "The noise is scaled by the variance. Take its root.")
def scaled_by_variance(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + _wide(t, alpha_bar, xt) * noise


@mistake("ancestral_step", "Your variance is β. The posterior's is smaller, and 0 at t = 1.")
def step_with_beta(xt, eps, t, alpha_bar, noise):
    beta = 1 - _shares(t, alpha_bar)[2]
    return _mean(xt, eps, t, alpha_bar) + _like(beta**0.5, xt) * noise


@mistake("ancestral_step", "No noise is added. That is the mean of the step alone.")
def step_without_noise(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + 0 * noise


@mistake("ancestral_step", "The noise is added as it is. Scale it by the root of the variance.")
def noise_not_scaled(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + noise


@mistake("ancestral_step", "You return the guessed start. Go one step back only, by the posterior.")
def the_start_itself(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    return (xt - (1 - left) ** 0.5 * eps) / left**0.5


@mistake(
    "ancestral_step",
    "You give the posterior the guessed noise for the start. Find the start first.",
)
def noise_for_start(xt, eps, t, alpha_bar, noise):
    mean, variance = by_regression(eps, xt, t, alpha_bar)
    return mean + _like(variance, xt).clamp(min=0) ** 0.5 * noise


@mistake("ancestral_step", "The sign of the guessed noise is turned: take it off.")
def sign_turned(xt, eps, t, alpha_bar, noise):
    return by_the_other_form(xt, -eps, t, alpha_bar, noise)


@mistake("ancestral_step", "The start is not divided by √ᾱ after the noise is taken off.")
def start_not_divided(xt, eps, t, alpha_bar, noise):
    start = xt - _like((1 - alpha_bar[t]) ** 0.5, xt) * eps
    return by_regression(start, xt, t, alpha_bar)[0] + _wide(t, alpha_bar, xt) ** 0.5 * noise


@mistake("ancestral_step", "The roots are missing where you find the start.")
def start_without_roots(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    start = (xt - (1 - left) * eps) / left
    return by_regression(start, xt, t, alpha_bar)[0] + _wide(t, alpha_bar, xt) ** 0.5 * noise


@mistake("ancestral_step", "You clip the start. Many programs do; here nothing is clipped.")
def start_clipped(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    start = ((xt - (1 - left) ** 0.5 * eps) / left**0.5).clamp(-1, 1)
    return by_regression(start, xt, t, alpha_bar)[0] + _wide(t, alpha_bar, xt) ** 0.5 * noise


@mistake("ancestral_step", "After the noise is taken off, the mean is not scaled up by 1 / √α.")
def not_scaled_up(xt, eps, t, alpha_bar, noise):
    root = _like(_shares(t, alpha_bar)[2] ** 0.5, xt)
    return root * _mean(xt, eps, t, alpha_bar) + _wide(t, alpha_bar, xt).clamp(min=0) ** 0.5 * noise


@mistake("ancestral_step", "You take ᾱ for α: one step back does not undo all of them.")
def step_with_bar(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    mean = (xt - (1 - left) / (1 - left) ** 0.5 * eps) / left**0.5
    return mean + _wide(t, alpha_bar, xt).clamp(min=0) ** 0.5 * noise


@mistake("ancestral_step", "The guessed noise weighs β / √(1 − ᾱ). In yours the root is missing.")
def guess_not_rooted(xt, eps, t, alpha_bar, noise):
    new, _, a = _shares(t, alpha_bar)
    mean = (xt - _like((1 - a) / (1 - new), xt) * eps) / _like(a**0.5, xt)
    return mean + _wide(t, alpha_bar, xt).clamp(min=0) ** 0.5 * noise


@mistake("ancestral_step", "All rows get the time of the first one. Each has its own.")
def step_one_time(xt, eps, t, alpha_bar, noise):
    return by_the_other_form(xt, eps, t[:1].expand(len(t)), alpha_bar, noise)


@variant("ancestral_step")
def by_posterior_rows(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    start = xt / left.sqrt() - (1 / left - 1).sqrt() * eps
    mean, variance = by_rows(start, xt, t, alpha_bar)
    return torch.stack([m + v.sqrt() * z for m, v, z in zip(mean, variance, noise, strict=True)])


@variant("ancestral_step")
def noise_only_later(xt, eps, t, alpha_bar, noise):
    later = _like((t > 1).to(xt.dtype), xt)
    width = _wide(t, alpha_bar, xt).clamp(min=1e-20) ** 0.5
    return _mean(xt, eps, t, alpha_bar) + later * width * noise


# --- ddim_step ----------------------------------------------------------------------------------


def _first(x: Tensor, eps: Tensor, a_t: float) -> Tensor:
    return (x - (1 - a_t) ** 0.5 * eps) / a_t**0.5


def _sigma(a_t: float, a_prev: float) -> float:
    return max(0.0, (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev)) ** 0.5


def _landed(x: Tensor, eps: Tensor, a_t: float, a_prev: float, s: float) -> Tensor:
    return a_prev**0.5 * _first(x, eps, a_t) + max(0.0, 1 - a_prev - s * s) ** 0.5 * eps


@oracle("ddim_step")
def by_parts(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s), s


@mistake(
    "ddim_step",
    "What σ takes must be missing from the way out along ε: take σ² off under the root.",
)
def way_out_too_long(x, eps, a_t, a_prev, eta):
    return _landed(x, eps, a_t, a_prev, 0.0), eta * _sigma(a_t, a_prev)


@mistake("ddim_step", "η has no effect.")
def eta_ignored(x, eps, a_t, a_prev, eta):
    s = _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "There is no chance at all: σ is 0 for every η.")
def no_chance(x, eps, a_t, a_prev, eta):
    return _landed(x, eps, a_t, a_prev, 0.0), 0.0


@mistake("ddim_step", "The spread is σ. Yours is its square.")
def square_for_spread(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s), s * s


@mistake("ddim_step", "Now and where to go are swapped.")
def ends_swapped(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return _landed(x, eps, a_prev, a_t, s), s


@mistake("ddim_step", "You return the guessed start, and do not go out again.")
def stays_at_the_start(x, eps, a_t, a_prev, eta):
    return _first(x, eps, a_t), eta * _sigma(a_t, a_prev)


@mistake("ddim_step", "The start is scaled by ᾱ′ itself. Its root is missing.")
def start_scaled_twice(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s) + (a_prev - a_prev**0.5) * _first(x, eps, a_t), s


@mistake("ddim_step", "On the way out you take the root of ᾱ now. It is that of where to go.")
def noise_of_now(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    out = max(0.0, 1 - a_t - s * s) ** 0.5
    return a_prev**0.5 * _first(x, eps, a_t) + out * eps, s


@mistake("ddim_step", "The mean came back alone. The spread is asked for, too.")
def only_the_mean(x, eps, a_t, a_prev, eta):
    return by_parts(x, eps, a_t, a_prev, eta)[0]


@mistake("ddim_step", "η is squared: it scales σ, and not σ².")
def eta_squared(x, eps, a_t, a_prev, eta):
    return by_parts(x, eps, a_t, a_prev, eta * eta)


@mistake(
    "ddim_step",
    "Upwards, the number under the root of σ is negative. At η = 0 nobody asks for it: σ is 0 there.",
)
def no_way_up(x, eps, a_t, a_prev, eta):
    s = eta * math.sqrt((1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev))
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "σ lacks the second root, 1 minus the ratio of the two shares.")
def half_a_sigma(x, eps, a_t, a_prev, eta):
    s = eta * ((1 - a_prev) / (1 - a_t)) ** 0.5
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "You add noise yourself. Return the mean, and σ beside it.")
def noise_added(x, eps, a_t, a_prev, eta):
    mean, s = by_parts(x, eps, a_t, a_prev, eta)
    return mean + (s + 0.1) * torch.linspace(0.5, 1.5, x.numel()).reshape(x.shape).to(x), s


@variant("ddim_step")
def by_tensors(x, eps, a_t, a_prev, eta):
    a, b = (torch.tensor(v, dtype=torch.float64) for v in (a_t, a_prev))
    s = eta * ((1 - b) / (1 - a) * (1 - a / b)).clamp(min=0).sqrt()
    start = (x - (1 - a).sqrt().to(x) * eps) / a.sqrt().to(x)
    return b.sqrt().to(x) * start + (1 - b - s**2).clamp(min=0).sqrt().to(x) * eps, s


@variant("ddim_step")
def two_cases(x, eps, a_t, a_prev, eta):
    if eta == 0:
        ratio = (a_prev / a_t) ** 0.5
        return ratio * x + ((1 - a_prev) ** 0.5 - ratio * (1 - a_t) ** 0.5) * eps, 0
    s = eta * ((1 - a_prev) / (1 - a_t)) ** 0.5 * (1 - a_t / a_prev) ** 0.5
    x0 = x / a_t**0.5 - (1 / a_t - 1) ** 0.5 * eps
    return a_prev**0.5 * x0 + (1 - a_prev - s**2) ** 0.5 * eps, s


SURVIVORS: dict[str, str] = {}
"""Mutants that no check has to reject, because they do the same: name → reason."""
