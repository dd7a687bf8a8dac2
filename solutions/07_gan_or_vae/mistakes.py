"""What students write for the exercises of 07_gan_or_vae: wrong, or right and unusual."""

import math

import numpy as np
import torch
from scipy import linalg
from torch import Tensor
from torch.nn.functional import logsigmoid

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- reparameterize -----------------------------------------------------------------------------


def _noise(mean: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise for the entries below, one number at a time."""
    drawn = torch.randn(mean.numel(), generator=generator, dtype=mean.dtype)
    return drawn.reshape(mean.shape)


@mistake(
    "reparameterize",
    "You scale by the variance. The standard deviation is its root: halve the log-variance.",
)
def variance_as_spread(mean, log_var, generator):
    return mean + log_var.exp() * _noise(mean, generator)


@mistake("reparameterize", "You scale by the logarithm itself. Undo it by an exponential.")
def logarithm_as_spread(mean, log_var, generator):
    return mean + log_var * _noise(mean, generator)


@mistake(
    "reparameterize", "That is the root of a logarithm, no spread, and nan where it is negative."
)
def root_of_the_logarithm(mean, log_var, generator):
    return mean + log_var.sqrt() * _noise(mean, generator)


@mistake(
    "reparameterize",
    "The law is right, and no slope comes back. Something cuts it off: `detach`, `no_grad`, or a "
    "draw around the mean. Draw standard normal noise first.",
)
def drawn_without_slope(mean, log_var, generator):
    with torch.no_grad():
        return torch.normal(mean, (log_var / 2).exp(), generator=generator)


@mistake(
    "reparameterize",
    "You draw around the mean: the law is right, and the slopes are 0. Draw standard normal noise "
    "first, then scale and shift it.",
)
def drawn_around_the_mean(mean, log_var, generator):
    return torch.normal(mean, (log_var / 2).exp(), generator=generator)


@mistake("reparameterize", "The mean is left out: shift the scaled noise by it.")
def mean_forgotten(mean, log_var, generator):
    return 0 * mean + (log_var / 2).exp() * _noise(mean, generator)


@mistake("reparameterize", "The noise is not scaled: every code gets a spread of 1.")
def spread_ignored(mean, log_var, generator):
    return mean + 0 * log_var + _noise(mean, generator)


@mistake("reparameterize", "The spread is upside down: a larger log-variance should spread more.")
def spread_inverted(mean, log_var, generator):
    return mean + (-log_var / 2).exp() * _noise(mean, generator)


@mistake("reparameterize", "You halve the variance. Halve its logarithm, which takes the root.")
def half_of_the_variance(mean, log_var, generator):
    return mean + log_var.exp() / 2 * _noise(mean, generator)


@mistake(
    "reparameterize", "You start the generator anew, so that each draw is the first one again."
)
def reseeded(mean, log_var, generator):
    generator.manual_seed(generator.initial_seed())
    return mean + (log_var / 2).exp() * _noise(mean, generator)


@mistake("reparameterize", "The mean comes back without noise.")
def no_noise(mean, log_var, generator):
    return mean.clone()


@mistake("reparameterize", "All rows share one row of noise. Each number needs its own.")
def noise_of_one_row(mean, log_var, generator):
    return mean + (log_var / 2).exp() * _noise(mean[:1], generator)


@mistake("reparameterize", "All numbers of a row share their noise. Each number needs its own.")
def noise_of_one_column(mean, log_var, generator):
    return mean + (log_var / 2).exp() * _noise(mean[:, :1], generator)


@mistake("reparameterize", "One number of noise serves for all. Each number needs its own.")
def one_number_of_noise(mean, log_var, generator):
    return mean + (log_var / 2).exp() * _noise(mean.reshape(-1)[:1], generator)


@mistake("reparameterize", "The generator is not used. Pass it to the function that draws.")
def generator_ignored(mean, log_var, generator):
    return mean + (log_var / 2).exp() * torch.randn_like(mean)


@mistake("reparameterize", "Your noise is uniform. It should be normal.")
def uniform_noise(mean, log_var, generator):
    drawn = torch.rand(mean.shape, generator=generator, dtype=mean.dtype)
    return mean + (log_var / 2).exp() * drawn


@mistake("reparameterize", "Your noise is uniform, though round 0. It should be normal.")
def uniform_noise_round_zero(mean, log_var, generator):
    drawn = torch.rand(mean.shape, generator=generator, dtype=mean.dtype) - 0.5
    return mean + (log_var / 2).exp() * drawn


@mistake("reparameterize", "The mean is scaled, too. Scale the noise first, then shift.")
def mean_scaled(mean, log_var, generator):
    return (mean + _noise(mean, generator)) * (log_var / 2).exp()


@mistake(
    "reparameterize",
    "The spread is cut off from its slope: with the detach the encoder never learns how sure to be.",
)
def spread_detached(mean, log_var, generator):
    return mean + (log_var / 2).exp().detach() * _noise(mean, generator)


@variant("reparameterize")
def flat_noise(mean, log_var, generator):
    return torch.addcmul(mean, (0.5 * log_var).exp(), _noise(mean, generator))


@variant("reparameterize")
def row_by_row_the_other_way(mean, log_var, generator):
    spread = log_var.exp().sqrt()
    rows = [m - s * _noise(m, generator) for m, s in zip(mean, spread, strict=True)]
    return torch.stack(rows)


@variant("reparameterize")
def box_and_muller(mean, log_var, generator):
    u, v = torch.rand((2, *mean.shape), generator=generator, dtype=torch.float64)
    noise = (-2 * torch.log1p(-u)).sqrt() * (2 * math.pi * v).cos()
    return mean + torch.sqrt(torch.exp(log_var)) * noise.to(mean)


# --- gaussian_kl --------------------------------------------------------------------------------


@oracle("gaussian_kl")
def by_torch(mean, log_var):
    own = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    unit = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(own, unit).sum(-1)


@mistake("gaussian_kl", "You average over the numbers of a code. Their divergences add up.")
def averaged(mean, log_var):
    return by_torch(mean, log_var) / mean.shape[1]


@mistake("gaussian_kl", "One number for the whole batch came out. Each row has its own.")
def one_for_all(mean, log_var):
    return by_torch(mean, log_var).sum()


@mistake("gaussian_kl", "It is twice too large: the ½ is missing.")
def half_forgotten(mean, log_var):
    return 2 * by_torch(mean, log_var)


@mistake("gaussian_kl", "The sign is turned: a divergence is never negative.")
def negated(mean, log_var):
    return -by_torch(mean, log_var)


@mistake(
    "gaussian_kl",
    "A code that is standard normal already pays ½ a number. Its divergence is 0: take the 1 off.",
)
def one_forgotten(mean, log_var):
    return by_torch(mean, log_var) + mean.shape[1] / 2


@mistake("gaussian_kl", "You take the log-variance for the variance. Take its exponential first.")
def taken_for_the_variance(mean, log_var):
    gaps = mean.square() + log_var - 1 - log_var.log()
    return 0.5 * gaps.sum(-1)


@mistake("gaussian_kl", "You take s for s²: no half in this exponential.")
def spread_for_the_variance(mean, log_var):
    return 0.5 * (mean.square() + (log_var / 2).exp() - 1 - log_var).sum(-1)


@mistake("gaussian_kl", "The log-variance is added. Take it off.")
def logarithm_added(mean, log_var):
    return by_torch(mean, log_var) + log_var.sum(-1)


@mistake("gaussian_kl", "The 1 is taken off once a code. Take it off for each of its numbers.")
def one_for_the_code(mean, log_var):
    return by_torch(mean, log_var) + (mean.shape[1] - 1) / 2


@mistake("gaussian_kl", "The 1 is added. Take it off.")
def one_added(mean, log_var):
    return by_torch(mean, log_var) + mean.shape[1]


@mistake("gaussian_kl", "The sum over the numbers of a code is missing.")
def not_summed(mean, log_var):
    return 0.5 * (mean.pow(2) + torch.expm1(log_var) - log_var)


@mistake("gaussian_kl", "The ½ reaches μ² alone. It halves the whole bracket.")
def half_of_the_mean_alone(mean, log_var):
    return (0.5 * mean.pow(2) + torch.expm1(log_var) - log_var).sum(-1)


@mistake("gaussian_kl", "The ½ does not reach μ². It halves the whole bracket.")
def mean_not_halved(mean, log_var):
    return by_torch(mean, log_var) + 0.5 * mean.pow(2).sum(-1)


@mistake("gaussian_kl", "One mean for the whole batch came out. Each row has its own number.")
def mean_of_the_batch(mean, log_var):
    return by_torch(mean, log_var).mean()


@mistake("gaussian_kl", "You take log s² for log s. One exponential is twice too strong.")
def taken_for_log_spread(mean, log_var):
    return by_torch(mean, 2 * log_var)


@mistake("gaussian_kl", "This is the divergence of the standard normal from yours: turned round.")
def turned_round(mean, log_var):
    inverse = torch.exp(-log_var)
    return 0.5 * (inverse + mean.square() * inverse - 1 + log_var).sum(-1)


@mistake("gaussian_kl", "The mean is not squared.")
def mean_not_squared(mean, log_var):
    return by_torch(0 * mean, log_var) + 0.5 * mean.sum(-1)


@mistake("gaussian_kl", "You sum over the rows. Sum over the numbers of each code.")
def summed_over_rows(mean, log_var):
    gaps = mean.square() + torch.exp(log_var) - 1 - log_var
    return 0.5 * gaps.sum(0)


@variant("gaussian_kl")
def by_expm1(mean, log_var):
    return 0.5 * (mean.pow(2) + torch.expm1(log_var) - log_var).sum(-1)


@variant("gaussian_kl")
def by_loops(mean, log_var):
    rows = []
    for m, v in zip(mean, log_var, strict=True):
        total = m @ m + v.exp().sum() - v.sum() - len(m)
        rows.append(total / 2)
    return torch.stack(rows)


# --- elbo ---------------------------------------------------------------------------------------


def _divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean.pow(2) + torch.expm1(log_var) - log_var).sum(-1)


def _pixels(x: Tensor, logits: Tensor) -> Tensor:
    """log p of each pixel."""
    return torch.distributions.Binomial(16, logits=logits, validate_args=False).log_prob(16 * x)


def _coefficient(x: Tensor) -> Tensor:
    table = [math.log(math.comb(16, k)) for k in range(17)]
    return torch.tensor(table, dtype=x.dtype)[(16 * x).round().long()]


@oracle("elbo")
def by_torch_s_binomial(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) - by_torch(mean, log_var)


@mistake("elbo", "The binomial coefficient is missing: many patterns of dots have the same count.")
def no_coefficient(x, logits, mean, log_var):
    likely = _pixels(x, logits) - _coefficient(x)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo",
    "You take a pixel for one dot: this is the cross-entropy of x. A pixel is a count of 16 dots.",
)
def one_dot(x, logits, mean, log_var):
    likely = x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "The divergence is added. It is a price: take it off.")
def divergence_added(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) + _divergence(mean, log_var)


@mistake("elbo", "The divergence is missing.")
def no_divergence(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) + 0 * mean.sum(-1) + 0 * log_var.sum(-1)


@mistake("elbo", "You average over the pixels. Their log-probabilities add up.")
def pixels_averaged(x, logits, mean, log_var):
    return _pixels(x, logits).mean(-1) - _divergence(mean, log_var)


@mistake("elbo", "This is minus the bound, a loss. Return the bound itself.")
def a_loss(x, logits, mean, log_var):
    return _divergence(mean, log_var) - _pixels(x, logits).sum(-1)


@mistake("elbo", "One number for the whole batch came out. Each row has its own.")
def one_number(x, logits, mean, log_var):
    return (_pixels(x, logits).sum(-1) - _divergence(mean, log_var)).mean()


@mistake("elbo", "Ink and paper are swapped: k counts the dots with ink.")
def ink_for_paper(x, logits, mean, log_var):
    return _pixels(x, -logits).sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo",
    "At large logits σ is 0 or 1, or an exponential is infinite, and the logarithm is lost. Take the "
    "logarithm of σ at once.",
)
def logarithm_of_a_sigma(x, logits, mean, log_var):
    p = logits.sigmoid()
    likely = _coefficient(x) + 16 * x * p.log() + 16 * (1 - x) * (1 - p).log()
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo",
    "Your probabilities are kept off 0 and 1, so a sure decoder that is wrong pays too little, and "
    "its slope is gone. Take the logarithm of σ at once.",
)
def clamped(x, logits, mean, log_var):
    p = logits.sigmoid().clamp(1e-6, 1 - 1e-6)
    likely = _coefficient(x) + 16 * x * p.log() + 16 * (1 - x) * (1 - p).log()
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo",
    "Your probabilities stop 1e-7 from 0 and 1, so a sure decoder that is wrong pays too little. Take "
    "the logarithm of σ at once.",
)
def clamped_nearer(x, logits, mean, log_var):
    p = logits.sigmoid().clamp(1e-7, 1 - 1e-7)
    likely = _coefficient(x) + 16 * x * p.log() + 16 * (1 - x) * (1 - p).log()
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo",
    "An exponential or a logarithm is infinite at large logits. Take the logarithm of σ at once.",
)
def exponential_overflows(x, logits, mean, log_var):
    likely = _coefficient(x) + 16 * x * logits - 16 * (1 + logits.exp()).log()
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo",
    "This cross-entropy of probabilities cuts its logarithms off at −100. Give the logits to the one "
    "that takes logits.",
)
def entropy_of_probabilities(x, logits, mean, log_var):
    cost = torch.nn.functional.binary_cross_entropy(logits.sigmoid(), x, reduction="none")
    return (_coefficient(x) - 16 * cost).sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo", "The logits are cut off: beyond that a sure decoder that is wrong pays too little."
)
def logits_cut_off(x, logits, mean, log_var):
    return _pixels(x, logits.clamp(-20, 20)).sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "The divergence is right, and its slope is cut off: the encoder never pays it.")
def divergence_cut_off(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) - _divergence(mean, log_var).detach()


@mistake("elbo", "The divergences of the whole batch are taken off each row. Each pays its own.")
def divergence_of_the_batch(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) - _divergence(mean, log_var).sum()


@mistake("elbo", "The mean divergence of the batch is taken off each row. Each pays its own.")
def mean_divergence_of_the_batch(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) - _divergence(mean, log_var).mean()


@mistake("elbo", "The divergence is averaged over the numbers of the code. They add up.")
def divergence_averaged(x, logits, mean, log_var):
    return _pixels(x, logits).sum(-1) - _divergence(mean, log_var) / mean.shape[1]


@mistake("elbo", "The pixels of the whole batch go into each row. Sum over the pixels of each.")
def pixels_of_the_batch(x, logits, mean, log_var):
    return _pixels(x, logits).sum() - _divergence(mean, log_var)


@mistake("elbo", "One sum for the whole batch came out. Each row has its own.")
def one_sum(x, logits, mean, log_var):
    return (_pixels(x, logits).sum(-1) - _divergence(mean, log_var)).sum()


@mistake("elbo", "Paper has the same logit as ink. Its probability is that of −ℓ.")
def paper_like_ink(x, logits, mean, log_var):
    likely = _coefficient(x) + 16 * logsigmoid(logits) + 0 * x
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "The coefficient is turned round: log 16! comes first, the other two come off it.")
def coefficient_taken_off(x, logits, mean, log_var):
    likely = _pixels(x, logits) - 2 * _coefficient(x)
    return likely.sum(-1) - _divergence(mean, log_var)


_SURE = (
    "A little is added to your probabilities, so a sure decoder that is wrong pays too little. Take "
    "the logarithm of σ at once."
)


@mistake("elbo", _SURE)
def a_little_added(x, logits, mean, log_var):
    p = logits.sigmoid()
    likely = 16 * x * (p + 1e-8).log() + 16 * (1 - x) * (1 - p + 1e-8).log()
    return (_coefficient(x) + likely).sum(-1) - _divergence(mean, log_var)


@mistake(
    "elbo", "Torch's distribution keeps `probs` off 0 and 1. Give it your `logits` as they are."
)
def by_probabilities(x, logits, mean, log_var):
    likely = torch.distributions.Binomial(16, probs=logits.sigmoid()).log_prob(16 * x)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "The dots without ink are missing: 16 − k of them are paper.")
def ink_alone(x, logits, mean, log_var):
    likely = _coefficient(x) + 16 * x * logsigmoid(logits)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "x is k / 16. Multiply it by 16 before you count.")
def shares_for_counts(x, logits, mean, log_var):
    ways = math.lgamma(17) - torch.lgamma(x + 1) - torch.lgamma(17 - x)
    likely = ways + x * logsigmoid(logits) + (16 - x) * logsigmoid(-logits)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "`torch.lgamma(n + 1)` is log n!. The + 1 is missing.")
def factorials_of_one_less(x, logits, mean, log_var):
    k = 16 * x
    ways = math.lgamma(16) - torch.lgamma(k) - torch.lgamma(16 - k)
    likely = ways + k * logsigmoid(logits) + (16 - k) * logsigmoid(-logits)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "`torch.lgamma(n + 1)` is log n!. For 16 − k dots that is 17 − k.")
def paper_s_factorial_of_one_less(x, logits, mean, log_var):
    k = 16 * x
    ways = math.lgamma(17) - torch.lgamma(k + 1) - torch.lgamma(16 - k)
    likely = ways + k * logsigmoid(logits) + (16 - k) * logsigmoid(-logits)
    return likely.sum(-1) - _divergence(mean, log_var)


@mistake("elbo", "The logits go through σ twice.")
def squashed_twice(x, logits, mean, log_var):
    return _pixels(x, logits.sigmoid()).sum(-1) - _divergence(mean, log_var)


@variant("elbo")
def by_cross_entropy(x, logits, mean, log_var):
    cost = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return (_coefficient(x) - 16 * cost).sum(-1) - _divergence(mean, log_var)


@variant("elbo")
def by_a_stable_softplus(x, logits, mean, log_var):
    k = 16 * x
    cost = logits.clamp(min=0) + torch.log1p(torch.exp(-logits.abs()))
    return (_coefficient(x) + k * logits - 16 * cost).sum(-1) - _divergence(mean, log_var)


@variant("elbo")
def by_softplus(x, logits, mean, log_var):
    table = torch.tensor([math.comb(16, k) for k in range(17)], dtype=x.dtype).log()
    ways = table[(16 * x).round().long()]
    likely = ways + 16 * x * logits - 16 * torch.nn.functional.softplus(logits)
    return torch.stack([row.sum() for row in likely]) - _divergence(mean, log_var)


# --- frechet_distance ---------------------------------------------------------------------------


def _parts(a: Tensor, b: Tensor) -> tuple[float, np.ndarray, np.ndarray]:
    """The squared gap of the means, and both covariances."""
    one, other = a.double().numpy(), b.double().numpy()
    gap = float(np.square(one.mean(0) - other.mean(0)).sum())
    covs = (np.atleast_2d(np.cov(heap, rowvar=False)) for heap in (one, other))
    return (gap, *covs)


def _root(matrix: np.ndarray) -> np.ndarray:
    """The root of a symmetric matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def _cross(ca: np.ndarray, cb: np.ndarray) -> float:
    half = _root(ca)
    return float(np.trace(_root(half @ cb @ half)))


def _number(x: float) -> Tensor:
    return torch.tensor(float(x), dtype=torch.float64)


@oracle("frechet_distance")
def by_symmetric_roots(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb))


