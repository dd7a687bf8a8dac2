"""What students write for the exercises of 05_gumbel_softmax: wrong, or right and unusual."""

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from genssl_utils.course.catalogue import mistake, oracle, variant


def _noise(shape, generator=None):
    """Right Gumbel noise for the entries below: minus the log of exponential noise."""
    exponential = torch.empty(shape, dtype=torch.float64).exponential_(generator=generator)
    return -exponential.clamp(min=1e-300).log().float()


def _noise_like(x: Tensor, generator=None) -> Tensor:
    return _noise(x.shape, generator).to(x)


# --- sample_gumbel ------------------------------------------------------------------------------


@mistake("sample_gumbel", "This is exponential noise: there is one logarithm too few.")
def one_logarithm(shape, generator=None):
    return -torch.log(torch.rand(shape, generator=generator).clamp(min=1e-30))


@mistake("sample_gumbel", "Your noise leans to the wrong side. Look at the outer minus sign.")
def outer_sign_lost(shape, generator=None):
    return torch.log(-torch.log(torch.rand(shape, generator=generator).clamp(min=1e-30)))


@mistake(
    "sample_gumbel", "This is normal noise. Gumbel noise comes from a uniform by two logarithms."
)
def normal_noise(shape, generator=None):
    return torch.randn(shape, generator=generator)


@mistake("sample_gumbel", "You return the uniform itself. It still has to be inverted.")
def uniform_returned(shape, generator=None):
    return torch.rand(shape, generator=generator)


@mistake(
    "sample_gumbel", "torch.rand can return exactly 0, and then log u is infinite. Keep u off 0."
)
def infinite_at_zero(shape, generator=None):
    return -torch.log(-torch.log(torch.rand(shape, generator=generator)))


@mistake("sample_gumbel", "The generator is not used. Pass it to the function that draws.")
def generator_ignored(shape, generator=None):
    return _noise(shape)


@mistake("sample_gumbel", "You seed inside the function, so every call returns the same noise.")
def seeded_inside(shape, generator=None):
    return _noise(shape, torch.Generator().manual_seed(0))


@mistake("sample_gumbel", "One number was drawn for all elements. Each needs a uniform of its own.")
def one_number_for_all(shape, generator=None):
    return _noise((), generator).expand(shape).clone()


@mistake("sample_gumbel", "A minus is missing inside: log u is negative, and its log is NaN.")
def inner_sign_lost(shape, generator=None):
    return -torch.log(torch.log(torch.rand(shape, generator=generator).clamp(min=1e-30)))


@mistake(
    "sample_gumbel", "Adding to u can push it to 1, where log u is 0. Use a far smaller constant."
)
def infinite_near_one(shape, generator=None):
    u = torch.rand(shape, generator=generator)
    return -torch.log(-torch.log(u + torch.finfo(u.dtype).eps))


@mistake("sample_gumbel", "The safety constant is too large: it changes the law. It can be tiny.")
def large_epsilon(shape, generator=None):
    u = torch.rand(shape, generator=generator)
    return -torch.log(-torch.log(u + 0.05) + 0.05)


@variant("sample_gumbel")
def minus_log_exponential(shape, generator=None):
    return _noise(shape, generator)


@variant("sample_gumbel")
def scipy_quantile(shape, generator=None):
    u = torch.rand(shape, generator=generator, dtype=torch.float64).clamp(1e-15, 1 - 1e-15)
    return torch.from_numpy(np.asarray(stats.gumbel_r.ppf(u.numpy())))


@variant("sample_gumbel")
def small_epsilons(shape, generator=None):
    u = torch.rand(shape, generator=generator)
    return -torch.log(-torch.log(u + 1e-20) + 1e-20)


# --- gumbel_max ---------------------------------------------------------------------------------


@mistake(
    "gumbel_max",
    "All draws are alike: there is no noise, or one number for a whole row, which moves no winner.",
)
def no_noise(log_pi, generator=None):
    return log_pi.argmax(-1)


@mistake("gumbel_max", "The noise belongs on the log-probabilities, not on the probabilities.")
def noise_on_probabilities(log_pi, generator=None):
    return (log_pi.exp() + _noise_like(log_pi, generator)).argmax(-1)


