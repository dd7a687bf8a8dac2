"""What students write for the exercises of 01_conditional_gans: wrong, or right and unusual."""

import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import logsigmoid, relu, softplus

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- discriminator_loss -------------------------------------------------------------------------


@oracle("discriminator_loss")
def by_the_library(real_logits, fake_logits):
    real = cross_entropy(real_logits, torch.ones_like(real_logits))
    return real + cross_entropy(fake_logits, torch.zeros_like(fake_logits))


@mistake(
    "discriminator_loss", "Real and made are swapped: D would learn to call the real ones made."
)
def labels_swapped(real_logits, fake_logits):
    return softplus(real_logits).mean() + softplus(-fake_logits).mean()


@mistake(
    "discriminator_loss",
    "You take the logarithm of a σ: at a logit of 100 it is lost. Work on the logits themselves.",
)
def log_of_sigmoid(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(real).mean() - torch.log(1 - fake).mean()


@mistake(
    "discriminator_loss",
    "A small number inside the logarithm keeps it finite and wrong: at a logit of −100 the cost is 100.",
)
def log_with_epsilon(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(real + 1e-7).mean() - torch.log(1 - fake + 1e-7).mean()


@mistake("discriminator_loss", "You sum. Take a mean over the real, and a mean over the made.")
def summed(real_logits, fake_logits):
    return softplus(-real_logits).sum() + softplus(fake_logits).sum()


@mistake(
    "discriminator_loss",
    "You average over all logits together. Each kind has a mean of its own; the two are added.",
)
def one_mean(real_logits, fake_logits):
    return torch.cat([softplus(-real_logits), softplus(fake_logits)]).mean()


@mistake("discriminator_loss", "Your loss is half as large: the two means are added, not averaged.")
def halved(real_logits, fake_logits):
    return (softplus(-real_logits).mean() + softplus(fake_logits).mean()) / 2


@mistake("discriminator_loss", "The made pictures play no part. D has to know them, too.")
def real_only(real_logits, fake_logits):
    return softplus(-real_logits).mean() + 0 * fake_logits.sum()


@mistake("discriminator_loss", "The real pictures play no part. D has to know them, too.")
def made_only(real_logits, fake_logits):
    return softplus(fake_logits).mean() + 0 * real_logits.sum()


@mistake(
    "discriminator_loss", "This is what D gains. A loss is made small, so it has the other sign."
)
def turned_round(real_logits, fake_logits):
    return logsigmoid(real_logits).mean() + logsigmoid(-fake_logits).mean()


@mistake(
    "discriminator_loss",
    "The made logits are detached. It is the pictures that D's step leaves alone, not its logits.",
)
def made_detached(real_logits, fake_logits):
    return softplus(-real_logits).mean() + softplus(fake_logits.detach()).mean()


@mistake("discriminator_loss", "This is the hinge loss. Here it is the cross-entropy.")
def hinge(real_logits, fake_logits):
    return relu(1 - real_logits).mean() + relu(1 + fake_logits).mean()


@mistake("discriminator_loss", "This is the least-squares loss. Here it is the cross-entropy.")
def least_squares(real_logits, fake_logits):
    return ((real_logits - 1) ** 2).mean() + (fake_logits**2).mean()


@variant("discriminator_loss")
def by_log_sigmoid(real_logits, fake_logits):
    return -(logsigmoid(real_logits).mean() + logsigmoid(-fake_logits).mean())


@variant("discriminator_loss")
def by_logaddexp(real_logits, fake_logits):
    zero = real_logits.new_zeros(())
    costs = [torch.logaddexp(zero, t) for t in (-real_logits, fake_logits)]
    return sum(cost.sum() / cost.numel() for cost in costs)


@variant("discriminator_loss")
def as_a_classifier(real_logits, fake_logits):
    """One weighted cross-entropy over all."""
    logits = torch.cat([real_logits, fake_logits])
    real = (torch.arange(len(logits)) < len(real_logits)).to(logits)
    weight = real / len(real_logits) + (1 - real) / len(fake_logits)
    return cross_entropy(logits, real, weight=weight, reduction="sum")


# --- generator_loss -----------------------------------------------------------------------------


@oracle("generator_loss")
def by_the_library_too(fake_logits):
    return cross_entropy(fake_logits, torch.ones_like(fake_logits))


@mistake(
    "generator_loss",
    "This is the loss that saturates: its slope is next to nothing where D is sure.",
)
def saturating(fake_logits):
    return -softplus(fake_logits).mean()


@mistake("generator_loss", "This is D's cost of the made. G wants the opposite.")
def discriminators_cost(fake_logits):
    return softplus(fake_logits).mean()


@mistake(
    "generator_loss",
    "You take the logarithm of a σ: at a logit of −100 it is lost. Work on the logits themselves.",
)
def log_of_sigmoid_too(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits)).mean()


@mistake(
    "generator_loss",
    "A small number inside the logarithm keeps it finite and wrong: at a logit of −100 the cost is 100.",
)
def log_with_epsilon_too(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits) + 1e-7).mean()


