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
#     hours: 2.5
#     after: [01_conditional_gans]
#     needs: a Gaussian, the chain rule, eigenvalues
#     learn: train a VAE beside a GAN, measure both by the same scores, and say what each is good for
# ---

# %% [markdown]
# # GAN or VAE: two ways to learn a distribution
#
# **A question.** You want new digits that look as if a hand had written them. Two recipes promise them. A GAN trains a
# decoder against a judge. A VAE trains the same decoder beside an encoder. Which one do you take, and for what?
#
# Many have an opinion: "GANs are sharp", "VAEs are blurry", "GANs forget half of the data". This unit gives both the same
# digits, the same decoder and the same number of steps, and measures.
#
# Below: one row was written by people, one made by a VAE, one by a GAN, both with codes of only two numbers. Which is
# which?

# %% tags=["setup"]
import math

import torch
from scipy import stats

from genssl_utils import gan_or_vae as topic
from genssl_utils.kit import check, data, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("07_gan_or_vae", seed=seed, scale=scale)
full = scale == "full"

# %% tags=["figure"]
topic.who_made_picture()

# %% [markdown]
# ## Feel it first
#
# A *decoder* turns a code z into a picture. To draw, draw z from a standard normal distribution and decode it. Here z is
# two numbers, so all codes fit on a plane. Both decoders answer one point. Drag it in either plane, or move it by the arrow
# keys, and predict before you look:
#
# 1. Walk slowly from one digit to another. On which plane is the border steeper? *Pace* says how fast the picture changes.
# 2. Look for grey pixels, the blur. On which plane are there more, and where?
# 3. Choose *true digits*. The VAE shows where its encoder puts digits that it never saw. And the GAN?

# %% tags=["figure"]
topic.plane_figure()

# %% [markdown]
# Notice: with grey from 0.2 to 0.8, true digits have 15 such pixels on average, draws of this VAE 19 (row C above), of this
# GAN 14 (row A); each had 10,000 steps. The VAE must place every training digit, and answers grey between two. The GAN was
# told not to look made: steeper borders. But it cannot say where a true digit lies.
#
# ## The VAE's idea
#
# Each digit x has a code z. The **decoder** says how likely x is, p(x | z). The **encoder** guesses back: q(z | x), a
# Gaussian {cite}`kingma2014auto`. Train both: x should be likely, and guesses close to the standard normal from which we
# draw.
#
# The decoder gets a draw from q(z | x). Chance has no slope: how can the encoder learn? Draw noise $\varepsilon$, then
# move it: $z = \mu + s\, \varepsilon$, μ the mean and s the standard deviation. Below, one noise serves three codes.

# %% tags=["figure"]
topic.moved_noise_picture()

# %% [markdown]
# Move μ, and the cross moves along: z has a slope in μ and in s. This is the *reparameterization trick*.
#
# ## Exercise 1: draw, and let the slope through
#
# Networks give any number, and a standard deviation is positive. So the encoder gives the *log-variance*, log s².
#
# Write `reparameterize(mean, log_var, generator)` for two tensors of one shape, mostly (B, D): a fresh draw of z, each
# number with noise of its own from `generator`, of the dtype of `mean`. Do not change the inputs.
#
# *By hand:* mean 2, log-variance log 9 = 2.197: s = 3. With ε = −1, z = −1; its slope in the mean is 1, in the
# log-variance s ε / 2 = −1.5.


# %% nbgrader={"grade": false, "grade_id": "reparameterize", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def reparameterize(mean, log_var, generator):
    """A draw from a Gaussian through which slopes flow (Kingma & Welling 2014).

    Args:
        mean: of each number, (B, D).
        log_var: log of each variance, (B, D).
        generator: source of randomness, on the device of `mean`.

    Returns:
        Tensor (B, D).
    """
    # Standard normal noise first; then scale it by a standard deviation and shift it.
    ### BEGIN SOLUTION
    noise = torch.empty_like(mean).normal_(generator=generator)
    return mean + (log_var / 2).exp() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_reparameterize", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gan_or_vae", "reparameterize", points=3)
with ex.check("mean 2 and log-variance log 9", weight=3):
    two, log9 = torch.full((4000, 5), 2.0), torch.full((4000, 5), math.log(9.0))
    z = reparameterize(two, log9, check.generator(1))
    ex.shape(z, (4000, 5))
    ex.law(z, stats.norm(2, 3).cdf, 20_000)
with ex.check("noise from the generator, other noise for each number"):

    def drawn(source):
        return ex.unchanged(
            lambda m, lv: reparameterize(m, lv, source), torch.zeros(3, 2), torch.ones(3, 2)
        )

    first, again, g = drawn(check.generator(2)), drawn(check.generator(2)), check.generator(2)
    ex.shape(first, (3, 2))
    ex.true(torch.equal(first, again), "The same generator seed gave two different draws.")
    ex.true(len(first.unique()) == 6, "Two numbers share their noise, or there is none.")
    first, second = drawn(g), drawn(g)
    ex.true(
        not torch.equal(first, second),
        "Two draws in a row from one generator are the same: never seed it.",
    )
with ex.check("the slopes in both", weight=2):
    m = torch.tensor([[1.0, -2.0, 0.5]], requires_grad=True)
    lv = torch.tensor([[0.3, -1.0, 2.0]], requires_grad=True)
    middle = m.detach().clone()
    z = reparameterize(m, lv, check.generator(3))
    ex.shape(z, (1, 3))
    ex.finite(z)
    ex.gradient(z.sum(), m, torch.ones(1, 3))
    ex.gradient(z.sum(), lv, (z.detach() - middle) / 2)
