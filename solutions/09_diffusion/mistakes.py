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


def _from(f: Tensor, most: float = 0.999) -> Tensor:
    """Shares by the β of a curve, as most people write it."""
    beta = (1 - f[1:] / f[:-1]).clamp(max=most)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumprod(0)])


def _squares(times: Tensor, T: int) -> Tensor:
    return torch.cos((times / T + 0.008) / 1.008 * math.pi / 2) ** 2


def _whole(first: int, after: int) -> Tensor:
    return torch.arange(first, after, dtype=torch.float64)


@mistake("cosine_alpha_bar", "The largest β may be 0.999; yours may be 0.99.")
def a_lower_limit(T):
    return _products(_betas(_curve(T), most=0.99))


@mistake("cosine_alpha_bar", "The largest β may be 0.999; yours may be nearly 1.")
def a_limit_of_nearly_one(T):
    return _products(_betas(_curve(T), most=1 - 1e-5))


@mistake("cosine_alpha_bar", "You keep β above 0.999. It may not rise above it.")
def limit_from_below(T):
    f = _curve(T)
    return _products([max(1 - f[i] / f[i - 1], 0.999) for i in range(1, T + 1)])


@mistake("cosine_alpha_bar", "You add the single shares up. They are multiplied.")
def shares_added(T):
    beta = torch.tensor(_betas(_curve(T)), dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumsum(0)])


@mistake("cosine_alpha_bar", "You take one β after the other off 1. The shares 1 − β multiply.")
def betas_taken_off(T):
    beta = torch.tensor(_betas(_curve(T)), dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), 1 - beta.cumsum(0)])


@mistake("cosine_alpha_bar", "You multiply the β up. What is left after a step is 1 − β.")
def betas_multiplied(T):
    beta = torch.tensor(_betas(_curve(T)), dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), beta.cumprod(0)])


@mistake("cosine_alpha_bar", "Yours is the noise's share. The one that is left is asked for.")
def share_of_the_noise(T):
    return 1 - by_plain_numbers(T)


@mistake("cosine_alpha_bar", "Your β is the ratio itself. It is 1 minus that.")
def ratio_for_beta(T):
    f = _squares(_whole(0, T + 1), T)
    beta = (f[1:] / f[:-1]).clamp(max=0.999)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumprod(0)])


@mistake("cosine_alpha_bar", "The ratio is upside down: later stands over earlier.")
def ratio_upside_down(T):
    f = _squares(_whole(0, T + 1), T)
    beta = (1 - f[:-1] / f[1:]).clamp(max=0.999)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumprod(0)])


@mistake("cosine_alpha_bar", "Your β is the difference of two f. It is 1 minus their ratio.")
def difference_for_beta(T):
    f = _curve(T)
    return _products([min(f[i - 1] - f[i], 0.999) for i in range(1, T + 1)])


@mistake("cosine_alpha_bar", "Your β is 1 − f(t). Divide f(t) by the one before it first.")
def not_divided(T):
    return _products([min(1 - v, 0.999) for v in _curve(T)[1:]])


@mistake("cosine_alpha_bar", "That is a sine. It grows; a cosine falls.")
def a_sine(T):
    return _from(torch.sin((_whole(0, T + 1) / T + 0.008) / 1.008 * math.pi / 2) ** 2)


@mistake("cosine_alpha_bar", "You square the angle. Square the cosine.")
def angle_squared(T):
    return _from(torch.cos(((_whole(0, T + 1) / T + 0.008) / 1.008 * math.pi / 2) ** 2))


@mistake("cosine_alpha_bar", "Only s is divided by 1 + s. The whole sum t / T + s is.")
def only_the_offset_divided(T):
    return _from(torch.cos((_whole(0, T + 1) / T + 0.008 / 1.008) * math.pi / 2) ** 2)


@mistake("cosine_alpha_bar", "You turn by π where π / 2 is asked for: the cosine comes up again.")
def a_half_turn(T):
    return _from(torch.cos((_whole(0, T + 1) / T + 0.008) / 1.008 * math.pi) ** 2)


@mistake("cosine_alpha_bar", "The times are not divided by T.")
def times_not_shares(T):
    return _from(torch.cos((_whole(0, T + 1) + 0.008) / 1.008 * math.pi / 2) ** 2)


@mistake("cosine_alpha_bar", "The first entry is 0. Before the first step all is left: it is 1.")
def begins_with_zero(T):
    return torch.cat([torch.zeros(1, dtype=torch.float64), by_plain_numbers(T)[1:]])


@mistake("cosine_alpha_bar", "The 1 stands at the end. It belongs to t = 0, so it comes first.")
def one_at_the_end(T):
    shares = by_plain_numbers(T)
    return torch.cat([shares[1:], shares[:1]])


@mistake("cosine_alpha_bar", "You begin with f(0), which is a little less than 1.")
def begins_with_the_curve(T):
    f = _squares(_whole(0, T + 1), T)
    beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return torch.cat([f[:1], f[0] * (1 - beta).cumprod(0)])


@mistake(
    "cosine_alpha_bar",
    "The first β compares f(0) with the last f: `roll` goes round. At t = 0 no share is lost.",
)
def rolled_round(T):
    f = _squares(_whole(0, T + 1), T)
    return (1 - (1 - f / f.roll(1)).clamp(max=0.999)).cumprod(0)


@mistake("cosine_alpha_bar", "Your times are 0 to T − 1. T itself is one of them, too.")
def without_the_last_time(T):
    return _from(_squares(_whole(0, T), T))


@mistake("cosine_alpha_bar", "Your times are 1 to T. 0 is one of them, too.")
def without_time_zero(T):
    return _from(_squares(_whole(1, T + 1), T))