@mistake("generator_loss", "You sum. Take the mean over the pictures.")
def summed_too(fake_logits):
    return softplus(-fake_logits).sum()


@mistake("generator_loss", "This is what G gains. A loss is made small, so it has the other sign.")
def gain(fake_logits):
    return logsigmoid(fake_logits).mean()


@mistake("generator_loss", "You take the logit itself: that is the loss of a Wasserstein GAN.")
def wasserstein(fake_logits):
    return -fake_logits.mean()


@mistake("generator_loss", "This is 1 − σ, without the logarithm. It saturates as well.")
def without_logarithm(fake_logits):
    return torch.sigmoid(-fake_logits).mean()


@mistake("generator_loss", "This is the least-squares loss. Here it is the cross-entropy.")
def least_squares_too(fake_logits):
    return ((fake_logits - 1) ** 2).mean()


@variant("generator_loss")
def by_log_sigmoid_too(fake_logits):
    return -logsigmoid(fake_logits).mean()


@variant("generator_loss")
def by_logsumexp(fake_logits):
    both = torch.stack([torch.zeros_like(fake_logits), -fake_logits])
    return both.logsumexp(0).sum() / fake_logits.numel()


# --- conditioning_augmentation ------------------------------------------------------------------


def _noise(like, generator):
    return torch.randn(like.shape, generator=generator, device=generator.device).to(like)


def _kl(mu, log_sigma):
    """Each number's own share, (B, D)."""
    return kl_divergence(Normal(mu, torch.exp(log_sigma)), Normal(0.0, 1.0))


@oracle("conditioning_augmentation")
def by_distributions(mu, log_sigma, generator):
    cloud = Independent(Normal(mu, torch.exp(log_sigma)), 1)
    normal = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    spread = _noise(mu, generator) * cloud.base_dist.stddev
    return cloud.mean + spread, kl_divergence(cloud, normal).mean()


@mistake(
    "conditioning_augmentation",
    "You took log σ for log σ², in both parts. It is the logarithm of the standard deviation.",
)
def log_variance(mu, log_sigma, generator):
    return mu + torch.exp(log_sigma / 2) * _noise(mu, generator), _kl(mu, log_sigma / 2).sum(
        1
    ).mean()


@mistake(
    "conditioning_augmentation",
    "The noise is multiplied by log σ, which may be negative. Take the exponential first.",
)
def not_exponentiated(mu, log_sigma, generator):
    return mu + log_sigma * _noise(mu, generator), _kl(mu, log_sigma).sum(1).mean()


@mistake("conditioning_augmentation", "The noise is multiplied by σ². Its standard deviation is σ.")
def variance_in_the_draw(mu, log_sigma, generator):
    spread = torch.exp(2 * log_sigma) * _noise(mu, generator)
    return mu + spread, _kl(mu, log_sigma).sum(1).mean()


@mistake("conditioning_augmentation", "The KL is averaged over D as well. Sum over D.")
def averaged_over_all(mu, log_sigma, generator):
    return mu + torch.exp(log_sigma) * _noise(mu, generator), _kl(mu, log_sigma).mean()


@mistake("conditioning_augmentation", "The KL is summed over the batch as well. Average over B.")
def summed_over_all(mu, log_sigma, generator):
    return mu + torch.exp(log_sigma) * _noise(mu, generator), _kl(mu, log_sigma).sum()


@mistake(
    "conditioning_augmentation", "The KL has one number for each caption. Average over B as well."
)
def one_a_caption(mu, log_sigma, generator):
    return mu + torch.exp(log_sigma) * _noise(mu, generator), _kl(mu, log_sigma).sum(1)