### BEGIN HIDDEN TESTS
with ex.hidden("other means and spreads", weight=3, hint="A log-variance is twice a log s."):
    m = 4 * torch.rand(6, generator=ex.fresh, dtype=torch.float64) - 2
    lv = 4 * torch.rand(6, generator=ex.fresh, dtype=torch.float64) - 2
    sd = [math.exp(v / 2) for v in lv.tolist()]
    rows = [one.expand(5000, 6).clone() for one in (m, lv)]
    z = reparameterize(*rows, ex.fresh)
    ex.shape(z, (5000, 6), torch.float64)
    for k in range(6):
        ex.law(z[:, k], stats.norm(m[k].item(), sd[k]).cdf, 5000)
with ex.hidden("rows apart, columns apart", weight=2, hint="Each number needs noise of its own."):
    nothing = torch.zeros(10_000, 2)
    z = reparameterize(nothing, nothing.clone(), ex.fresh)
    ex.law(z[:, 0] - z[:, 1], stats.norm(0, 2**0.5).cdf, 10_000)
    ex.law(z[0::2] - z[1::2], stats.norm(0, 2**0.5).cdf, 10_000)
with ex.hidden(
    "slopes of other draws",
    weight=2,
    hint="The slope in the mean is 1; in the log-variance it is s ε / 2.",
):
    m = torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    lv = torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    middle = m.detach().clone()
    z = reparameterize(m, lv, ex.fresh)
    ex.gradient(z.sum(), m, torch.ones(4, 3, dtype=torch.float64))
    ex.gradient(z.sum(), lv, (z.detach() - middle) / 2)
with ex.hidden("a spread of almost nothing", hint="With a tiny variance z is the mean."):
    m = torch.randn(5, 2, generator=ex.fresh)
    want = m.clone()
    ex.value(reparameterize(m, torch.full((5, 2), -80.0), ex.fresh), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 2: how far from the standard normal
#
# A code is only useful for drawing if codes of digits lie where we will draw. The price for straying is the
# Kullback–Leibler divergence, in nats. For a Gaussian against the standard normal it has a closed form, a sum over the D
# numbers of the code:
#
# $$\mathrm{KL} = \tfrac{1}{2} \sum_{d=1}^{D} \left(\mu_d^2 + s_d^2 - 1 - \log s_d^2\right).$$
#
# Write `gaussian_kl(mean, log_var)` for (B, D) and (B, D): one number a row, (B,).
#
# *By hand:* means (1, 0), variances (1, 4): ½ (1 + 0) + ½ (4 − 1 − log 4) = 0.5 + 0.807 = 1.307.


# %% nbgrader={"grade": false, "grade_id": "gaussian_kl", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def gaussian_kl(mean, log_var):
    """KL divergence of Gaussians from the standard normal, row by row (Kingma & Welling 2014).

    Args:
        mean: of each number, (B, D).
        log_var: log of each variance, (B, D).

    Returns:
        Tensor (B,), in nats.
    """
    # The variance itself is the exponential of what you are given.
    ### BEGIN SOLUTION
    gaps = mean**2 + log_var.exp() - 1 - log_var
    return gaps.sum(1) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_gaussian_kl", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gan_or_vae", "gaussian_kl", points=2)
with ex.check("the worked number"):
    ex.value(gaussian_kl(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(4.0)]])))
with ex.check("three rows, and the slopes", weight=2):
    m = torch.tensor([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [-0.3, 0.8, 0.1]], requires_grad=True)
    lv = torch.tensor([[0.2, -1.5, 1.0], [0.0, 0.0, 0.0], [-4.0, 0.6, -0.7]], requires_grad=True)
    kl = ex.unchanged(gaussian_kl, m, lv)
    ex.value(kl)
    ex.gradient(kl.sum(), m)
    ex.gradient(kl.sum(), lv)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "beside the library of distributions",
    weight=2,
    hint="A sum over the numbers of a code, and a ½.",
):
    for rows, columns in ((6, 4), (1, 9), (5, 1)):
        m = torch.randn(rows, columns, generator=ex.fresh, dtype=torch.float64)
        lv = 2 * torch.randn(rows, columns, generator=ex.fresh, dtype=torch.float64)
        pair = (
            torch.distributions.Normal(m, (lv / 2).exp()),
            torch.distributions.Normal(0.0 * m, torch.ones_like(m)),
        )
        want = torch.distributions.kl_divergence(*pair).sum(1)
        ex.value(ex.unchanged(gaussian_kl, m, lv), want)