@mistake("frechet_distance", "The gap of the means is missing.")
def no_means(a, b):
    _, ca, cb = _parts(a, b)
    return _number(np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb))


@mistake("frechet_distance", "The gap of the means is not squared.")
def means_not_squared(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(math.sqrt(gap) + np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb))


@mistake("frechet_distance", "Only the means are compared. The spreads count, too.")
def means_alone(a, b):
    return _number(_parts(a, b)[0])


@mistake("frechet_distance", "The last trace counts twice, and yours once.")
def two_forgotten(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap + np.trace(ca) + np.trace(cb) - _cross(ca, cb))


@mistake("frechet_distance", "Your covariances divide by N. N − 1 is asked for.")
def divided_by_n(a, b):
    gap, ca, cb = _parts(a, b)
    ca, cb = ca * (len(a) - 1) / len(a), cb * (len(b) - 1) / len(b)
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb))


@mistake(
    "frechet_distance",
    "You took the root entry by entry. The root of a matrix is another thing: go by its eigenvalues.",
)
def root_of_each_entry(a, b):
    gap, ca, cb = _parts(a, b)
    root = np.sqrt(np.abs(ca @ cb))
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * np.trace(root))


@mistake(
    "frechet_distance", "You compare each feature by itself. How features vary together counts."
)
def features_apart(a, b):
    gap, ca, cb = _parts(a, b)
    spreads = np.sqrt(np.diag(ca)) - np.sqrt(np.diag(cb))
    return _number(gap + np.square(spreads).sum())