@mistake("cosine_alpha_bar", "π is missing: half of it is the angle that the cosine ends at.")
def without_pi(T):
    return _from(torch.cos((_whole(0, T + 1) / T + 0.008) / 1.008 / 2) ** 2)


@mistake("cosine_alpha_bar", "They run backwards. Entry 0 belongs to t = 0.")
def backwards(T):
    return by_plain_numbers(T).flip(0)


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
def exact_rows(x0, t, noise, alpha_bar):
    return row_by_row(x0.double(), t, noise.double(), alpha_bar.double())


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
    return row_by_row(x0, t - 1, noise, alpha_bar)


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
    return row_by_row(x0, t + 1, noise, alpha_bar)


@mistake("q_sample", "The noise is added as it is. It is scaled, too.")
def whole_noise(x0, t, noise, alpha_bar):
    return _like(alpha_bar[t], x0) ** 0.5 * x0 + noise


@mistake(
    "q_sample", "You multiply the shares up once more. `alpha_bar` holds the products already."
)
def multiplied_again(x0, t, noise, alpha_bar):
    return row_by_row(x0, t, noise, alpha_bar.cumprod(0))


@mistake("q_sample", "You take the share of the one step t. All steps up to t are behind it.")
def share_of_one_step(x0, t, noise, alpha_bar):
    single = torch.cat([alpha_bar[:1], alpha_bar[1:] / alpha_bar[:-1]])
    return row_by_row(x0, t, noise, single)


@mistake("q_sample", "You take ᾱ for its own root: x0 weighs √ᾱ, and the noise √(1 − ᾱ).")
def share_as_root(x0, t, noise, alpha_bar):
    a = _like(alpha_bar[t], x0)
    return a * x0 + (1 - a**2) ** 0.5 * noise


@mistake("q_sample", "Example and noise have the same weight. The noise has what is not left.")
def one_root_for_both(x0, t, noise, alpha_bar):
    a = _like(alpha_bar[t], x0)
    return a**0.5 * x0 + a**0.5 * noise


@mistake("q_sample", "The noise is taken off. Add it.")
def noise_taken_off(x0, t, noise, alpha_bar):
    return row_by_row(x0, t, -noise, alpha_bar)


@mistake("q_sample", "You draw noise of your own. Take the noise that is given.")
def drawn_noise(x0, t, noise, alpha_bar):
    return row_by_row(x0, t, torch.randn_like(x0), alpha_bar)


@mistake("q_sample", "You give the times four axes always. Give them as many as x0 has.")
def always_four_axes(x0, t, noise, alpha_bar):
    a = alpha_bar[t][:, None, None, None]
    return a**0.5 * x0 + (1 - a) ** 0.5 * noise


@mistake("q_sample", "You walk the steps, and add the same noise in each. Jump in one.")
def walked_with_one_noise(x0, t, noise, alpha_bar):
    out = x0.clone()
    for i in range(len(x0)):
        for k in range(1, int(t[i]) + 1):
            single = alpha_bar[k] / alpha_bar[k - 1]
            out[i] = single.sqrt() * out[i] + (1 - single).sqrt() * noise[i]
    return out


@mistake("q_sample", "You count the times from the end: entry t of the schedule belongs to time t.")
def counted_from_the_end(x0, t, noise, alpha_bar):
    return row_by_row(x0, len(alpha_bar) - 1 - t, noise, alpha_bar)


@mistake("q_sample", "All rows get the noise of the first one.")
def noise_of_the_first(x0, t, noise, alpha_bar):
    return row_by_row(x0, t, noise[:1].expand_as(x0), alpha_bar)


@mistake("q_sample", "The result is clipped. Noise may carry it far out.")
def noised_and_clipped(x0, t, noise, alpha_bar):
    return row_by_row(x0, t, noise, alpha_bar).clamp(-1, 1)


@mistake("q_sample", "The rows come back flat. Give them the shape that x0 has.")
def flat_rows(x0, t, noise, alpha_bar):
    return row_by_row(x0, t, noise, alpha_bar).flatten(1)


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