with ex.hidden("slopes of other codes", hint="In the mean it is the mean itself."):
    m = torch.randn(3, 5, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    lv = torch.randn(3, 5, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    want = [m.detach().clone(), (lv.detach().exp() - 1) / 2]
    kl = gaussian_kl(m, lv)
    ex.gradient(kl.sum(), m, want[0])
    ex.gradient(kl.sum(), lv, want[1])
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## How likely is a picture?
#
# A pixel of these digits is a count: how many of 16 scanned dots hold ink. The decoder says a logit $\ell_i$ for pixel i: each
# dot holds ink with probability $\sigma(\ell_i)$, where $\sigma(t) = 1 / (1 + e^{-t})$. So the count $k_i$ is binomial:
#
# $$\log p(x \mid z) = \sum_i \left[\log \tbinom{16}{k_i} + k_i \log \sigma(\ell_i) + (16 - k_i) \log \sigma(-\ell_i)\right].$$
#
# ## Exercise 3: the evidence lower bound
#
# Codes come from the standard normal p(z), so p(x) averages p(x | z) over them: too many to try. But the two wishes
# add up to the *evidence lower bound*: on average over the encoder's draws,
#
# $$\log p(x) \ \ge\ \log p(x \mid z) - \mathrm{KL} .$$
#
# Write `elbo(x, logits, mean, log_var)`, the right side, (B,). `x` (B, P) holds pixels $k_i / 16$, `logits` (B, P) what the
# decoder says; tried up to ±150. `torch.lgamma(n + 1)` is log n!. Call your `gaussian_kl`.
#
# *By hand:* pixels (1, ½), logits (0, 0), mean 1, log-variance 0: log 2⁻¹⁶ + log (12870 · 2⁻¹⁶) − ½ = −11.090 − 1.628 − 0.5 =
# −13.218.


# %% nbgrader={"grade": false, "grade_id": "elbo", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def elbo(x, logits, mean, log_var):
    """Evidence lower bound of pictures whose pixels count 16 dots (Kingma & Welling 2014).

    Args:
        x: pixels k / 16 for k from 0 to 16, (B, P).
        logits: of the probability that a dot of the pixel holds ink, (B, P).
        mean: of each number of the code, (B, D).
        log_var: log of its variance, (B, D).

    Returns:
        Tensor (B,), in nats.
    """
    # Never take the logarithm of a σ: there is a function for both at once.
    ### BEGIN SOLUTION
    k = 16 * x
    ways = math.lgamma(17) - torch.lgamma(k + 1) - torch.lgamma(17 - k)
    log_ink = torch.nn.functional.logsigmoid(logits)
    log_paper = torch.nn.functional.logsigmoid(-logits)
    return (ways + k * log_ink + (16 - k) * log_paper).sum(1) - gaussian_kl(mean, log_var)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_elbo", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gan_or_vae", "elbo", points=4)
with ex.check("the worked number"):
    one = torch.ones(1, 1)
    ex.value(elbo(torch.tensor([[1.0, 0.5]]), torch.zeros(1, 2), one, 0 * one))
with ex.check("three pictures of four pixels", weight=2):
    pixels = torch.tensor([[0.0, 3, 16, 8], [16.0, 16, 1, 5], [2.0, 0, 0, 9]]) / 16
    said = torch.tensor([[-2.0, -1.0, 3.0, 0.5], [1.0, 2.5, -4.0, 0.0], [-1.0, -3.0, 0.2, 0.7]])
    m = torch.tensor([[0.5, -1.0], [0.0, 2.0], [-0.3, 0.8]])
    lv = torch.tensor([[0.2, -1.5], [0.0, 1.0], [-4.0, 0.6]])
    ex.value(ex.unchanged(elbo, pixels.clone(), said.clone(), m.clone(), lv.clone()))
with ex.check("the slopes in logits, mean and log-variance"):
    said = torch.tensor([[-2.0, 0.5, 3.0]], requires_grad=True)
    m = torch.tensor([[0.5, -1.0]], requires_grad=True)
    lv = torch.tensor([[0.8, -0.4]], requires_grad=True)
    pixels = torch.tensor([[4.0, 12.0, 16.0]]) / 16
    bound = elbo(pixels, said, m, lv)
    ex.shape(bound, (1,))
    for inputs in (said, m, lv):
        ex.gradient(bound.sum(), inputs)
with ex.check("a decoder that is sure"):
    nothing = torch.zeros(1, 2)
    pixels = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    ex.value(elbo(pixels, torch.tensor([[-150.0, 150.0, -150.0, 40.0]]), nothing, nothing))
### BEGIN HIDDEN TESTS
with ex.hidden("beside torch's binomial", weight=3, hint="Coefficient, ink, paper; then the KL."):
    for rows, pixels, numbers in ((5, 7, 3), (1, 64, 16), (8, 1, 1)):
        k = torch.randint(17, (rows, pixels), generator=ex.fresh).double()
        said = 3 * torch.randn(rows, pixels, generator=ex.fresh, dtype=torch.float64)
        m = torch.randn(rows, numbers, generator=ex.fresh, dtype=torch.float64)
        lv = torch.randn(rows, numbers, generator=ex.fresh, dtype=torch.float64)
        likely = torch.distributions.Binomial(16, logits=said).log_prob(k).sum(1)
        pair = (
            torch.distributions.Normal(m, (lv / 2).exp()),
            torch.distributions.Normal(0.0 * m, torch.ones_like(m)),
        )
        want = likely - torch.distributions.kl_divergence(*pair).sum(1)
        ex.value(ex.unchanged(elbo, k / 16, said, m, lv), want)
with ex.hidden("every slope of four rows", weight=2, hint="In ℓ it is k − 16 σ(ℓ)."):
    k = torch.randint(17, (4, 6), generator=ex.fresh).double()
    said, m, lv = (
        torch.randn(4, n, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
        for n in (6, 3, 3)
    )
    want = [k - 16 * said.detach().sigmoid(), -m.detach().clone(), (1 - lv.detach().exp()) / 2]
    total = elbo(k / 16, said, m, lv).sum()
    for part, slope in zip((said, m, lv), want, strict=True):
        ex.gradient(total, part, slope)
with ex.hidden("logits beyond ninety", hint="Never take the logarithm of a σ."):
    far = 90 + 60 * torch.rand(3, 5, generator=ex.fresh)
    want = -16 * far.sum(1)
    ex.value(elbo(torch.zeros(3, 5), far, torch.zeros(3, 2), torch.zeros(3, 2)), want)
with ex.hidden("all seventeen counts together", hint="Their probabilities add up to 1."):
    k = torch.arange(17.0, dtype=torch.float64)[:, None]
    said = torch.randn((), generator=ex.fresh, dtype=torch.float64).expand(17, 1)
    nothing = torch.zeros(17, 2, dtype=torch.float64)
    ex.value(elbo(k / 16, said, nothing, nothing).exp().sum(), torch.tensor(1.0).double())
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment: the same digits, the same decoder, the same steps
#
# One decoder, trained three times: 16 numbers in, two hidden layers of 128, 64 pixels out. In every step it moves once, on 64
# true digits, and so does the network beside it.
#
# - The **VAE**: your `elbo`, with an encoder. (Row *dots*: each pixel's 16 dots, drawn.)
# - The **GAN**: no word on likelihood; a discriminator of about the encoder's size, as in unit 01, which pays for the
#   squared slope of its logit at true digits {cite}`mescheder2018which`. The ring below shows why.
# - **Squared error**: regression, 1000 steps. Noise in, and as little squared error as possible from the next true digit. It
#   cannot know which digit comes.
#
# Settings were tried by hand, by the scores below and on the same test digits: a few rates for each, for the GAN also momentum
# and penalty. Predict what the third one draws.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "gaussian_kl", "elbo")
answers = topic.VaeAnswers(reparameterize, gaussian_kl, elbo)
digits = data.digits(flat=True).to(device)
steps = {"laptop": 2000, "full": 40_000}[scale]
width = {"laptop": 128, "full": 1024}[scale]
vae = topic.train_vae(digits.x_train, answers, steps=steps, width=width, seed=seed)

# %% tags=["experiment"]
gan = topic.train_gan(digits.x_train, steps=steps, width=width, seed=seed)

# %% tags=["experiment"]
regression = topic.train_regression(digits.x_train, width=width, seed=seed)
topic.samples_picture([regression, vae, gan], digits.x_test, seed=seed)

# %% tags=["experiment"]
topic.budget_table([regression, vae, gan])

# %% [markdown]
# *Squared error* draws one thing only, the mean of all digits: it was asked for one right answer, and where many are
# right, the mean has the smallest error. The other two learned a *distribution*.
#
# The VAE is shown in two ways. What its decoder says is the *share* of ink; what its model draws is 16 dots for each pixel.
#
# ## How near is a heap to the truth?
#
# Looking is no measure. Take a heap of 540 made digits and compare it with the 540 test digits that no network here learned
# from. Not pixel by pixel: in the *features* of a classifier, the 128 numbers before its last layer. Below, their two main
# directions.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "elbo")
reader = topic.train_reader(digits)
heaps = topic.heaps(regression, vae, gan, digits, seed=seed)
topic.features_picture(heaps, digits.x_test, reader)

# %% [markdown]
# If both heaps were Gaussian, with means $m_a, m_b$ and covariances $C_a, C_b$, their squared *Fréchet
# distance* would be
#
# $$\lVert m_a - m_b \rVert^2 + \operatorname{tr} C_a + \operatorname{tr} C_b - 2 \operatorname{tr}\, (C_a C_b)^{1/2} .$$
#
# With the features of a certain network it is called FID {cite}`heusel2017gans`, the number most papers on pictures give.


# %% [markdown]
# ## Exercise 4: the Fréchet distance
#
# Write `frechet_distance(a, b)` for heaps (N, F) and (M, F): that number, with covariances that divide by N − 1 and M − 1.
# The eigenvalues of $C_a C_b$ are real and not negative, though a computer may find −1e−12 or a tiny imaginary part. The
# trace of the root is the sum of the roots of the eigenvalues. Compute in float64: features can outnumber rows.
#
# *By hand:* a = (−1, 1), b = (1, 5), one feature: means 0 and 3, variances 2 and 8. 9 + 2 + 8 − 2 · √16 = 11.


# %% nbgrader={"grade": false, "grade_id": "frechet_distance", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def frechet_distance(a, b):
    """Squared Fréchet distance of two heaps, each taken for a Gaussian (Heusel et al. 2017).

    Args:
        a: one heap, (N, F), N ≥ 2.
        b: the other, (M, F), M ≥ 2.

    Returns:
        Scalar tensor, float64.
    """
    # torch.cov wants the features as rows. A product of two covariances is not symmetric.
    ### BEGIN SOLUTION
    a, b = a.double(), b.double()
    cov_a, cov_b = (torch.cov(heap.T).reshape(heap.shape[1], -1) for heap in (a, b))
    apart = (a.mean(0) - b.mean(0)).square().sum()
    roots = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt()
    return apart + cov_a.trace() + cov_b.trace() - 2 * roots.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_frechet_distance", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gan_or_vae", "frechet_distance", points=4)
with ex.check("the worked number"):
    ex.value(frechet_distance(torch.tensor([[-1.0], [1.0]]), torch.tensor([[1.0], [5.0]])))
with ex.check("three features that depend on each other", weight=2):
    a = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [-1.0, 0.5, 1.0], [2.0, -1.0, 1.5]])
    b = torch.tensor([[0.0, 1.0, 1.0], [2.0, 2.5, -1.0], [1.0, 0.0, 4.0], [3.0, 1.0, 2.0], [0.5, 4.0, 1.0]])  # fmt: skip
    ex.value(ex.unchanged(frechet_distance, a, b))