@mistake("frechet_distance", "You took the product entry by entry. Multiply the matrices.")
def product_of_each_entry(a, b):
    gap, ca, cb = _parts(a, b)
    roots = np.sqrt(np.linalg.eigvals(ca * cb).real.clip(0))
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * roots.sum())


@mistake("frechet_distance", "The root is missing: the eigenvalues themselves are summed.")
def no_root(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * np.trace(ca @ cb))


@mistake(
    "frechet_distance",
    "You took the roots of singular values. The product is not symmetric: they are no eigenvalues.",
)
def singular_values(a, b):
    gap, ca, cb = _parts(a, b)
    roots = np.sqrt(np.linalg.svd(ca @ cb, compute_uv=False))
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * roots.sum())


@mistake(
    "frechet_distance",
    "Your eigenvalues are those of a symmetric matrix, and the product is none. Use `eigvals`.",
)
def eigenvalues_of_one_half(a, b):
    gap, ca, cb = _parts(a, b)
    roots = np.sqrt(np.linalg.eigvalsh(ca @ cb).clip(0))
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * roots.sum())


@mistake(
    "frechet_distance",
    "You multiply the two roots. Multiply the covariances first: their root is another matrix.",
)
def product_of_the_roots(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * np.trace(_root(ca) @ _root(cb)))


