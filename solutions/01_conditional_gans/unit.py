# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   genssl:
#     part: generative models
#     hours: 2
#     after: []
#     needs: a convolution and backpropagation
#     learn: train a generator against a discriminator, on a condition, and measure whether it keeps to it
# ---

# %% [markdown]
# # Conditional GANs: a picture from a sentence
#
# **A question.** "A small red circle above a large blue square." You see it at once, and could draw it in a thousand
# ways. Can a network learn to paint from words, when nobody ever tells it which pixels are right?
#
# Below: three captions of a small language, with three pictures each. Two things, each with a size, a colour and a shape,
# and how they stand to each other: 1152 scenes. We draw the pictures ourselves, so that we can check what a painter
# paints against what it was told.

# %% tags=["setup"]
import math

import torch
from scipy import stats

from genssl_utils import conditional_gans as topic
from genssl_utils.kit import check, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("01_conditional_gans", seed=seed, scale=scale)

# %% tags=["figure"]
topic.captions_picture()

# %% [markdown]
# ## The game
#
# Two networks. The **discriminator** D gives a picture a *logit* ℓ: $p = \sigma(\ell) = 1 / (1 + e^{-\ell})$ is how likely it
# holds the picture for real. The **generator** G makes pictures from noise. D learns to tell made from real by the
# cross-entropy of any classifier {cite}`goodfellow2014generative`,
#
# $$L_D = \operatorname{mean}\,[-\log \sigma(\ell_{\text{real}})] + \operatorname{mean}\,[-\log (1 - \sigma(\ell_{\text{made}}))] ,$$
#
# and G learns to pass for real. No pixel of G's is ever compared with a right one: G only hears what gives it away.
#
# ## Exercise 1: what the discriminator pays
#
# Write `discriminator_loss(real_logits, fake_logits)` for logits (N,) and (M,): two means, added. It must be right at
# ±100 as well, where σ in float32 is 0 or 1 and its logarithm is lost. *Softplus*, $\log(1 + e^t)$, helps.
#
# *By hand:* a real picture with ℓ = log 3 costs −log ¾ = 0.288. Made ones with ℓ = 0 and −log 3 cost 0.693 and 0.288.
# The loss is 0.288 + 0.490 = 0.778.


