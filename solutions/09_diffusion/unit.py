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
#     after: [07_gan_or_vae, 08_flows]
#     needs: a Gaussian, conditional probability, the chain rule
#     learn: train a network to take noise away, draw with it in 1000 steps or in 10, and say what it costs
# ---

# %% [markdown]
# # Diffusion: learn to run the film backwards
#
# **A question.** A drop of ink falls into water. It spreads, and after a while nothing is left of its shape. Film it, and
# you can run the film backwards: grey water pulls itself together into a drop. Now do it without the film. From grey water,
# which drop?
#
# With pictures the way forward is easy: add a little noise, and again, until hardly anything else is left. Each row below is one
# digit on that way. Cover the left half with your hand. Up to which frame could you still say what it was?

# %% tags=["setup"]
import math

import torch

from genssl_utils import diffusion as topic
from genssl_utils.kit import check, data, results
from genssl_utils.kit.reader import train_reader
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("09_diffusion", seed=seed, scale=scale)
full = scale == "full"

# %% tags=["figure"]
topic.film_picture()

# %% [markdown]
# ## Feel it first
#
# Below, time is under your thumb. *Forward* adds more and more noise to 240 true points, of one kind a point, so lines are
# smooth. *Back* starts from pure noise and takes it away, by arrows that say in which direction points get more likely at that
# time. For these sets the arrows are known exactly, so no network is needed yet. Move time, and predict before you look:
#
# 1. Go back from 1000. When do the clouds separate, early or late?
# 2. Choose 5 steps in place of 50. What goes wrong, and where on the way?
# 3. Compare *back, no noise* with *back, fresh noise* at 5 steps and at 200. Follow one of the lines.
# 4. Choose *twelve points*: a training set of twelve. What does perfect learning bring back?

# %% tags=["figure"]
topic.moment_figure()

# %% [markdown]
# Notice: at time 1000 there is one hill, and all arrows point to its middle. Clouds part late, and most of the detail is
# decided in a short while, which 5 steps jump over: points are left between the clouds. At 200, lines without fresh noise are
# smooth, with it jagged, and both arrive. From twelve points come twelve points: keep that in mind.
#
# ## The way to noise
#
# This is how a *diffusion model* begins {cite}`sohl2015deep`. Let $x_0$ be an example. Step t scales it down a little and adds a little
# fresh noise, so that spread 1 stays spread 1:
#
# $$x_t = \sqrt{\alpha_t}\; x_{t-1} + \sqrt{\beta_t}\; \text{noise}, \qquad \alpha_t = 1 - \beta_t .$$
#
# Nothing is learned on this way. After t of T steps this share of the example's variance is left:
#
# $$\bar\alpha_t = \alpha_1 \alpha_2 \cdots \alpha_t, \qquad \bar\alpha_0 = 1 .$$
#
# It falls from 1 to nearly 0. A *schedule* says how. Which one? If it falls too fast, most steps work on what is already
# noise {cite}`nichol2021improved`.

# %% tags=["figure"]
topic.schedules_picture()

# %% [markdown]
# ## Exercise 1: a schedule that takes its time
#
# Nichol and Dhariwal {cite}`nichol2021improved` let it follow a cosine. With s = 0.008,
#
# $$f(t) = \cos^2\!\left(\frac{t/T + s}{1 + s} \cdot \frac{\pi}{2}\right), \qquad \beta_t = \min\left(1 - \frac{f(t)}{f(t-1)},\ 0.999\right).$$
#
# The factors cancel, so $\bar\alpha_t = f(t) / f(0)$ wherever the 0.999 does not clip. Without it the last step would leave exactly
# nothing, and one cannot walk back from nothing.
#
# Write `cosine_alpha_bar(T)`: a tensor of T + 1 numbers. Its entry number t is $\bar\alpha_t$, for t from 0 to T, so it
# begins with 1. Compute in float64.
#
# *By hand:* T = 2: f is (0.99984, 0.49377, 0), so β is (0.50616, 0.999), and the answer is (1, 0.49384, 0.000494).


# %% nbgrader={"grade": false, "grade_id": "cosine_alpha_bar", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def cosine_alpha_bar(T):
    """Shares of variance that are left, on a cosine schedule (Nichol & Dhariwal 2021).

    Args:
        T: number of steps, at least 1.

    Returns:
        Tensor (T + 1,), float64: entry t after t steps; the first is 1.
    """
    # f at all whole times first. Each β needs two neighbours of it.
    ### BEGIN SOLUTION
    t = torch.arange(T + 1, dtype=torch.float64) / T
    f = ((t + 0.008) / 1.008 * math.pi / 2).cos() ** 2
    beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return torch.cat([torch.ones_like(t[:1]), (1 - beta).cumprod(0)])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_cosine_alpha_bar", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffusion", "cosine_alpha_bar", points=3)
with ex.check("the worked number", weight=2):
    ex.value(cosine_alpha_bar(2))
with ex.check("seven steps"):
    ex.value(cosine_alpha_bar(7))
with ex.check("what the last step leaves"):
    ends = cosine_alpha_bar(3)
    ex.shape(ends, (4,))
    ex.value(1000 * ends[-1] / ends[-2])