@mistake(
    "frechet_distance",
    "This was computed in float32, where eigenvalues that should be 0 are not. Go to float64 first.",
)
def in_single_precision(a, b):
    a, b = a.float(), b.float()
    ca, cb = (torch.cov(heap.T).reshape(heap.shape[1], -1) for heap in (a, b))
    gap = (a.mean(0) - b.mean(0)).square().sum()
    roots = torch.linalg.eigvals(ca @ cb).real.clamp(min=0).sqrt()
    return gap + ca.trace() + cb.trace() - 2 * roots.sum()


@mistake("frechet_distance", "An eigenvalue came out a little below 0, and has no root: clamp it.")
def eigenvalue_below_zero(a, b):
    whole = by_symmetric_roots(a, b)
    return whole if len(a) > a.shape[1] else torch.nan * whole


@mistake(
    "frechet_distance",
    "With one feature `torch.cov` gives a number and no matrix. Give it its two axes back.",
)
def number_for_a_matrix(a, b):
    torch.cov(a.double().T).trace()
    return by_symmetric_roots(a, b)


@mistake(
    "frechet_distance",
    "Your covariances are those of the rows: `torch.cov` wants the features as rows.",
)
def rows_for_features(a, b):
    if min(a.shape) < 2:
        return _number(math.nan)
    ca, cb = (torch.cov(heap.double()) for heap in (a, b))
    gap = (a.double().mean(0) - b.double().mean(0)).square().sum()
    roots = torch.linalg.eigvals(ca @ cb).real.clamp(min=0).sqrt()
    return gap + ca.trace() + cb.trace() - 2 * roots.sum()