# %% nbgrader={"grade": false, "grade_id": "discriminator_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def discriminator_loss(real_logits, fake_logits):
    """Cross-entropy of a discriminator, from its logits (Goodfellow et al. 2014).

    Args:
        real_logits: logits of real pictures, (N,), float.
        fake_logits: logits of made pictures, (M,), float.

    Returns:
        Scalar tensor, in nats.
    """
    # -log σ(t) and -log(1 - σ(t)) are each a softplus of t or of -t.
    ### BEGIN SOLUTION
    on_real = torch.nn.functional.softplus(-real_logits).mean()
    return on_real + torch.nn.functional.softplus(fake_logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_discriminator_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("conditional_gans", "discriminator_loss", points=2)
with ex.check("the worked number"):
    log3 = torch.log(torch.tensor(3.0))
    ex.value(discriminator_loss(log3.reshape(1), torch.stack([0 * log3, -log3])))
with ex.check("more logits, and the slopes in both", weight=2):
    real = torch.tensor([2.0, -1.0, 0.5], requires_grad=True)
    fake = torch.tensor([-3.0, 0.2, 1.5, -0.4, 2.5], requires_grad=True)
    loss = discriminator_loss(real, fake)
    ex.value(loss)
    ex.gradient(loss, real)
    ex.gradient(loss, fake)
with ex.check("a discriminator that is sure"):
    ex.value(discriminator_loss(torch.tensor([-100.0, 100.0]), torch.tensor([100.0])))
### BEGIN HIDDEN TESTS
with ex.hidden("other logits", weight=2, hint="A mean over the real, and a mean over the made."):
    from sklearn.metrics import log_loss

    for n, m in ((4, 9), (13, 1)):
        real = 2 * torch.randn(n, generator=ex.fresh, dtype=torch.float64)
        fake = 2 * torch.randn(m, generator=ex.fresh, dtype=torch.float64)
        parts = [
            log_loss([truth] * len(part), part.sigmoid().numpy(), labels=[0, 1])
            for truth, part in ((1, real), (0, fake))
        ]
        ex.value(ex.unchanged(discriminator_loss, real, fake), torch.tensor(sum(parts)))
with ex.hidden("slopes are shares", weight=2, hint="In a made logit the slope is σ/M."):
    real = torch.randn(6, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(3, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    want = [(real.detach().sigmoid() - 1) / 6, fake.detach().sigmoid() / 3]
    loss = discriminator_loss(real, fake)
    ex.gradient(loss, real, want[0])
    ex.gradient(loss, fake, want[1])
with ex.hidden("far out", hint="Never take the logarithm of a σ."):
    far = 90 + 60 * torch.rand(5, generator=ex.fresh)
    want = 2 * float(far.double().mean())
    far.requires_grad_()
    loss = discriminator_loss(-far, far)
    ex.value(loss, torch.tensor(want, dtype=torch.float32))
    ex.gradient(loss, far, torch.full((5,), 0.4))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 2: what the generator pays
#
# G could simply want the opposite: *raise* D's loss, that is lower $\log(1 - \sigma(\ell))$. Look at the slope. Early on
# G's pictures are bad, and D is sure: ℓ = −5. Then the slope in ℓ is $-\sigma(-5) = -0.007$: the worse a picture, the less
# G learns from it. This loss *saturates*. So G lowers $-\log \sigma(\ell)$ in its place. It wants the same thing, and
# its slope at ℓ = −5 is $-\sigma(5) = -0.993$.
#
# Write this **non-saturating** `generator_loss(fake_logits)` for logits (M,): a mean, right at ±100 as well.
#
# *By hand:* ℓ = 0 and ℓ = −log 3, which D holds for real with probability ½ and ¼: (0.693 + 1.386) / 2 = 1.040.


# %% nbgrader={"grade": false, "grade_id": "generator_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def generator_loss(fake_logits):
    """The non-saturating loss of a generator, from D's logits (Goodfellow et al. 2014, section 3).

    Args:
        fake_logits: D's logits of made pictures, (M,), float.

    Returns:
        Scalar tensor, in nats.
    """
    # The cross-entropy of "real", which is what G wants D to say.
    ### BEGIN SOLUTION
    costs = torch.nn.functional.softplus(-fake_logits)
    return costs.sum() / len(fake_logits)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_generator_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("conditional_gans", "generator_loss", points=2)
with ex.check("the worked number"):
    ex.value(generator_loss(torch.tensor([0.0, -1.0986123])))
with ex.check("more logits, and the slope", weight=2):
    fake = torch.tensor([-3.0, 0.2, 1.5, -0.4, 2.5], requires_grad=True)
    loss = generator_loss(fake)
    ex.value(loss)
    ex.gradient(loss, fake)
with ex.check("a discriminator that is sure"):
    ex.value(generator_loss(torch.tensor([-100.0, 100.0, -80.0])))
### BEGIN HIDDEN TESTS
with ex.hidden("other made logits", weight=2, hint="What would D pay if these were real?"):
    from sklearn.metrics import log_loss

    for m in (1, 8, 30):
        fake = 2 * torch.randn(m, generator=ex.fresh, dtype=torch.float64)
        want = log_loss([1] * m, fake.sigmoid().numpy(), labels=[0, 1])
        ex.value(ex.unchanged(generator_loss, fake), torch.tensor(want))
with ex.hidden("the worst picture teaches most", weight=2, hint="The slope is −σ(−ℓ)/M."):
    fake = 4 * torch.randn(7, generator=ex.fresh, dtype=torch.float64)
    want = -(-fake).sigmoid() / 7
    fake.requires_grad_()
    ex.gradient(generator_loss(fake), fake, want)
with ex.hidden("far out, on both sides", hint="Never take the logarithm of a σ."):
    far = 90 + 60 * torch.rand(4, generator=ex.fresh)
    want = float(far.double().sum() / 8)
    logits = torch.cat([far, -far]).requires_grad_()
    loss = generator_loss(logits)
    ex.value(loss, torch.tensor(want, dtype=torch.float32))
    ex.gradient(loss, logits, torch.tensor([0.0] * 4 + [-0.125] * 4))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Below: what *your* loss makes of one made picture, beside the loss that saturates, and how hard each pulls at ℓ. Move ℓ
# from "plainly made" to "fooled".

# %% tags=["figure"]
topic.pull_explorer(generator_loss)

# %% [markdown]
# ## Exercise 3: a cloud around each caption
#
# A caption becomes a code φ, a few dozen numbers. But captions are few and their codes lie far apart: between them G
# has never been. StackGAN {cite}`zhang2017stackgan` hands G not a point but a draw from a cloud around it. A linear
# layer gives from φ a mean μ and a *log standard deviation* log σ; then
#
# $$c = \mu + \sigma \varepsilon, \quad \varepsilon \sim N(0, I); \qquad
# \mathrm{KL} = \sum_{d=1}^{D} \left( \tfrac12 (\mu_d^2 + \sigma_d^2 - 1) - \log \sigma_d \right) .$$
#
# This is **conditioning augmentation**. The KL says how far the cloud is from N(0, I). A little of it in G's loss keeps clouds from shrinking to points.
#
# Write `conditioning_augmentation(mu, log_sigma, generator)` for (B, D): the pair of `c` (B, D), with fresh noise for
# every number, and `kl`, a scalar: the *sum* over D, the *mean* over B.
#
# *By hand:* μ = (1, 0), log σ = (0, log 2): (½ + 0) + (1.5 − 0.693) = 1.307.


# %% nbgrader={"grade": false, "grade_id": "conditioning_augmentation", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def conditioning_augmentation(mu, log_sigma, generator):
    """A draw from N(mu, sigma²), and how far this is from N(0, I) (Zhang et al. 2017, section 3.2).

    Args:
        mu: means, (B, D), float.
        log_sigma: logarithms of the standard deviations, (B, D).
        generator: the source of the noise, a torch.Generator.

    Returns:
        c: (B, D), through which gradients reach mu and log_sigma.
        kl: scalar tensor in nats, summed over D, averaged over B.
    """
    # torch.randn takes a generator; its device= is generator.device.
    ### BEGIN SOLUTION
    noise = torch.randn(mu.shape, generator=generator, device=generator.device)
    sigma = log_sigma.exp()
    kl = (mu**2 + sigma**2 - 1) / 2 - log_sigma  # (B, D)
    return mu + sigma * noise.to(mu), kl.sum(1).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_conditioning_augmentation", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("conditional_gans", "conditioning_augmentation", points=4)
with ex.check("the worked number", weight=2):
    mu, log_sigma = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.6931472]])
    c, kl = ex.parts(conditioning_augmentation(mu, log_sigma, check.generator(0)), "c, kl")
    ex.shape(c, (1, 2))
    ex.value(kl)