with ex.check("the same heap, in another order and moved by 3"):
    ex.value(frechet_distance(b, b.flip(0) + torch.tensor([1.0, 2.0, -2.0])))
with ex.check("more features than rows"):
    wide = 10 * torch.arange(24.0).view(3, 8).sin()
    far = frechet_distance(wide, (2 * wide).roll(1, 1))
    ex.true(far is not None, "Nothing came back: is a `return` missing?")
    ex.true(bool(far == far), "It gives nan.")
    ex.true(
        bool(abs(far - 997.594) < 0.01), f"It gives {complex(far).real:.6g}; 997.594 is expected."
    )
### BEGIN HIDDEN TESTS
with ex.hidden("beside SciPy's root of a matrix", weight=3, hint="A root of the matrix product."):
    import numpy as np
    from scipy.linalg import sqrtm

    for rows, columns in ((40, 5), (12, 2), (300, 9)):
        a = torch.randn(rows, columns, generator=ex.fresh, dtype=torch.float64)
        turn = torch.randn(columns, columns, generator=ex.fresh, dtype=torch.float64)
        b = torch.randn(2 * rows, columns, generator=ex.fresh, dtype=torch.float64) @ turn + 0.7
        covs = [np.cov(heap.numpy(), rowvar=False) for heap in (a, b)]
        cross = np.trace(sqrtm(covs[0] @ covs[1]).real)
        gap = np.square(a.numpy().mean(0) - b.numpy().mean(0)).sum()
        want = gap + np.trace(covs[0]) + np.trace(covs[1]) - 2 * cross
        ex.value(ex.unchanged(frechet_distance, a, b), torch.tensor(float(want)).double())