### BEGIN HIDDEN TESTS
with ex.hidden("other numbers of steps", weight=2, hint="f at 0, …, T; T products after the 1."):
    for T in (4, 11, 5 + int(torch.randint(60, (), generator=ex.fresh))):
        f = [math.cos((i / T + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(T)]
        want = [v / f[0] for v in f] + [f[-1] / f[0] / 1000]
        got = cosine_alpha_bar(T)
        ex.value(got, torch.tensor(want, dtype=torch.float64))
        ex.true(got.dtype in (torch.float32, torch.float64), "It is too coarse a float.")
with ex.hidden("a thousand of them", hint="The first is 1, the last is nearly 0."):
    got = cosine_alpha_bar(1000)
    ex.shape(got, (1001,))
    ex.value(got[500], torch.tensor(0.4938435862).double())
    ex.true(bool((got[1:] < got[:-1]).all()), "It does not fall at each step.")
with ex.hidden("one single step", hint="Then the only β is clipped."):
    got = cosine_alpha_bar(1)
    ex.value(got, torch.tensor([1.0, 0.001]).double())
    ex.true(got.dtype in (torch.float32, torch.float64), "It is too coarse a float.")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 2: jump to any time
#
# To reach time t, need we walk t steps? No: sums of Gaussian noise are Gaussian noise. With one fresh standard normal
# $\varepsilon$,
#
# $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon .$$
#
# Write `q_sample(x0, t, noise, alpha_bar)`. `x0` and `noise` have shape (B, …), with any number of further axes, or none. `t`
# (B,) holds whole numbers from 0 to T: each row has a time of *its own*. `alpha_bar` (T + 1,) is the schedule; entry 0 belongs to
# t = 0. All but `t` are of one float type.
#
# *By hand:* the schedule (1, 0.64, 0.16), x0 = 2, t = 1, noise 1: 0.8 · 2 + 0.6 · 1 = 2.2.


# %% nbgrader={"grade": false, "grade_id": "q_sample", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def q_sample(x0, t, noise, alpha_bar):
    """Examples with the noise of time t (Ho et al. 2020, equation 4).

    Args:
        x0: examples, (B, …).
        t: a time for each, (B,), whole numbers from 0 to T.
        noise: standard normal, (B, …).
        alpha_bar: shares of variance that are left, (T + 1,).

    Returns:
        Tensor (B, …).
    """
    # One number a row, with as many axes as x0 has.
    ### BEGIN SOLUTION
    kept = alpha_bar[t].view(-1, *[1] * (x0.ndim - 1))
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_q_sample", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffusion", "q_sample", points=2)
four = torch.tensor([1.0, 0.64, 0.16, 0.04])  # one entry more than any time below needs
with ex.check("the worked number"):
    ex.value(q_sample(torch.tensor([[2.0]]), torch.tensor([1]), torch.ones(1, 1), four))
with ex.check("four rows of four, each at its own time", weight=2):
    x, e = torch.arange(16.0).view(4, 4) / 8 - 1, torch.arange(16.0).view(4, 4).sin()
    when = torch.tensor([2, 0, 1, 2])
    ex.value(ex.unchanged(q_sample, x.clone(), when, e.clone(), four))
with ex.check("two pictures of two channels"):
    x, e = torch.arange(24.0).view(2, 2, 2, 3) / 12 - 1, torch.arange(24.0).view(2, 2, 2, 3).cos()
    ex.value(q_sample(x, torch.tensor([2, 1]), e, four))
### BEGIN HIDDEN TESTS
with ex.hidden("row after row, of any shape", weight=2, hint="Two roots, and a time a row."):
    for shape in ((5,), (5, 5), (6, 2), (3, 1, 4, 4), (1, 2, 3)):
        shares = torch.rand(8, generator=ex.fresh).sort(descending=True).values
        when = torch.randint(8, shape[:1], generator=ex.fresh)
        x, e = torch.randn(2, *shape, generator=ex.fresh)
        a = [shares[i].item() for i in when.tolist()]
        y, z = x.double(), e.double()
        rows = [a[i] ** 0.5 * y[i] + (1 - a[i]) ** 0.5 * z[i] for i in range(len(a))]
        want = torch.stack(rows)
        got = ex.unchanged(q_sample, x, when, e, shares)
        ex.value(got, want)
        ex.true(got.dtype in (torch.float32, torch.float64), "It is too coarse a float.")
with ex.hidden("before the first step", hint="At t = 0 nothing has happened yet."):
    x, e = torch.randn(2, 4, 3, generator=ex.fresh, dtype=torch.float64)
    want, shares = x.clone(), torch.tensor([1.0, 0.5, 0.1]).double()
    ex.value(q_sample(x, torch.zeros(4, dtype=torch.int64), e, shares), want)
with ex.hidden("spread one stays spread one", hint="Shares of the variance add up to 1."):
    x, e = torch.randn(2, 500, 40, generator=ex.fresh, dtype=torch.float64)
    shares, when = torch.tensor([1.0, 0.7, 0.2]).double(), torch.full((500,), 1)
    got = q_sample(x, when, e, shares)
    ex.shape(got, (500, 40))
    ex.mean(got.square().reshape(-1), 1.0, 2**0.5, 20_000)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Your schedule and your jump, on digits. At which share of the variance can you no longer read them? Try T = 10 and
# T = 1000: what of the picture depends on T?

# %% tags=["figure"]
topic.explore_noise(cosine_alpha_bar, q_sample)

# %% [markdown]
# From about ten steps on, the pictures at one share of time hardly depend on T: it says in how many steps the way is walked.
#
# And how long is a digit readable? Ask a small classifier that was trained on clean digits:

# %% tags=["experiment"]
check.finished("diffusion", "q_sample")
digits = data.digits(flat=True).to(device)
reader = train_reader(digits)
topic.reading_table(topic.read_noised(reader, digits, q_sample, (0.9, 0.7, 0.5, 0.35, 0.2, 0.1)))

# %% [markdown]
# With half of the variance left it reads three in four, with a tenth fewer than one in three. Do you do better?
#
# ## One step back, if you knew the start
#
# The way back asks: we are at $x_t$, where were we one step before? Without more knowledge that is hard. But if we also
# know where the walk *began*, both ends are pinned, and the step between is a Gaussian {cite}`ho2020denoising`:
#
# $$\text{mean} = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0 + \frac{\sqrt{\alpha_t}\,(1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t, \qquad \text{variance} = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t ,$$
#
# where $\alpha_t$ is $\bar\alpha_t / \bar\alpha_{t-1}$. It is a tug of war: near the end $x_t$ pulls, near the start $x_0$.
# At t = 1 the step before *is* the start: the variance is 0.

# %% tags=["figure"]
topic.bridges_picture()

# %% [markdown]
# ## Exercise 3: the posterior
#
# Write `posterior(x0, xt, t, alpha_bar)`, which returns the pair `(mean, variance)`. `x0` and `xt` (B, …) with any number of
# further axes, or none; `t` (B,) with whole numbers from 1 to T, which may differ; `alpha_bar` (T + 1,). The mean has the shape of
# `xt`. The variance is one number a row: (B,).
#
# *By hand:* the schedule (1, 0.64, 0.16), t = 2: α is 0.25, β is 0.75. With x0 = 1 and xt = −1 the mean is
# 0.8 · 0.75 / 0.84 · 1 + 0.5 · 0.36 / 0.84 · (−1) = 0.5, the variance 0.36 / 0.84 · 0.75 = 0.3214.


# %% nbgrader={"grade": false, "grade_id": "posterior", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def posterior(x0, xt, t, alpha_bar):
    """Where a walk was one step before, given its start (Ho et al. 2020, equations 6 and 7).

    Args:
        x0: starts, (B, …).
        xt: places at time t, (B, …).
        t: a time for each, (B,), whole numbers from 1 to T.
        alpha_bar: shares of variance that are left, (T + 1,).

    Returns:
        mean, (B, …), and variance, (B,), of the place at time t − 1.
    """
    # Three numbers a row: what is left now, what was left before, and β.
    ### BEGIN SOLUTION
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    shape = (-1, *[1] * (xt.ndim - 1))
    from_start = (before.sqrt() * beta / (1 - now)).view(shape)
    from_here = ((1 - beta).sqrt() * (1 - before) / (1 - now)).view(shape)
    return from_start * x0 + from_here * xt, (1 - before) / (1 - now) * beta
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_posterior", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffusion", "posterior", points=4)
four = torch.tensor([1.0, 0.64, 0.16, 0.04])  # one entry more than any time below needs
six = torch.tensor([1.0, 0.9, 0.7, 0.4, 0.1, 0.05])
with ex.check("the worked number", weight=2):
    made = posterior(torch.tensor([[1.0]]), torch.tensor([[-1.0]]), torch.tensor([2]), four)
    mean, variance = ex.parts(made, "mean, variance")
    ex.value(mean, what="mean")
    ex.value(variance, what="variance")
