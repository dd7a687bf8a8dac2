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
#     hours: 3
#     after: []
#     needs: a convolution and backpropagation
#     learn: train a generator against a discriminator on a condition, and say why the smallest error is not the best picture
# ---

# %% [markdown]
# # Conditional GANs: generating X from Y
#
# **A question.** You know a part: a caption, a small photograph, a picture with a hole. Many wholes fit it. Which one do
# you draw?
#
# This unit trains three systems that answer: words to picture (StackGAN), small to sharp (SRGAN), and missing pieces
# (completion). One idea carries all three: a network that *judges*.
#
# Below: patches of two photographs of the ground, of the part that no network here trains on. What was in the holes?

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
full = scale == "full"

# %% tags=["figure"]
topic.grounds_picture()

# %% [markdown]
# ## Feel it first
#
# Nobody can know; many stones would fit.
# A network that wants a small squared error answers with the *mean* of all that could be there. The mean of many
# stones is grey fog. A second network, the discriminator, knows what ground looks like, and rejects fog.
#
# The figure holds two networks: one trained with the squared error alone, and the same one trained on against
# discriminators {cite}`iizuka2017globally`. The slider mixes their *weights* {cite}`wang2018esrgan`. Drag the hole,
# or move it by the arrow keys, and predict before you look:
#
# 1. On gravel, go from MSE to adversarial. What do you see in the hole, and what does the masked error do?
# 2. On brick, put the hole where a white joint goes in and comes out again. Is the answer still fog?
# 3. Put the hole on a corner where joints meet.

# %% tags=["figure"]
topic.fill_figure()

# %% [markdown]
# What to notice: where the surroundings leave one answer, a joint that goes straight on, both networks give it. Where
# they leave many, MSE gives the mean, and the adversary picks one: it looks right, and its masked error is *larger*,
# for the truth is one answer of many, too.
#
# ## Words: a picture from a sentence
#
# Below: three captions of a small language, with three pictures each. Two things, each with a size, a colour and a
# shape, and how they stand to each other: 1152 scenes. We draw the pictures ourselves, so that we can check what a
# painter paints against what it was told.

# %% tags=["figure"]
topic.captions_picture()

# %% [markdown]
# ## The game
#
# Two networks. The **discriminator** D gives a picture a *logit* ℓ: $p = \sigma(\ell) = 1 / (1 + e^{-\ell})$ is how likely
# D thinks the picture is real. The **generator** G makes pictures from noise. D learns to tell made from real by the
# cross-entropy of any classifier {cite}`goodfellow2014generative`,
#
# $$L_D = \operatorname{mean}\,[-\log \sigma(\ell_{\text{real}})] + \operatorname{mean}\,[-\log (1 - \sigma(\ell_{\text{made}}))] ,$$
#
# and G learns to pass for real. No pixel of G's is ever compared with a right one: G only hears what gives it away.
#
# ## Exercise 1: what the discriminator pays
#
# Write `discriminator_loss(real_logits, fake_logits)` for logits (N,) and (M,): two means, added. Value and slope must
# be right at ±150 as well, where σ in float32 is 0 or 1 and its logarithm is lost. *Softplus*, $\log(1 + e^t)$, helps.
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
    real = torch.tensor([-150.0, 150.0, 50.0], requires_grad=True)
    fake = torch.tensor([150.0, -50.0], requires_grad=True)
    loss = discriminator_loss(real, fake)
    ex.value(loss)
    ex.gradient(loss, real)
    ex.gradient(loss, fake)
### BEGIN HIDDEN TESTS
with ex.hidden("other logits", weight=2, hint="A mean over the real, and a mean over the made."):
    from sklearn.metrics import log_loss

    for n, m in ((4, 9), (13, 1)):
        real = 2 * torch.randn(n, generator=ex.fresh)
        fake = 2 * torch.randn(m, generator=ex.fresh)
        parts = [
            log_loss([truth] * len(part), part.double().sigmoid().numpy(), labels=[0, 1])
            for truth, part in ((1, real), (0, fake))
        ]
        ex.value(ex.unchanged(discriminator_loss, real, fake), torch.tensor(sum(parts)))