with ex.hidden(
    "a single column of numbers", hint="Then it is a gap of means and a gap of spreads."
):
    a = torch.randn(9, 1, generator=ex.fresh, dtype=torch.float64)
    b = 3 * torch.randn(14, 1, generator=ex.fresh, dtype=torch.float64) - 2
    want = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
    ex.value(frechet_distance(a, b), want)
with ex.hidden("shifted copies, with fewer rows than features", hint="Only the means differ then."):
    a = 10 * torch.randn(6, 20, generator=ex.fresh)
    shift = 10 * torch.randn(20, generator=ex.fresh)
    want = shift.double().square().sum()
    ex.value(frechet_distance(a, a + shift), want)
with ex.hidden("the heaps trade places", hint="It is symmetric."):
    a = torch.randn(30, 4, generator=ex.fresh, dtype=torch.float64)
    b = torch.rand(25, 4, generator=ex.fresh, dtype=torch.float64)
    ex.value(frechet_distance(a.clone(), b.clone()), frechet_distance(b, a))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Below: two clouds, and your distance. Move the made cloud, stretch it, turn it. Then choose *two clumps*: the same mean
# and the same covariance as one cloud. What does the distance say?

# %% tags=["figure"]
topic.explore_distance(frechet_distance)

# %% [markdown]
# It sees means and covariances, and nothing else. So more scores stand beside it in the next table
# {cite}`kynkaanniemi2019improved,naeem2020reliable`: *precision*, the share of made digits that lie among true ones;
# *recall*, the share of true digits that lie among made ones; and *coverage*, the share of true digits that have a made one
# nearer than their own fifth true neighbour. Precision is quality, the other two are variety. The energy distance, again of
# whole heaps, sees more than covariances.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "elbo", "frechet_distance")
judged = topic.judge_pictures(heaps, digits.x_test, reader, frechet_distance)
topic.quality_table(judged, reader)

# %% [markdown]
# Read it against its first row: other true digits, as near as one can get. After these 2000 steps the GAN is much nearer by
# both distances of whole heaps; the ranges of the seeds do not overlap. Precision and coverage hardly part them, and the VAE
# has more recall. "GANs forget half of the data" is not true here. And the scores disagree: whoever shows you only one of
# them has chosen which. Neither has converged; more steps come under *Where it breaks*.

# %% tags=["claim"]
for name, (distance, found) in judged.items():
    results.claim(f"Fréchet distance, {name}", distance, better="lower")
    if name != "squared error":  # one picture has neither quality nor variety to tell apart
        results.claim(f"precision, {name}", found.precision, better="higher")
        results.claim(f"recall, {name}", found.recall, better="higher")
        results.claim(f"coverage, {name}", found.coverage, better="higher")
    if name in ("VAE", "GAN"):
        results.claim(f"energy distance, {name}", found.energy, better="lower")