@variant("q_sample")
def in_double_precision(x0, t, noise, alpha_bar):
    a = _like(alpha_bar.double()[t], x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


@variant("q_sample")
def without_slopes(x0, t, noise, alpha_bar):
    with torch.no_grad():
        return row_by_row(x0, t, noise, alpha_bar)


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


def _pulled(x0, xt, new, old, beta=None, alpha=None):
    """The statement's two formulas for other shares, or with a β or an α of one's own, (B,) each."""
    beta = 1 - new / old if beta is None else beta
    alpha = 1 - beta if alpha is None else alpha
    one, other = old.sqrt() * beta / (1 - new), alpha.sqrt() * (1 - old) / (1 - new)
    return _mixed(x0, xt, one, other), (1 - old) / (1 - new) * beta


@oracle("posterior")
def exact_regression(x0, xt, t, alpha_bar):
    return by_regression(x0.double(), xt.double(), t, alpha_bar.double())


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
    return _pulled(x0, xt, alpha_bar[t + 1], alpha_bar[t])


@mistake(
    "posterior",
    "You look one entry too early, at t − 1 and t − 2. Here the schedule begins with t = 0: now is "
    "entry t, and before it comes t − 1.",
)
def one_too_early(x0, xt, t, alpha_bar):
    return _pulled(x0, xt, alpha_bar[t - 1], alpha_bar[t - 2])


@mistake("posterior", "Now and before are swapped: now is entry t, and before it comes t − 1.")
def now_and_before_swapped(x0, xt, t, alpha_bar):
    return _pulled(x0, xt, alpha_bar[t - 1], alpha_bar[t])


@mistake(
    "posterior", "You multiply the shares up once more. `alpha_bar` holds the products already."
)
def posterior_multiplied_again(x0, xt, t, alpha_bar):
    return by_regression(x0, xt, t, alpha_bar.cumprod(0))


@mistake("posterior", "Your β is a difference of shares. It is 1 minus their ratio.")
def beta_as_difference(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    return _pulled(x0, xt, new, old, beta=old - new)


@mistake(
    "posterior", "Your α is right. Your β is a difference of shares, and not 1 minus their ratio."
)
def difference_beside_alpha(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    return _pulled(x0, xt, new, old, beta=old - new, alpha=new / old)


@mistake("posterior", "Your β is 1 − ᾱ, that of all steps. Only this one step counts: 1 − α.")
def beta_of_all_steps(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    return _pulled(x0, xt, new, old, beta=1 - new, alpha=new / old)


@mistake("posterior", "α is upside down: what is left now stands above what was left before.")
def alpha_upside_down(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    return _pulled(x0, xt, new, old, beta=1 - old / new, alpha=old / new)


@mistake("posterior", "In the weight of xt stands the root of ᾱ now. That of α belongs there.")
def bar_in_the_weight_of_xt(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    one, _, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, one, new.sqrt() * (1 - old) / (1 - new)), variance


@mistake("posterior", "In the weight of xt stands the root of ᾱ before. That of α belongs there.")
def bar_before_in_the_weight_of_xt(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    one, _, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, one, old.sqrt() * (1 - old) / (1 - new)), variance


@mistake("posterior", "In the weight of x0 stands the root of α. That of ᾱ before belongs there.")
def alpha_in_the_weight_of_the_start(x0, xt, t, alpha_bar):
    new, _, a = _shares(t, alpha_bar)
    _, other, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, a.sqrt() * (1 - a) / (1 - new), other), variance


@mistake("posterior", "In the weight of x0 the β is missing.")
def start_without_beta(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    _, other, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, old.sqrt() / (1 - new), other), variance


@mistake("posterior", "The place is taken off. Both pulls are added.")
def place_taken_off(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    return _mixed(x0, xt, one, -other), variance


@mistake("posterior", "In your variance β is missing.")
def variance_without_beta(x0, xt, t, alpha_bar):
    new, old = alpha_bar[t], alpha_bar[t - 1]
    return by_regression(x0, xt, t, alpha_bar)[0], (1 - old) / (1 - new)


@mistake("posterior", "In your variance stands α where β belongs.")
def variance_with_alpha(x0, xt, t, alpha_bar):
    new, old, a = _shares(t, alpha_bar)
    return by_regression(x0, xt, t, alpha_bar)[0], (1 - old) / (1 - new) * a


@mistake("posterior", "In your variance the ratio is upside down. Before stands above now.")
def variance_ratio_turned(x0, xt, t, alpha_bar):
    new, old, a = _shares(t, alpha_bar)
    return by_regression(x0, xt, t, alpha_bar)[0], (1 - new) / (1 - old) * (1 - a)


@mistake("posterior", "The second number is the variance. Yours is its logarithm.")
def log_of_the_variance(x0, xt, t, alpha_bar):
    mean, variance = by_rows(x0, xt, t, alpha_bar)
    return mean, variance.log()


@mistake("posterior", "The variance has the shape of xt; one number a row is asked for, (B,).")
def variance_as_large_as_xt(x0, xt, t, alpha_bar):
    mean, variance = by_regression(x0, xt, t, alpha_bar)
    return mean, _like(variance, xt).expand_as(xt)


@mistake(
    "posterior",
    "With one row the variance has lost its axis: it stays (1,). A `squeeze` takes every axis of 1.",
)
def variance_squeezed(x0, xt, t, alpha_bar):
    mean, variance = by_regression(x0, xt, t, alpha_bar)
    return mean, variance.squeeze()


@mistake("posterior", "The variance comes first in yours. Return the mean, then the variance.")
def variance_first(x0, xt, t, alpha_bar):
    mean, variance = by_regression(x0, xt, t, alpha_bar)
    return variance, mean


@mistake("posterior", "You draw. The mean itself is asked for, without noise.")
def drawn_from_it(x0, xt, t, alpha_bar):
    mean, variance = by_rows(x0, xt, t, alpha_bar)
    return mean + _like(variance, xt).sqrt() * torch.randn_like(xt), variance


@mistake("posterior", "Right for rows of numbers. Pictures have more axes: fit the shape to xt.")
def posterior_two_axes_only(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar)
    return one[:, None] * x0 + other[:, None] * xt, variance


@mistake("posterior", "You clip the start. It is given: take it as it is.")
def given_start_clipped(x0, xt, t, alpha_bar):
    return by_regression(x0.clamp(-1, 1), xt, t, alpha_bar)


@mistake("posterior", "You clip the mean. Nothing keeps it between −1 and 1.")
def mean_clipped(x0, xt, t, alpha_bar):
    mean, variance = by_regression(x0, xt, t, alpha_bar)
    return mean.clamp(-1, 1), variance


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


@mistake("posterior", "One thing came back. Return two: the mean, and the variance beside it.")
def mean_alone(x0, xt, t, alpha_bar):
    return by_regression(x0, xt, t, alpha_bar)[0]


@mistake("posterior", "All rows get the time of the first one. Each has its own.")
def posterior_one_time(x0, xt, t, alpha_bar):
    return by_regression(x0, xt, t[:1].expand(len(t)), alpha_bar)


@mistake("posterior", "You give the weights four axes always. Give them as many as xt has.")
def posterior_always_four_axes(x0, xt, t, alpha_bar):
    one, other, variance = (w[:, None, None, None] for w in _weights(t, alpha_bar))
    return one * x0 + other * xt, variance.flatten()


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


@variant("posterior")
@torch.no_grad()
def posterior_in_double_precision(x0, xt, t, alpha_bar):
    one, other, variance = _weights(t, alpha_bar.double())
    return _mixed(x0, xt, one, other), variance


# --- simple_loss --------------------------------------------------------------------------------


def _noised(x0: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    left = _like(alpha_bar[t], x0)
    return left**0.5 * x0 + (1 - left) ** 0.5 * noise


@oracle("simple_loss")
def exact_mse(net, x0, t, noise, alpha_bar):
    return by_mse(net, x0.double(), t, noise.double(), alpha_bar.double())


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
    noise = torch.randn_like(x0)
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).mean()


@mistake(
    "simple_loss", "The net is shown other noise than it has to guess. Take the one given for both."
)
def other_noise_shown(net, x0, t, noise, alpha_bar):
    xt = _noised(x0, t, torch.randn_like(x0), alpha_bar)
    return (net(xt, t) - noise).pow(2).mean()


@mistake("simple_loss", "You compare the guess with what the net is shown. It guesses the noise.")
def beside_the_noised(net, x0, t, noise, alpha_bar):
    xt = _noised(x0, t, noise, alpha_bar)
    return (net(xt, t) - xt).pow(2).mean()


@mistake("simple_loss", "You compare the guess with xt − x0. The example is scaled down in xt.")
def beside_the_difference(net, x0, t, noise, alpha_bar):
    xt = _noised(x0, t, noise, alpha_bar)
    return (net(xt, t) - (xt - x0)).pow(2).mean()


@mistake(
    "simple_loss", "You compare the guess with scaled noise. It is a guess of the noise itself."
)
def beside_scaled_noise(net, x0, t, noise, alpha_bar):
    spread = _like((1 - alpha_bar[t]).sqrt(), x0)
    return (net(_noised(x0, t, noise, alpha_bar), t) - spread * noise).pow(2).mean()


@mistake("simple_loss", "You compare the guess with the velocity. Here it guesses the noise.")
def beside_the_velocity(net, x0, t, noise, alpha_bar):
    left = _like(alpha_bar[t], x0)
    velocity = left.sqrt() * noise - (1 - left).sqrt() * x0
    return (net(_noised(x0, t, noise, alpha_bar), t) - velocity).pow(2).mean()


@mistake("simple_loss", "You add guess and noise. Their difference counts.")
def guess_plus_noise(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) + noise).pow(2).mean()


@mistake("simple_loss", "The noised example is wrong: shares stand there, and roots are wanted.")
def shown_without_roots(net, x0, t, noise, alpha_bar):
    return (net(no_roots(x0, t, noise, alpha_bar), t) - noise).pow(2).mean()


@mistake("simple_loss", "In the noised example, x0 and the noise are swapped.")
def shown_swapped(net, x0, t, noise, alpha_bar):
    return (net(_noised(noise, t, x0, alpha_bar), t) - noise).pow(2).mean()


@mistake("simple_loss", "The net gets noise alone. Show it the noised example.")
def noise_shown(net, x0, t, noise, alpha_bar):
    return (net(noise, t) - noise).pow(2).mean()


@mistake("simple_loss", "You noise the example to time t − 1. The net is told t.")
def shown_one_early(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t - 1, noise, alpha_bar), t) - noise).pow(2).mean()


@mistake("simple_loss", "You noise the example to time t + 1. The net is told t.")
def shown_one_late(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t + 1, noise, alpha_bar), t) - noise).pow(2).mean()


