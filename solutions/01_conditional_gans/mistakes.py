"""What students write for the exercises of 01_conditional_gans: wrong, or right and unusual."""

import torch
import torch.nn.functional as F
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
    "You take the logarithm of a σ: at a logit of 150 it is lost. Work on the logits themselves.",
)
def log_of_sigmoid(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(real).mean() - torch.log(1 - fake).mean()


@mistake(
    "discriminator_loss",
    "A small number inside the logarithm keeps it finite and wrong: at a logit of −150 the cost is 150.",
)
def log_with_epsilon(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(real + 1e-7).mean() - torch.log(1 - fake + 1e-7).mean()


@mistake(
    "discriminator_loss",
    "A cross-entropy of probabilities stops at a cost of 100, and pulls no more beyond. Work on the "
    "logits themselves.",
)
def library_on_probabilities(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    on_real = F.binary_cross_entropy(real, torch.ones_like(real))
    return on_real + F.binary_cross_entropy(fake, torch.zeros_like(fake))


@mistake(
    "discriminator_loss", "The sign of the logits of the made is wrong: D pays where ℓ is high."
)
def made_as_real(real_logits, fake_logits):
    return softplus(-real_logits).mean() + softplus(-fake_logits).mean()


@mistake(
    "discriminator_loss", "The sign of the logits of the real is wrong: D pays where ℓ is low."
)
def real_as_made(real_logits, fake_logits):
    return softplus(real_logits).mean() + softplus(fake_logits).mean()


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
    "You take the logarithm of a σ: at a logit of −150 it is lost. Work on the logits themselves.",
)
def log_of_sigmoid_too(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits)).mean()


@mistake(
    "generator_loss",
    "A small number inside the logarithm keeps it finite and wrong: at a logit of −150 the cost is 150.",
)
def log_with_epsilon_too(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits) + 1e-7).mean()


@mistake(
    "generator_loss",
    "A cross-entropy of probabilities stops at a cost of 100, and pulls no more beyond. Work on the "
    "logits themselves.",
)
def library_on_probabilities_too(fake_logits):
    made = torch.sigmoid(fake_logits)
    return F.binary_cross_entropy(made, torch.ones_like(made))


@mistake(
    "generator_loss",
    "This is log(1 − σ), the loss that saturates, and its logarithm is lost at a logit of 150.",
)
def saturating_by_the_formula(fake_logits):
    return torch.log(1 - torch.sigmoid(fake_logits)).mean()


@mistake("generator_loss", "Your loss is half as large as it should be: a mean, and no ½.")
def halved_too(fake_logits):
    return softplus(-fake_logits).mean() / 2


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


@mistake(
    "conditioning_augmentation",
    "You took log σ for log σ² in the draw: the noise is multiplied by σ, not by √σ.",
)
def root_in_the_draw(mu, log_sigma, generator):
    spread = torch.exp(log_sigma / 2) * _noise(mu, generator)
    return mu + spread, _kl(mu, log_sigma).sum(1).mean()


@mistake(
    "conditioning_augmentation",
    "You took log σ for log σ² in the KL. It is the logarithm of the standard deviation.",
)
def log_variance_in_the_kl(mu, log_sigma, generator):
    spread = torch.exp(log_sigma) * _noise(mu, generator)
    return mu + spread, _kl(mu, log_sigma / 2).sum(1).mean()


@mistake(
    "conditioning_augmentation",
    "You set the generator back before you draw: each call gives the same noise. Let it run on.",
)
def set_back(mu, log_sigma, generator):
    noise = _noise(mu, generator.manual_seed(generator.initial_seed()))
    return mu + torch.exp(log_sigma) * noise, _kl(mu, log_sigma).sum(1).mean()


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


# --- pixel_shuffle ------------------------------------------------------------------------------


def _split(x, r):
    """(N, C, r, r, H, W)."""
    n, channels, h, w = x.shape
    return x.reshape(n, channels // r**2, r, r, h, w)


@oracle("pixel_shuffle")
def by_torch(x, r):
    return F.pixel_shuffle(x, r)


@mistake(
    "pixel_shuffle",
    "Each block lies on its side: its first r channels should fill its first row, not its first "
    "column.",
)
def block_transposed(x, r):
    n, _, h, w = x.shape
    return _split(x, r).permute(0, 1, 4, 3, 5, 2).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "The shape is right and nothing has moved: reshape alone keeps all numbers in their order. "
    "Bring the axes side by side first.",
)
def reshaped_only(x, r):
    n, channels, h, w = x.shape
    return x.reshape(n, channels // r**2, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "You split the channels as r² · C. It is C · r²: the r² channels of one output channel lie "
    "side by side in x.",
)
def channels_last_in_the_split(x, r):
    n, channels, h, w = x.shape
    split = x.reshape(n, r, r, channels // r**2, h, w)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "Whole pictures lie side by side, like tiles. The r × r pixels from one place belong together: "
    "put each r after its own axis of the picture, not before.",
)
def tiles(x, r):
    n, _, h, w = x.shape
    return _split(x, r).permute(0, 1, 2, 4, 3, 5).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle",
    "You repeat one channel of each r². All of them have a pixel of their own.",
)
def nearest_neighbour(x, r):
    first = _split(x, r)[:, :, 0, 0]
    return first.repeat_interleave(r, 2).repeat_interleave(r, 3)