with ex.check("three rows of three at three times", weight=2):
    a, b = torch.arange(9.0).view(3, 3) / 4 - 1, torch.arange(9.0).view(3, 3).sin()
    a[0, 0] = 4
    when = torch.tensor([4, 2, 3])
    made = ex.unchanged(posterior, a.clone(), b.clone(), when, six)
    mean, variance = ex.parts(made, "mean, variance")
    ex.value(mean, what="mean")
    ex.value(variance, what="variance")
with ex.check("two pictures of two channels"):
    a, b = torch.arange(24.0).view(2, 2, 2, 3) / 12 - 1, torch.arange(24.0).view(2, 2, 2, 3).sin()
    made = posterior(a, b, torch.tensor([4, 2]), six)
    mean, variance = ex.parts(made, "mean, variance")
    ex.value(mean, what="mean")
    ex.value(variance, what="variance")
with ex.check("at the first step"):
    a, b = torch.arange(4.0).view(2, 2) - 1, torch.arange(4.0).view(2, 2).cos()
    made = posterior(a, b, torch.tensor([1, 1]), four)
    mean, variance = ex.parts(made, "mean, variance")
    ex.value(mean, what="mean")
    ex.value(variance, what="variance")
### BEGIN HIDDEN TESTS
with ex.hidden("beside conditioned Gaussians", weight=3, hint="Both pulls, and the variance."):
    for shape in ((6,), (4, 4), (5, 3), (2, 1, 3, 3), (1, 7)):
        drops = 0.4 + 0.55 * torch.rand(9, generator=ex.fresh)
        shares = torch.cat([torch.ones(1), drops.cumprod(0)])
        when = torch.randint(1, 10, shape[:1], generator=ex.fresh)
        x, y = torch.randn(2, *shape, generator=ex.fresh)
        centres, spreads = [], []
        for k, i in enumerate(when.tolist()):
            old, new = shares[i - 1].item(), shares[i].item()
            cross = (new / old) ** 0.5 * (1 - old)  # covariance of the two places, given x0
            gain = cross / (1 - new)
            start, place = x[k].double(), y[k].double()
            centres.append(old**0.5 * start + gain * (place - new**0.5 * start))
            spreads.append(1 - old - gain * cross)
        want = torch.stack(centres), torch.tensor(spreads, dtype=torch.float64)
        made = ex.unchanged(posterior, x, y, when, shares)
        mean, variance = ex.parts(made, "mean, variance")
        ex.value(mean, want[0], what="mean")
        ex.value(variance, want[1], what="variance")
with ex.hidden("in double precision", hint="Each factor belongs to its own time."):
    shares = torch.linspace(1.0, 0.002, 40, dtype=torch.float64)
    when = torch.randint(2, 40, (12,), generator=ex.fresh)
    x, y = torch.randn(2, 12, generator=ex.fresh, dtype=torch.float64)
    old, new = shares[when - 1], shares[when]
    precise = 1 / (1 - old), (new / old) / (1 - new / old)  # of the prior, of what was seen
    want = 1 / (precise[0] + precise[1])
    centre = want * (precise[0] * old.sqrt() * x + precise[1] * y / (new / old).sqrt())
    mean, variance = ex.parts(posterior(x, y, when, shares), "mean, variance")
    ex.value(mean, centre, what="mean")
    ex.value(variance, want, what="variance")
with ex.hidden("the first step of other walks", hint="There the place before is the start."):
    x, y = torch.randn(2, 3, 2, 2, generator=ex.fresh, dtype=torch.float64)
    want, shares = x.clone(), torch.tensor([1.0, 0.3, 0.2]).double()
    mean, variance = ex.parts(posterior(x, y, torch.tensor([1, 1, 1]), shares), "mean, variance")
    ex.value(mean, want, what="mean")
    ex.value(variance, torch.zeros(3).double(), what="variance")
with ex.hidden("walks that were walked", weight=2, hint="It is the law of true walks."):
    old, new = 0.75, 0.3
    start = torch.randn((), generator=ex.fresh, dtype=torch.float64).expand(400, 100)
    e, f = torch.randn(2, 400, 100, generator=ex.fresh, dtype=torch.float64)
    was = old**0.5 * start + (1 - old) ** 0.5 * e
    here = (new / old) ** 0.5 * was + (1 - new / old) ** 0.5 * f
    shares = torch.tensor([1.0, old, new]).double()
    mean, variance = ex.parts(
        posterior(start.clone(), here, torch.full((400,), 2), shares), "mean, variance"
    )
    ex.shape(mean, (400, 100))
    ex.shape(variance, (400,))
    from scipy import stats

    ex.law((was - mean) / variance.sqrt()[:, None], stats.norm.cdf, 40_000)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Is it true? Below, half a million walks start at x0 and are walked. Those that come by near the chosen $x_t$ are kept,
# and the bars show where they were one step before. The line is your Gaussian.

# %% tags=["figure"]
topic.explore_posterior(cosine_alpha_bar, posterior)