@mistake(
    "frechet_distance",
    "You took the root of a trace. Take the trace of the root: a root of each eigenvalue, then the sum.",
)
def root_of_the_trace(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * math.sqrt(np.trace(ca @ cb)))


@mistake("frechet_distance", "The gap of the means is averaged. Its squares add up.")
def mean_gap(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap / a.shape[1] + np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb))


@mistake("frechet_distance", "The last trace is added. Take it off.")
def cross_added(a, b):
    gap, ca, cb = _parts(a, b)
    return _number(gap + np.trace(ca) + np.trace(cb) + 2 * _cross(ca, cb))


@mistake("frechet_distance", "Your covariances are taken round 0. Take the means off first.")
def means_left_in(a, b):
    gap, *_ = _parts(a, b)
    ca, cb = (x.T @ x / (len(x) - 1) for x in (a.double().numpy(), b.double().numpy()))
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb))


@mistake("frechet_distance", "You took a root at the end. The squared distance is asked for.")
def root_at_the_end(a, b):
    gap, ca, cb = _parts(a, b)
    whole = gap + np.trace(ca) + np.trace(cb) - 2 * _cross(ca, cb)
    return _number(math.sqrt(max(whole, 0.0)))


@variant("frechet_distance")
def by_a_root_kept_off_zero(a, b):
    gap, ca, cb = _parts(a, b)
    root = linalg.sqrtm(ca @ cb + 1e-12 * np.eye(len(ca)))
    return _number(gap + np.trace(ca) + np.trace(cb) - 2 * np.trace(root).real)