with ex.hidden("slopes are shares", weight=2, hint="In a made logit the slope is σ/M."):
    real = torch.randn(6, generator=ex.fresh, requires_grad=True)
    fake = torch.randn(3, generator=ex.fresh, requires_grad=True)
    want = [(real.detach().sigmoid() - 1) / 6, fake.detach().sigmoid() / 3]
    loss = discriminator_loss(real, fake)
    ex.gradient(loss, real, want[0])
    ex.gradient(loss, fake, want[1])
with ex.hidden(
    "logits beyond ninety",
    hint="Value and slope at ±150: take no logarithm of a σ, and clamp nothing.",
):
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
# Write this **non-saturating** `generator_loss(fake_logits)` for logits (M,): a mean, right at ±150 as well.
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
    fake = torch.tensor([-150.0, 150.0, 50.0, -80.0], requires_grad=True)
    loss = generator_loss(fake)
    ex.value(loss)
    ex.gradient(loss, fake)
### BEGIN HIDDEN TESTS
with ex.hidden("other made logits", weight=2, hint="What would D pay if these were real?"):
    from sklearn.metrics import log_loss

    for m in (1, 8, 30):
        fake = 2 * torch.randn(m, generator=ex.fresh)
        want = log_loss([1] * m, fake.double().sigmoid().numpy(), labels=[0, 1])
        ex.value(ex.unchanged(generator_loss, fake), torch.tensor(want))
with ex.hidden("the worst picture teaches most", weight=2, hint="The slope is −σ(−ℓ)/M."):
    fake = 4 * torch.randn(7, generator=ex.fresh)
    want = -(-fake).sigmoid() / 7
    fake.requires_grad_()
    ex.gradient(generator_loss(fake), fake, want)
with ex.hidden(
    "logits beyond ninety, on both sides",
    hint="Value and slope at ±150: take no logarithm of a σ, and clamp nothing.",
):
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
# from "plainly made" to "taken for real".

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
# This is **conditioning augmentation**. The KL says how far the cloud is from N(0, I). A little of it in G's loss keeps
# clouds from shrinking to points.
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
    mu, log_sigma = torch.full((100, 200), 3.0), torch.full((100, 200), -1.2)
    c, _ = ex.parts(conditioning_augmentation(mu, log_sigma, check.generator(2)), "c, kl")
    ex.shape(c, (100, 200))
    ex.law(c, stats.norm(3.0, math.exp(-1.2)).cdf, 20_000)
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
    one = check.generator(4)
    calls = [conditioning_augmentation(zero, zero, one) for _ in range(2)]
    first, second = (ex.parts(pair, "c, kl")[0] for pair in calls)
    ex.true(not torch.equal(first, second), "One generator gave one draw twice: let it run on.")
### BEGIN HIDDEN TESTS
with ex.hidden("other clouds", weight=2, hint="Sum over D, average over B; mind −1 and −log σ."):
    from torch.distributions import Normal, kl_divergence

    for b, d in ((1, 7), (5, 3)):
        mu = torch.randn(b, d, generator=ex.fresh)
        log_sigma = 0.7 * torch.randn(b, d, generator=ex.fresh)
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
    mu = torch.randn(4, 3, generator=ex.fresh)
    log_sigma = torch.randn(4, 3, generator=ex.fresh)
    wants = mu / 4, (torch.exp(2 * log_sigma) - 1) / 4
    weights = torch.randn(4, 3, generator=ex.fresh)
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
    start = int(torch.randint(10**6, (), generator=ex.fresh))
    draws = []
    for k in (start, start, start + 1):
        pair = conditioning_augmentation(torch.ones(3, 2), torch.ones(3, 2), check.generator(k))
        draws.append(ex.parts(pair, "c, kl")[0])
    ex.true(torch.equal(draws[0], draws[1]), "")
    ex.true(not torch.equal(draws[0], draws[2]), "")
    for _ in range(2):
        pair = conditioning_augmentation(torch.ones(3, 2), torch.ones(3, 2), ex.fresh)
        draws.append(ex.parts(pair, "c, kl")[0])
    ex.true(not torch.equal(draws[3], draws[4]), "")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Words: paint twice
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
# *energy distance* compares what it sees in painted pictures with what it sees in true ones {cite}`szekely2013energy`:
# 0 for sets alike (an estimate, which may fall just below), in units of how far two true pictures lie apart.
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
for name, (right, _) in judged.items():
    results.claim(f"all seven right, {name}", right.all, unit="share", better="higher")
    results.claim(f"shape right, {name}", right.shape, unit="share", better="higher")
    results.claim(
        f"all seven right, unseen, {name}", unseen[name][0].all, unit="share", better="higher"
    )

