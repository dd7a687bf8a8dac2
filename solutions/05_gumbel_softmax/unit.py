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
#     needs: a softmax and backpropagation
#     learn: send a gradient through a choice, and train a network that picks words
# ---

# %% [markdown]
# # Gumbel-softmax: a gradient through a choice
#
# **A question.** A network writes a sentence word by word. At each step it *picks* one word out of
# a vocabulary. A critic says: "that sentence was bad". Which way should the network's numbers move?
#
# If the network had produced a picture, you would backpropagate through the pixels. But a picked
# word is an index. Nudge the probabilities a little and the same word comes out, or suddenly
# another one. The derivative of a choice is zero almost everywhere, and it tells you nothing.
#
# This unit is about a way round that: make the choice soft, with a knob for how soft.

# %% tags=["setup"]
import torch
from scipy import stats

from genssl_utils import gumbel_softmax as topic
from genssl_utils.kit import check, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("05_gumbel_softmax", seed=seed, scale=scale)

# %% [markdown]
# ## Feel it first
#
# Five words with probabilities π. Drag the bars. Then press *sample* and move the temperature τ.
#
# Try this, and predict before you look:
# 1. Set τ to 0.05, then to 10, without pressing *sample* again. What happens to the sample? Does the
#    winner change?
# 2. Press *sample 1000 times* at τ = 0.1 and at τ = 10. Which of the two means is near π?
# 3. Make one bar very tall. How does the mean at τ = 1 err?

# %% tags=["figure"]
topic.temperature_figure(pi=(0.40, 0.25, 0.18, 0.12, 0.05), tau=1.0)

# %% [markdown]
# What to notice: the winner of a draw never depends on τ, and over many draws each word wins as often as π
# says. The *soft* sample is another matter: cold, it is nearly one-hot and its mean is π; hot, it is flat and
# its mean drifts to 1/K. That drift will come back as the **bias** of a gradient.
#
# ## The idea
#
# Add noise $g_k$ to each log-probability $\log \pi_k$ and take the largest:
#
# $$z = \arg\max_k \,(g_k + \log \pi_k)$$
#
# with $g_k = -\log(-\log u_k)$ and each $u_k$ uniform between 0 and 1.
#
# The noise $g_k$ follows the *standard Gumbel law*. With it, $z = k$ comes out with probability exactly
# $\pi_k$: the Gumbel-max trick. The next cell draws the noise.

# %% tags=["figure"]
topic.noise_picture()

# %% [markdown]
# The chance now comes from outside the network, but the argmax still blocks the gradient. So replace it by a
# softmax with temperature $\tau$ {cite}`jang2017categorical,maddison2017concrete`:
#
# $$y_k = \frac{\exp((\log \pi_k + g_k)/\tau)}{\sum_j \exp((\log \pi_j + g_j)/\tau)}.$$
#
# $y$ is a point of the simplex (non-negative, sums to 1), close to one-hot when $\tau$ is small, and a smooth
# function of $\log\pi$: a gradient flows.
#
# ## Exercise 1: Gumbel noise
#
# Write `sample_gumbel(shape, generator=None)`: independent standard Gumbel noise as a float tensor of
# this shape, drawn with `generator`.
#
# *By hand:* u = 0.5 gives g = −log(0.6931) = 0.3665. And u = 0? `torch.rand` returns exactly 0 once in about
# 17 million draws, and one infinite number can ruin a training run. Your noise must be finite for every
# float32 uniform.