@variant("frechet_distance")
def complex_roots(a, b):
    gap, ca, cb = _parts(a, b)
    values = linalg.eigvals(ca @ cb).astype(complex)
    return gap + float(np.trace(ca) + np.trace(cb)) - 2 * float(np.sqrt(values).sum().real)


@variant("frechet_distance")
def by_singular_values(a, b):
    """No covariance at all: the trace of the root is a sum of singular values."""
    one, other = (heap.double() - heap.double().mean(0) for heap in (a, b))
    one, other = one / math.sqrt(len(a) - 1), other / math.sqrt(len(b) - 1)
    gap = (a.double().mean(0) - b.double().mean(0)).pow(2).sum()
    return (
        gap + one.pow(2).sum() + other.pow(2).sum() - 2 * torch.linalg.svdvals(one @ other.T).sum()
    )


# --- slerp --------------------------------------------------------------------------------------


def _angles(a: Tensor, b: Tensor) -> Tensor:
    """The angle between each pair of rows, (B, 1), by its half: never nan."""
    one, other = (x / x.norm(dim=1, keepdim=True) for x in (a, b))
    gap, sum_ = (one - other).norm(dim=1), (one + other).norm(dim=1)
    return 2 * torch.atan2(gap, sum_)[:, None]


def _mixed(a: Tensor, b: Tensor, t: float, angle: Tensor) -> Tensor:
    straight = (1 - t) * a + t * b
    safe = angle.clamp(min=1e-3)
    arc = torch.sin((1 - t) * safe) / safe.sin() * a + torch.sin(t * safe) / safe.sin() * b
    return torch.where(angle < 1e-3, straight, arc)