# %% [markdown]
# Stage I has the places and most colours, and of the three shapes little more than guesses. Stage II corrects many of
# them, because it reads the caption again: a sharper copy of a wrong shape would still be wrong.
#
# But on the average of the recorded seeds (last table; one run may differ) *one* stage does somewhat better for the
# same work. Its colours are right more often: Stage II keeps some of Stage I's wrong ones. At 32 × 32 one network can learn
# it all at once. The paper's birds have 256 × 256 pixels, where one stage scored clearly lower. Captions never seen are
# painted nearly as well as the others: these painters put *words* together.
#
# Ask for a picture yourself. Above each stands what the detector sees.

# %% tags=["experiment"]
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
check.finished("conditional_gans", "conditioning_augmentation")
topic.caption_explorer(second)

# %% [markdown]
# ## Words: what the detector does not see
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
# None passes. A caption obeyed is not a picture that looks true, and no single number says both. And D, the small network
# that G had to please, is not the only judge that there can be.

# %% [markdown]
# ## Sharper pictures: from a small photograph to a large one
#
# **A question.** You have a photograph of 64 × 64 pixels, and want it on a wall. Sixteen pixels must come from each
# one. Which sixteen? This is **super-resolution**. On the left is a piece of what is given, beside it what a
# smooth curve through the pixels gives (**bicubic** interpolation, our baseline), and what is wanted. Where could the
# eyelashes come from?

# %% tags=["figure"]
topic.given_picture()

# %% [markdown]
# Only from other photographs: a network that has seen many knows what belongs there.
#
# ## Exercise 4: turn channels into pixels
#
# Convolutions on the large picture cost sixteen times as much as on the small one. So the network works on the small
# one, makes r² channels for each that it needs, and lays them out as r × r pixels at the very end {cite}`shi2016real`.
#
# Write `pixel_shuffle(x, r)` with `reshape` and `permute`: x of shape (N, C·r², H, W) becomes (N, C, H·r, W·r), by
#
# $$y_{n,\,c,\;i r + a,\;j r + b} = x_{n,\;c r^2 + a r + b,\;i,\;j}, \qquad 0 \le a, b < r .$$
#
# So the r² channels of one output channel lie together in x, and the first r of them fill the first *row* of a block.
#
# *By hand:* four channels of one pixel, 1, 2, 3, 4, and r = 2: the picture is $\begin{pmatrix}1&2\\3&4\end{pmatrix}$.


# %% nbgrader={"grade": false, "grade_id": "pixel_shuffle", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def pixel_shuffle(x, r):
    """Lay out each r² channels as r × r pixels (Shi et al. 2016, arXiv:1609.05158).

    Args:
        x: (N, C·r², H, W).
        r: how many times larger each side becomes, a whole number from 1.

    Returns:
        Tensor (N, C, H·r, W·r).
    """
    # Split the channels in three axes, bring each beside the axis that it belongs to, and merge.
    ### BEGIN SOLUTION
    n, channels, h, w = x.shape
    c = channels // r**2
    split = x.reshape(n, c, r, r, h, w)  # the last r is the column inside a block
    return split.permute(0, 1, 4, 2, 5, 3).reshape(n, c, h * r, w * r)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_pixel_shuffle", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("conditional_gans", "pixel_shuffle", points=3)
with ex.check("the worked number"):
    ex.value(pixel_shuffle(torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1, 1), 2))
with ex.check("two pictures of two channels, r = 2", weight=3):
    x = torch.arange(96.0).reshape(2, 8, 2, 3)
    ex.value(ex.unchanged(lambda x: pixel_shuffle(x, 2), x.clone()))
with ex.check("r = 3"):
    ex.value(pixel_shuffle(torch.arange(108.0).reshape(1, 18, 2, 3), 3))
with ex.check("a gradient goes back to its channel"):
    x = torch.arange(32.0).reshape(1, 8, 2, 2).requires_grad_()
    ex.gradient((pixel_shuffle(x, 2) * torch.arange(32.0).reshape(1, 2, 4, 4)).sum(), x)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "beside torch's own, on other sizes", weight=3, hint="Follow each index of the formula."
):
    for n, c, r, h, w in ((1, 1, 2, 5, 4), (3, 2, 3, 2, 4), (2, 3, 4, 3, 1)):
        x = torch.randn(n, c * r * r, h, w, generator=ex.fresh)
        want = torch.nn.functional.pixel_shuffle(x, r)
        ex.value(ex.unchanged(lambda x, r=r: pixel_shuffle(x, r), x), want)