# %% [markdown]
# ## What the network learns
#
# We do not know the start. But if somebody told us the *noise* in $x_t$, we could take it off and would have it. So a
# network $\varepsilon_\theta(x_t, t)$ guesses the noise, and the squared error is all that it is asked {cite}`ho2020denoising`:
#
# $$L = \mathbb{E}\, \lVert \varepsilon - \varepsilon_\theta(\sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon,\ t) \rVert^2 .$$
#
# No judge, no encoder, nothing to invert. One network serves all times, and learns at a time drawn evenly for each example.
#
# From grey water, which drop? Many could have become it, each with its own noise, and the guess with the least loss is the *mean* of
# those noises. It points away from where data are likely: minus it, over $\sqrt{1 - \bar\alpha_t}$, is the *score*, the slope of log p of
# the noised data {cite}`song2021score`: the arrow of the figure above. Below, the mean start that goes with it.

# %% tags=["figure"]
topic.guess_picture()

# %% [markdown]
# ## Exercise 4: the simple loss
#
# Write `simple_loss(net, x0, t, noise, alpha_bar)`. `net(xt, t)` takes noised examples (B, …) and their times (B,) as
# they are given, and returns its guess of the noise, (B, …). Ask it once, for all rows. The answer is one number: the *mean* of the squared errors over all rows
# and axes. Call your own `q_sample` if you like.
#
# *By hand:* a net that always says 0, noise (3, 1): (9 + 1) / 2 = 5.


# %% nbgrader={"grade": false, "grade_id": "simple_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def simple_loss(net, x0, t, noise, alpha_bar):
    """Mean squared error of guessed noise (Ho et al. 2020, equation 14).

    Args:
        net: noised examples (B, …) and times (B,) to guesses (B, …).
        x0: examples, (B, …).
        t: a time for each, (B,), whole numbers from 1 to T.
        noise: standard normal, (B, …).
        alpha_bar: shares of variance that are left, (T + 1,).

    Returns:
        Scalar tensor.
    """
    ### BEGIN SOLUTION
    guess = net(q_sample(x0, t, noise, alpha_bar), t)
    return (guess - noise).square().mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_simple_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffusion", "simple_loss", points=3)
four = torch.tensor([1.0, 0.64, 0.16, 0.04])  # one entry more than any time below needs
with ex.check("the worked number"):
    one = torch.tensor([1])
    ex.value(
        simple_loss(lambda x, t: 0 * x, torch.ones(1, 2), one, torch.tensor([[3.0, 1.0]]), four)
    )
with ex.check("a net that looks at everything", weight=2):
    x, e = torch.arange(9.0).view(3, 3) / 3 - 1, torch.arange(9.0).view(3, 3).cos()
    x[0, 0] = 4
    when = torch.tensor([2, 1, 2])
    ex.value(
        ex.unchanged(
            lambda x, t, e, a: simple_loss(
                lambda x, t: (1.3 * x).sin() + 0.4 * t[:, None] + 0.5 * x.mean(0), x, t, e, a
            ),
            x.clone(), when, e.clone(), four,
        )
    )  # fmt: skip
with ex.check("two pictures, and a net that looks times up"):
    x, e = torch.arange(24.0).view(2, 2, 2, 3) / 12 - 1, torch.arange(24.0).view(2, 2, 2, 3).cos()
    says, when = torch.tensor([0.0, 4.0, -6.0, 5.0]), torch.tensor([2, 1])
    ex.value(simple_loss(lambda x, t: says[t].view(-1, 1, 1, 1) + x, x, when, e, four))
with ex.check("the slope of the net's weight"):
    x, e = torch.arange(6.0).view(3, 2) / 3 - 1, torch.arange(6.0).view(3, 2).cos()
    when, weight = torch.tensor([2, 1, 2]), torch.tensor(0.7, requires_grad=True)
    ex.gradient(simple_loss(lambda x, t: weight * x, x, when, e, four), weight)
### BEGIN HIDDEN TESTS
with ex.hidden("what the net is shown", weight=2, hint="Noised examples, and the times as given."):
    shares = torch.rand(6, generator=ex.fresh).sort(descending=True).values
    when = torch.randint(1, 6, (4,), generator=ex.fresh)
    x, e = torch.randn(2, 4, 1, 3, 3, generator=ex.fresh)
    a = shares[when].double().reshape(4, 1, 1, 1)
    want, times, seen = x.double() * a**0.5 + e.double() * (1 - a) ** 0.5, when.clone(), []

    def spy(x, t):
        seen.append((x.detach().clone(), t.detach().clone()))
        return torch.zeros_like(x)

    level = e.double().square().mean()
    ex.value(simple_loss(spy, x, when, e, shares), level)
    ex.true(len(seen) > 0, "The net is not asked.")
    ex.value(seen[0][0], want)
    ex.value(seen[0][1], times)
with ex.hidden("other nets, other shapes", weight=2, hint="A mean over every number there is."):
    for shape in ((7,), (3, 3), (2, 3, 4), (1, 1)):
        shares = torch.rand(5, generator=ex.fresh, dtype=torch.float64).sort(descending=True).values
        when = torch.randint(1, 5, shape[:1], generator=ex.fresh)
        x, e, said = torch.randn(3, *shape, generator=ex.fresh, dtype=torch.float64)
        want = sum((u - v) ** 2 for u, v in zip(said.flatten().tolist(), e.flatten().tolist(), strict=True)) / e.numel()  # fmt: skip
        ex.value(simple_loss(lambda x, t, said=said: said, x, when, e, shares), torch.tensor(want).double())  # fmt: skip
with ex.hidden("starts far out, times in a table", hint="Clip nothing, and keep times whole."):
    shares = torch.rand(6, generator=ex.fresh).sort(descending=True).values
    when, says = (
        torch.randint(1, 6, (3,), generator=ex.fresh),
        9 * torch.randn(6, generator=ex.fresh),
    )
    x, e = torch.randn(2, 3, 2, 2, generator=ex.fresh) * torch.tensor([9.0, 1.0]).view(2, 1, 1, 1)
    gaps = []
    for k, i in enumerate(when.tolist()):
        a, y, z = shares[i].item(), x[k].double(), e[k].double()
        gaps.append(says[i].double() + (a**0.5 * y + (1 - a) ** 0.5 * z) / 2 - z)
    want = torch.stack(gaps).square().mean()
    ex.value(simple_loss(lambda x, t: says[t].view(-1, 1, 1) + x / 2, x, when, e, shares), want)