@oracle("slerp")
def by_half_angles(a, b, t):
    return _mixed(a, b, t, _angles(a, b))


@mistake("slerp", "This is the straight line. Weigh a and b by sines of the angle.")
def straight_line(a, b, t):
    return torch.lerp(a, b, t)


@mistake("slerp", "a and b are swapped: at t = 0 the walk is at a.")
def other_way_round(a, b, t):
    return by_half_angles(b, a, t)


@mistake("slerp", "The sine of the whole angle is missing below.")
def sine_forgotten(a, b, t):
    angle = _angles(a, b)
    return torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b


@mistake(
    "slerp",
    "Your angle is that of the products of rows of any length. Divide by both lengths first.",
)
def lengths_in_the_angle(a, b, t):
    cosine = (a * b).sum(1, keepdim=True).clamp(-1, 1)
    return _mixed(a, b, t, cosine.acos())


@mistake("slerp", "You bring a and b to length 1. Only the angle wants that; mix them as they are.")
def lengths_lost(a, b, t):
    one, other = (x / x.norm(dim=1, keepdim=True) for x in (a, b))
    return by_half_angles(one, other, t)


@mistake("slerp", "Rows that point the same way give 0 / 0. There the walk goes straight.")
def nan_where_parallel(a, b, t):
    one, other = (x / x.norm(dim=1, keepdim=True) for x in (a, b))
    angle = (one * other).sum(1, keepdim=True).clamp(-1, 1).acos()
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / angle.sin()


@mistake(
    "slerp",
    "Nothing below the line mends 0 / 0: the walk of parallel rows stops at 0. Go straight there.",
)
def nothing_where_parallel(a, b, t):
    angle = _angles(a, b)
    return torch.where(angle < 1e-3, 0 * a, by_half_angles(a, b, t))


@mistake("slerp", "A cosine came out just above 1, and its arccosine is nan. Clamp it.")
def clamp_forgotten(a, b, t):
    lengths = a.norm(dim=1, keepdim=True) * b.norm(dim=1, keepdim=True)
    angle = ((a * b).sum(1, keepdim=True) / lengths).acos()
    arc = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / angle.sin()
    return torch.where(angle < 1e-3, torch.lerp(a, b, t), arc)