with ex.hidden(
    "each pixel of a block", weight=2, hint="The block of a pixel holds its own channels."
):
    x = torch.randn(2, 12, 3, 2, generator=ex.fresh)
    numbers = x.tolist()
    want = torch.empty(2, 3, 6, 4)
    for n in range(2):
        for c in range(3):
            for row in range(6):
                for column in range(4):
                    channel = 4 * c + 2 * (row % 2) + column % 2
                    want[n, c, row, column] = numbers[n][channel][row // 2][column // 2]
    ex.value(pixel_shuffle(x, 2), want)
with ex.hidden("r = 1 changes nothing", hint="Then every block is one pixel."):
    x = torch.randn(2, 3, 4, 5, generator=ex.fresh)
    want = x.clone()
    ex.value(pixel_shuffle(x, 1), want)
with ex.hidden("the gradient elsewhere", hint="Stay in torch: nothing is detached."):
    x = torch.randn(1, 18, 2, 3, generator=ex.fresh, requires_grad=True)
    weight = torch.randn(1, 2, 6, 9, generator=ex.fresh)
    want = torch.nn.functional.pixel_unshuffle(weight, 3)
    ex.gradient((pixel_shuffle(x, 3) * weight).sum(), x, want)
with ex.hidden("a view that is not contiguous", hint="reshape copies where it must."):
    x = torch.randn(3, 4, 2, 8, generator=ex.fresh).transpose(1, 3)
    want = torch.nn.functional.pixel_shuffle(x.contiguous(), 2)
    ex.value(pixel_shuffle(x, 2), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# See your function at work. Each number is that of its channel. Before you move r: where will channel 1 be, and where
# the last one?

# %% tags=["figure"]
topic.explore_shuffle(pixel_shuffle)

# %% [markdown]
# ## What is a good answer?
#
# The usual measure is the **PSNR**, 10 log₁₀ (1 / mean squared error), in dB, for values from 0 to 1. Below is a
# photograph, and four ways to spoil it that cost *exactly* the same PSNR. Which one looks most wrong to you? Do the
# numbers named *distance* agree?

# %% tags=["figure"]
topic.same_error_picture()

# %% [markdown]
# The squared error cannot tell a little more light from a lost face. The second number can, a **perceptual distance**
# {cite}`zhang2018unreasonable`: both pictures go through a small network, and its features are compared in place of
# the pixels. It hardly minds light, minds mild noise a little, and a blur most.
#
# SRGAN {cite}`ledig2017photo` *trains* with such a distance, by a network that learned from a million
# photographs. We ship two that learned from eight. One tells what was *done* to a patch (blur, noise,
# blocks): it will be the coach. The other tells from which *photograph* a patch comes: it is the judge, and no
# training sees it. A third number, SSIM {cite}`wang2004image`, compares means, variances and correlations of small
# windows; 1 is equal.

# %% tags=["figure"]
topic.photographs_picture()

# %% [markdown]
# ## Train on the squared error
#
# Eight photographs to learn from, three held out whole; the grey values alone. The network is SRGAN's generator made
# small: convolutions and residual blocks on the small grid, then your `pixel_shuffle` twice, by 2 each time. What comes
# out is added to the bicubic picture. Predict: by how many dB does training beat it?

# %% tags=["experiment"]
check.finished("conditional_gans", "pixel_shuffle")
pool = topic.patches(40_000 if full else 4000, seed=seed).to(device)
shown = topic.held_out().to(device)
size = {"steps": 20_000, "width": 64, "blocks": 8} if full else {}
on_error = topic.train_on_error(pool, pixel_shuffle, seed=seed, **size)
enlarged = {
    "bicubic": topic.enlarge(shown.small).clamp(0, 1),
    "squared error": on_error.picture(shown.small),
}
topic.looks_table(topic.judge_sharpness(enlarged, shown.large))

# %% [markdown]
# Better by all four numbers, on photographs that it has never seen. But look at the last column: of the fine detail
# it has only a third. More training on this loss will not bring the rest, and here is why.
#
# ## The mean of what is possible is a blur
#
# A ball with fine stripes was made small, and the stripes are gone. Which were light, and which dark? A and B are equally
# likely. You must answer one picture, and pay the mean squared error. What do you answer?

# %% tags=["figure"]
topic.two_answers_picture()

# %% [markdown]
# A guess of A is right half of the time, and pays the whole gap else. The mean never shows a stripe, is *never* right,
# and pays half as much. It is so with every picture. If $x$ is the truth behind the small picture $y$, and
# $\hat x$ an independent draw from everything that fits $y$, then
#
# $$\mathbb{E}\,\lVert x - \hat x\rVert^2 = 2\;\mathbb{E}\,\lVert x - \mathbb{E}[x \mid y]\rVert^2 .$$
#
# So the squared error trains a network towards the mean $\mathbb{E}[x \mid y]$, and a *perfect* sampler, whose every picture
# could be real, would lose 10 log₁₀ 2 = 3 dB of PSNR against it {cite}`blau2018perception`. The loss has to change.
#
# ## Train on features, and with an adversary
#
# From here the network goes on with three losses: the squared error; the distance in the coach's features, as a blur
# has other features than a sharp picture; and your `generator_loss`, on a discriminator that sees true patches and made
# ones. Predict for each column of the table whether it goes up or down.

# %% tags=["experiment"]
check.finished("conditional_gans", "pixel_shuffle", "discriminator_loss", "generator_loss")
with_adversary = topic.train_with_adversary(
    on_error,
    pool,
    discriminator_loss,
    generator_loss,
    seed=seed,
    **({"steps": 10_000} if full else {}),
)
enlarged["features + adversary"] = with_adversary.picture(shown.small)
worth = topic.judge_sharpness(enlarged, shown.large)
topic.looks_table(worth)

# %% tags=["figure"]
topic.enlarged_picture(enlarged, shown.large)

# %% [markdown]
# The pixels are less right, and the picture is sharper: hair, petals, the rim of the cup. The judge agrees. PSNR and
# SSIM call bicubic about as good, or better. But where the picture is smooth there is a fine grid that no camera made.
#
# Which of the two new losses did it? Run the training again with `adversary=0.0`. Here the gain in distance is the
# features'; the adversary adds some detail, and costs PSNR.
#
# It can be seen in the waves of which a picture is made. Up to the dotted line the small picture has them. Beyond,
# they must be invented.

# %% tags=["figure"]
topic.spectrum_picture(enlarged, shown.large)

# %% [markdown]
# The squared error leaves beyond the line what is certain, which is little. The new losses ask for power there, and get
# it, but not evenly: far too little in between, and at the finest waves about as much as the truth, or more. That is
# the grid.
#
# Our settings were chosen by looking at these three photographs. On others that we tried afterwards, those rich in detail
# gain likewise; smooth ones gain nothing, and can lose more than the 3 dB that a perfect sampler pays.
#
# You need not choose one end. Take weights *between* the two networks {cite}`wang2018esrgan`: each point is one.

# %% tags=["experiment"]
check.finished("conditional_gans", "pixel_shuffle")
topic.trade_picture(topic.trade(on_error, with_adversary), worth["bicubic"])

# %% tags=["claim"]
for name, one in worth.items():
    results.claim(f"PSNR, {name}", one.psnr, unit="dB", better="higher")
    results.claim(f"SSIM, {name}", one.ssim, better="higher")
    results.claim(f"perceptual distance, {name}", one.distance, better="lower")
    results.claim(f"fine detail, {name}", one.detail, unit="of the truth")

# %% [markdown]
# ## Sharper: what the page says
#
# The detail is invented: likely, not true. A printed page shows it best. In the small picture a letter is about
# two pixels high. Read what the networks make of it.

# %% tags=["experiment"]
check.finished("conditional_gans", "pixel_shuffle")
topic.letters_picture(on_error, with_adversary)

# %% [markdown]
# The strokes get sharper, and the number no clearer. A larger network would write *clean* digits, and some of them would
# be the wrong ones. So never take a licence plate, a face or a cell from such a picture as evidence.

# %% [markdown]
# ## Missing pieces
#
# Back to the holes: now you fill them.
#
# ## Exercise 5: put the piece in
#
# Write `composite(image, fill, mask)` for pictures `image` and `fill` (N, C, H, W) and a `mask` (N, 1, H, W) that is 1
# in the hole and 0 outside: outside of the hole `image`, in the hole `fill`, in a new tensor. Under the hole `image`
# may be `nan`, and nothing of it comes through.
#
# *By hand:* image (1, nan, 3), fill (7, 8, 9), mask (0, 1, 0): the composite is (1, 8, 3), and its slope in the fill
# is (0, 1, 0).


# %% nbgrader={"grade": false, "grade_id": "composite", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def composite(image, fill, mask):
    """The known picture with the hole filled (Iizuka et al. 2017, section 3).

    Args:
        image: pictures, (N, C, H, W); under the hole anything, nan too.
        fill: what the network paints, (N, C, H, W).
        mask: 1 in the hole, 0 outside, (N, 1, H, W), float.

    Returns:
        Tensor (N, C, H, W).
    """
    # Zero times nan is nan: choose between the two, do not multiply.
    ### BEGIN SOLUTION
    return torch.where(mask > 0, fill, image)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_composite", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("conditional_gans", "composite", points=2)
with ex.check("the worked number, and its slope"):
    fill = torch.tensor([7.0, 8.0, 9.0]).view(1, 1, 1, 3).requires_grad_()
    image = torch.tensor([1.0, float("nan"), 3.0]).view(1, 1, 1, 3)
    mask = torch.tensor([0.0, 1.0, 0.0]).view(1, 1, 1, 3)
    out = ex.unchanged(composite, image, fill, mask)
    ex.value(out)
    ex.gradient(out.sum(), fill)
with ex.check("two pictures of two colours, each with a hole of its own", weight=2):
    image = torch.arange(16.0).view(2, 2, 2, 2)
    fill = -image - 1
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]], [[[0.0, 1.0], [1.0, 1.0]]]])
    ex.value(ex.unchanged(composite, image.clone(), fill.clone(), mask))