@mistake(
    "pixel_shuffle",
    "You average the r² channels and repeat the mean. Each has a pixel of its own.",
)
def averaged(x, r):
    mean = _split(x, r).mean((2, 3))
    return mean.repeat_interleave(r, 2).repeat_interleave(r, 3)


@mistake(
    "pixel_shuffle",
    "The picture lies on its side: it should have H·r rows and W·r columns.",
)
def height_and_width_swapped(x, r):
    return F.pixel_shuffle(x, r).transpose(2, 3)


@mistake(
    "pixel_shuffle",
    "All r² went into the width. One r belongs to the height, one to the width.",
)
def all_into_the_width(x, r):
    n, channels, h, w = x.shape
    split = x.reshape(n, channels // r**2, r * r, h, w)
    return split.permute(0, 1, 3, 4, 2).reshape(n, -1, h, w * r * r)


@mistake(
    "pixel_shuffle",
    "The two r are crossed: the one for rows went to the width, the one for columns to the height, "
    "and before their axes. Which axis of the picture does each belong to?",
)
def crossed_tiles(x, r):
    n, _, h, w = x.shape
    return _split(x, r).permute(0, 1, 3, 4, 2, 5).reshape(n, -1, h * r, w * r)


@mistake(
    "pixel_shuffle", "No gradient comes back. Stay in torch; no detach, no numpy, no new tensor."
)
def cut_off(x, r):
    return F.pixel_shuffle(x.detach(), r)


@variant("pixel_shuffle")
def torchs_own(x, r):
    return torch.nn.PixelShuffle(r)(x)


@variant("pixel_shuffle")
def by_strides(x, r):
    n, channels, h, w = x.shape
    y = x.new_zeros(n, channels // r**2, h * r, w * r)
    for a in range(r):
        for b in range(r):
            y[:, :, a::r, b::r] = x[:, a * r + b :: r * r]
    return y


@variant("pixel_shuffle")
def by_a_transposed_convolution(x, r):
    n, channels, h, w = x.shape
    kernel = torch.eye(r * r).to(x).reshape(r * r, 1, r, r)
    flat = x.reshape(-1, r * r, h, w)
    y = F.conv_transpose2d(flat, kernel, stride=r)
    return y.reshape(n, channels // r**2, h * r, w * r)


@variant("pixel_shuffle")
def rows_then_columns(x, r):
    n, channels, h, w = x.shape
    rows = x.reshape(n, channels // r, r, h, w).permute(0, 1, 3, 4, 2).reshape(n, -1, h, w * r)
    tall = rows.reshape(n, channels // r**2, r, h, w * r).transpose(2, 3)
    return tall.reshape(n, -1, h * r, w * r)


# --- composite ----------------------------------------------------------------------------------


@oracle("composite")
def pixel_by_pixel(image, fill, mask):
    rows = []
    for picture, painted, hole in zip(image, fill, mask.expand_as(image), strict=True):
        pixels = zip(picture.flatten(), painted.flatten(), hole.flatten().tolist(), strict=True)
        rows.append(torch.stack([new if inside else old for old, new, inside in pixels]))
    return torch.stack(rows).view(image.shape)


@mistake("composite", "Your mask is upside down: it is 1 in the hole, where the fill belongs.")
def upside_down(image, fill, mask):
    return torch.where(mask > 0.5, image, fill)


@mistake("composite", "You return the fill everywhere. Outside of the hole the picture is known.")
def fill_whole(image, fill, mask):
    return fill.clone()


@mistake("composite", "You return the picture as it was: the hole is still there.")
def image_whole(image, fill, mask):
    return image + 0 * fill.detach()


@mistake(
    "composite",
    "You write into one of the arguments, which belongs to the caller. Make a new tensor.",
)
def in_place(image, fill, mask):
    hole = mask.expand_as(image) > 0.5
    image[hole] = fill[hole]
    return image


@mistake(
    "composite",
    "A nan under the hole comes through: 0 · nan is nan. Choose one of the two, do not multiply.",
)
def multiplied(image, fill, mask):
    return (1 - mask) * image + mask * fill


@mistake(
    "composite", "You lay the fill on top of what was there. In the hole the fill alone counts."
)
def added(image, fill, mask):
    return image.nan_to_num() + mask * fill


@mistake("composite", "In the hole you mix fill and picture. The fill alone belongs there.")
def mixed(image, fill, mask):
    return torch.where(mask > 0.5, (image.nan_to_num() + fill) / 2, image)


@mistake("composite", "Outside of the hole nothing is left. The known picture belongs there.")
def outside_lost(image, fill, mask):
    return mask * fill


@mistake("composite", "Every picture gets the hole of the first one. Each has a mask of its own.")
def first_hole_for_all(image, fill, mask):
    return torch.where(mask[:1] > 0.5, fill, image)


@mistake("composite", "No gradient reaches the fill, so that its network cannot learn.")
def detached(image, fill, mask):
    return torch.where(mask > 0.5, fill.detach(), image)


@mistake("composite", "Only the first colour is filled. The mask holds for all of them.")
def one_colour(image, fill, mask):
    first = torch.where(mask > 0.5, fill[:, :1], image[:, :1])
    return torch.cat([first, image[:, 1:]], 1)


@variant("composite")
def on_a_copy(image, fill, mask):
    out, hole = image.clone(), mask.bool().expand_as(image)
    out[hole] = fill[hole]
    return out


@variant("composite")
def emptied_then_added(image, fill, mask):
    return image.masked_fill(mask.bool(), 0.0) + mask * fill


@variant("composite")
def a_loop_over_pictures(image, fill, mask):
    rows = [torch.where(m == 1, f, i) for i, f, m in zip(image, fill, mask, strict=True)]
    return torch.stack(rows)


# --- masked_loss --------------------------------------------------------------------------------


@oracle("masked_loss")
def by_collecting(fill, image, mask):
    hole = mask.expand_as(image).bool()
    one, other = fill[hole], image[hole]
    return F.mse_loss(one, other) if len(one) else (fill * 0).sum()


@mistake("masked_loss", "You divide by all pixels of the pictures. Only those of the holes count.")
def over_all_pixels(fill, image, mask):
    return (mask * (fill - image) ** 2).mean()


@mistake(
    "masked_loss",
    "You divide by the pixels of the holes and forget that each has C numbers, one a colour.",
)
def channels_forgotten(fill, image, mask):
    return (mask * (fill - image) ** 2).sum() / mask.sum().clamp(min=1)


@mistake("masked_loss", "Your mask is upside down: you measure outside of the hole.")
def measured_outside(fill, image, mask):
    known = (1 - mask).expand_as(image)
    return (known * (fill - image) ** 2).sum() / known.sum().clamp(min=1)


@mistake("masked_loss", "The mask plays no part: you measure the whole picture.")
def mask_ignored(fill, image, mask):
    return F.mse_loss(fill, image)


@mistake("masked_loss", "You sum and do not divide. A mean over the pixels of the holes is asked.")
def not_divided(fill, image, mask):
    return (mask * (fill - image) ** 2).sum()


@mistake("masked_loss", "You take absolute differences. The squared ones are asked for.")
def absolute(fill, image, mask):
    hole = mask.expand_as(image)
    return (hole * (fill - image).abs()).sum() / hole.sum().clamp(min=1)


@mistake("masked_loss", "Without any hole you divide 0 by 0. Such a batch has the loss 0.")
def nothing_by_nothing(fill, image, mask):
    hole = mask.expand_as(image)
    return (hole * (fill - image) ** 2).sum() / hole.sum()


@mistake(
    "masked_loss",
    "You take a mean for each picture and then the mean of these. Here each pixel counts alike.",
)
def picture_by_picture(fill, image, mask):
    hole = mask.expand_as(image)
    each = (hole * (fill - image) ** 2).flatten(1).sum(1) / hole.flatten(1).sum(1).clamp(min=1)
    return each.mean()


@mistake("masked_loss", "You take a root at the end. The mean of the squares itself is asked for.")
def rooted(fill, image, mask):
    hole = mask.expand_as(image)
    mean = (hole * (fill - image) ** 2).sum() / hole.sum().clamp(min=1)
    return torch.where(mean > 0, mean, 1.0).sqrt() * (mean > 0)


@mistake("masked_loss", "You divide by the number of pictures. Divide by what the holes hold.")
def by_pictures(fill, image, mask):
    return (mask * (fill - image) ** 2).sum() / len(image)


@mistake("masked_loss", "No gradient reaches the fill, so that its network cannot learn.")
def slope_cut_off(fill, image, mask):
    hole = mask.expand_as(image)
    return (hole * (fill.detach() - image) ** 2).sum() / hole.sum().clamp(min=1)


@variant("masked_loss")
def a_sum_from_torch(fill, image, mask):
    hole = mask.bool().expand_as(image)
    total = F.mse_loss(fill[hole], image[hole], reduction="sum")
    return total / max(1, int(hole.sum()))


@variant("masked_loss")
def both_masked_first(fill, image, mask):
    inside = mask.sum() * image.shape[1]
    squares = (mask * fill - mask * image).pow(2)
    return squares.sum() / inside if inside > 0 else squares.sum()


@variant("masked_loss")
def a_norm(fill, image, mask):
    gaps = (mask * (fill - image)).flatten()
    return gaps @ gaps / torch.clamp(mask.sum() * image.shape[1], min=1)


SURVIVORS: dict[str, str] = {
    f"conditioning_augmentation: drop device= of `{_DRAW}`": _CPU,
    "conditioning_augmentation: drop .to() of `noise.to(mu)`": _CPU,
    "conditioning_augmentation: swap operator in `mu + sigma * noise.to(mu)`": (
        "The law of the noise is symmetric: minus ε is as good as ε."
    ),
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