with ex.hidden("slopes of a guess", hint="Nothing may be detached."):
    x, e = torch.randn(2, 5, 2, generator=ex.fresh, dtype=torch.float64)
    said = torch.randn(5, 2, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    want, shares = (said.detach() - e) / 5, torch.tensor([1.0, 0.5]).double()
    when = torch.ones(5, dtype=torch.int64)
    ex.gradient(simple_loss(lambda x, t: said, x, when, e, shares), said, want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment 1: two sets of points
#
# Your schedule with T = 1000, your loss, a small network for each set: two moons, eight clouds. Data are scaled to
# mean 0 and spread 1. Two things are built in. A few sines of a point stand beside it, for what is fine {cite}`tancik2020fourier`. And the guess is
# $\sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\,$body: where $x_t$ is nearly all noise, it is nearly $x_t$
# {cite}`salimans2022progressive`. There even a small error counts: to find the start one divides it by $\sqrt{\bar\alpha_t}$, nearly 0. Without
# this skip a network for digits has nearly the same loss, and its draws have a coverage below 0.01 (three seeds, run once).
#
# For the clouds the best guess is known. No network has a lower loss, on average over fresh points. Predict: how near does ours
# come, and where is it nearer, at much noise or little?

# %% tags=["experiment"]
check.finished("diffusion", "cosine_alpha_bar", "q_sample", "simple_loss")
alpha_bar = cosine_alpha_bar(1000).to(device, torch.float32)
moves = {"laptop": 1200, "full": 20_000}[scale]
on_clouds = topic.train_on_clouds(alpha_bar, simple_loss, steps=moves, seed=seed, device=device)

# %% tags=["experiment"]
check.finished("diffusion", "cosine_alpha_bar", "q_sample", "simple_loss")
above = topic.losses_beside_the_best(on_clouds["eight clouds"], simple_loss, seed=seed)
topic.losses_table(above)

# %% tags=["claim"]
results.claim("loss on eight clouds, network", above["all times"][0], better="lower")
results.claim("loss on eight clouds, best possible", above["all times"][1])

# %% [markdown]
# The best loss is far from 0: noise that is small beside a cloud's own width nobody can tell from it. The network comes close
# (over five seeds 0.361 against 0.353), and least close at small times, where the guess changes fast from place to place. See the
# arrows:

# %% tags=["experiment"]
check.finished("diffusion", "cosine_alpha_bar", "q_sample", "simple_loss")
topic.fields_picture(on_clouds["eight clouds"])

# %% [markdown]
# ## Exercise 5: DDPM's step back
#
# With the guess $\hat\varepsilon$ in hand, take the noise off,
#
# $$\hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\; \hat\varepsilon}{\sqrt{\bar\alpha_t}},$$
#
# and go *one* step back: draw from the posterior as if $\hat x_0$ were the start. Why not go there at once? It is a mean
# over all possible starts, grey at first. A step later we guess again, better. (Ho et al. tried the variance $\beta_t$, too, and found it
# alike; here it is the posterior's.)
#
# Write `ancestral_step(xt, eps, t, alpha_bar, noise)`, with the guess in `eps`: that draw, (B, …), with the given standard normal `noise` scaled by the root
# of the posterior's variance. So at t = 1 none is added. Times `t` (B,) from 1 to T may differ. Clip nothing. Call your
# `posterior` if you like.
#
# *By hand:* the schedule (1, 0.64, 0.16), t = 2, xt = −1, guess −1.5275: $\hat x_0$ = 1. With noise 1: 0.5 + √0.3214 = 1.067.


# %% nbgrader={"grade": false, "grade_id": "ancestral_step", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def ancestral_step(xt, eps, t, alpha_bar, noise):
    """One step from time t to t − 1 with fresh noise (Ho et al. 2020, algorithm 2).

    Args:
        xt: places at time t, (B, …).
        eps: guessed noise in them, (B, …).
        t: a time for each, (B,), whole numbers from 1 to T.
        alpha_bar: shares of variance that are left, (T + 1,).
        noise: standard normal, (B, …).

    Returns:
        Tensor (B, …).
    """
    ### BEGIN SOLUTION
    shape = (-1, *[1] * (xt.ndim - 1))
    kept = alpha_bar[t].view(shape)
    start = (xt - (1 - kept).sqrt() * eps) / kept.sqrt()
    mean, variance = posterior(start, xt, t, alpha_bar)
    return mean + variance.view(shape).sqrt() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ancestral_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffusion", "ancestral_step", points=4)
four = torch.tensor([1.0, 0.64, 0.16, 0.04])  # one entry more than any time below needs
six = torch.tensor([1.0, 0.9, 0.7, 0.4, 0.1, 0.05])
with ex.check("the worked number"):
    here, guess = torch.tensor([[-1.0]]), torch.tensor([[-1.5275252]])
    ex.value(ancestral_step(here, guess, torch.tensor([2]), four, torch.ones(1, 1)))
with ex.check("without noise"):
    here, guess = torch.tensor([[-1.0]]), torch.tensor([[-1.5275252]])
    ex.value(ancestral_step(here, guess, torch.tensor([2]), four, torch.zeros(1, 1)))
with ex.check("three rows of three, the first at its first step", weight=2):
    a, b = torch.arange(9.0).view(3, 3) / 4 - 1, torch.arange(9.0).view(3, 3).sin()
    a[1, 1] = 4
    c, when = torch.arange(9.0).view(3, 3).cos(), torch.tensor([1, 4, 3])
    ex.value(ex.unchanged(ancestral_step, a.clone(), b.clone(), when, six, c.clone()))
with ex.check("two pictures of two channels"):
    a, b = torch.arange(24.0).view(2, 2, 2, 3) / 12 - 1, torch.arange(24.0).view(2, 2, 2, 3).sin()
    c, when = torch.arange(24.0).view(2, 2, 2, 3).cos(), torch.tensor([3, 1])
    ex.value(ancestral_step(a, b, when, six, c))
### BEGIN HIDDEN TESTS
with ex.hidden("beside the other form of the paper", weight=3, hint="Mean, then root of variance."):
    for shape in ((6,), (4, 4), (5, 3), (2, 1, 3, 3), (1, 7)):
        drops = 0.4 + 0.55 * torch.rand(9, generator=ex.fresh)
        shares = torch.cat([torch.ones(1), drops.cumprod(0)])
        when = torch.randint(1, 10, shape[:1], generator=ex.fresh)
        x, e, z = torch.randn(3, *shape, generator=ex.fresh)
        rows = []
        for k, i in enumerate(when.tolist()):
            new, old = shares[i].item(), shares[i - 1].item()
            a = new / old
            off = x[k].double() - (1 - a) / (1 - new) ** 0.5 * e[k].double()
            width = max(0.0, (1 - old) / (1 - new) * (1 - a)) ** 0.5
            rows.append(off / a**0.5 + width * z[k].double())
        want = torch.stack(rows)
        ex.value(ex.unchanged(ancestral_step, x, e, when, shares, z), want)
with ex.hidden("no noise at the end", weight=2, hint="At t = 1 the variance is 0."):
    x, e, z = torch.randn(3, 3, 2, generator=ex.fresh, dtype=torch.float64)
    shares = torch.tensor([1.0, 0.7, 0.2]).double()
    want = (x - 0.3**0.5 * e) / 0.7**0.5
    when = torch.ones(3, dtype=torch.int64)
    ex.value(ancestral_step(x, e, when, shares, 100 * z), want)
with ex.hidden("starts far out", hint="Nothing is clipped."):
    x, z = 30 + torch.randn(2, 4, 2, generator=ex.fresh, dtype=torch.float64)
    shares = torch.tensor([1.0, 0.6, 0.3]).double()
    gap = (0.4 / 0.7 * 0.5) ** 0.5
    want = x / 0.5**0.5 + gap * z
    ex.value(ancestral_step(x, 0 * x, torch.full((4,), 2), shares, z), want)
with ex.hidden("thirty thousand steps", weight=2, hint="The spread is the root of the variance."):
    x, z = torch.randn(2, 300, 100, generator=ex.fresh, dtype=torch.float64)
    shares, when = torch.tensor([1.0, 0.8, 0.5]).double(), torch.full((300,), 2)
    from scipy import stats

    pull = 0.8**0.5 * 0.375 / 0.5 * 0.5**0.5 + 0.625**0.5 * 0.2 / 0.5
    got = ancestral_step(x, 0.5**0.5 * x, when, shares, z)
    ex.shape(got, (300, 100))
    ex.law(got, stats.norm(0, (pull**2 + 0.2 / 0.5 * 0.375) ** 0.5).cdf, 30_000)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 6: DDIM's step, which may skip
#
# A thousand steps are slow. DDIM {cite}`song2021denoising` uses the *same* network. It goes to $\hat x_0$, and then out again
# along the guessed noise, to whatever time it likes:
#
# $$\text{mean} = \sqrt{\bar\alpha'}\, \hat x_0 + \sqrt{1 - \bar\alpha' - \sigma^2}\; \hat\varepsilon, \qquad \sigma = \eta\, \sqrt{\frac{1 - \bar\alpha'}{1 - \bar\alpha}}\, \sqrt{1 - \frac{\bar\alpha}{\bar\alpha'}} ,$$
#
# plus $\sigma$ times fresh noise. With $\eta = 1$ and the time before it is DDPM; with $\eta = 0$ chance is gone.
#
# Write `ddim_step(x, eps, a_t, a_prev, eta)` for `x` and `eps` of any one shape and three numbers: `a_t` is $\bar\alpha$ now, `a_prev` is
# $\bar\alpha'$, where to go. It returns the pair `(mean, spread)`, with σ a number. Draw no noise. At η = 0 it must also go *up*, to
# `a_prev` below `a_t`; there σ is 0, and no root of a negative number is asked for.
#
# *By hand:* x = −1, guess −1.5275, 0.16 to 0.64: with η = 0, 0.8 · 1 + 0.6 · (−1.5275) = −0.1165; with η = 1, mean 0.5 and σ = 0.5669.


# %% nbgrader={"grade": false, "grade_id": "ddim_step", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def ddim_step(x, eps, a_t, a_prev, eta):
    """One step to another time, with as much chance as you like (Song et al. 2021, equations 12 and 16).

    Args:
        x: places now, any shape.
        eps: guessed noise in them, of the same shape.
        a_t: share of variance that is left now, a number above 0 and below 1.
        a_prev: that of where to go, at most 1; below `a_t` only with eta 0.
        eta: 0 for no chance, 1 for DDPM's.

    Returns:
        mean, of the shape of x, and spread, a number.
    """
    # The start first. What σ takes is missing from the way out.
    ### BEGIN SOLUTION
    start = (x - math.sqrt(1 - a_t) * eps) / math.sqrt(a_t)
    share = (1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev)
    spread = eta * math.sqrt(max(0.0, share))
    return math.sqrt(a_prev) * start + math.sqrt(1 - a_prev - spread**2) * eps, spread
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_ddim_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffusion", "ddim_step", points=4)
with ex.check("the worked number, no chance", weight=2):
    here, guess = torch.tensor([[-1.0]]), torch.tensor([[-1.5275252]])
    mean, spread = ex.parts(ddim_step(here, guess, 0.16, 0.64, 0.0), "mean, spread")
    ex.value(spread, what="spread")
    ex.value(mean, what="mean")
with ex.check("the worked number, all chance"):
    here, guess = torch.tensor([[-1.0]]), torch.tensor([[-1.5275252]])
    mean, spread = ex.parts(ddim_step(here, guess, 0.16, 0.64, 1.0), "mean, spread")
    ex.value(spread, what="spread")
    ex.value(mean, what="mean")
with ex.check("six numbers, half the chance", weight=2):
    a, b = torch.arange(6.0).view(2, 3) / 4 - 1, torch.arange(6.0).view(2, 3).sin()
    made = ex.unchanged(lambda a, b: ddim_step(a, b, 0.3, 0.45, 0.5), a, b)
    mean, spread = ex.parts(made, "mean, spread")
    ex.value(mean, what="mean")
    ex.value(spread, what="spread")
with ex.check("to the data"):
    a, b = torch.arange(6.0).view(2, 3) / 4 - 1, torch.arange(6.0).view(2, 3).sin()
    mean, spread = ex.parts(ddim_step(a, b, 0.5, 1.0, 1.0), "mean, spread")
    ex.value(mean, what="mean")
    ex.value(spread, what="spread")
with ex.check("up, towards noise"):
    a, b = torch.arange(6.0).view(2, 3) / 4 - 1, torch.arange(6.0).view(2, 3).sin()
    mean, spread = ex.parts(ddim_step(a, b, 0.6, 0.2, 0.0), "mean, spread")
    ex.true(not isinstance(spread, complex), "spread: It is a complex number.")
    ex.value(mean, what="mean")
    ex.value(spread, what="spread")
### BEGIN HIDDEN TESTS
with ex.hidden("neighbours with all chance are DDPM", weight=3, hint="σ² leaves the way out."):
    for shape in ((4,), (3, 3), (2, 1, 2, 2)):
        x, e = torch.randn(2, *shape, generator=ex.fresh)
        a, old = (0.1 + 0.8 * torch.rand(2, generator=ex.fresh).double()).tolist()
        new = a * old
        want = (x.double() - (1 - a) / (1 - new) ** 0.5 * e.double()) / a**0.5
        width = ((1 - old) / (1 - new) * (1 - a)) ** 0.5
        mean, spread = ex.parts(ddim_step(x, e, new, old, 1.0), "mean, spread")
        ex.value(mean, want, what="mean")
        ex.value(spread, torch.tensor(width).double(), what="spread")
with ex.hidden("any chance in between", weight=2, hint="η scales σ, not its square."):
    x, e = torch.randn(2, 5, 2, generator=ex.fresh)
    new, old, eta = 0.2, 0.2 + 0.7 * float(torch.rand((), generator=ex.fresh)) + 0.01, 0.3
    width = eta * ((1 - old) * (old - new) / (old * (1 - new))) ** 0.5
    far = (x.double() - (1 - new) ** 0.5 * e.double()) / new**0.5
    want = old**0.5 * far + (1 - old - width**2) ** 0.5 * e.double()
    mean, spread = ex.parts(ddim_step(x, e, new, old, eta), "mean, spread")
    ex.value(mean, want, what="mean")
    ex.value(spread, torch.tensor(width).double(), what="spread")
with ex.hidden("there and back again", weight=2, hint="Without chance the same step goes up, too."):
    x, e = torch.randn(2, 3, 4, generator=ex.fresh)
    want = x.clone()
    up, none = ex.parts(ddim_step(x, e, 0.8, 0.3, 0.0), "mean, spread")
    ex.value(none, torch.tensor(0.0).double(), what="spread")
    down, none = ex.parts(ddim_step(up, e, 0.3, 0.8, 0.0), "mean, spread")
    ex.value(down, want, what="mean")
with ex.hidden("a known start and noise", hint="It lands on the same noise at another time."):
    x, e = torch.randn(2, 6, generator=ex.fresh)
    here, y = 0.6 * x + 0.8 * e, e.double()
    start = (here.double() - 0.8 * y) / 0.6
    want = [b**0.5 * start + (1 - b) ** 0.5 * y for b in (0.9, 0.05)]
    for b, place in zip((0.9, 0.05), want, strict=True):
        mean, _ = ex.parts(ddim_step(here, e, 0.36, b, 0), "mean, spread")
        ex.value(mean, place, what="mean")
with ex.hidden("all the way home", hint="At a share of 1 the start itself is reached."):
    x, e = torch.randn(2, 2, 2, 2, generator=ex.fresh)
    here = 0.6 * x + 0.8 * e
    want = (here.double() - 0.8 * e.double()) / 0.6
    mean, spread = ex.parts(ddim_step(here, e, 0.36, 1.0, 0.7), "mean, spread")
    ex.value(mean, want, what="mean")
    ex.value(spread, torch.tensor(0.0).double(), what="spread")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Draw
#
# Both networks draw, by your two steps, each from 1500 fresh normal points. To skip times, DDPM's step gets the shortened
# schedule of the times that are visited. The energy distance compares whole heaps, as in unit 07; 0 is best. Predict: who needs
# fewer steps? And who wins at 100?

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
walkers = topic.Walkers(ancestral_step, ddim_step)
topic.trails_picture(on_clouds, walkers, seed=seed)

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
near = topic.by_steps(on_clouds, walkers, steps=(1, 2, 5, 10, 20, 100), seed=seed)
topic.clouds_table(near)

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
lying = topic.shares_on_a_cloud(on_clouds["eight clouds"], walkers, seed=seed)
topic.shares_table(lying)

# %% tags=["claim"]
for name, found in near.items():
    for way in ("DDPM", "DDIM"):
        for number in (5, 100):
            told = f"energy distance, {name}, {way}, {number} steps"
            results.claim(told, found[way, number], better="lower")
for (who, way), share in lying.items():
    results.claim(f"points on a cloud, {who}, {way}", share, better="higher")

# %% [markdown]
# One step draws a blur. At 5 steps DDIM is nearer, at 100 both are as near as chance can tell. But DDPM
# leaves fewer points between the clouds. With the best guesser neither leaves more than true points do: what lies between comes from
# wrong guesses. Perhaps fresh noise lets later steps mend some; in part DDPM is just too tight.
#
# ## Experiment 2: the digits, at one budget
#
# Unit 07's GAN and VAE and unit 08's flow have drawn 540 digits each. Each had about 117,000 weights in all and saw 256,000 training
# digits; at laptop scale, so does yours.
#
# All are scored against the 540 test digits, in features of the small classifier: *precision* is the share of draws among true
# digits, *recall* of true digits among draws, *coverage* of true digits with a draw close by. The first row holds training digits.
# Predict the order.

# %% tags=["experiment"]
check.finished("diffusion", "cosine_alpha_bar", "q_sample", "simple_loss")
size = {"laptop": {"steps": 4000, "width": 192}, "full": {"steps": 40_000, "width": 1024}}[scale]
denoiser = topic.train_denoiser(digits.x_train, alpha_bar, simple_loss, seed=seed, **size)

# %% [markdown]
# How fair is it? Your network's width, skip and rate were chosen from a few on seed 0 by these scores on these test digits. The GAN's and
# VAE's rates were so chosen in unit 07, at another width. The flow's best step was chosen on a fifth of the training digits. So a
# few hundredths decide nothing. (Seconds of GAN, VAE and flow were taken once, on one thread of another machine.)

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
counts = (1, 2, 5, 10, 20, 100, 1000)
scan, drawn = topic.quality_by_steps(
    denoiser, walkers, digits.x_test, reader, steps=counts, seed=seed
)
bank = topic.bank(seed, device)
topic.samples_picture(bank, drawn, digits.x_test)

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
heaps = topic.all_heaps(bank, denoiser, scan, drawn, digits, seed=seed)
pictures = {name: heap.pictures for name, heap in heaps.items()}
judged = topic.judge(pictures, digits.x_test, reader, scan)
topic.quality_table(heaps, judged, reader)

# %% tags=["claim"]
for name, found in judged.items():
    results.claim(f"precision, {name}", found.precision, better="higher")
    results.claim(f"recall, {name}", found.recall, better="higher")
    results.claim(f"coverage, {name}", found.coverage, better="higher")
    results.claim(f"energy distance, {name}", found.energy, better="lower")

# %% [markdown]
# Nobody wins everything. As a whole heap the GAN's is the nearest, on every recorded seed, and it has more recall. DDPM has the
# highest precision, on every recorded seed. Their coverage is alike, 0.87. VAE and flow have more recall than diffusion, and clearly less
# precision and coverage. DDIM and DDPM are one network: how typical draws are depends on the walk, too.
#
# This is so after 256,000 digits, and none has converged. After four times as many (three seeds, run once) precision, recall and
# coverage are 0.89, 0.78 and 0.95 for the GAN, 0.89, 0.69 and 0.92 for DDPM.
# Diffusion's fame comes from photographs and far larger networks. Here it is one of several, and the slowest to draw.
#
# ## How many steps?
#
# The same network, the same noise to begin with, from one step to a thousand.

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
topic.steps_picture(drawn, counts)

# %% tags=["experiment"]
topic.steps_curves(scan, judged, bank)

# %% [markdown]
# With 2 steps, DDIM covers 0.68 of the test digits and DDPM 0.39; with 10 both are within 0.05 of what they have at 1000. Recall goes
# on growing, up to about 100 steps. Down a column of DDIM it is the *same* digit in more and more detail: all chance is in the noise at
# the beginning. With DDPM it is another one each time.

# %% tags=["claim"]
at = {(row.way, row.steps): row for row in scan}
for way in ("DDPM", "DDIM"):
    for number in (2, 10, 100):
        found = at[way, number].scores
        results.claim(f"coverage, {way}, {number} steps", found.coverage, better="higher")
        if number > 2:  # that of 2 steps leaps from seed to seed
            results.claim(f"recall, {way}, {number} steps", found.recall, better="higher")

# %% [markdown]
# Why does DDPM lose more when it skips? The posterior's variance is that for a *known* start. Over a long step the start is only
# guessed. So perhaps too little noise comes back, and draws are too much alike. Test it: put back $\beta_t$, which is more.

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "posterior", "ancestral_step", "ddim_step")
back = topic.noise_put_back(
    denoiser, walkers, drawn, digits.x_test, reader, steps=(2, 10), seed=seed
)
topic.noise_table(back)

# %% tags=["claim"]
more = back[10, "variance β (DDPM)"]
results.claim("coverage, DDPM with β, 10 steps", more.scores.coverage, better="higher")
results.claim("recall, DDPM with β, 10 steps", more.scores.recall, better="higher")
for (number, noise), found in back.items():
    if number in (0, 10):
        results.claim(f"spread of a pixel, {noise}", found.spread)

# %% [markdown]
# Half right. More noise makes draws less alike, and recall rises at once, in 10 steps from 0.51 to 0.62; but coverage falls, from 0.82
# to 0.78: this noise knows nothing of digits. DDIM adds none and keeps more spread: it goes out again along the guess, to where digits are.
#
# Time grows with the steps: ten times as many take about ten times as long (right curve). The GAN needs one pass.
#
# ## A latent as large as the data
#
# A GAN's or VAE's digit came from 16 numbers. Here it comes from 64 with DDIM, one a pixel, and with DDPM from 64 more in each step.
# Nothing need be thrown away. Without chance the way can be walked in both directions: your `ddim_step` carries digits *up* into the
# latent, and down again. No invertible layer was needed. How many steps until they come back?

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "ddim_step")
trips = topic.trips(denoiser, walkers, digits.x_test, steps=(5, 20, 100))
topic.trips_picture(trips, digits.x_test)