# %% [markdown]
# ## Several modes
#
# Digits hide what is lost. On a ring of eight clouds every mistake can be counted: a forgotten cloud, an uneven share, a
# point in no man's land. (*Unevenness*: the share of points that would have to change clouds.) Each gets 2 numbers in, two
# hidden layers of 64, and 1200 steps. The VAE is told the width of a cloud. The GAN comes twice: with the loss of 2014 alone,
# and with the slope penalty that the digits had. Predict who forgets clouds, and who spills between them.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "gaussian_kl")
ring = topic.ring_points(2000, seed=seed, device=device)
ring_steps = {"laptop": 1200, "full": 20_000}[scale]
on_ring = {
    "VAE": topic.ring_vae(ring, reparameterize, gaussian_kl, steps=ring_steps, seed=seed),
    "GAN": topic.ring_gan(ring, steps=ring_steps, seed=seed),
    "GAN, penalty": topic.ring_gan(ring, steps=ring_steps, penalty=1.0, seed=seed),
}
true_ring = topic.ring_points(2000, seed=seed + 1000, device=device)
ring_heaps = {"true": topic.ring_points(2000, seed=seed + 2000, device=device)}
ring_heaps |= {name: maker.draw(2000, seed=seed) for name, maker in on_ring.items()}
topic.ring_picture(ring_heaps)

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "gaussian_kl")
counted = {name: topic.judge_ring(points, true_ring) for name, points in ring_heaps.items()}
topic.ring_table(counted)

# %% [markdown]
# The VAE forgets nothing and spills: the bound fines it for every training point that it leaves out, and hardly for a point
# in no man's land. But much of the spill is short training: after 6000 steps 57 % of its points lie on a cloud, and 93 % of
# the penalised GAN's (three seeds, run once). The plain GAN is a gamble: of the five recorded seeds two found all clouds,
# one lost one, and two *collapsed* to two clouds. With the penalty most points lie on clouds, evenly, on each seed. None is
# perfect: a continuous decoder pulls one blob of codes over eight clouds, and what lies between stays connected.

# %% tags=["claim"]
for name in on_ring:
    results.claim(f"clouds found of 8, {name}", counted[name].clouds, better="higher")
    results.claim(f"share on a cloud, {name}", counted[name].on, better="higher")
    results.claim(f"unevenness of the clouds, {name}", counted[name].uneven, better="lower")

# %% [markdown]
# ## One right answer, or a distribution?
#
# A point lies 1.4 to the east; how far north is it? Two answers are right. Regression gives one number. From a
# distribution we can *pick*: of 10,000 made points take the one whose place is nearest. Predict which way has the smallest
# error.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "gaussian_kl")
line = topic.ring_regression(ring, seed=seed)
replies = topic.answer_all(true_ring, line, on_ring, ring, seed=seed)
topic.answers_picture(replies, true_ring)

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "gaussian_kl")
worth = topic.judge_all(replies, true_ring)
topic.answers_table(worth)

# %% tags=["claim"]
for name, (error, right) in worth.items():
    name = "a training point" if name == "true" else name
    results.claim(f"error of the answer, {name}", error, better="lower")
    results.claim(f"answers on a cloud, {name}", right, better="higher")

# %% [markdown]
# Regression has the smallest error, and hardly an answer that is possible: between two right answers lies none. This is why
# a GAN has a judge in place of a target, and why a VAE has a code. Where only one answer is right, at the east and west end
# of the ring, regression is fine.
#
# ## From code to code
#
# To go from digit to digit we walk from code to code. But not straight: in 16 numbers, most codes have a length near
# √16 = 4. Where is the middle of a straight walk?

# %% tags=["figure"]
topic.lengths_picture()

# %% [markdown]
# ## Exercise 5: a walk along the arc
#
# Straight walks cut the corner: their middles are about 2.8 long, shorter than most codes that a decoder was trained on. A
# walk along the *arc* keeps the length {cite}`white2016sampling`. With Ω the angle between two codes,
#
# $$\operatorname{slerp}(a, b, t) = \frac{\sin((1 - t)\, \Omega)}{\sin \Omega}\, a + \frac{\sin(t\, \Omega)}{\sin \Omega}\, b .$$
#
# Write `slerp(a, b, t)` for rows (B, D) and (B, D) and a number t from 0 to 1, row by row. Lengths may differ: take the angle
# between directions, but let the formula mix a and b themselves. Rows that point the same way
# (Ω below 0.001) go straight: (1 − t) a + t b.
#
# *By hand:* a = (1, 0), b = (0, 1), t = ⅓: Ω is a right angle, and we are at 30 degrees: (0.866, 0.5).


# %% nbgrader={"grade": false, "grade_id": "slerp", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def slerp(a, b, t):
    """Spherical interpolation between rows (Shoemake 1985; White 2016).

    Args:
        a: where the walks begin, (B, D), no row zero.
        b: where they end, (B, D), no row zero and none opposite to its row of a.
        t: how far along, from 0 to 1.

    Returns:
        Tensor (B, D).
    """
    # One angle a row, (B, 1). A cosine may come out as 1.0000001.
    ### BEGIN SOLUTION
    lengths = a.norm(dim=1, keepdim=True) * b.norm(dim=1, keepdim=True)
    cosine = (a * b).sum(1, keepdim=True) / lengths
    angle = cosine.clamp(max=1).acos()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle < 0.001, (1 - t) * a + t * b, arc)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_slerp", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gan_or_vae", "slerp", points=3)
with ex.check("the worked number"):
    ex.value(slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 1 / 3))