@mistake("simple_loss", "The net gets t − 1. Give the times as they are.")
def told_one_early(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t - 1) - noise).pow(2).mean()


@mistake("simple_loss", "The net gets t over the schedule's length. Give the times as they are.")
def times_over_the_length(net, x0, t, noise, alpha_bar):
    guess = net(_noised(x0, t, noise, alpha_bar), t / len(alpha_bar))
    return (guess - noise).pow(2).mean()


@mistake(
    "simple_loss",
    "The net gets the times as floats. It may look them up in a table: give them as they came.",
)
def times_as_floats(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t.float()) - noise).pow(2).mean()


@mistake("simple_loss", "The net gets the shares ᾱ. Give it the times.")
def shares_told(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), alpha_bar[t]) - noise).pow(2).mean()


@mistake("simple_loss", "You ask the net row by row. Ask it once, for all rows.")
def row_after_row(net, x0, t, noise, alpha_bar):
    xt = _noised(x0, t, noise, alpha_bar)
    rows = [slice(i, i + 1) for i in range(len(t))]
    losses = [(net(xt[i], t[i]) - noise[i]).pow(2).mean() for i in rows]
    return torch.stack(losses).mean()


@mistake("simple_loss", "That is a norm, a root of a sum. The mean of the squares is asked for.")
def a_norm(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).norm()


@mistake(
    "simple_loss", "That is the mean of the rows' norms. The mean of the squares is asked for."
)
def norms_of_rows(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).flatten(1).norm(dim=1).mean()


@mistake("simple_loss", "You take the mean first, then the square. Square each error first.")
def square_of_the_mean(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).mean() ** 2


@mistake("simple_loss", "You sum over one axis, and take the mean of the others alone.")
def summed_over_an_axis(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).sum(1).mean()


@mistake("simple_loss", "You sum over the last axis, and take the mean of the others alone.")
def summed_over_the_last_axis(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).sum(-1).mean()