@mistake(
    "gumbel_max", "The argmax runs over the batch. It should run over the K categories of a row."
)
def argmax_over_batch(log_pi, generator=None):
    return (log_pi + _noise_like(log_pi, generator)).argmax(0)


@mistake("gumbel_max", "All rows share one noise vector, so they all choose alike.")
def shared_noise(log_pi, generator=None):
    return (log_pi + _noise(log_pi.shape[-1:], generator).to(log_pi)).argmax(-1)


@mistake(
    "gumbel_max", "You subtract the noise. The Gumbel law is not symmetric, so the sign matters."
)
def noise_subtracted(log_pi, generator=None):
    return (log_pi - _noise_like(log_pi, generator)).argmax(-1)


@mistake(
    "gumbel_max",
    "You return floating-point numbers. The index of the largest score is asked for, as int64.",
)
def value_not_index(log_pi, generator=None):
    return (log_pi + _noise_like(log_pi, generator)).max(-1).values


@mistake("gumbel_max", "You return one-hot rows. One integer a row is asked for.")
def one_hot_rows(log_pi, generator=None):
    z = (log_pi + _noise_like(log_pi, generator)).argmax(-1)
    return torch.nn.functional.one_hot(z, log_pi.shape[-1])


@mistake("gumbel_max", "Uniform noise does not give the frequencies π. It must be Gumbel noise.")
def uniform_noise(log_pi, generator=None):
    return (log_pi + torch.rand(log_pi.shape, generator=generator)).argmax(-1)


@mistake("gumbel_max", "This is normal noise. Only Gumbel noise gives the frequencies π.")
def gaussian_noise(log_pi, generator=None):
    return (log_pi + torch.randn(log_pi.shape, generator=generator)).argmax(-1)


@mistake("gumbel_max", "You take the smallest score. The largest one wins.")
def smallest_wins(log_pi, generator=None):
    return (log_pi + _noise_like(log_pi, generator)).argmin(-1)


@mistake("gumbel_max", "The shape is (B, 1). Drop keepdim: one number a row.")
def kept_dimension(log_pi, generator=None):
    return (log_pi + _noise_like(log_pi, generator)).argmax(-1, keepdim=True)


@mistake("gumbel_max", "The indices are right; their dtype is not. A LongTensor is int64.")
def short_integers(log_pi, generator=None):
    return (log_pi + _noise_like(log_pi, generator)).argmax(-1).int()


@mistake("gumbel_max", "The generator is not used. Pass it on to where the noise is drawn.")
def max_without_generator(log_pi, generator=None):
    return (log_pi + _noise_like(log_pi)).argmax(-1)


@mistake("gumbel_max", "Without a generator every call draws the same. Do not seed one yourself.")
def max_seeded_inside(log_pi, generator=None):
    generator = generator or torch.Generator().manual_seed(0)
    return (log_pi + _noise_like(log_pi, generator)).argmax(-1)


@mistake("gumbel_max", "The noise is added, not multiplied.")
def noise_multiplied(log_pi, generator=None):
    return (log_pi * _noise_like(log_pi, generator)).argmax(-1)


@variant("gumbel_max")
def exponential_race(log_pi, generator=None):
    """The first of K exponential clocks with rates π, in logarithms."""
    clock = torch.empty(log_pi.shape, dtype=torch.float64).exponential_(generator=generator)
    return (clock.log() - log_pi.double()).argmin(-1)


@variant("gumbel_max")
def row_by_row(log_pi, generator=None):
    noise = _noise_like(log_pi, generator)
    best = [max(range(log_pi.shape[1]), key=(row + g).tolist().__getitem__)
            for row, g in zip(log_pi, noise, strict=True)]  # fmt: skip
    return torch.tensor(best, dtype=torch.int64)


@variant("gumbel_max")
def by_multinomial(log_pi, generator=None):
    """The same law by another road."""
    return torch.multinomial(log_pi.softmax(-1), 1, generator=generator).squeeze(-1)


# --- gumbel_softmax -----------------------------------------------------------------------------


def _positive(tau):
    if not tau > 0:
        raise ValueError("tau must be positive")