with ex.check("the distance of three clouds, and its slopes", weight=2):
    mu = torch.tensor([[1.0, -2.0], [0.5, 0.0], [0.0, 3.0]], requires_grad=True)
    log_sigma = torch.tensor([[-1.0, 0.5], [0.0, 0.3], [-0.2, 0.0]], requires_grad=True)
    c, kl = ex.parts(conditioning_augmentation(mu, log_sigma, check.generator(1)), "c, kl")
    ex.value(kl)
    ex.gradient(kl, mu)
    ex.gradient(kl, log_sigma)
with ex.check("the law of the draws", weight=2):
    mu, log_sigma = torch.full((100, 200), 3.0), torch.full((100, 200), -0.7)
    c, _ = ex.parts(conditioning_augmentation(mu, log_sigma, check.generator(2)), "c, kl")
    ex.shape(c, (100, 200))
    ex.law(c, stats.norm(3.0, math.exp(-0.7)).cdf, 20_000)
with ex.check("gradients pass through the draw", weight=2):
    mu = torch.tensor([[0.5, -1.0, 2.0]], requires_grad=True)
    log_sigma = torch.tensor([[0.0, -1.0, 0.4]], requires_grad=True)
    c, _ = ex.parts(conditioning_augmentation(mu, log_sigma, check.generator(3)), "c, kl")
    ex.gradient(c.sum(), mu, torch.ones(1, 3))
    ex.gradient(c.sum(), log_sigma, c.detach() - torch.tensor([[0.5, -1.0, 2.0]]))
with ex.check("the noise is the generator's"):
    zero = torch.zeros(2, 3)
    calls = [conditioning_augmentation(zero, zero, check.generator(k)) for k in (4, 4, 5)]
    first, again, other = (ex.parts(pair, "c, kl")[0] for pair in calls)
    ex.true(torch.equal(first, again), "Two generators with one seed gave two draws.")
    ex.true(not torch.equal(first, other), "Two seeds gave one draw.")