# %% tags=["experiment"]
topic.trips_table(trips)

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "ddim_step")
sizes = topic.code_sizes(denoiser, walkers, digits, trips[100])
topic.codes_table(sizes)

# %% tags=["claim"]
for number in (5, 100):
    results.claim(f"error of a round trip, {number} steps", trips[number].error, better="lower")
for name in ("training digits", "test digits"):
    results.claim(f"mean square of the median code, {name}", float(sizes[name].median()))

# %% [markdown]
# After 5 steps a pixel is off by 0.15, after 100 by 0.006; one grey level of these digits is 0.06. So next to nothing was thrown away.
#
# But look at the codes. A draw begins with numbers of mean square 1. The median digit's code has less, a training digit's still less.
# And a few test digits fly off, most of all those with ink where no training digit has as much. There the network never learned to
# guess, and each step up makes it worse. The way back undoes even that.
#
# ## Where it breaks: the perfect answer is a copy
#
# The loss has a known minimum on a finite training set: the *twelve points* of the figure, with 1257 digits for points. Put that
# perfect guesser in the place of the network, and draw. Predict its scores.

# %% tags=["experiment"]
check.finished("diffusion", "simple_loss", "ancestral_step", "ddim_step")
best = topic.perfect(denoiser, digits.x_train, 0.0)
copied = topic.copies(denoiser, best, drawn, walkers, digits, reader, simple_loss, seed=seed)
topic.copies_picture(copied, digits.x_train)