@mistake("gumbel_softmax", "You divided by τ before adding the noise. τ acts on the whole score.")
def divided_too_early(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax(log_pi / tau + _noise_like(log_pi, generator), -1)


@mistake("gumbel_softmax", "You multiply by τ. A small temperature must sharpen, not flatten.")
def multiplied_by_tau(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax((log_pi + _noise_like(log_pi, generator)) * tau, -1)


@mistake(
    "gumbel_softmax",
    "All samples are alike: there is no noise, or one number for a whole row, which cancels.",
)
def without_noise(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax(log_pi / tau, -1)


@mistake("gumbel_softmax", "The softmax runs over the batch. Columns sum to 1 instead of rows.")
def softmax_over_batch(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax((log_pi + _noise_like(log_pi, generator)) / tau, 0)


@mistake("gumbel_softmax", "exp overflows. Use a softmax that subtracts the largest score first.")
def overflow(log_pi, tau, generator=None):
    _positive(tau)
    e = torch.exp((log_pi + _noise_like(log_pi, generator)) / tau)
    return e / e.sum(-1, keepdim=True)


@mistake("gumbel_softmax", "A temperature of 0 or less has no meaning: raise a ValueError first.")
def any_temperature(log_pi, tau, generator=None):
    return torch.softmax((log_pi + _noise_like(log_pi, generator)) / tau, -1)


@mistake("gumbel_softmax", "You return hard one-hot rows. This exercise wants the soft sample.")
def hard_sample(log_pi, tau, generator=None):
    _positive(tau)
    y = torch.softmax((log_pi + _noise_like(log_pi, generator)) / tau, -1)
    return torch.nn.functional.one_hot(y.argmax(-1), y.shape[-1]).to(y)


@mistake("gumbel_softmax", "No gradient reaches log_pi: it was detached, or no_grad is on.")
def cut_graph(log_pi, tau, generator=None):
    _positive(tau)
    with torch.no_grad():
        return torch.softmax((log_pi + _noise_like(log_pi, generator)) / tau, -1)


@mistake("gumbel_softmax", "All rows share one noise vector. Each row needs noise of its own.")
def noise_shared(log_pi, tau, generator=None):
    _positive(tau)
    noise = _noise(log_pi.shape[-1:], generator).to(log_pi)
    return torch.softmax((log_pi + noise) / tau, -1)


@mistake("gumbel_softmax", "You return log-probabilities. The rows should sum to 1.")
def log_softmax(log_pi, tau, generator=None):
    _positive(tau)
    return torch.log_softmax((log_pi + _noise_like(log_pi, generator)) / tau, -1)


@mistake("gumbel_softmax", "The noise is added to the probabilities. Add it to their logarithms.")
def noise_on_pi(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax((log_pi.exp() + _noise_like(log_pi, generator)) / tau, -1)


@mistake("gumbel_softmax", "The temperature is not used. Divide the whole score by it.")
def temperature_forgotten(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax(log_pi + _noise_like(log_pi, generator), -1)


@mistake(
    "gumbel_softmax", "You divide only the noise by τ. The log-probabilities belong in there too."
)
def temperature_on_noise_alone(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax(log_pi + _noise_like(log_pi, generator) / tau, -1)


@mistake("gumbel_softmax", "You subtract the noise. The Gumbel law is not symmetric, so add it.")
def soft_noise_subtracted(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax((log_pi - _noise_like(log_pi, generator)) / tau, -1)


@mistake(
    "gumbel_softmax", "Uniform noise does not give winners as often as π says. Use Gumbel noise."
)
def soft_uniform_noise(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax((log_pi + torch.rand(log_pi.shape, generator=generator)) / tau, -1)


@mistake("gumbel_softmax", "The generator is not used. Pass it on to where the noise is drawn.")
def soft_without_generator(log_pi, tau, generator=None):
    _positive(tau)
    return torch.softmax((log_pi + _noise_like(log_pi)) / tau, -1)


@mistake(
    "gumbel_softmax", "Without a generator every call draws the same. Do not seed one yourself."
)
def soft_seeded_inside(log_pi, tau, generator=None):
    _positive(tau)
    generator = generator or torch.Generator().manual_seed(0)
    return torch.softmax((log_pi + _noise_like(log_pi, generator)) / tau, -1)


@variant("gumbel_softmax")
def in_float32_whatever_comes(log_pi, tau, generator=None):
    _positive(tau)
    score = (log_pi.float() + _noise_like(log_pi.float(), generator)) / tau
    return score.softmax(-1)


@variant("gumbel_softmax")
def in_float64_with_logsumexp(log_pi, tau, generator=None):
    _positive(tau)
    score = (log_pi.double() + _noise_like(log_pi.double(), generator)) / tau
    return (score - score.logsumexp(-1, keepdim=True)).exp()


@variant("gumbel_softmax")
def loop_over_rows(log_pi, tau, generator=None):
    _positive(tau)
    rows = []
    for row, g in zip(log_pi, _noise_like(log_pi, generator), strict=True):
        score = (row + g) / tau
        e = (score - score.detach().max()).exp()
        rows.append(e / e.sum())
    return torch.stack(rows)


@variant("gumbel_softmax")
def transposed_memory(log_pi, tau, generator=None):
    if tau <= 0:
        raise ValueError(tau)
    score = (log_pi + _noise_like(log_pi, generator)).t().contiguous() / tau
    return score.softmax(0).t()


# --- straight_through ---------------------------------------------------------------------------


def _hard(y: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(y.argmax(-1), y.shape[-1]).to(y)


@mistake("straight_through", "The forward value is right, but no gradient flows: argmax has none.")
def no_gradient(y):
    return _hard(y)


@mistake("straight_through", "You return the soft sample. The forward value must be one-hot.")
def still_soft(y):
    return y * 1.0


@mistake(
    "straight_through", "The gradient has the wrong sign: you detached the wrong one of two y."
)
def detached_the_wrong_one(y):
    return _hard(y) - y + y.detach()


@mistake(
    "straight_through", "The two y cancel in the gradient too. One of them must be a constant."
)
def nothing_detached(y):
    return _hard(y) - y + y


@mistake("straight_through", "The winner is taken over the batch. Take it within each row.")
def winner_of_batch(y):
    return torch.nn.functional.one_hot(y.argmax(0), y.shape[0]).to(y).t() + (y - y.detach())


@mistake("straight_through", "You return indices. A one-hot vector a row is asked for.")
def indices(y):
    return y.argmax(-1)


@mistake(
    "straight_through", "The largest entry can be below one half: do not round, find the largest."
)
def rounded(y):
    return y.round() + (y - y.detach())


@mistake("straight_through", "You changed y in place. Others still need it: make a new tensor.")
def in_place(y):
    hard = _hard(y)
    y.data.copy_(hard)
    return y * 1.0


@mistake(
    "straight_through", "You let the gradient through the winner alone. It goes through all of y."
)
def gradient_of_the_winner(y):
    return _hard(y) * (1 + y - y.detach())


@mistake("straight_through", "You multiply by y. The winner's entry must become exactly 1.")
def masked_soft(y):
    return _hard(y) * y


@mistake("straight_through", "You add y to the one-hot vector. What you add must be 0 in value.")
def hard_plus_soft(y):
    return _hard(y) + y


@mistake(
    "straight_through", "The one-hot vector is an integer tensor: no gradient. Make it like y."
)
def integer_one_hot(y):
    return torch.nn.functional.one_hot(y.argmax(-1), y.shape[-1])


@mistake("straight_through", "Of equal largest entries all win here. Exactly one may: use argmax.")
def all_of_a_tie(y):
    return (y == y.amax(-1, keepdim=True)).to(y) + (y - y.detach())


class _Through(torch.autograd.Function):
    """One-hot forward and identity backward, written out."""

    @staticmethod
    def forward(ctx, y):
        return (torch.arange(y.shape[-1], device=y.device) == y.argmax(-1, keepdim=True)).to(y)

    @staticmethod
    def backward(ctx, grad):
        return grad


@variant("straight_through")
def own_autograd_function(y):
    return _Through.apply(y)


@variant("straight_through")
def soft_plus_constant(y):
    return y + (_hard(y) - y).detach()


@variant("straight_through")
def row_by_row_in_float64(y):
    rows = []
    for row in y.double():
        winner = int(row.argmax())
        rows.append(torch.stack([row[k] - row[k].detach() + float(k == winner)
                                 for k in range(len(row))]))  # fmt: skip
    return torch.stack(rows)


# --- reinforce_loss -----------------------------------------------------------------------------


@oracle("reinforce_loss")
def written_out(log_prob, reward, baseline=0.0):
    """The sum over draws in plain Python, for the value and, term by term, for the gradient."""
    c = baseline.detach().tolist() if isinstance(baseline, Tensor) else baseline
    c = c if isinstance(c, list) else [c] * len(reward)
    weights = [(r - b) / len(c) for r, b in zip(reward.detach().tolist(), c, strict=True)]
    return 0 - sum(w * lp for w, lp in zip(weights, log_prob.unbind(), strict=True))


@mistake("reinforce_loss", "The sign is wrong: minimising this makes bad choices more likely.")
def wrong_sign(log_prob, reward, baseline=0.0):
    return ((reward - baseline).detach() * log_prob).mean()


@mistake("reinforce_loss", "You sum over the batch. Take the mean, or the step grows with B.")
def summed(log_prob, reward, baseline=0.0):
    return -((reward - baseline).detach() * log_prob).sum()


@mistake("reinforce_loss", "A gradient flows through the reward or the baseline. Detach them.")
def not_detached(log_prob, reward, baseline=0.0):
    return -((reward - baseline) * log_prob).mean()


@mistake(
    "reinforce_loss", "A gradient flows through the baseline. It is a constant, as the reward is."
)
def baseline_not_detached(log_prob, reward, baseline=0.0):
    return -((reward.detach() - baseline) * log_prob).mean()


@mistake("reinforce_loss", "The baseline is not used.")
def baseline_forgotten(log_prob, reward, baseline=0.0):
    return -(reward.detach() * log_prob).mean()


@mistake("reinforce_loss", "The baseline is added. Subtract it from the reward.")
def baseline_added(log_prob, reward, baseline=0.0):
    return -((reward + baseline).detach() * log_prob).mean()


@mistake("reinforce_loss", "The baseline must meet the reward before the product, not after it.")
def baseline_outside(log_prob, reward, baseline=0.0):
    return -(reward.detach() * log_prob - torch.as_tensor(baseline).detach()).mean()


@mistake("reinforce_loss", "You return one number a draw. Average them to a scalar.")
def not_reduced(log_prob, reward, baseline=0.0):
    return -(reward - baseline).detach() * log_prob


@mistake("reinforce_loss", "You weigh the probability. The score function uses its logarithm.")
def probability_weighted(log_prob, reward, baseline=0.0):
    return -((reward - baseline).detach() * log_prob.exp()).mean()


@mistake(
    "reinforce_loss", "log_prob was detached, so nothing can learn. Detach the reward instead."
)
def log_prob_detached(log_prob, reward, baseline=0.0):
    return -((reward - baseline) * log_prob.detach()).mean()


@variant("reinforce_loss")
def as_dot_product(log_prob, reward, baseline=0.0):
    return torch.dot(log_prob, (baseline - reward).detach().to(log_prob)) / log_prob.numel()


@variant("reinforce_loss")
def one_by_one_in_float64(log_prob, reward, baseline=0.0):
    with torch.no_grad():
        weight = (reward - baseline).double()
    total = log_prob.new_zeros((), dtype=torch.float64)
    for lp, w in zip(log_prob.double(), weight, strict=True):
        total = total - lp * w
    return total / len(log_prob)


_CPU = "moves noise to another device or dtype; on the CPU, where checks run, nothing changes"
_LAST = "rows are (B, K), so the axes -1 and 1 are the same"
_SCORE = "sample_gumbel(log_pi.shape, generator).to(log_pi)"
SURVIVORS: dict[str, str] = {
    "sample_gumbel: drop device= of `torch.rand(shape, generator=generator, device=where)`": _CPU,
    f"gumbel_max: drop .to() of `{_SCORE}`": _CPU,
    "gumbel_max: drop the sign of `-1`": _LAST,
    f"gumbel_softmax: drop .to() of `{_SCORE}`": _CPU,
    "gumbel_softmax: drop the sign of `-1`": _LAST,
    "straight_through: drop the sign of `-1`": _LAST,
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