# %% nbgrader={"grade": false, "grade_id": "sample_gumbel", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def sample_gumbel(shape, generator=None):
    """Standard Gumbel noise, finite for every float32 uniform.

    Args:
        shape: tuple of sizes.
        generator: source of randomness; None uses torch's own.

    Returns:
        Float tensor of this shape.
    """
    # Draw uniforms, keep them off 0, then invert the distribution function.
    ### BEGIN SOLUTION
    where = None if generator is None else generator.device
    u = torch.rand(shape, generator=generator, device=where)
    tiny = torch.finfo(u.dtype).tiny
    return -torch.log(-torch.log(u.clamp(min=tiny)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_sample_gumbel", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gumbel_softmax", "sample_gumbel", points=4)
with ex.check("has the shape you asked for"):
    ex.shape(sample_gumbel((3, 2), check.generator(0)), (3, 2))
with ex.check("follows the standard Gumbel law", weight=8):
    ex.law(sample_gumbel((20_000,), check.generator(1)), stats.gumbel_r.cdf, 20_000)
with ex.check("draws its noise from the generator"):
    first, again = (sample_gumbel((4,), check.generator(2)) for _ in range(2))
    ex.finite(first)
    ex.true(torch.equal(first, again), "The same generator seed gave two different results.")
    g = check.generator(2)
    first, second = sample_gumbel((4,), g), sample_gumbel((4,), g)
    ex.true(not torch.equal(first, second), "Two draws in a row are the same.")
with ex.check("is finite for the smallest and the largest uniform"):
    ex.finite(sample_gumbel((4096,), check.generator(2313)))  # its uniforms hold a 0,
    ex.finite(sample_gumbel((4096,), check.generator(2918)))  # and these a 1 - 2**-24
### BEGIN HIDDEN TESTS
with ex.hidden("other extreme uniforms", hint="Think of u = 0, and of u just below 1."):
    for extreme in (9232, 11993, 14068, 9668, 12162, 14665):
        ex.finite(sample_gumbel((64, 64), check.generator(extreme)))
with ex.hidden("the law and its mean again", weight=8, hint="Location 0, scale 1."):
    noise = sample_gumbel((500, 100), ex.fresh)
    ex.law(noise, stats.gumbel_r.cdf, 50_000)
    ex.mean(noise.reshape(-1), 0.5772156649015329, torch.pi / 6**0.5, 50_000)
with ex.hidden("elements are independent", weight=4, hint="Each element needs its own uniform."):
    noise = sample_gumbel((200, 50, 2), ex.fresh)
    ex.law(noise[..., 0] - noise[..., 1], stats.logistic.cdf, 10_000)
    ex.law(noise[0::2] - noise[1::2], stats.logistic.cdf, 10_000)
with ex.hidden("odd shapes, and no generator", hint="Try shape () and shape (0, 3)."):
    ex.shape(sample_gumbel(()), ())
    ex.shape(sample_gumbel((0, 3)), (0, 3))
    ex.shape(sample_gumbel((2, 1, 3), None), (2, 1, 3))
    ex.true(not torch.equal(sample_gumbel((8,)), sample_gumbel((8,))), "")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 2: the Gumbel-max trick
#
# Write `gumbel_max(log_pi, generator=None)`: for log-probabilities of shape (B, K), draw one category a row
# and return the B indices as a LongTensor of shape (B,). You may call your own `sample_gumbel` here; without a
# generator, too, each call must draw anew.
#
# *By hand:* π = (0.7, 0.3) and noise (0.1, 1.2) give scores (−0.257, −0.004): category 1 wins, although
# it is the less likely one.


# %% nbgrader={"grade": false, "grade_id": "gumbel_max", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def gumbel_max(log_pi, generator=None):
    """One draw a row from a categorical distribution.

    Args:
        log_pi: log-probabilities, (B, K).
        generator: source of randomness; None uses torch's own.

    Returns:
        LongTensor (B,), categories from 0 to K - 1.
    """
    # Give every entry its own noise and take the best category of each row.
    ### BEGIN SOLUTION
    noise = sample_gumbel(log_pi.shape, generator).to(log_pi)
    return torch.argmax(log_pi + noise, dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_gumbel_max", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gumbel_softmax", "gumbel_max", points=3)
pi = torch.tensor([0.1, 0.2, 0.3, 0.4])
with ex.check("gives one int64 a row"):
    ex.shape(gumbel_max(pi.log().expand(7, 4), check.generator(0)), (7,), torch.int64)
with ex.check("draws by chance, from the generator or without one"):
    row = pi.log().expand(1, 4)
    z = [int(gumbel_max(row, check.generator(seed))) for seed in range(60)]
    ex.true(len(set(z)) > 1, "Sixty generators drew the same category.")
    many = pi.log().expand(60, 4)
    first, again = (gumbel_max(many, check.generator(1)) for _ in range(2))
    ex.true(torch.equal(first, again), "The same generator seed gave two different results.")
    first, second = gumbel_max(many), gumbel_max(many)
    ex.true(not torch.equal(first, second), "Without a generator, two calls drew the same.")
with ex.check("draws each category as often as π says", weight=6):
    z = gumbel_max(pi.log().expand(50_000, 4), check.generator(2))
    ex.frequencies(z, pi, 50_000)
with ex.check("gives each row noise of its own", weight=2):
    z = gumbel_max(pi.log().expand(20_000, 4), check.generator(3))
    ex.frequencies(4 * z[0::2] + z[1::2], torch.outer(pi, pi).flatten(), 10_000)
### BEGIN HIDDEN TESTS
with ex.hidden("other probabilities", weight=6, hint="Check the formula: log π plus noise."):
    p = torch.rand(6, generator=ex.fresh).double() + 0.05
    p = p / p.sum()
    ex.frequencies(gumbel_max(p.log().expand(30_000, 6), ex.fresh), p, 30_000)
with ex.hidden("rows that differ", weight=2, hint="Each row has its own π."):
    p = torch.tensor([[0.9, 0.05, 0.05], [0.05, 0.05, 0.9]])
    z = gumbel_max(p.log().repeat(10_000, 1), ex.fresh)
    ex.frequencies(z[0::2], p[0], 10_000)
    ex.frequencies(z[1::2], p[1], 10_000)
with ex.hidden("impossible and certain categories", hint="log 0 is −inf; it must never win."):
    log_pi = torch.tensor([[-torch.inf, 0.0, -1e4]]).repeat(500, 1)
    z = ex.unchanged(lambda x: gumbel_max(x, ex.fresh), log_pi)
    ex.value(z, torch.ones(500, dtype=torch.int64))
with ex.hidden("one row, and float64", hint="Any B and any float dtype must do."):
    ex.shape(gumbel_max(pi.log()[None], ex.fresh), (1,), torch.int64)
    ex.shape(gumbel_max(pi.double().log().expand(3, 4), ex.fresh), (3,), torch.int64)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 3: the soft choice
#
# Write `gumbel_softmax(log_pi, tau, generator=None)`: one soft sample a row, shape (B, K), each row on
# the simplex, differentiable in `log_pi`. It must stay finite for τ from 0.01 to 100 and for entries of ±10⁴
# (they may be logits: a constant added to a row changes nothing), and raise a `ValueError` when `tau` is not
# positive. You may call your own `sample_gumbel`.
#
# *By hand:* scores (−0.257, −0.004) at τ = 1 give y = (0.437, 0.563); at τ = 0.1 they give (0.074, 0.926).


# %% nbgrader={"grade": false, "grade_id": "gumbel_softmax", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def gumbel_softmax(log_pi, tau, generator=None):
    """One soft sample a row (Jang et al. 2017, arXiv:1611.01144).

    Args:
        log_pi: log-probabilities, (B, K).
        tau: temperature, positive; near 0 the sample is nearly one-hot.
        generator: source of randomness; None uses torch's own.

    Returns:
        Tensor (B, K), rows sum to 1, differentiable in log_pi.

    Raises:
        ValueError: tau is not positive.
    """
    # Check tau, add noise to the log-probabilities, soften.
    ### BEGIN SOLUTION
    if not tau > 0:
        raise ValueError(f"tau must be positive, not {tau}.")
    noise = sample_gumbel(log_pi.shape, generator).to(log_pi)
    return torch.softmax((log_pi + noise) / tau, dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_gumbel_softmax", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gumbel_softmax", "gumbel_softmax", points=6)
pi = torch.tensor([0.1, 0.2, 0.3, 0.4])
with ex.check("each row is a point of the simplex"):
    y = gumbel_softmax(pi.log().expand(5, 4), 1.0, check.generator(0))
    ex.shape(y, (5, 4))
    ex.value(y.sum(-1), torch.ones(5))
with ex.check("draws by chance, from the generator or without one"):
    row = pi.log().expand(2, 4)
    y = torch.stack([gumbel_softmax(row, 1.0, check.generator(seed)) for seed in range(9)])
    ex.true(bool((y[:1] - y[1:]).abs().max() > 1e-3), "Nine generators gave the same sample.")
    first, again = (gumbel_softmax(row, 1.0, check.generator(1)) for _ in range(2))
    ex.true(torch.equal(first, again), "The same generator seed gave two different results.")
    first, second = gumbel_softmax(row, 1.0), gumbel_softmax(row, 1.0)
    ex.true(not torch.equal(first, second), "Without a generator, two calls drew the same.")
with ex.check("the first category against the best other one: the law", weight=6):
    three = torch.tensor([0.7, 0.2, 0.1])
    y = gumbel_softmax(three.log().expand(20_000, 3), 0.5, check.generator(1))
    law = stats.logistic(loc=0.8472979 / 0.5, scale=1 / 0.5)  # 0.847… = log 0.7 − log 0.3
    ex.law(y[:, 0].log() - y[:, 1:].log().max(-1).values, law.cdf, 20_000)
with ex.check("the winner does not depend on τ, and rows have their own noise", weight=2):
    z = gumbel_softmax(pi.log().expand(20_000, 4), 2.0, check.generator(2)).argmax(-1)
    ex.frequencies(z, pi, 20_000)
    ex.frequencies(4 * z[0::2] + z[1::2], torch.outer(pi, pi).flatten(), 10_000)
with ex.check("stays finite at τ = 0.01 and logits of ±10⁴"):
    y = gumbel_softmax(torch.tensor([[1e4, -1e4, 0.0]]), 0.01, check.generator(3))
    ex.value(y, torch.tensor([[1.0, 0.0, 0.0]]))
with ex.check("a gradient reaches log π", weight=2):
    log_pi = pi.log().repeat(3, 1).requires_grad_()
    y = gumbel_softmax(log_pi, 2.0, check.generator(4))
    own = y.detach()
    ex.gradient(y[:, 0].sum(), log_pi, own[:, :1] * (torch.eye(4)[0] - own) / 2.0)
with ex.check("a temperature that is not positive is a ValueError"):
    ex.raises(ValueError, lambda: gumbel_softmax(pi.log().expand(2, 4), 0.0))
    ex.raises(ValueError, lambda: gumbel_softmax(pi.log().expand(2, 4), -1.0))
### BEGIN HIDDEN TESTS
with ex.hidden("other temperatures", weight=6, hint="Where does τ act?"):
    for tau in (0.3, 1.0, 7.0):
        p = torch.rand(4, generator=ex.fresh) + 0.2
        p = p / p.sum()
        y = gumbel_softmax(p.log().expand(20_000, 4), tau, ex.fresh)
        gap = float(torch.logit(p[0]))
        law = stats.logistic(loc=gap / tau, scale=1 / tau)
        ex.law(y[:, 0].log() - y[:, 1:].log().max(-1).values, law.cdf, 20_000)
with ex.hidden("the whole gradient", weight=2, hint="Nothing but the noise may be a constant."):
    log_pi = torch.randn(4, 5, generator=ex.fresh).double().requires_grad_()
    weight = torch.randn(4, 5, generator=ex.fresh).double()
    y = gumbel_softmax(log_pi, 0.7, ex.fresh)
    own = y.detach()
    inner = (weight * own).sum(-1, keepdim=True)
    ex.gradient((weight * y).sum(), log_pi, own * (weight - inner) / 0.7)
with ex.hidden(
    "extremes of temperature and size", hint="Use a softmax that subtracts the maximum."
):
    for tau in (0.01, 100.0):
        for size in (1.0, 1e4):
            y = gumbel_softmax(size * torch.randn(50, 8, generator=ex.fresh), tau, ex.fresh)
            ex.finite(y)
            ex.value(y.sum(-1), torch.ones(50))
            ex.true(bool((y >= 0).all()), "")
with ex.hidden("hot samples are soft, cold samples are hard", hint="Small τ must sharpen."):
    hot = gumbel_softmax(torch.zeros(1000, 3), 100.0, ex.fresh)
    cold = gumbel_softmax(torch.zeros(1000, 3), 0.01, ex.fresh)
    ex.true(float(hot.max()) < 0.5, "")
    ex.true(float(cold.max(-1).values.mean()) > 0.95, "")
with ex.hidden("each row has its own π", weight=2, hint="The softmax runs over the K categories."):
    p = torch.tensor([[0.9, 0.05, 0.05], [0.05, 0.05, 0.9]])
    z = gumbel_softmax(p.log().repeat(10_000, 1), 0.5, ex.fresh).argmax(-1)
    ex.frequencies(z[0::2], p[0], 10_000)
    ex.frequencies(z[1::2], p[1], 10_000)
with ex.hidden("float64 and a single category", hint="Any float dtype and any K ≥ 1 must do."):
    ex.value(gumbel_softmax(torch.zeros(4, 1), 0.5, ex.fresh), torch.ones(4, 1))
    y = gumbel_softmax(torch.zeros(3, 2, dtype=torch.float64), 0.5, ex.fresh)
    ex.value(y.sum(-1), torch.ones(3))
with ex.hidden("no damage to the input, any small batch", hint="Work on a copy of log_pi."):
    log_pi = torch.randn(1, 3, generator=ex.fresh)
    y = ex.unchanged(lambda x: gumbel_softmax(x, 0.5, ex.fresh), log_pi)
    ex.value(y.sum(-1), torch.ones(1))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# See what your function does. Each dot is one of your samples of three words; a corner is a pure choice.
# At which τ do you begin to see the edges of the triangle more than its middle?

# %% tags=["figure"]
topic.explore_samples(gumbel_softmax)

# %% [markdown]
# ## Exercise 4: straight through
#
# A critic that reads words wants one-hot vectors, not mixtures. Write `straight_through(y)`: for soft
# samples y of shape (B, K), return the one-hot vector of each row's largest entry, *but let the gradient
# through as if you had returned y itself* {cite}`bengio2013estimating`.
#
# *By hand:* y = (0.2, 0.5, 0.3) gives (0, 1, 0). If the loss is 3 · (second entry), the gradient with
# respect to y is (0, 3, 0), as it would be for the soft sample. Of two equal largest entries, exactly one
# wins.


# %% nbgrader={"grade": false, "grade_id": "straight_through", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def straight_through(y):
    """One-hot forward, the soft gradient backward.

    Args:
        y: soft samples, (B, K).

    Returns:
        Tensor (B, K) of zeros and ones; d(output)/dy is the identity.
    """
    # Make the one-hot vector; add what is zero in value but not in gradient.
    ### BEGIN SOLUTION
    hard = torch.zeros_like(y).scatter(-1, y.argmax(-1, keepdim=True), 1.0)
    return hard + (y - y.detach())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_straight_through", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gumbel_softmax", "straight_through", points=4)