@mistake(
    "conditioning_augmentation",
    "Your KL is not 0 at μ = 0 and σ = 1: a −1 is missing in the bracket.",
)
def one_missing(mu, log_sigma, generator):
    kl = (mu.square() + torch.exp(2 * log_sigma)) / 2 - log_sigma
    return mu + torch.exp(log_sigma) * _noise(mu, generator), kl.sum(1).mean()


@mistake("conditioning_augmentation", "The KL lacks its ½ before the bracket.")
def half_missing(mu, log_sigma, generator):
    kl = mu.square() + torch.exp(2 * log_sigma) - 1 - log_sigma
    return mu + torch.exp(log_sigma) * _noise(mu, generator), kl.sum(1).mean()


@mistake(
    "conditioning_augmentation",
    "The KL is the wrong way round: it is how far the cloud is from N(0, I).",
)
def reversed_kl(mu, log_sigma, generator):
    kl = kl_divergence(Normal(0.0, 1.0), Normal(mu, torch.exp(log_sigma)))
    return mu + torch.exp(log_sigma) * _noise(mu, generator), kl.sum(1).mean()


@mistake("conditioning_augmentation", "The KL has the wrong sign: it is never below 0.")
def negative_kl(mu, log_sigma, generator):
    return mu + torch.exp(log_sigma) * _noise(mu, generator), -_kl(mu, log_sigma).sum(1).mean()


@mistake(
    "conditioning_augmentation",
    "You draw from torch's own noise. Pass the generator on to the draw.",
)
def other_noise(mu, log_sigma, generator):
    return mu + torch.exp(log_sigma) * torch.randn_like(mu), _kl(mu, log_sigma).sum(1).mean()


@mistake(
    "conditioning_augmentation",
    "No gradient passes through your draw. Draw ε by itself, and build c from μ, σ and ε.",
)
def drawn_without_gradient(mu, log_sigma, generator):
    with torch.no_grad():
        c = mu + torch.exp(log_sigma) * _noise(mu, generator)
    return c, _kl(mu, log_sigma).sum(1).mean()


@mistake("conditioning_augmentation", "The noise is uniform. It has to be normal.")
def uniform_noise(mu, log_sigma, generator):
    noise = torch.rand(mu.shape, generator=generator).to(mu)
    return mu + torch.exp(log_sigma) * noise, _kl(mu, log_sigma).sum(1).mean()


@mistake(
    "conditioning_augmentation", "All captions share one noise. Draw one for each number of μ."
)
def shared_by_the_batch(mu, log_sigma, generator):
    noise = _noise(mu[:1], generator)
    return mu + torch.exp(log_sigma) * noise, _kl(mu, log_sigma).sum(1).mean()


@mistake("conditioning_augmentation", "You return the mean alone. Where is the noise?")
def no_noise(mu, log_sigma, generator):
    return mu + 0 * log_sigma, _kl(mu, log_sigma).sum(1).mean()


@variant("conditioning_augmentation")
def row_by_row(mu, log_sigma, generator):
    draws, kls = [], []
    for m, s in zip(mu, log_sigma):
        draws.append(m + _noise(m, generator) * torch.exp(s))
        kls.append((m.square() / 2 + torch.exp(2 * s) / 2 - s - 0.5).sum())
    return torch.stack(draws), sum(kls) / len(kls)


@variant("conditioning_augmentation")
def by_a_list_and_the_library(mu, log_sigma, generator):
    noise = torch.empty(mu.shape, dtype=mu.dtype).normal_(generator=generator)
    kl = kl_divergence(Normal(mu, torch.exp(log_sigma)), Normal(0.0, 1.0))
    return [torch.addcmul(mu, torch.exp(log_sigma), noise), kl.sum() / mu.shape[0]]


_CPU = "On the CPU, where the tests run, a generator, its noise and mu are in one place."
_DRAW = "torch.randn(mu.shape, generator=generator, device=generator.device)"

SURVIVORS: dict[str, str] = {
    f"conditioning_augmentation: drop device= of `{_DRAW}`": _CPU,
    "conditioning_augmentation: drop .to() of `noise.to(mu)`": _CPU,
    "conditioning_augmentation: swap operator in `mu + sigma * noise.to(mu)`": (
        "The law of the noise is symmetric: minus ε is as good as ε."
    ),
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