@mistake("slerp", "Cosines below 0 are cut off or turned: two rows may point away from each other.")
def never_obtuse(a, b, t):
    return _mixed(a, b, t, _angles(a, b).cos().clamp(0, 1).acos())


@mistake("slerp", "You drop the sign of the cosine: two rows may point away from each other.")
def sign_dropped(a, b, t):
    return _mixed(a, b, t, _angles(a, b).cos().abs().clamp(max=1).acos())


@mistake("slerp", "You weigh by cosines. The formula has sines.")
def cosines_for_weights(a, b, t):
    angle = _angles(a, b)
    arc = torch.cos((1 - t) * angle) * a + torch.cos(t * angle) * b
    return torch.where(angle < 1e-3, torch.lerp(a, b, t), arc / angle.sin())


@mistake("slerp", "You take the arcsine. The angle is the arccosine of the cosine.")
def arcsine(a, b, t):
    angle = _angles(a, b).cos().clamp(-1, 1).asin()
    way = torch.sin((1 - t) * angle) / angle.sin() * a + torch.sin(t * angle) / angle.sin() * b
    return torch.where(angle < 1e-3, torch.lerp(a, b, t), way)


@mistake("slerp", "Your angle has the shape (B,) and meets the columns. Keep its axis: (B, 1).")
def angle_without_its_axis(a, b, t):
    return _mixed(a, b, t, _angles(a, b)[:, 0])


@mistake(
    "slerp",
    "You walk along directions and give them a length of their own. The formula mixes a and b as "
    "they are.",
)
def lengths_apart(a, b, t):
    sizes = [x.norm(dim=1, keepdim=True) for x in (a, b)]
    return by_half_angles(a / sizes[0], b / sizes[1], t) * torch.lerp(*sizes, t)


@mistake(
    "slerp",
    "You walk between directions and stretch all to the length of a. The formula mixes a and b as "
    "they are.",
)
def arc_of_one_length(a, b, t):
    sizes = [x.norm(dim=1, keepdim=True) for x in (a, b)]
    return by_half_angles(a / sizes[0], b / sizes[1], t) * sizes[0]


@mistake("slerp", "You walk straight and bring the result to length 1. Weigh a and b by sines.")
def line_of_length_one(a, b, t):
    line = torch.lerp(a, b, t)
    return line / line.norm(dim=1, keepdim=True)


@mistake("slerp", "One angle serves for the whole batch. Each row has its own.")
def one_angle(a, b, t):
    cosine = (a * b).sum() / (a.norm() * b.norm())
    return _mixed(a, b, t, cosine.clamp(-1, 1).acos().expand(len(a), 1))


@mistake("slerp", "The arccosine is missing: you take the cosine for the angle.")
def cosine_for_angle(a, b, t):
    return _mixed(a, b, t, _angles(a, b).cos())


@mistake(
    "slerp",
    "You walk straight and stretch the result to the length of a. That is another place for most t.",
)
def stretched_line(a, b, t):
    line = torch.lerp(a, b, t)
    return line / line.norm(dim=1, keepdim=True) * a.norm(dim=1, keepdim=True)


@variant("slerp")
def row_after_row(a, b, t):
    rows = []
    for p, q in zip(a, b, strict=True):
        turn = torch.arccos(torch.clamp(torch.dot(p / p.norm(), q / q.norm()), -1, 1))
        if turn < 1e-3:
            rows.append(p + t * (q - p))
            continue
        rows.append(
            p * torch.sin(turn - t * turn) / turn.sin() + q * torch.sin(t * turn) / turn.sin()
        )
    return torch.stack(rows)


@variant("slerp")
def by_a_frame(a, b, t):
    """Turn in the plane of both, then give a and b their shares back."""
    angle = _angles(a, b).double()
    share = torch.where(
        angle < 1e-3, torch.full_like(angle, 1 - t), ((1 - t) * angle).sin() / angle.sin()
    )
    other = torch.where(angle < 1e-3, torch.full_like(angle, t), (t * angle).sin() / angle.sin())
    return (share * a + other * b).to(a)


SURVIVORS: dict[str, str] = {
    "reparameterize: swap operator in `mean + (log_var / 2).exp() * noise`": (
        "the law of the noise is symmetric: minus ε is as good as ε"
    ),
    "slerp: swap comparison in `angle < 0.001`": "no angle is exactly a thousandth",
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