### BEGIN HIDDEN TESTS
with ex.hidden("other clouds", weight=2, hint="Sum over D, average over B; mind −1 and −log σ."):
    from torch.distributions import Normal, kl_divergence

    for b, d in ((1, 7), (5, 3)):
        mu = torch.randn(b, d, generator=ex.fresh, dtype=torch.float64)
        log_sigma = 0.7 * torch.randn(b, d, generator=ex.fresh, dtype=torch.float64)
        cloud, normal = Normal(mu, torch.exp(log_sigma)), Normal(0.0, 1.0)
        want = kl_divergence(cloud, normal).sum() / b
        result = ex.unchanged(
            lambda m, s: conditioning_augmentation(m, s, check.generator(6)), mu, log_sigma
        )
        _, kl = ex.parts(result, "c, kl")
        ex.value(kl, want)
with ex.hidden("each number has its own noise", weight=3, hint="randn of the shape of mu."):
    mu = 5 * torch.randn(200, 100, generator=ex.fresh)
    log_sigma = torch.randn(200, 100, generator=ex.fresh)
    old_mu, old_sigma = mu.clone(), torch.exp(log_sigma)
    c, _ = ex.parts(conditioning_augmentation(mu, log_sigma, ex.fresh), "c, kl")
    ex.shape(c, (200, 100))
    noise = (c.detach() - old_mu) / old_sigma
    ex.law(noise, stats.norm.cdf, 20_000)
    ex.law((noise[0::2] - noise[1::2]) / 2**0.5, stats.norm.cdf, 10_000)
    ex.law((noise[:, 0::2] - noise[:, 1::2]) / 2**0.5, stats.norm.cdf, 10_000)
    ex.mean(noise, 0.0, 1.0, 200)
    ex.mean((noise**2).reshape(-1), 1.0, 2**0.5, 20_000)
with ex.hidden(
    "slopes of both parts", weight=2, hint="c is μ plus σ times noise, and no constant."
):
    mu = torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64)
    log_sigma = torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64)
    wants = mu / 4, (torch.exp(2 * log_sigma) - 1) / 4
    weights = torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64)
    old_mu = mu.clone()
    mu.requires_grad_()
    log_sigma.requires_grad_()
    c, kl = ex.parts(conditioning_augmentation(mu, log_sigma, ex.fresh), "c, kl")
    ex.gradient(kl, mu, wants[0])
    ex.gradient(kl, log_sigma, wants[1])
    ex.gradient((weights * c).sum(), mu, weights)
    ex.gradient((weights * c).sum(), log_sigma, weights * (c.detach() - old_mu))
with ex.hidden("a cloud that is N(0, I) costs nothing", hint="At μ = 0 and σ = 1 the KL is 0."):
    still = torch.zeros(3, 4)
    _, kl = ex.parts(conditioning_augmentation(still, torch.zeros(3, 4), ex.fresh), "c, kl")
    ex.value(kl, 0.0)
with ex.hidden("the generator decides", hint="All chance comes from the generator."):
    seed = int(torch.randint(10**6, (), generator=ex.fresh))
    draws = []
    for k in (seed, seed, seed + 1):
        pair = conditioning_augmentation(torch.ones(3, 2), torch.ones(3, 2), check.generator(k))
        draws.append(ex.parts(pair, "c, kl")[0])
    ex.true(torch.equal(draws[0], draws[1]), "")
    ex.true(not torch.equal(draws[0], draws[2]), "")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## The experiment: paint twice
#
# StackGAN {cite}`zhang2017stackgan` paints twice. **Stage I** turns noise and the caption into 16 × 16 pixels: colours, and
# where things are. **Stage II** takes that, *reads the caption again*, and paints 32 × 32: it sharpens, and corrects what
# Stage I got wrong. Each picture is three inks, and for every pixel how much of each.
#
# A small network, trained beforehand, turns captions into codes. The discriminator sees three kinds of pairs: a real
# picture with its caption; a real one with *another* caption, half of these one word off; a made one
# {cite}`reed2016generative`. The last two are "made" to your `discriminator_loss`: so D learns that a picture has to
# fit: it is *matching-aware*, and G learns to obey.
#
# Predict: of colour, shape, size and relation, which does Stage I get wrong?