### BEGIN HIDDEN TESTS
with ex.hidden("other pictures, colours and holes", weight=2, hint="In the hole the fill alone."):
    for colours in (1, 3):
        image = torch.randn(4, colours, 5, 6, generator=ex.fresh)
        painted = torch.randn(4, colours, 5, 6, generator=ex.fresh)
        mask = (torch.rand(4, 1, 5, 6, generator=ex.fresh) < 0.4).float()
        want = image.clone()
        for n, _, i, j in mask.nonzero().tolist():
            want[n, :, i, j] = painted[n, :, i, j]
        slope = mask.expand(4, colours, 5, 6).clone()
        fill = painted.clone().requires_grad_()
        out = ex.unchanged(composite, image, fill, mask)
        ex.value(out, want)
        ex.gradient(out.sum(), fill, slope)
with ex.hidden("no hole, and nothing but a hole", hint="The mask alone says what is taken."):
    image, fill = torch.rand(2, 1, 3, 4, 4, generator=ex.fresh)
    known, painted = image.clone(), fill.clone()
    ex.value(composite(image, fill, torch.zeros(1, 1, 4, 4)), known)
    lost = torch.full_like(known, float("nan"))
    ex.value(composite(lost, fill, torch.ones(1, 1, 4, 4)), painted)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 6: an error in the hole alone