soft = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.3, 0.3001, 0.3999], [0.1, 0.8, 0.1]])
hard = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
with ex.check("forward: one-hot at the largest entry", weight=2):
    ex.value(ex.unchanged(straight_through, soft.clone()), hard)
    ex.value(straight_through(torch.full((1, 4), 0.25)).sum(-1), torch.ones(1))
with ex.check("backward: the gradient of the soft sample", weight=2):
    y = soft.clone().requires_grad_()
    ex.value(straight_through(y), hard)
    weight = torch.arange(12.0).reshape(4, 3) - 5
    ex.gradient((weight * straight_through(y)).sum(), y, weight)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "other samples", weight=2, hint="The largest entry of each row, however small it is."
):
    y = torch.softmax(torch.randn(40, 9, generator=ex.fresh, dtype=torch.float64), -1)
    best = torch.tensor([max(range(9), key=row.__getitem__) for row in y.tolist()])
    ex.value(ex.unchanged(straight_through, y), (torch.arange(9) == best[:, None]).double())
with ex.hidden("the gradient goes on to the logits", weight=2, hint="Do not cut y from its graph."):
    logits = torch.randn(6, 4, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    y = torch.softmax(logits, -1)
    weight = torch.randn(6, 4, generator=ex.fresh, dtype=torch.float64)
    inner = (weight * y).sum(-1, keepdim=True)
    ex.gradient((weight * straight_through(y)).sum(), logits, (y * (weight - inner)).detach())
with ex.hidden("ties and a single row", hint="Equal entries: exactly one of them wins."):
    y = torch.full((1, 4), 0.25)
    ex.value(straight_through(y).sum(-1), torch.ones(1))
    ex.value(straight_through(y).max(-1).values, torch.ones(1))
    one = torch.tensor([[0.9, 0.1]])
    ex.value(straight_through(one), torch.tensor([[1.0, 0.0]]))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 5: the other road, REINFORCE
#
# There is an older way that needs no soft sample: try a choice, see its reward, and make good choices
# more likely {cite}`williams1992simple`. Since
# $\nabla\, \mathbb{E}[r(z)] = \mathbb{E}[r(z)\, \nabla \log p(z)]$, it is enough to have the right *loss*:
#
# $$L = -\frac1B \sum_{b} (r_b - c)\,\log p(z_b).$$
#
# $r_b$ is the reward of draw b, $c$ a baseline (a number, or one a draw). As long as it does not depend on the
# draw itself, it changes the variance and not the mean. Write `reinforce_loss(log_prob, reward, baseline=0.0)`; minimising it must raise the expected
# reward. The reward is a judgement, not a path: no gradient flows through it, nor through the baseline.
#
# *By hand:* log_prob = (−1, −2), reward = (1, 3), baseline = 1 gives −(0·(−1) + 2·(−2))/2 = 2.


# %% nbgrader={"grade": false, "grade_id": "reinforce_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def reinforce_loss(log_prob, reward, baseline=0.0):
    """A loss whose gradient is the score-function estimate (Williams 1992).

    Args:
        log_prob: log-probability of each draw, (B,).
        reward: its reward, (B,); treated as a constant.
        baseline: a number or a tensor (B,), subtracted from the reward; a constant too.

    Returns:
        Scalar tensor, the mean over the batch.
    """
    # Weigh each log-probability by its advantage, mind the sign, average.
    ### BEGIN SOLUTION
    advantage = torch.as_tensor(reward - baseline).detach()
    return -(advantage * log_prob).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_reinforce_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("gumbel_softmax", "reinforce_loss", points=3)
log_prob = torch.tensor([-0.5, -1.0, -2.0, -0.1], requires_grad=True)
reward = torch.tensor([1.0, -2.0, 3.0, 0.5], requires_grad=True)
with ex.check("the worked number, and one more without a baseline", weight=2):
    ex.value(reinforce_loss(torch.tensor([-1.0, -2.0]), torch.tensor([1.0, 3.0]), 1.0))
    ex.value(reinforce_loss(log_prob.detach(), reward.detach()))
with ex.check("the gradient with respect to log_prob", weight=2):
    ex.gradient(reinforce_loss(log_prob, reward, 0.5), log_prob)
    ex.gradient(reinforce_loss(log_prob, reward, torch.tensor([0.5, 0.0, 1.0, -1.0])), log_prob)
with ex.check("no gradient through reward or baseline"):
    base = torch.tensor(0.5, requires_grad=True)
    ex.no_gradient(reinforce_loss(log_prob, reward, base), reward)
    ex.no_gradient(reinforce_loss(log_prob, reward, base), base)
### BEGIN HIDDEN TESTS
with ex.hidden("other numbers", weight=2, hint="Minus the mean of (reward − baseline) · log_prob."):
    lp = -torch.rand(9, generator=ex.fresh, dtype=torch.float64)
    r = torch.randn(9, generator=ex.fresh, dtype=torch.float64)
    c = torch.randn(9, generator=ex.fresh, dtype=torch.float64)
    terms = [(rb - cb) * lb for lb, rb, cb in zip(*map(torch.Tensor.tolist, (lp, r, c)))]
    ex.value(reinforce_loss(lp, r, c), torch.tensor(-sum(terms) / 9, dtype=torch.float64))
    ex.value(reinforce_loss(lp[:1], r[:1]), -(lp * r)[0])
with ex.hidden(
    "the gradient on other batches", weight=2, hint="The mean, not the sum, over the batch."
):
    lp = (-torch.rand(17, generator=ex.fresh)).requires_grad_()
    r = torch.randn(17, generator=ex.fresh)
    want = -(r + 2.0) / 17
    ex.gradient(reinforce_loss(lp, r, -2.0), lp, want)
with ex.hidden("constants stay constants, inputs stay whole", hint="Detach reward and baseline."):
    theta = torch.randn(5, generator=ex.fresh, requires_grad=True)
    r, base = theta**2, theta * 3
    loss = reinforce_loss(torch.log_softmax(theta, 0).detach().requires_grad_(), r, base)
    ex.no_gradient(loss, theta)
    lp, r = torch.randn(5, generator=ex.fresh), torch.randn(5, generator=ex.fresh)
    ex.unchanged(lambda a, b: reinforce_loss(a, b, 0.1), lp, r)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment 1: how good is the gradient?
#
# One choice among ten with logits θ, so π = softmax(θ), and the reward $f(z) = (\sum_k z_k\, k/9 - 0.8)^2$
# with k from 0 to 9. Here the *exact* gradient of the expected reward in θ is known: sum over all ten
# choices. So each estimator can be judged by two numbers, relative to the length of the exact gradient:
#
# - **bias**: how far the *average* estimate is from the exact gradient. More samples do not mend it.
# - **variance**: the mean squared distance of *one* estimate from that average (in squared lengths). More
#   samples do mend it.
#
# The baseline of REINFORCE is the exact mean reward. Predict: which estimator has no bias at all? Which has
# the smallest variance?

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_max", "gumbel_softmax")
check.finished("gumbel_softmax", "straight_through", "reinforce_loss")
estimators = (gumbel_max, gumbel_softmax, straight_through, reinforce_loss)
samples = {"laptop": 100_000, "full": 2_000_000}[scale]
quality = topic.compare(*estimators, n=samples, seed=seed)
topic.quality_table(quality)

# %% [markdown]
# The ± beside a bias is its standard error. A length is never negative, so an estimator with no bias at all,
# as REINFORCE is, still shows about that much, at times twice. Gumbel-softmax trades bias for variance.
#
# Now move τ yourself, and the number n of samples that you average before a step. The error of that average
# is bias² + variance / n. The curves are made by *your* functions, with fewer samples than the table: a bias
# below 0.04 is noise there.
#
# 1. With n = 1, which estimator is best, and at which τ?
# 2. Raise n to 1000. Which one wins now, and why?

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_max", "gumbel_softmax")
check.finished("gumbel_softmax", "straight_through", "reinforce_loss")
curves = topic.curves(*estimators, n=samples // 2, seed=seed)
topic.bias_variance_figure(curves)

# %% tags=["claim"]
for name in ("Gumbel-softmax τ=1", "Gumbel-softmax τ=0.1", "straight-through τ=1"):
    results.claim(f"relative bias, {name}", quality[name].bias)
    results.claim(f"relative variance, {name}", quality[name].variance)
for name in ("REINFORCE", "REINFORCE, baseline"):
    results.claim(f"relative variance, {name}", quality[name].variance)

# %% [markdown]
# ## Experiment 2: a GAN that writes
#
# Back to the first question. A *writer* network picks eight words, one after another, out of a vocabulary
# of 28. A *discriminator* learns to tell its sentences from those of a small grammar; the writer learns to be
# taken for true. Verbs must agree with their subject, even across "near the trees".
#
# Two writers, alike in all but the way the score reaches them: one through your
# `straight_through(gumbel_softmax(...))`, one through your `gumbel_max` and `reinforce_loss` with the batch's
# mean reward as baseline {cite}`yu2017seqgan,kusner2016gans`. Same nets, data and number of updates. The
# discriminator's slope is penalised, so that it never gets too sure {cite}`mescheder2018which`.
#
# Beware: a writer that repeats one right sentence is 100 % **valid**. So look at **coverage** too: how much of
# the grammar's probability lies on sentences written at least once.

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_softmax", "straight_through")
steps = {"laptop": 1000, "full": 20_000}[scale]
by_gradient = topic.train_sentence_gan(
    topic.StraightThrough(gumbel_softmax, straight_through),
    steps=steps,
    seed=seed,
    device=device,
)
topic.sentence_table(by_gradient)

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_max", "reinforce_loss")
by_reward = topic.train_sentence_gan(
    topic.Reinforce(gumbel_max, reinforce_loss),
    steps=steps,
    seed=seed,
    device=device,
)
topic.sentence_table(by_reward)

# %% [markdown]
# The losses stand still (the discriminator's at 2 log 2, a fair coin's) while the writing gets better: in a fair
# duel neither side wins. So watch what is measured, not the loss. A ✗ marks what is no sentence of the grammar.
#
# Now a shorter run of the second writer *without* the penalty on the slope. Predict: what will the two shares
# below, validity and coverage, look like?

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_max", "reinforce_loss")
collapsing = topic.train_sentence_gan(
    topic.Reinforce(gumbel_max, reinforce_loss, name="REINFORCE, no penalty"),
    steps=steps * 2 // 5,
    penalty=0.0,
    seed=seed,
    device=device,
)
topic.sentence_table(collapsing)

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_softmax", "straight_through")
check.finished("gumbel_softmax", "gumbel_max", "reinforce_loss")
writers = [by_gradient, by_reward, collapsing]
topic.training_picture(writers)

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_softmax", "straight_through")
check.finished("gumbel_softmax", "gumbel_max", "reinforce_loss")
topic.writer_table(writers, topic.true_sample())

# %% tags=["claim"]
for w in writers:
    m = w.measures
    results.claim(f"valid, {w.name}", m.valid, unit="share", better="higher")
    results.claim(f"distance, {w.name}", m.distance, unit="TV", better="lower")
    results.claim(f"coverage, {w.name}", m.coverage, unit="mass", better="higher")

# %% [markdown]
# *Distance* is the total variation between what was written and the grammar's 384 sentences (or its pairs of
# neighbouring words): 0 is perfect, 1 shares nothing. As the last row shows, 10,000 true sentences do not reach
# 0 either. *As varied as*: so many equally likely sentences have the same entropy.
#
# With the penalty, both writers learn most of the grammar. Over several seeds neither wins clearly: the gap is
# about the spread of one. Without the penalty the writer flees to a few safe sentences, and validity alone would
# call that a success.
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. Jang et al. compare the same
# estimators on MNIST by the log-likelihood of models with discrete latents: another task, so their numbers do
# not belong here.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## Where it breaks
#
# The soft gradient uses the reward *between* the choices, where no choice ever lies. Add to the reward of
# experiment 1 the bump $h \sum_k z_k (1 - z_k)$: zero on each one-hot choice, so the true task, its exact
# gradient and REINFORCE stay as they are. Only the soft samples (here at τ = 0.5) see it. Watch the bias.

# %% tags=["experiment"]
check.finished("gumbel_softmax", "gumbel_softmax")
bumps = topic.bump_study(gumbel_softmax, n=samples // 2, seed=seed)
topic.bump_picture(bumps)

# %% [markdown]
# If a reward is only known for real choices (a player's win, a compiler's verdict), there is nothing to
# put between them, and the score function is the road that is left.
#
# ## What to remember
#
# - Gumbel noise moves the chance out of the network; a tempered softmax lets the gradient through.
# - τ trades bias for variance: cold is honest and noisy, hot is smooth and wrong.
# - Always report coverage beside validity: a writer that repeats itself looks perfect.
#
# ## Further reading
#
# - The two papers that found it at the same time: {cite}`jang2017categorical,maddison2017concrete`.
# - Straight-through gradients: {cite}`bengio2013estimating`; the score function: {cite}`williams1992simple`.
# - A survey of Monte Carlo gradients: {cite}`mohamed2020monte`.