with ex.check("three walks, of unequal lengths and angles", weight=2):
    a = torch.tensor([[2.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, -1.0], [0.5, -1.0, 2.0, 0.0]])
    b = torch.tensor([[1.0, 3.0, 0.0, 0.0], [1.0, -0.5, 1.0, 2.0], [-1.0, 1.3, -0.4, 0.5]])
    ex.value(ex.unchanged(lambda a, b: slerp(a, b, 0.25), a, b))
with ex.check("both ends"):
    for t in (0.0, 1.0):
        ex.value(slerp(a, b, t))
with ex.check("rows that point the same way"):
    c = torch.tensor([[-1.5, -1.7, -2.0, -0.7], [3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    ex.value(slerp(c, 3 * c, 0.25))
### BEGIN HIDDEN TESTS
with ex.hidden("walks in a turned frame", weight=3, hint="Only below 0.001 go straight."):
    for columns in (2, 5, 16):
        frame, _ = torch.linalg.qr(torch.randn(columns, columns, generator=ex.fresh).double())
        omega = 0.1 + 2.9 * torch.rand(4, generator=ex.fresh).double()[:, None]
        omega[:2] = 0.006 + omega[:2] / 600  # small, and still no straight walks
        size = 0.5 + torch.rand(4, generator=ex.fresh).double()[:, None]
        t = 0.2 + 0.6 * torch.rand((), generator=ex.fresh).item()
        at = [size * (w.cos() * frame[0] + w.sin() * frame[1]) for w in (0 * omega, omega, t * omega)]  # fmt: skip
        ex.value(slerp(at[0], at[1], t), at[2])
with ex.hidden(
    "walks between unlike lengths", weight=2, hint="The formula mixes a and b as they are."
):
    one, other = torch.randn(2, 6, 4, generator=ex.fresh).double()
    sizes = 1 + 3 * torch.rand(2, 6, 1, generator=ex.fresh).double()
    rows = []
    for p, q in zip(one, other, strict=True):
        turn = math.acos(float(p @ q) / float(p.norm() * q.norm()))
        parts = [math.sin((1 - 0.3) * turn) / math.sin(turn), math.sin(0.3 * turn) / math.sin(turn)]
        rows.append([parts[0] * p, parts[1] * q])
    want = torch.stack([sizes[0, i] * p + sizes[1, i] * q for i, (p, q) in enumerate(rows)])
    walk = ex.unchanged(lambda p, q: slerp(p, q, 0.3), sizes[0] * one, sizes[1] * other)
    ex.value(walk, want)
with ex.hidden("many rows that go straight, and two that do not", hint="Choose row by row."):
    one, other = torch.randn(2, 400, 6, generator=ex.fresh)
    other[2:] = 3 * one[2:]  # of some of these the cosine comes out above 1
    want = 1.4 * one
    for i, (p, q) in enumerate(zip(one[:2].double(), other[:2].double(), strict=True)):
        turn = math.acos(float(p @ q) / float(p.norm() * q.norm()))
        want[i] = (math.sin(0.8 * turn) * p + math.sin(0.2 * turn) * q) / math.sin(turn)
    ex.value(slerp(one, other, 0.2), want)
with ex.hidden("one walk at a time gives the same", hint="Each row has an angle of its own."):
    one, other = torch.randn(2, 7, 3, generator=ex.fresh, dtype=torch.float64)
    alone = torch.cat(
        [slerp(one[i : i + 1].clone(), other[i : i + 1].clone(), 0.6) for i in range(7)]
    )
    ex.value(slerp(one, other, 0.6), alone)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Your walk on the plane, beside the straight one. What happens to both when the angle nears 180 degrees?

# %% tags=["figure"]
topic.explore_walk(slerp)

# %% [markdown]
# Near 180 degrees the straight walk passes close to 0, where no codes are; the arc keeps its length and turns ever more
# between two steps. At 180 it would not know which way round.
#
# ## Walks and control
#
# Below, each row walks from one code to another in seven steps, on your arc.

# %% tags=["experiment"]
check.finished("gan_or_vae", "slerp", "reparameterize", "elbo")
topic.walks_picture([vae, gan], slerp, seed=seed)

# %% [markdown]
# Are the pictures halfway as good as others? We take 540 pairs of fresh codes and judge their middles, of the arc and of
# the straight line, by your Fréchet distance.

# %% tags=["experiment"]
check.finished("gan_or_vae", "slerp", "frechet_distance", "reparameterize", "elbo")
middles = topic.all_midpoints([vae, gan], slerp, len(digits.x_test))
halfway = topic.judge_pictures(middles, digits.x_test, reader, frechet_distance)
topic.midpoint_table(halfway)

# %% tags=["claim"]
for name, (distance, found) in halfway.items():
    results.claim(f"Fréchet distance halfway, {name}", distance, better="lower")
    results.claim(f"recall halfway, {name}", found.recall, better="higher")

# %% [markdown]
# On the arc the middles are about as good as draws. On the line both decoders lose, in distance and in recall: short codes
# decode to pictures nearer to the mean.
#
# **Control** means: change one thing, keep the rest. Neither network was told what *slant* or *ink* is. So measure both on
# 2000 made digits, and let a linear regression find the direction of codes along which one of them grows; R² is the share
# that it explains. (For yes or no {cite}`shen2020interpreting` take the normal of an SVM's plane.) It needs no encoder.
# Then go back and forth along it, as far as the property should move by one standard deviation of true digits.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "elbo")
turned = topic.turn_all([vae, gan], reader, digits.x_test)
topic.turns_picture([vae, gan], turned, seed=seed)

# %% tags=["experiment"]
topic.turns_table(turned)

# %% tags=["claim"]
for (name, what), found in turned.items():
    results.claim(
        f"share of {what} that is linear in the code, {name}", found.told, better="higher"
    )
    results.claim(f"same digit after turning {what}, {name}", found.kept, better="higher")

# %% [markdown]
# The VAE's codes are nearer to linear, in both on every recorded seed, and on average it keeps the digit more often:
# perhaps because its price for straying keeps codes in order. Neither turns one thing alone: for one standard deviation of
# slant, about four digits in ten become another one.
#
# ## Codes for other tasks
#
# A good code of a digit says which digit it is. The test: a linear classifier of codes, with all 1257 labels and with 10 a
# class.
#
# The VAE brings its encoder along. The GAN has none. Two ways out are tried: train an encoder *afterwards*, on made digits
# whose codes we know, which never sees a true one; or take what the discriminator's last hidden layer says, 128 numbers
# ({cite}`radford2016unsupervised` pool all of its layers). Beside them 16 principal components, and the pixels.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "elbo")
afterwards = topic.encoder_afterwards(gan, seed=seed)
codes = topic.all_codes(vae, gan, afterwards, digits)
probes = topic.probe_rows(codes, digits)
topic.probe_table(probes)

# %% tags=["claim"]
for row in probes:
    results.claim(f"probe with all labels, {row['codes']}", row["all labels"], better="higher")
    results.claim(f"probe with 10 a class, {row['codes']}", row["10 a class"], better="higher")

# %% [markdown]
# The VAE's codes tell classes about as well as principal components, not better. An encoder trained afterwards does worse,
# perhaps because it knows made digits only. The discriminator's layer does as well as the pixels, or a little better; but
# it is no code: it has more numbers than a digit has pixels, and no decoder leads back.
#
# ## How likely is a new digit?
#
# In bits a pixel; less is better. Your `elbo` gives a bound. Draw K codes from q(z | x), each with its *importance weight*
# $p(x \mid z)\, p(z) / q(z \mid x)$. The mean of the weights estimates p(x), and the logarithm of that mean is a tighter
# bound, on average {cite}`burda2016importance`.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "gaussian_kl", "elbo")
costs = topic.all_bits(vae, digits, answers)
topic.bits_table(costs)

# %% tags=["claim"]
for name in ("VAE, bound", "VAE, 100 weights", "VAE, training digits"):
    results.claim(f"bits a pixel, {name}", costs[name], unit="bits", better="lower")

# %% [markdown]
# Where each count is equally likely, a pixel costs 4.09 bits. A probability for each pixel costs *more*: a binomial is
# narrow, and pixels are ink in one digit and paper in the next. The code tells which. With more weights the bound comes
# down towards the truth. Training digits cost less than new ones: the VAE overfits, a little after these steps, and the
# bound says so. A GAN can say nothing of the kind.
#
# ## Where it breaks
#
# The Fréchet distance has a hidden dial: the number of pictures. Below, true digits are compared with other true digits,
# so the answer should be 0. Predict how it changes with the number of pictures on each side.

# %% tags=["experiment"]
check.finished("gan_or_vae", "reparameterize", "elbo", "frechet_distance")
few = topic.few_pictures(vae, gan, digits, reader, frechet_distance, seed=seed)
topic.few_picture(few)

# %% [markdown]
# Few pictures have a ragged covariance, and the distance takes raggedness for difference. Two such numbers can only be
# compared at the same number of pictures, and in the features of the same network. And look at the first row of the table of
# scores again: a thief who hands out training digits wins all of them. None of these numbers sees copying.

# %% tags=["claim"]
results.claim("Fréchet distance, true against true, 60 each", few["true digits"][0])
results.claim("Fréchet distance, true against true, 540 each", few["true digits"][-1])

# %% [markdown]
# And 2000 steps are few. Run once with 8000 (three seeds; too long for this page), the VAE comes to a distance of 14.6,
# precision 0.64, recall 0.84 and coverage 0.69; the GAN to 5.1, 0.82, 0.81 and 0.91. Then the GAN wins three of four. The
# VAE's bound is 2.18 bits on new digits and 1.76 on training digits: it overfits. Whether that GAN copies, we did not
# measure.
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. The papers work with other pictures, so no
# number of theirs stands here.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - Asked for one right answer, a network gives the mean of all that are right. A judge, or a code, lets it pick one.
# - Which one, for what? To draw: with the same decoder and steps the GAN's heap was the nearer one here, and with more steps
#   it won by more; but it needed a penalty to hold. To encode, to weigh how likely a picture is, to turn one thing and keep
#   the digit, or to have a loss that simply falls: the VAE.
# - One number never judges a generator. Say how many pictures, in whose features, and look for copies.
#
# ## Further reading
#
# - The VAE: {cite}`kingma2014auto`; how to read it: {cite}`kingma2019introduction`. The GAN: {cite}`goodfellow2014generative`.
# - Scores of samples, and what they cannot tell: {cite}`theis2016note`, {cite}`kynkaanniemi2019improved`.
# - Both in one: {cite}`larsen2016autoencoding`. An encoder for a GAN from the start: {cite}`dumoulin2017adversarially`.