#
# What the network paints outside of the hole is thrown away, so it must not count.
#
# Write `masked_loss(fill, image, mask)`: over all holes of the batch together, the sum of the squared differences,
# divided by the number of hole pixels times the number of colours C. A picture with a larger hole counts for more. If
# no picture has a hole, the loss is 0, and its slope is 0, too.
#
# *By hand:* fill (7, 8, 9), image (1, 6, 3), mask (0, 1, 1): (2² + 6²) / 2 = 20.


# %% nbgrader={"grade": false, "grade_id": "masked_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def masked_loss(fill, image, mask):
    """The mean squared error over the pixels of the holes (Iizuka et al. 2017, equation 2).

    Args:
        fill: what the network paints, (N, C, H, W).
        image: the true pictures, (N, C, H, W).
        mask: 1 in the hole, 0 outside, (N, 1, H, W), float.

    Returns:
        Scalar tensor.
    """
    # The mask has one channel, the pictures may have more. Mind a batch without any hole.
    ### BEGIN SOLUTION
    hole = mask.expand_as(image)
    return (hole * (fill - image) ** 2).sum() / hole.sum().clamp(min=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_masked_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("conditional_gans", "masked_loss", points=3)
with ex.check("the worked number, and its slope", weight=2):
    fill = torch.tensor([7.0, 8.0, 9.0]).view(1, 1, 1, 3).requires_grad_()
    image = torch.tensor([1.0, 6.0, 3.0]).view(1, 1, 1, 3)
    loss = masked_loss(fill, image, torch.tensor([0.0, 1.0, 1.0]).view(1, 1, 1, 3))
    ex.value(loss)
    ex.gradient(loss, fill)
with ex.check("two pictures of three colours, holes of different sizes", weight=2):
    image = torch.linspace(-1, 1, 24).view(2, 3, 2, 2) ** 3
    fill = torch.linspace(1, 0, 24).view(2, 3, 2, 2)
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]], [[[0.0, 1.0], [1.0, 1.0]]]])
    ex.value(ex.unchanged(masked_loss, fill.clone(), image.clone(), mask))