# %% tags=["experiment"]
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
check.finished("conditional_gans", "conditioning_augmentation")
scenes = topic.pictures({"laptop": 6000, "full": 60_000}[scale], seed=seed).to(device)
losses = topic.Losses(discriminator_loss, generator_loss, conditioning_augmentation)
steps_of_each = {"laptop": (170, 240), "full": (20_000, 20_000)}[scale]
first = topic.stage_one(scenes, losses, steps=steps_of_each[0], seed=seed)
second = topic.stage_two(first, scenes, losses, steps=steps_of_each[1], seed=seed)
painters = {"Stage I": first, "Stage II": second}
topic.paintings(painters, seed=seed)

# %% [markdown]
# Is it worth painting twice? The baseline paints 32 × 32 at once, with the same kind of networks, for as many
# multiplications as both stages together.

# %% tags=["experiment"]
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
check.finished("conditional_gans", "conditioning_augmentation")
steps = topic.equal_work(*steps_of_each)
painters["one stage"] = topic.one_stage(scenes, losses, steps=steps, seed=seed)
topic.paintings(painters, seed=seed)

# %% [markdown]
# A **detector** judges: a network trained on true pictures, which names all seven parts of nearly every one. And the
# *Fréchet distance* compares what it sees in painted pictures with what it sees in true ones {cite}`heusel2017gans`: 0
# for pictures alike, 1 for one average picture again and again.
#
# One scene in five was held out. "A small red circle above a large blue square" may be among them, though each of its
# words was seen often. Predict: do the painters know what to do with *unseen* captions?

# %% tags=["experiment"]
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
check.finished("conditional_gans", "conditioning_augmentation")
judged = topic.judge_painters(painters, seed=seed)
unseen = topic.judge_painters(painters, held_out=True, seed=seed)
topic.faithfulness_table("Of 600 captions: shares that are right", judged, unseen)

# %% tags=["claim"]
for name, (right, far) in judged.items():
    results.claim(f"all seven right, {name}", right.all, unit="share", better="higher")
    results.claim(f"shape right, {name}", right.shape, unit="share", better="higher")
    results.claim(f"distance, {name}", far, better="lower")
    results.claim(
        f"all seven right, unseen, {name}", unseen[name][0].all, unit="share", better="higher"
    )

# %% [markdown]
# Stage I has the places and most colours, and little more than guesses at shapes. Stage II corrects many of them,
# because it reads the caption again: a sharper copy of a wrong shape would still be wrong.
#
# But here *one* stage does as well or better for the same work. At 32 × 32 one network can learn it all at once; Stage II comes
# when much of the work is spent, and keeps some of Stage I's wrong colours. The paper's birds have
# 256 × 256 pixels, where its one-stage network failed and two stages did not. Captions never seen are painted nearly as
# well as the others: these painters put *words* together.
#
# Ask for a picture yourself. Above each stands what the detector sees.

# %% tags=["experiment"]
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
check.finished("conditional_gans", "conditioning_augmentation")
topic.caption_explorer(second)

# %% [markdown]
# ## Where it breaks
#
# The detector was trained on true pictures, and looks for seven parts. It does not mind paper with grain, or a circle
# with a dent. You do. So give D's task to a *fresh* judge: true, or painted? It is a mere logistic regression, and of a
# picture it is told how often neighbouring pixels differ by how much. Predict how often it is right; ½ is guessing.

# %% tags=["experiment"]
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
check.finished("conditional_gans", "conditioning_augmentation")
told = topic.told_apart(painters, seed=seed)
topic.told_apart_table(told)

# %% tags=["claim"]
for name, share in told.items():
    results.claim(f"told from true pictures, {name}", share, unit="share", better="lower")

# %% [markdown]
# Hardly one passes. A caption obeyed is not a picture that looks true, and no single number says both. Nor was G beaten
# by its own D: the game ended in a truce of two small networks after a few hundred steps.
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. The paper's pictures, captions and
# measures are others, so its numbers do not stand here.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - A generator hears only what gives it away. Let it lower −log σ(ℓ), whose slope is largest where it fails.
# - A condition counts only if D sees wrong pairs, too. Then measure obedience by a judge that did not train along.
# - A second stage corrects the first one because it reads the caption again. Whether it beats one network that gets all
#   of the work has to be measured: at 32 × 32 it did not.
#
# ## Further reading
#
# - The game: {cite}`goodfellow2014generative`. Painting twice, and clouds around captions: {cite}`zhang2017stackgan`.
# - A discriminator that knows captions: {cite}`reed2016generative`. The distance: {cite}`heusel2017gans`.