@mistake("simple_loss", "A loss for each row came back. One number is asked for, their mean.")
def a_loss_each_row(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2).flatten(1).mean(1)


@mistake("simple_loss", "All squared errors came back. One number is asked for, their mean.")
def a_loss_each_number(net, x0, t, noise, alpha_bar):
    return (net(_noised(x0, t, noise, alpha_bar), t) - noise).pow(2)


@mistake("simple_loss", "You clip what the net is shown. Noise may carry it far out.")
def shown_clipped(net, x0, t, noise, alpha_bar):
    xt = _noised(x0, t, noise, alpha_bar).clamp(-1, 1)
    return (net(xt, t) - noise).pow(2).mean()


@mistake("simple_loss", "You clip the guess. A wrong one must cost what it costs.")
def guess_clipped(net, x0, t, noise, alpha_bar):
    guess = net(_noised(x0, t, noise, alpha_bar), t).clamp(-3, 3)
    return (guess - noise).pow(2).mean()


@mistake(
    "simple_loss",
    "In the noised example the times run along the last axis. Each row has one: give it more axes.",
)
def shown_along_the_last_axis(net, x0, t, noise, alpha_bar):
    return (net(along_the_last_axis(x0, t, noise, alpha_bar), t) - noise).pow(2).mean()


@mistake(
    "simple_loss", "Right for rows of numbers. Pictures have more axes: fit the shape of ᾱ to x0."
)
def shown_with_two_axes(net, x0, t, noise, alpha_bar):
    return (net(two_axes_only(x0, t, noise, alpha_bar), t) - noise).pow(2).mean()


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


@variant("simple_loss")
def loss_in_double_precision(net, x0, t, noise, alpha_bar):
    with torch.no_grad():
        xt = _noised(x0, t, noise, alpha_bar.double())
    return (net(xt, t) - noise).square().mean()


# --- ancestral_step -----------------------------------------------------------------------------