# %% tags=["experiment"]
topic.copies_table(copied)

# %% tags=["claim"]
results.claim("copies, perfect guesser", copied["perfect guesser"].share, better="lower")
results.claim("copies, network", copied["network"].share, better="lower")
results.claim("coverage, perfect guesser", copied["perfect guesser"].scores.coverage)
for name in ("perfect guesser", "network"):
    results.claim(f"loss on training digits, {name}", copied[name].seen, better="lower")
    results.claim(f"loss on test digits, {name}", copied[name].new, better="lower")

# %% [markdown]
# The lowest possible loss, scores like those of true digits, and every picture is a copy. What lets diffusion draw *new* digits is that its network
# does not get to the minimum. A larger one, trained longer on few pictures, comes nearer to it; large public models have handed out
# pictures that they were trained on {cite}`carlini2023extracting`.
#
# No score of this unit sees it. The loss on *new* digits does: the perfect guesser's is 22, the network's 0.27. So does
# a look at the nearest training digit. (From one noise both draw much the same picture: the network is near enough for that.)
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. The papers draw photographs and
# score them otherwise, so no number of theirs stands here.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - Adding noise needs no learning. To take it away, guess it: one network, a squared error, no rival and nothing to invert.
# - The guess is a mean, so go there in many small steps, and guess again after each. Steps are the price.
# - The latent is as large as the data. Without chance in the steps, it is a place for every picture, there and back.
#
# ## Further reading
#
# - Where it began: {cite}`sohl2015deep`; the simple loss: {cite}`ho2020denoising`; fewer steps: {cite}`song2021denoising`.
# - One view of all: scores and differential equations {cite}`song2021score`; what matters in practice {cite}`karras2022elucidating`.
# - Steering by a class or a text: {cite}`ho2022classifier`. Copies of training pictures in large models: {cite}`carlini2023extracting`; a network that guesses the
#   velocity: {cite}`salimans2022progressive`.