with ex.check("a batch without any hole"):
    fill = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).requires_grad_()
    loss = masked_loss(fill, torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 1, 1))
    ex.value(loss)
    ex.gradient(loss, fill)
### BEGIN HIDDEN TESTS
with ex.hidden("other holes", weight=3, hint="Divide by hole pixels times colours."):
    for colours in (1, 3):
        image, painted = torch.randn(2, 4, colours, 5, 6, generator=ex.fresh)
        mask = (torch.rand(4, 1, 5, 6, generator=ex.fresh) < 0.4).float()
        mask[0] = 0.0
        mask[1, 0, 2, 3] = 1.0
        gaps = [
            painted[n, c, i, j].item() - image[n, c, i, j].item()
            for n, _, i, j in mask.nonzero().tolist()
            for c in range(colours)
        ]
        want = torch.tensor(sum(g * g for g in gaps) / len(gaps), dtype=torch.float64)
        slope = 2 * (painted - image) * mask / len(gaps)
        fill = painted.clone().requires_grad_()
        loss = ex.unchanged(masked_loss, fill, image, mask)
        ex.value(loss, want)
        ex.gradient(loss, fill, slope)
with ex.hidden("not a pixel of three colours", hint="Then the answer is 0, and no nan."):
    fill = torch.rand(2, 3, 4, 4, generator=ex.fresh, requires_grad=True)
    image = torch.rand(2, 3, 4, 4, generator=ex.fresh)
    nothing = torch.zeros(2, 1, 4, 4)
    loss = masked_loss(fill, image, nothing)
    ex.value(loss, torch.tensor(0.0, dtype=torch.float64))
    ex.gradient(loss, fill, torch.zeros(2, 3, 4, 4))