def _mean(xt: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The mean in the other form: the noise's part taken off, and scaled up."""
    new, _, a = _shares(t, alpha_bar)
    return (xt - _like((1 - a) / (1 - new) ** 0.5, xt) * eps) / _like(a**0.5, xt)


def _wide(t: Tensor, alpha_bar: Tensor, xt: Tensor) -> Tensor:
    return _like(_weights(t, alpha_bar)[2], xt)


@oracle("ancestral_step")
def exact_other_form(xt, eps, t, alpha_bar, noise):
    xt, eps, noise = xt.double(), eps.double(), noise.double()
    return by_the_other_form(xt, eps, t, alpha_bar.double(), noise)


def by_the_other_form(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + _wide(t, alpha_bar, xt).clamp(min=0) ** 0.5 * noise


@mistake("ancestral_step", "The noise is scaled by the variance. Take its root.")
def scaled_by_variance(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + _wide(t, alpha_bar, xt) * noise


@mistake(
    "ancestral_step",
    "Your variance is β, which the paper allows, too. Here the posterior's is asked for: it is "
    "smaller, and 0 at t = 1.",
)
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


@mistake(
    "ancestral_step",
    "You land at the guessed start, and add noise there: ᾱ in place of α, or the start in place of "
    "the mean. Go one step back only.",
)
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


def _drawn(start, xt, t, alpha_bar, noise):
    """A draw from the posterior for some start."""
    mean, variance = by_rows(start, xt, t, alpha_bar)
    return mean + _like(variance, xt).sqrt() * noise


def _with_spread(xt, eps, t, alpha_bar, noise, spread):
    """The right mean, and noise of some spread, (B,)."""
    return _mean(xt, eps, t, alpha_bar) + _like(spread, xt) * noise


def _spread(t, alpha_bar):
    """The right spread, (B,)."""
    new, old, a = _shares(t, alpha_bar)
    return ((1 - old) / (1 - new) * (1 - a)).sqrt()


def _in_the_other_form(xt, eps, t, alpha_bar, noise, taken, divided):
    """Guessed noise taken off and the rest scaled up, by some numbers (B,)."""
    mean = (xt - _like(taken, xt) * eps) / _like(divided, xt)
    return mean + _like(_spread(t, alpha_bar), xt) * noise


@mistake(
    "ancestral_step", "You find the start with α and β of one step. All steps lie between: take ᾱ."
)
def start_by_one_step(xt, eps, t, alpha_bar, noise):
    a = _like(_shares(t, alpha_bar)[2], xt)
    return _drawn((xt - (1 - a).sqrt() * eps) / a.sqrt(), xt, t, alpha_bar, noise)


@mistake("ancestral_step", "Only the noise is divided by √ᾱ. Set brackets: all of it is.")
def brackets_missing(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    return _drawn(xt - (1 - left).sqrt() * eps / left.sqrt(), xt, t, alpha_bar, noise)


@mistake("ancestral_step", "You find the start by dividing by ᾱ. Its root is missing.")
def start_divided_by_the_share(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    return _drawn((xt - (1 - left).sqrt() * eps) / left, xt, t, alpha_bar, noise)


@mistake("ancestral_step", "Where you find the start, the root over the noise's share is missing.")
def start_noise_not_rooted(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t], xt)
    return _drawn((xt - (1 - left) * eps) / left.sqrt(), xt, t, alpha_bar, noise)


@mistake("ancestral_step", "You find the start with what was left before. Take ᾱ of time t.")
def start_by_the_time_before(xt, eps, t, alpha_bar, noise):
    left = _like(alpha_bar[t - 1], xt)
    return _drawn((xt - (1 - left).sqrt() * eps) / left.sqrt(), xt, t, alpha_bar, noise)


@mistake("ancestral_step", "Start and place are swapped where you ask for the posterior.")
def start_and_place_swapped(xt, eps, t, alpha_bar, noise):
    start = the_start_itself(xt, eps, t, alpha_bar, noise)
    return _drawn(xt, start, t, alpha_bar, noise)


@mistake("ancestral_step", "You clip the start to ±3. Nothing is clipped here.")
def start_clipped_wider(xt, eps, t, alpha_bar, noise):
    start = the_start_itself(xt, eps, t, alpha_bar, noise).clamp(-3, 3)
    return _drawn(start, xt, t, alpha_bar, noise)


@mistake("ancestral_step", "You clip the result. Nothing is clipped here.")
def step_clipped(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, _spread(t, alpha_bar)).clamp(-3, 3)


@mistake(
    "ancestral_step",
    "You noise the guessed start anew, to time t − 1. That forgets where you are: draw from the "
    "posterior.",
)
def noised_anew(xt, eps, t, alpha_bar, noise):
    start = the_start_itself(xt, eps, t, alpha_bar, noise)
    return row_by_row(start, t - 1, noise, alpha_bar)


@mistake("ancestral_step", "That is DDIM's step, without chance. Draw from the posterior.")
def step_of_ddim(xt, eps, t, alpha_bar, noise):
    start = the_start_itself(xt, eps, t, alpha_bar, noise)
    return row_by_row(start, t - 1, eps, alpha_bar)


@mistake("ancestral_step", "Your mean is DDIM's, to which no noise is added. Take the posterior's.")
def step_of_ddim_and_noise(xt, eps, t, alpha_bar, noise):
    start = the_start_itself(xt, eps, t, alpha_bar, noise)
    return row_by_row(start, t - 1, eps, alpha_bar) + _like(_spread(t, alpha_bar), xt) * noise


@mistake("ancestral_step", "Mean and variance came back. Draw from them: one tensor is asked for.")
def mean_and_variance(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar), _spread(t, alpha_bar) ** 2


@mistake("ancestral_step", "The spread runs along the last axis. Each row has one: give it axes.")
def spread_along_the_last_axis(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + _spread(t, alpha_bar) * noise


@mistake(
    "ancestral_step",
    "Where you find the start, the times run along the last axis. Each row has one: give it axes.",
)
def start_along_the_last_axis(xt, eps, t, alpha_bar, noise):
    left = alpha_bar[t]
    return _drawn((xt - (1 - left).sqrt() * eps) / left.sqrt(), xt, t, alpha_bar, noise)


@mistake(
    "ancestral_step",
    "The spread is right for rows of numbers. Pictures have more axes: fit its shape to xt.",
)
def spread_with_two_axes(xt, eps, t, alpha_bar, noise):
    return _mean(xt, eps, t, alpha_bar) + _spread(t, alpha_bar)[:, None] * noise


@mistake(
    "ancestral_step",
    "The start is right for rows of numbers. Pictures have more axes: fit the shape of ᾱ to xt.",
)
def start_with_two_axes(xt, eps, t, alpha_bar, noise):
    left = alpha_bar[t][:, None]
    return _drawn((xt - (1 - left).sqrt() * eps) / left.sqrt(), xt, t, alpha_bar, noise)


@mistake("ancestral_step", "The noise is scaled by β. Take the root of the posterior's variance.")
def scaled_by_beta(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, 1 - _shares(t, alpha_bar)[2])


@mistake(
    "ancestral_step",
    "Your variance is β, with none at t = 1, as many programs have it. Here the posterior's is "
    "asked for: it is smaller.",
)
def beta_but_at_the_end(xt, eps, t, alpha_bar, noise):
    spread = (1 - _shares(t, alpha_bar)[2]).sqrt() * (t > 1)
    return _with_spread(xt, eps, t, alpha_bar, noise, spread)


@mistake("ancestral_step", "The noise gets √(1 − ᾱ) before. That is more than the posterior has.")
def spread_of_the_time_before(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, (1 - alpha_bar[t - 1]).sqrt())


@mistake("ancestral_step", "The noise gets √(1 − ᾱ), that of all steps. Take the posterior's.")
def spread_of_all_steps(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, (1 - alpha_bar[t]).sqrt())


@mistake(
    "ancestral_step",
    "The noise is added as it is, except at t = 1. Scale it by the root of the variance.",
)
def whole_noise_but_at_the_end(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, (t > 1).to(xt.dtype))


@mistake("ancestral_step", "The fresh noise is taken off. Add it.")
def fresh_noise_taken_off(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, -_spread(t, alpha_bar))


@mistake("ancestral_step", "You draw noise of your own. Take the noise that is given.")
def drawn_step_noise(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, torch.randn_like(xt), _spread(t, alpha_bar))


@mistake("ancestral_step", "The fresh noise is scaled up with the rest. Add it after that.")
def noise_inside_the_bracket(xt, eps, t, alpha_bar, noise):
    new, _, a = _shares(t, alpha_bar)
    rest = xt - _like((1 - a) / (1 - new).sqrt(), xt) * eps
    return (rest + _like(_spread(t, alpha_bar), xt) * noise) / _like(a.sqrt(), xt)


@mistake("ancestral_step", "The guessed noise weighs √β in yours. It is β / √(1 − ᾱ).")
def guess_by_the_root_of_beta(xt, eps, t, alpha_bar, noise):
    a = _shares(t, alpha_bar)[2]
    return _in_the_other_form(xt, eps, t, alpha_bar, noise, (1 - a).sqrt(), a.sqrt())


@mistake("ancestral_step", "You take all of the guessed noise off, and scale up by one step only.")
def all_guessed_noise_off(xt, eps, t, alpha_bar, noise):
    new, _, a = _shares(t, alpha_bar)
    return _in_the_other_form(xt, eps, t, alpha_bar, noise, (1 - new).sqrt(), a.sqrt())


@mistake("ancestral_step", "You scale up by 1 / α. Its root is missing.")
def scaled_up_too_much(xt, eps, t, alpha_bar, noise):
    new, _, a = _shares(t, alpha_bar)
    return _in_the_other_form(xt, eps, t, alpha_bar, noise, (1 - a) / (1 - new).sqrt(), a)


@mistake(
    "ancestral_step", "You scale up by 1 / √ᾱ, that of all steps. α of this one belongs there."
)
def scaled_up_by_all_steps(xt, eps, t, alpha_bar, noise):
    new, _, a = _shares(t, alpha_bar)
    taken = (1 - a) / (1 - new).sqrt()
    return _in_the_other_form(xt, eps, t, alpha_bar, noise, taken, new.sqrt())


@mistake(
    "ancestral_step", "Whether noise is added hangs on the first row's time. Each row has its own."
)
def first_row_decides(xt, eps, t, alpha_bar, noise):
    mean = _mean(xt, eps, t, alpha_bar)
    if t[0] > 1:
        mean = mean + _like(_spread(t, alpha_bar), xt) * noise
    return mean


@mistake("ancestral_step", "One row at t = 1 takes the noise from all rows. Each has its own time.")
def all_rows_decide(xt, eps, t, alpha_bar, noise):
    mean = _mean(xt, eps, t, alpha_bar)
    if (t > 1).all():
        mean = mean + _like(_spread(t, alpha_bar), xt) * noise
    return mean


@mistake("ancestral_step", "No noise is added at t = 2. Only at t = 1 there is none.")
def none_at_two(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t, alpha_bar, noise, _spread(t, alpha_bar) * (t > 2))


@mistake("ancestral_step", "You look one entry too far: before t comes t − 1, and now is entry t.")
def step_one_too_far(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t + 1, alpha_bar, noise, _spread(t + 1, alpha_bar))


@mistake(
    "ancestral_step",
    "You look one entry too early. Here the schedule begins with t = 0: now is entry t.",
)
def step_one_too_early(xt, eps, t, alpha_bar, noise):
    return _with_spread(xt, eps, t - 1, alpha_bar, noise, _spread(t - 1, alpha_bar))


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


@variant("ancestral_step")
@torch.no_grad()
def step_in_double_precision(xt, eps, t, alpha_bar, noise):
    alpha_bar = alpha_bar.double()
    return _with_spread(xt, eps, t, alpha_bar, noise, _spread(t, alpha_bar))


# --- ddim_step ----------------------------------------------------------------------------------


def _first(x: Tensor, eps: Tensor, a_t: float) -> Tensor:
    return (x - (1 - a_t) ** 0.5 * eps) / a_t**0.5


def _sigma(a_t: float, a_prev: float) -> float:
    return max(0.0, (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev)) ** 0.5


def _landed(x: Tensor, eps: Tensor, a_t: float, a_prev: float, s: float) -> Tensor:
    return a_prev**0.5 * _first(x, eps, a_t) + (1 - a_prev - s * s) ** 0.5 * eps


@oracle("ddim_step")
def exact_parts(x, eps, a_t, a_prev, eta):
    return by_parts(x.double(), eps.double(), a_t, a_prev, eta)


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


@mistake("ddim_step", "There is no chance at all: σ is 0 for every η. Or is the ratio turned?")
def no_chance(x, eps, a_t, a_prev, eta):
    return _landed(x, eps, a_t, a_prev, 0.0), 0.0


@mistake("ddim_step", "The spread is σ. Yours is its square.")
def square_for_spread(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s), s * s


@mistake("ddim_step", "Now and where to go are swapped. σ alone has them right.")
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
    out = (1 - a_t - s * s) ** 0.5
    return a_prev**0.5 * _first(x, eps, a_t) + out * eps, s


@mistake("ddim_step", "One thing came back. Return two: the mean, and σ beside it.")
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
    return mean + s * torch.randn_like(x), s


UPWARDS = (
    "Upwards, the number under the root of σ is negative. At η = 0 nobody asks for it: σ is 0."
)


@mistake("ddim_step", UPWARDS + " Yours became complex.")
def complex_upwards(x, eps, a_t, a_prev, eta):
    s = eta * ((1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev)) ** 0.5
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", UPWARDS + " Yours became nan, and 0 · nan is nan.")
def nan_upwards(x, eps, a_t, a_prev, eta):
    now, then = torch.tensor(a_t), torch.tensor(a_prev)
    s = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
    return _landed(x, eps, now, then, s), s


@mistake("ddim_step", "Now and where to go are swapped everywhere, in σ, too.")
def all_swapped(x, eps, a_t, a_prev, eta):
    return by_parts(x, eps, a_prev, a_t, eta)


@mistake("ddim_step", "Under the root of the way out stands σ. Its square belongs there.")
def spread_not_squared(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return a_prev**0.5 * _first(x, eps, a_t) + (1 - a_prev - s) ** 0.5 * eps, s


@mistake("ddim_step", "σ is taken off after the root. Take its square off under the root.")
def spread_taken_off_after(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return a_prev**0.5 * _first(x, eps, a_t) + ((1 - a_prev) ** 0.5 - s) * eps, s


@mistake("ddim_step", "The way out along ε lacks its root.")
def way_out_not_rooted(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return a_prev**0.5 * _first(x, eps, a_t) + (1 - a_prev - s * s) * eps, s


@mistake("ddim_step", "The sign of the way out is turned: go out along ε.")
def way_out_turned(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return a_prev**0.5 * _first(x, eps, a_t) - (1 - a_prev - s * s) ** 0.5 * eps, s


@mistake("ddim_step", "σ lacks the first root, the ratio of the two shares of noise.")
def the_other_half_of_sigma(x, eps, a_t, a_prev, eta):
    s = eta * max(0.0, 1 - a_t / a_prev) ** 0.5
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "In σ the ratio of the two shares of noise is upside down.")
def noise_ratio_turned(x, eps, a_t, a_prev, eta):
    s = eta * max(0.0, (1 - a_t) / max(1 - a_prev, 1e-12) * (1 - a_t / a_prev)) ** 0.5
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "In the second root of σ the ratio is turned: now stands over where to go.")
def share_ratio_turned(x, eps, a_t, a_prev, eta):
    s = eta * math.sqrt((1 - a_prev) / (1 - a_t) * (1 - a_prev / a_t))
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "The second root of σ holds ᾱ now alone. The ratio of both belongs there.")
def bar_for_the_ratio(x, eps, a_t, a_prev, eta):
    s = eta * ((1 - a_prev) / (1 - a_t) * (1 - a_t)) ** 0.5
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "The roots of σ are missing: what you use as σ is its square.")
def sigma_not_rooted(x, eps, a_t, a_prev, eta):
    s = eta * max(0.0, (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev))
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "In σ the second factor lacks its root.")
def second_factor_not_rooted(x, eps, a_t, a_prev, eta):
    s = eta * ((1 - a_prev) / (1 - a_t)) ** 0.5 * max(0.0, 1 - a_t / a_prev)
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "η stands under the root. It scales σ.")
def eta_under_the_root(x, eps, a_t, a_prev, eta):
    s = (eta * max(0.0, (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev))) ** 0.5
    return _landed(x, eps, a_t, a_prev, s), s


@mistake("ddim_step", "η is in the mean, and missing in the σ that you return.")
def eta_in_the_mean_alone(x, eps, a_t, a_prev, eta):
    s = _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, eta * s), s


@mistake("ddim_step", "η is in the σ that you return, and missing in the mean.")
def eta_in_the_spread_alone(x, eps, a_t, a_prev, eta):
    s = _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s), eta * s


@mistake("ddim_step", "The start is not divided by √ᾱ after the noise is taken off.")
def start_left_scaled(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    start = x - (1 - a_t) ** 0.5 * eps
    return a_prev**0.5 * start + (1 - a_prev - s * s) ** 0.5 * eps, s


@mistake("ddim_step", "The start is divided by ᾱ. Its root is missing.")
def start_over_the_share(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    start = (x - (1 - a_t) ** 0.5 * eps) / a_t
    return a_prev**0.5 * start + (1 - a_prev - s * s) ** 0.5 * eps, s


@mistake("ddim_step", "Where you find the start, the root over the noise's share is missing.")
def start_takes_a_share_off(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    start = (x - (1 - a_t) * eps) / a_t**0.5
    return a_prev**0.5 * start + (1 - a_prev - s * s) ** 0.5 * eps, s


@mistake("ddim_step", "Where you find the start, the guessed noise is added. Take it off.")
def start_adds_the_noise(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return _landed(x, eps, a_t, a_prev, s) + 2 * (a_prev * (1 - a_t) / a_t) ** 0.5 * eps, s


@mistake("ddim_step", "Only the noise is divided by √ᾱ. Set brackets: all of it is.")
def start_without_brackets(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    start = x - (1 - a_t) ** 0.5 * eps / a_t**0.5
    return a_prev**0.5 * start + (1 - a_prev - s * s) ** 0.5 * eps, s


@mistake("ddim_step", "You clip the start. Many programs do; here nothing is clipped.")
def first_clipped(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    start = _first(x, eps, a_t).clamp(-1, 1)
    return a_prev**0.5 * start + (1 - a_prev - s * s) ** 0.5 * eps, s


@mistake("ddim_step", "σ comes first in yours. Return the mean, then σ.")
def spread_first(x, eps, a_t, a_prev, eta):
    mean, s = by_parts(x, eps, a_t, a_prev, eta)
    return s, mean


@mistake("ddim_step", "σ has the shape of x. It is one number.")
def spread_as_large_as_x(x, eps, a_t, a_prev, eta):
    mean, s = by_parts(x, eps, a_t, a_prev, eta)
    return mean, torch.full_like(x, s)


@mistake("ddim_step", "η works the wrong way round: at 0 there is no chance, at 1 there is all.")
def eta_turned_round(x, eps, a_t, a_prev, eta):
    return by_parts(x, eps, a_t, a_prev, 1 - eta)


@mistake("ddim_step", "You go out along x. Go out along the guessed noise.")
def out_along_the_place(x, eps, a_t, a_prev, eta):
    s = eta * _sigma(a_t, a_prev)
    return a_prev**0.5 * _first(x, eps, a_t) + (1 - a_prev - s * s) ** 0.5 * x, s


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


@variant("ddim_step")
@torch.no_grad()
def places_in_double_precision(x, eps, a_t, a_prev, eta):
    return by_parts(x.double(), eps.double(), a_t, a_prev, eta)


@variant("ddim_step")
def shares_in_single_precision(x, eps, a_t, a_prev, eta):
    now, then = torch.tensor(a_t), torch.tensor(a_prev)
    s = eta * ((1 - then) / (1 - now) * (1 - now / then)).clamp(min=0).sqrt()
    return then.sqrt() * _first(x, eps, now) + (1 - then - s**2).sqrt() * eps, s


SURVIVORS: dict[str, str] = {}
"""Mutants that no check has to reject, because they do the same: name → reason."""