with ex.hidden("a hole as large as the picture, and one of a pixel", hint="Divide by its size."):
    fill, image = torch.rand(2, 3, 2, 4, 4, generator=ex.fresh)
    want = torch.nn.functional.mse_loss(fill, image)
    ex.value(masked_loss(fill, image, torch.ones(3, 1, 4, 4)), want)
    fill, image = torch.rand(2, 1, 1, 2, 2, generator=ex.fresh)
    want = (fill[0, 0, 1, 0] - image[0, 0, 1, 0]) ** 2
    mask = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    ex.value(masked_loss(fill, image, mask), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment: who looks at the hole?
#
# First your `masked_loss` trains a network of six layers. Some of them are *dilated*: they look at every second or
# fourth pixel, so that the middle of the hole sees the whole picture.
#
# Then the same network trains on, four times, with what Iizuka et al. call a *global* discriminator, which sees the
# whole picture; a *local* one, which sees a window around the hole; both; and neither. The loss is
#
# $$\text{masked loss} + \alpha \cdot \text{generator loss}, \qquad \alpha = 0.1,$$
#
# and the discriminator gets true pictures and your `composite`. Predict: which of the four has the smallest masked
# error, and which the most visible edge?

# %% tags=["experiment"]
check.finished("conditional_gans", "composite", "masked_loss")
check.finished("conditional_gans", "discriminator_loss", "generator_loss")
answers = topic.CompletionAnswers(composite, masked_loss, discriminator_loss, generator_loss)
seen = topic.ground_patches({"laptop": 3000, "full": 30_000}[scale], seed=seed).to(device)
new = topic.ground_patches(200, held_out=True, seed=seed).to(device)
warm, tuning = {"laptop": (180, 90), "full": (20_000, 10_000)}[scale]
plain = topic.train_plain(seen, masked_loss, steps=warm, seed=seed)
ways = {"neither": (), "global": ("global",), "local": ("local",), "both": ("global", "local")}
filled = [
    topic.go_on(plain, seen, answers, sees=sees, name=name, steps=tuning, seed=seed)
    for name, sees in ways.items()
]
topic.fill_picture(filled, new, answers)

# %% [markdown]
# Each column is a new picture with a hole. Now the numbers, over all new pictures. *Seam*: the mean jump across the
# edge of the hole, over that of the true pictures. *Roughness*: the same between neighbours inside the hole. Both
# should be 1. *Patch distance*: how differently all 5 × 5 squares of the fills and of the true holes are distributed
# (sliced Wasserstein distance, within each ground); 0 would be the same.

# %% tags=["experiment"]
check.finished("conditional_gans", "composite", "masked_loss")
judged = topic.judge_fills(filled, new, answers, seed=seed)
topic.filled_table(judged)

# %% tags=["claim"]
for name, found in judged.items():
    results.claim(f"masked error, {name}", found.error, better="lower")
    results.claim(f"seam over the true one, {name}", found.seam)
    results.claim(f"roughness over the true one, {name}", found.roughness)
    results.claim(f"patch distance, {name}", found.distance, better="lower")

# %% [markdown]
# *Neither* has the smallest error, and its holes are fog: hardly rough at all, and far from true patches. Its *seam* is
# even below the true one: fog beside a stone is a softer step than stone beside stone. Every adversary pays with a
# larger error, and a slightly larger seam, for fills that look like ground.
#
# Who looks matters less. On the average of the recorded seeds (last table) the global one alone is the most cautious:
# smaller error, softer fills, patches further from true ones. The local one and both come out alike: this ground looks
# the same everywhere, so a window tells as much as the whole. In Iizuka et al.'s faces and streets it does not.
#
# ## The way between
#
# Because *both* began as the MSE network, their weights can be mixed: *network interpolation*, the slider of the figure.
# Does a network halfway behave halfway?

# %% tags=["experiment"]
check.finished("conditional_gans", "composite", "masked_loss")
path = [plain.towards(filled[-1], share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
on_path = topic.judge_fills(path, new, answers, seed=seed)
topic.filled_table(on_path)

# %% tags=["claim"]
halfway = on_path["0.5 of the way"]
results.claim("masked error, halfway", halfway.error)
results.claim("roughness over the true one, halfway", halfway.roughness)

# %% [markdown]
# No: halfway the error has gone less than half of the way up, and so has the roughness. Most of what the adversary
# taught comes in the last half.
#
# ## Where it breaks
#
# The first figure's networks were trained on brick, too. Yours have seen grass and gravel, and never a wall. Predict:
# what do *neither* and *both* put into brick?

# %% tags=["experiment"]
check.finished("conditional_gans", "composite", "masked_loss")
walls = topic.ground_patches(200, held_out=True, names=("brick",), seed=seed).to(device)
on_walls = topic.judge_fills([filled[0], filled[-1]], walls, answers, seed=seed)
topic.fill_picture([filled[0], filled[-1]], walls, answers)

# %% tags=["claim"]
for name, found in on_walls.items():
    results.claim(f"roughness over the true one on brick, {name}", found.roughness)

# %% [markdown]
# The adversarial one puts gravel into the wall, with the same confidence. A discriminator knows only what it was shown,
# and a fill that looks real is no evidence of what was there. Never use it where the truth matters: on a scan, a
# face in a file, a number plate.
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. The papers work with birds, with colour
# photographs and with faces, and ask people; so no number of theirs stands here.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - A squared error asks for the mean of all that fits, and that mean is a blur. An adversary asks for one that could be
#   real, and pays for it in the error: report both kinds of number.
# - A generator learns from the logits of its judge: lower −log σ(ℓ), which still pulls when the judge is sure. A judge
#   that sees the condition too teaches to obey it.
# - What a generator adds is likely, and not known. It is no evidence.
#
# ## Further reading
#
# - The game: {cite}`goodfellow2014generative`. Words: {cite}`zhang2017stackgan`, {cite}`reed2016generative`.
# - Sharper: {cite}`ledig2017photo`, {cite}`wang2018esrgan`; channels into pixels: {cite}`shi2016real`; features as a
#   measure: {cite}`zhang2018unreasonable`.
# - Why accuracy and looks pull apart, with the proof: {cite}`blau2018perception`.
# - Missing pieces: {cite}`iizuka2017globally`; before it, context encoders: {cite}`pathak2016context`.
