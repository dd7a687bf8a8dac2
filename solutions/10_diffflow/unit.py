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
#     after: [08_flows, 09_diffusion]
#     needs: how a diffusion model adds noise and takes it away, a Gaussian density
#     learn: train both directions of a diffusion along whole paths, and bound log p from them
# ---

# %% [markdown]
# # DiffFlow: diffusion meets flow
#
# **A question.** A flow carries data to a Gaussian in a few learned steps and back on the same path. It is exact, but it
# cannot tear the plane: between two islands of data it leaves a bridge. A diffusion may tear, for chance moves its points.
# But its way forth is fixed, learns nothing from the data, and needs many small steps. Can one process have few steps
# *and* sharp edges?
#
# **DiffFlow** {cite}`zhang2021diffusion` trains both ways, forth and back, and keeps the noise. Below are two sets on which
# this is tried: points lie evenly in some squares, or some triangles, and nowhere else. The edges are sharp.

# %% tags=["setup"]
import math

import torch

from genssl_utils import diffflow as topic
from genssl_utils.kit import check, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["figure"]
topic.sets_picture()

# %% [markdown]
# ## Feel it first
#
# Three processes carry the same cloud, two heaps on a line, to a standard normal. Time runs to the right, from data to
# latent. The thick paths all start at the point that you hold. Drag it, or move it by the arrow keys; choose the way;
# change the noise. Predict before you look:
#
# 1. Go *back, from one latent point* in the middle. How many of the flow's paths differ? And the diffusion's?
# 2. Bring DiffFlow's noise down to 0. Which of its neighbours does it become? And at 1?
# 3. Each panel says how many points come home to their own heap when they walk forth and back. Where is that 100 %, and
#    what does noise do to it?

# %% tags=["figure"]
topic.three_figure()

# %% [markdown]
# Notice: in the flow all paths are one, and everybody comes home: a latent point *is* one data point. In the diffusion the
# latent has forgotten where it came from; chance on the way back decides again, and about half come home. DiffFlow is the
# flow at 0 and the diffusion at 1. In between, 90 % come home at noise 0.1 and 70 % at 0.3. The cloud as a whole spreads the same way in
# all three, for here the drift is a formula made so; a trained drift chooses that, too.
#
# ## The idea
#
# Call the data $x_0$ and the latent $x_N$. Time $t$ goes from 0 to $T$ in N steps, $\Delta t_i = t_{i+1} - t_i$. The way
# forth has a trained **drift** $f_i(x) = f(x, t_i)$ and noise of size $g_i$; a step's noise $\delta^F_i$ is standard normal:
#
# $$x_{i+1} = x_i + f_i(x_i)\,\Delta t_i + g_i\,\delta^F_i \sqrt{\Delta t_i}.$$
#
# A diffusion model is the case of a drift that is fixed. A flow in continuous time is the case $g \to 0$.

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("10_diffflow", seed=seed, scale=scale)
full = scale == "full"

# %% [markdown]
# ## Exercise 1: one step forth
#
# Write `forward_step(x, f, g, dt, noise)`: the next points. `x` is $x_i$, (B, D); `f` holds the values $f_i(x_i)$,
# (B, D); `noise` is $\delta^F_i$, (B, D). `g` and `dt` are tensors of one number, or of any shape that broadcasts against x,
# so use torch's functions on them.
#
# *By hand:* x = 1, f = −2, g = 3, Δt = ¼, noise = 1: 1 − ½ + 3 · 1 · ½ = 2.


# %% nbgrader={"grade": false, "grade_id": "forward_step", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def forward_step(x, f, g, dt, noise):
    """One step from data towards the latent (Zhang & Chen 2021, arXiv:2110.07579).

    Args:
        x: points before the step, (B, D).
        f: drift at these points, (B, D).
        g: size of the noise, a tensor that broadcasts against x, above 0.
        dt: length of the step in time, a tensor that broadcasts against x, above 0.
        noise: standard normal, (B, D).

    Returns:
        Tensor (B, D), the points after the step.
    """
    ### BEGIN SOLUTION
    return x + f * dt + g * noise * dt.sqrt()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_forward_step", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffflow", "forward_step", points=2)
x = torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.1]])
drift = torch.tensor([[1.0, 0.2], [-0.5, 0.0], [0.3, -2.0]])
noise = torch.tensor([[0.4, -0.3], [1.2, 0.8], [-0.6, 2.0]])
with ex.check("the worked number"):
    start, move, unit = torch.ones(1, 1), torch.full((1, 1), -2.0), torch.ones(1, 1)
    ex.value(forward_step(start, move, torch.tensor(3.0), torch.tensor(0.25), unit))
with ex.check("three points of two numbers", weight=2):
    parts = x.clone(), drift.clone(), torch.tensor(0.7), torch.tensor(0.16), noise.clone()
    ex.value(ex.unchanged(forward_step, *parts), what="next")
with ex.check("a g and a dt for each point, then for each step"):
    g, dt = torch.tensor([[0.1], [0.5], [2.0]]), torch.tensor([[0.01], [0.25], [4.0]])
    ex.value(forward_step(x.clone(), drift.clone(), g, dt, noise.clone()), what="each point")
    x3, f3, n3 = (part * torch.tensor([1.0, -3.0]).view(2, 1, 1) for part in (x, drift, noise))
    g, dt = torch.tensor([0.3, 1.5]).view(2, 1, 1), torch.tensor([0.25, 0.09]).view(2, 1, 1)
    ex.value(forward_step(x3, f3, g, dt, n3), what="each step, three axes")
with ex.check("a slope reaches x and f"):
    leaves = [part.clone().requires_grad_() for part in (x, drift)]
    x1, f1 = (1 * leaf for leaf in leaves)
    made = forward_step(x1, f1, torch.tensor(0.7), torch.tensor(0.16), noise.clone())
    for leaf in leaves:
        ex.gradient((made**2).sum(), leaf)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "as draws from the Gaussian of the step", weight=2, hint="Mean x + f Δt, deviation g √Δt."
):
    for b, d in ((5, 3), (1, 1)):
        x, f = torch.randn(2, b, d, generator=ex.fresh, dtype=torch.float64)
        level = 0.02 + 0.96 * torch.rand(b, d, generator=ex.fresh, dtype=torch.float64)
        g, dt = 0.1 + torch.rand(2, generator=ex.fresh, dtype=torch.float64)
        unit = torch.distributions.Normal(0.0, 1.0).icdf(level)
        want = torch.distributions.Normal(x + f * dt, g * dt**0.5).icdf(level)
        ex.value(ex.unchanged(forward_step, x, f, g, dt, unit), want)
with ex.hidden(
    "what later steps and the drift learn from", hint="Slopes in x and f; detach nothing."
):
    x, f, noise = torch.randn(3, 4, 2, generator=ex.fresh, dtype=torch.float64)
    g, dt = torch.tensor([0.6, 0.09], dtype=torch.float64)
    want = 2 * (x + 0.09 * f + 0.18 * noise)
    x.requires_grad_(), f.requires_grad_()
    out = forward_step(1 * x, 1 * f, g, dt, noise).square().sum()
    ex.gradient(out, x, want)
    ex.gradient(out, f, 0.09 * want)
with ex.hidden("far from the middle", hint="Nothing is clipped, no number is too large."):
    x, f, noise = 30 * torch.randn(3, 6, 2, generator=ex.fresh)
    want = x.double() + 4 * f.double() + 6 * noise.double()
    ex.value(forward_step(x, f, torch.tensor(3.0), torch.tensor(4.0), noise), want)
with ex.hidden("many steps at once", hint="g and dt may have any shape that broadcasts."):
    x, f, noise = torch.randn(3, 3, 4, 2, generator=ex.fresh)
    g, dt = 0.2 + torch.rand(2, 3, 1, 1, generator=ex.fresh)
    rows = [
        [
            [
                x[i, j, k].item() + f[i, j, k].item() * dt[i].item()
                + g[i].item() * noise[i, j, k].item() * math.sqrt(dt[i].item())
                for k in range(2)
            ]
            for j in range(4)
        ]
        for i in range(3)
    ]  # fmt: skip
    ex.value(forward_step(x, f, g, dt, noise), torch.tensor(rows, dtype=torch.float64))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## The way back, and the noise that explains a step
#
# The way back has a network of its own, $s$, which plays the **score**: at best it is the slope of the log-density of the
# cloud at that time. A step:
#
# $$x_i = x_{i+1} - \left[f_{i+1}(x_{i+1}) - g_{i+1}^2\, s_{i+1}(x_{i+1})\right]\Delta t_i + g_{i+1}\,\delta^B_i\sqrt{\Delta t_i}.$$
#
# Now turn it round. The way forth went from $x_i$ to $x_{i+1}$. *Which noise leads the way back from $x_{i+1}$ onto exactly
# $x_i$?* If it looks like standard normal noise, the way back explains the step well.
#
# ## Exercise 2
#
# Write `backward_step_noise(x, x_next, f, s, g, dt)`, which returns that $\delta^B_i$, (B, D). `x` is $x_i$, `x_next` is
# $x_{i+1}$; `f`, `s` and `g` are taken at $x_{i+1}$ and its time. `g` and `dt` are tensors that broadcast.
#
# *By hand:* x = 1, x_next = 2, f = −2, s = −1, g = 2, Δt = ¼. Without noise the step back leads to
# 2 − [−2 + 4] · ¼ = 1.5. Reaching 1 needs −0.5 = 2 · δ · ½, so δ = −0.5.


# %% nbgrader={"grade": false, "grade_id": "backward_step_noise", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def backward_step_noise(x, x_next, f, s, g, dt):
    """The noise with which a step back from x_next arrives at x.

    Args:
        x: points before the step forth, (B, D).
        x_next: points after it, (B, D).
        f: drift at x_next, (B, D).
        s: score at x_next, (B, D).
        g: size of the noise at x_next's time, a tensor that broadcasts against x, above 0.
        dt: length of the step in time, a tensor that broadcasts against x, above 0.

    Returns:
        Tensor (B, D).
    """
    # Where would the step back lead without noise? What is missing, in units of g √Δt?
    ### BEGIN SOLUTION
    without_noise = x_next - (f - g**2 * s) * dt
    return (x - without_noise) / (g * dt.sqrt())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_backward_step_noise", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffflow", "backward_step_noise", points=3)
x = torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.1]])
after = torch.tensor([[0.9, -0.8], [1.5, 0.7], [-0.2, 0.6]])
drift = torch.tensor([[1.0, 0.2], [-0.5, 0.0], [0.3, -2.0]])
score = torch.tensor([[-0.4, 1.3], [0.6, -0.8], [2.0, 0.5]])
with ex.check("the worked number"):
    parts = torch.tensor([1.0, 2.0, -2.0, -1.0]).view(4, 1, 1).unbind()
    ex.value(backward_step_noise(*parts, torch.tensor(2.0), torch.tensor(0.25)))
with ex.check("three points of two numbers", weight=2):
    parts = [part.clone() for part in (x, after, drift, score)]
    ex.value(ex.unchanged(backward_step_noise, *parts, torch.tensor(0.7), torch.tensor(0.16)))
with ex.check("a g and a dt for each point, then for each step"):
    parts = [part.clone() for part in (x, after, drift, score)]
    g, dt = torch.tensor([[0.1], [0.5], [2.0]]), torch.tensor([[0.01], [0.25], [4.0]])
    ex.value(backward_step_noise(*parts, g, dt), what="each point")
    parts = [part * torch.tensor([1.0, -3.0]).view(2, 1, 1) for part in (x, after, drift, score)]
    g, dt = torch.tensor([0.3, 1.5]).view(2, 1, 1), torch.tensor([0.25, 0.09]).view(2, 1, 1)
    ex.value(backward_step_noise(*parts, g, dt), what="each step, three axes")
with ex.check("a slope reaches the path, the drift and the score"):
    leaves = [part.clone().requires_grad_() for part in (after, x, drift, score)]
    x1, x2, f1, s1 = (1 * leaves[k] for k in (1, 0, 2, 3))
    made = backward_step_noise(x1, x2, f1, s1, torch.tensor(0.7), torch.tensor(0.16))
    for leaf in leaves:
        ex.gradient((made**2).sum(), leaf)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "a step back with known noise is explained by it",
    weight=3,
    hint="Solve the formula of the step back for its noise.",
):
    for b, d in ((6, 3), (1, 1)):
        after, f, s, want = torch.randn(4, b, d, generator=ex.fresh, dtype=torch.float64)
        g, dt = 0.2 + torch.rand(2, generator=ex.fresh, dtype=torch.float64)
        x = after - f * dt + g * g * s * dt + g * want * math.sqrt(dt.item())
        got = ex.unchanged(backward_step_noise, x, after, f, s, g, dt)
        ex.value(got, want)
with ex.hidden(
    "many steps at once, as the density of each says",
    weight=2,
    hint="g and dt may have any shape that broadcasts.",
):
    x, after, f, s = torch.randn(4, 3, 5, 2, generator=ex.fresh)
    g, dt = 0.5 + torch.rand(2, 3, 1, 1, generator=ex.fresh)
    exact = [part.double() for part in (after, f, s, g, dt)]
    law = torch.distributions.Normal(
        exact[0] - (exact[1] - exact[3].square() * exact[2]) * exact[4],
        exact[3] * exact[4].pow(0.5),
    )
    density, peak = law.log_prob(x.double()), law.log_prob(law.mean)
    side = (x.double() - law.mean).sign().to(x)
    got = backward_step_noise(x, after, f, s, g, dt)
    ex.value(got * side, (2 * (peak - density)).clamp(min=0).pow(0.5))
with ex.hidden("five rows, each solved for its own noise", hint="A g and a Δt for each row."):
    x, after, f, s = torch.randn(4, 5, 1, generator=ex.fresh)
    g, dt = 0.3 + torch.rand(2, 5, 1, generator=ex.fresh)
    want = [
        (a.item() - (y.item() - (b.item() - h.item() ** 2 * c.item()) * q.item()))
        / (h.item() * math.sqrt(q.item()))
        for a, y, b, c, h, q in zip(x, after, f, s, g, dt)
    ]
    ex.value(
        backward_step_noise(x, after, f, s, g, dt), torch.tensor(want, dtype=torch.float64)[:, None]
    )
with ex.hidden(
    "what both networks and the path learn from", hint="Slopes in x, x_next, f, s; detach nothing."
):
    parts = torch.randn(4, 4, 2, generator=ex.fresh, dtype=torch.float64)
    x, after, f, s = (part.clone().requires_grad_() for part in parts)
    g, dt = torch.tensor([0.5, 0.25], dtype=torch.float64)
    want = 8 * (4 * (parts[0] - parts[1]) + parts[2] - 0.25 * parts[3])
    out = backward_step_noise(1 * x, 1 * after, 1 * f, 1 * s, g, dt).square().sum()
    for part, factor in ((x, 1.0), (after, -1.0), (f, 0.25), (s, -0.0625)):
        ex.gradient(out, part, factor * want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# One step, seen from both sides: *your* `forward_step` takes 4000 points of the two heaps forth, and *your*
# `backward_step_noise` explains each step, with a score that is exact. Start at 0.1, and make the step longer, up to 0.4. When
# does the noise stop looking like a bell, and why? (At start 0 it is too small even for a short step. Here g grows with time: the
# way back has the larger one, and the same gap is fewer units of it. Keep that in mind.)

# %% tags=["figure"]
topic.explore_step(forward_step, backward_step_noise)

# %% [markdown]
# ## A whole path has two densities
#
# A path is the row of its points, $x_0, x_1, \dots, x_N$. Given its start, the way forth gives it a density, a product of
# Gaussians, one a step: $p_F$. Given its end, the way back does: $p_B$. (Two humps, above, mean that one Gaussian cannot lead
# back to two heaps.) In each exponent stands the square of the noise. For a step,
#
# $$\log p_F(x_{i+1} \mid x_i) - \log p_B(x_i \mid x_{i+1})
# = \tfrac12\left(\lVert\delta^B_i\rVert^2 - \lVert\delta^F_i\rVert^2\right) + D \log\frac{g_{i+1}}{g_i}.$$
#
# The last term is there because the two Gaussians are not equally wide: one has $g_i \sqrt{\Delta t_i}$, the other
# $g_{i+1}\sqrt{\Delta t_i}$, in each of D coordinates. Without it the number below is no bound.
#
# ## Exercise 3
#
# Write `path_log_ratio(noise_forward, noise_backward, g)`: the sum over all steps, one number a path, (B,). Both noises are
# (N, B, D); `g`, (N + 1,), holds $g_0, \dots, g_N$.
#
# *By hand:* one step, D = 1, δᶠ = 1, δᴮ = 2, g = (1, 2): ½ (4 − 1) + log 2 = 2.1931.


# %% nbgrader={"grade": false, "grade_id": "path_log_ratio", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def path_log_ratio(noise_forward, noise_backward, g):
    """How much likelier a path is forth, given its start, than back, given its end.

    Args:
        noise_forward: noise that made the steps, (N, B, D).
        noise_backward: noise that explains them, (N, B, D).
        g: size of the noise at each time, (N + 1,), above 0.

    Returns:
        Tensor (B,), log p_F − log p_B of each path, in nats.
    """
    # Squares summed over steps and coordinates; then the widths. How often does each width count?
    ### BEGIN SOLUTION
    squares = (noise_backward**2 - noise_forward**2).sum((0, 2))
    widths = noise_forward.shape[2] * (g[1:] / g[:-1]).log().sum()
    return squares / 2 + widths
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_path_log_ratio", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffflow", "path_log_ratio", points=4)
forth = 1.3 * torch.arange(60.0).view(5, 4, 3).sin()
back = 1.7 * (0.8 * torch.arange(60.0)).view(5, 4, 3).cos()
sizes = torch.tensor([0.5, 0.8, 1.5, 1.1, 1.4, 0.9])
with ex.check("the worked number"):
    alone, twice = torch.ones(1, 1, 1), torch.full((1, 1, 1), 2.0)
    ex.value(path_log_ratio(alone, twice, torch.tensor([1.0, 2.0])))
with ex.check("five steps of four paths in space", weight=2):
    ex.value(ex.unchanged(path_log_ratio, forth.clone(), back.clone(), sizes.clone()))
with ex.check("the same noise at all times"):
    ex.value(path_log_ratio(forth.clone(), back.clone(), torch.full((6,), 0.3)))
with ex.check("a slope reaches both noises"):
    leaves = [part[:2].clone().requires_grad_() for part in (forth, back)]
    told = path_log_ratio(*(1 * leaf for leaf in leaves), sizes[:3].clone())
    for leaf in leaves:
        ex.gradient((told * torch.tensor([1.0, 2.0, -1.0, 0.5])).sum(), leaf)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "beside the Gaussians of every step",
    weight=3,
    hint="Squares of the noise, halved, and the widths in each coordinate.",
):
    for n, b, d in ((4, 3, 2), (1, 2, 5), (6, 1, 1)):
        path = torch.randn(n + 1, b, d, generator=ex.fresh, dtype=torch.float64)
        means = torch.randn(2, n, b, d, generator=ex.fresh, dtype=torch.float64)
        g = 0.3 + torch.rand(n + 1, generator=ex.fresh, dtype=torch.float64)
        root = (0.1 + torch.rand(n, generator=ex.fresh, dtype=torch.float64)).pow(0.5)
        wide = [(g[:-1] * root)[:, None, None], (g[1:] * root)[:, None, None]]
        laws = [torch.distributions.Normal(m, w) for m, w in zip(means, wide)]
        want = (laws[0].log_prob(path[1:]) - laws[1].log_prob(path[:-1])).sum(2).sum(0)
        noises = [(path[1:] - means[0]) / wide[0], (path[:-1] - means[1]) / wide[1]]
        ex.value(ex.unchanged(path_log_ratio, *noises, g), want)
with ex.hidden("two halves of a path add up", hint="The ratio of a path is the sum of its steps'."):
    forth, back = torch.randn(2, 5, 3, 2, generator=ex.fresh, dtype=torch.float64)
    g = 0.3 + torch.rand(6, generator=ex.fresh, dtype=torch.float64)
    only = 0.5 * (back - forth).mul(back + forth).sum(2).sum(0)
    wider = 2 * (g[5].log() - g[0].log())
    apart = path_log_ratio(forth[:2].clone(), back[:2].clone(), g[:3].clone())
    apart = apart + path_log_ratio(forth[2:].clone(), back[2:].clone(), g[2:].clone())
    ex.value(apart, only + wider)
with ex.hidden("one path taken out of six", hint="What a path gets depends on no other path."):
    forth, back = torch.randn(2, 4, 6, 3, generator=ex.fresh)
    g = 0.3 + torch.rand(5, generator=ex.fresh)
    far, near = back[:, 2].double().norm() ** 2, forth[:, 2].double().norm() ** 2
    want = (far - near) / 2 + 3 * math.log(g[4].item() / g[0].item())
    got = path_log_ratio(forth[:, 2:3].clone(), back[:, 2:3].clone(), g)
    ex.value(got, want.view(1))
with ex.hidden(
    "slopes for other sizes", hint="The slopes follow from the formula; detach nothing."
):
    forth, back = torch.randn(2, 3, 4, 2, generator=ex.fresh, dtype=torch.float64)
    want = -forth.clone(), back.clone()
    forth.requires_grad_(), back.requires_grad_()
    told = path_log_ratio(1 * forth, 1 * back, torch.ones(4, dtype=torch.float64)).sum()
    ex.gradient(told, forth, want[0])
    ex.gradient(told, back, want[1])
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## A bound on log p
#
# The model draws a latent $x_N$ from the standard normal $\mathcal N(0, I)$ and walks back. The density of a data point
# $x_0$ is a sum over *all* paths that end there, which nobody can do. But walk forth from $x_0$ and look at one path:
# on average over such paths,
#
# $$-\log p(x_0) \;\le\; \mathbb{E}\left[-\log \mathcal N(x_N; 0, I) + \sum_{i}\left(\tfrac12\lVert\delta^B_i\rVert^2 -
# \tfrac12\lVert\delta^F_i\rVert^2 + D\log\tfrac{g_{i+1}}{g_i}\right)\right],$$
#
# as in a VAE whose code is the whole path. The gap is the Kullback–Leibler divergence between the paths forth and those by
# which the model could have come. Averaged over the data this *is* the loss of DiffFlow: it trains the drift, too, for the
# drift decides which paths there are. Below, paths forth and back of one pair, in few steps and in many: the bound pays for
# what sets them apart.

# %% tags=["figure"]
topic.paths_picture()

# %% [markdown]
# ## Exercise 4
#
# Write `nll_bound(x, times, g, noise, drift, score)`, one number a point, (B,): walk forth from `x`, (B, D), with the given
# `noise`, (N, B, D), and return what stands in the brackets. `drift(x, t)` and `score(x, t)` take points (B, D) and one time
# of `times`, (N + 1,). `g` is (N + 1,). You may call your `forward_step`, `backward_step_noise` and `path_log_ratio`.
#
# *By hand:* x = 0, one step, times (0, ¼), g = (1, 2), noise 1, drift 0, score −x/2. Then $x_1$ = ½. The step back leads to
# ½ + 4 · (−¼) · ¼ = ¼, so δᴮ = −¼ / (2 · ½) = −¼. −log N(½) = 1.0439; ½ (1/16 − 1) = −0.4688; log 2 = 0.6931: 1.2683 in all.


# %% nbgrader={"grade": false, "grade_id": "nll_bound", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def nll_bound(x, times, g, noise, drift, score):
    """A bound on −log p of each point, from one path (Zhang & Chen 2021, arXiv:2110.07579).

    Args:
        x: data, (B, D).
        times: t_0, …, t_N, rising, (N + 1,).
        g: size of the noise at each time, (N + 1,), above 0.
        noise: standard normal noise of the steps forth, (N, B, D).
        drift: (points (B, D), time) → (B, D).
        score: (points (B, D), time) → (B, D).

    Returns:
        Tensor (B,), in nats.
    """
    # Walk forth; at each step note the noise that explains it. Then the latent, and the path.
    ### BEGIN SOLUTION
    explained = []
    for i in range(len(noise)):
        dt, later = times[i + 1] - times[i], times[i + 1]
        x_next = forward_step(x, drift(x, times[i]), g[i], dt, noise[i])
        f, s = drift(x_next, later), score(x_next, later)
        explained.append(backward_step_noise(x, x_next, f, s, g[i + 1], dt))
        x = x_next
    latent = 0.5 * (x**2 + math.log(2 * math.pi)).sum(1)
    return latent + path_log_ratio(noise, torch.stack(explained), g)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_nll_bound", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("diffflow", "nll_bound", points=5)


def swirl(x, t):
    return (1 + t) * x.roll(1, -1).sin() - 0.5 * x


def pull(x, t):
    return (t - 0.7 * x + 0.2 * x.flip(-1)) / (1 + t)


def still(x, t):
    return 0 * x


points = torch.tensor([[0.5, -1.0, 0.4], [2.0, 0.3, -0.6], [-0.7, 1.1, 1.5], [0.2, 0.9, -1.2]])
moments = torch.tensor([0.0, 0.2, 0.5, 0.6, 1.0, 1.3])
sizes = torch.tensor([0.6, 0.8, 1.1, 1.3, 1.2, 1.6])
noise = 1.3 * torch.arange(60.0).view(5, 4, 3).sin()
with ex.check("the worked number"):
    span, wide = torch.tensor([0.0, 0.25]), torch.tensor([1.0, 2.0])
    lean = lambda x, t: -x / 2  # noqa: E731
    ex.value(nll_bound(torch.zeros(1, 1), span, wide, torch.ones(1, 1, 1), still, lean))
with ex.check("five steps of four points", weight=3):
    parts = [part.clone() for part in (points, moments, sizes, noise)]
    ex.value(ex.unchanged(lambda *given: nll_bound(*given, swirl, pull), *parts))
with ex.check("no drift, no score; then a heap so narrow that its density is above 1"):
    parts = points.clone(), moments.clone(), torch.ones(6), noise.clone()
    ex.value(nll_bound(*parts, still, still), what="no drift, no score")
    span, wide = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.1])
    home = lambda x, t: -99 * x  # noqa: E731
    close = (
        0.1 * points * torch.tensor([1.0, 4.0, 1.0, 1.0])[:, None],
        span,
        wide,
        noise[:1].clone(),
    )
    ex.value(nll_bound(*close, still, home), what="a narrow heap")
with ex.check("a slope goes along the whole path"):
    start = points.clone().requires_grad_()
    parts = moments.clone(), sizes.clone(), noise.clone(), swirl, pull
    ex.gradient(nll_bound(1 * start, *parts).sum(), start)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "beside the Gaussians of every step of a walk",
    weight=3,
    hint="Drift and score of the way back, and its g, belong to the end of the step.",
):
    for n, b, d in ((4, 3, 2), (1, 1, 3), (2, 5, 1)):
        x = torch.randn(b, d, generator=ex.fresh, dtype=torch.float64)
        noise = torch.randn(n, b, d, generator=ex.fresh, dtype=torch.float64)
        times = torch.rand(n + 1, generator=ex.fresh, dtype=torch.float64).cumsum(0)
        g = 0.4 + torch.rand(n + 1, generator=ex.fresh, dtype=torch.float64)
        now, want = x.clone(), torch.zeros(b, dtype=torch.float64)
        for i in range(n):
            span = (times[i + 1] - times[i]).item()
            forth = torch.distributions.Normal(now + swirl(now, times[i]) * span, g[i] * span**0.5)
            then = forth.mean + forth.stddev * noise[i]
            away = swirl(then, times[i + 1]) - g[i + 1].pow(2) * pull(then, times[i + 1])
            home = torch.distributions.Normal(then - span * away, g[i + 1] * span**0.5)
            want += (forth.log_prob(then) - home.log_prob(now)).sum(1)
            now = then
        want -= torch.distributions.Normal(0.0, 1.0).log_prob(now).sum(1)
        made = ex.unchanged(lambda x, n, t=times, g=g: nll_bound(x, t, g, n, swirl, pull), x, noise)
        ex.value(made, want)
with ex.hidden(
    "exact where the way back is",
    weight=2,
    hint="With an exact way back the bound is −log p, whatever the noise.",
):
    # Data N(0, ¾), x₁ = (x₀ + g₀ δ) · with g₀ = ½ is N(0, 1), and x₀ given x₁ is N(¾ x₁, 3/16).
    x = 0.75**0.5 * torch.randn(6, 2, generator=ex.fresh, dtype=torch.float64)
    noise = torch.randn(1, 6, 2, generator=ex.fresh, dtype=torch.float64)
    law = torch.distributions.Normal(0.0, 0.75**0.5)
    want = -law.log_prob(x).sum(1)
    g = torch.tensor([0.5, 0.1875**0.5], dtype=torch.float64)
    lean = lambda x, t: -0.25 / 0.1875 * x  # noqa: E731
    ex.value(nll_bound(x, torch.tensor([0.0, 1.0]).double(), g, noise, still, lean), want)
    # Data so narrow, N(0, 0.01), that all bounds are below 0; x₁ is N(0, 1), x₀ given it N(0.01 x₁, …).
    g, far = torch.tensor([0.99**0.5, 0.0099**0.5], dtype=torch.float64), 0.1 * x.clamp(-1, 1)
    want = -torch.distributions.Normal(0.0, 0.1).log_prob(far).sum(1)
    lean = lambda x, t: -0.99 / 0.0099 * x  # noqa: E731
    ex.value(nll_bound(far, torch.tensor([0.0, 1.0]).double(), g, noise, still, lean), want)
with ex.hidden(
    "fields that are 0, in closed form", hint="Without drift and score δᴮ is −δᶠ · g_i / g_{i+1}."
):
    x, noise = torch.randn(3, 2, generator=ex.fresh), torch.randn(4, 3, 2, generator=ex.fresh)
    times, g = 0.2 + torch.rand(2, 5, generator=ex.fresh)
    times = times.cumsum(0)
    size, spans = g.double(), times.double().diff()
    share, length = size[:-1] / size[1:], size[:-1] * spans**0.5
    end = x.double() + (length[:, None, None] * noise).sum(0)
    want = (end**2).sum(1) / 2 + math.log(2 * math.pi) - 2 * share.log().sum()
    want += ((share**2 - 1)[:, None, None] * noise.double() ** 2).sum((0, 2)) / 2
    none = lambda x, t: 0 * x  # noqa: E731
    ex.value(nll_bound(x, times, g, noise, none, none), want)
with ex.hidden(
    "the slope of another walk", hint="The path itself must carry the slope: detach nothing."
):
    x = torch.randn(4, 2, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(2, 4, 2, generator=ex.fresh, dtype=torch.float64)
    grow, none = (lambda x, t: x), (lambda x, t: 0 * x)
    one = torch.ones(3, dtype=torch.float64)
    x1 = 2 * x.detach() + noise[0]
    x2 = 2 * x1 + noise[1]  # back from it: x₁ − x₂ + x₂ = x₁, and from x₁: x₀
    want = 4 * x2 + 2 * x1 + x.detach()
    when = torch.arange(3.0).double()
    ex.gradient(nll_bound(1 * x, when, one, noise, grow, none).sum(), x, want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## How tight is it?
#
# In one case all is known: data from N(0, ¼), carried to N(0, 1) by a drift and a score that are exact in continuous time.
# Here is *your* bound minus the true −log p, for three sizes of the noise. With noise × 1 the drift is the fixed one of a
# diffusion; × 0 would be a flow. Predict: which of the three needs most steps?

# %% tags=["experiment"]
check.finished("diffflow", "forward_step", "backward_step_noise", "path_log_ratio", "nll_bound")
gaps = topic.limits_rows(nll_bound)
topic.limits_picture(gaps)

# %% tags=["claim"]
for steps, at in (("10", 1), ("200", -1)):
    for share in (1.0, 0.1):
        results.claim(
            f"bound above truth, {steps} steps, noise × {share:g}",
            gaps[share][at],
            unit="nats",
            better="lower",
        )

# %% [markdown]
# With many steps all gaps shrink, at last nearly by half for twice the steps. With few steps and the least noise the gap shoots up: a
# step that is off by a little cannot be explained by noise that is smaller still. So "g → 0" means: *first* many steps. But
# × 0.3 is the best of the three at 5 steps: less is not always worse. A *trained* pair may learn to undo its long steps.
#
# ## A slope along the path, in little memory
#
# The noise of step 1 moves all later points, so the gradient runs back through the whole path. Autograd keeps what each
# network computed at each step. The paper's **stochastic adjoint** keeps only the points, does each step again from
# the end, and hands the slope $\partial L / \partial x_i$ to the step before. What does that save, and cost?

# %% tags=["experiment"]
check.finished("diffflow", "forward_step", "backward_step_noise", "path_log_ratio", "nll_bound")
recipe = topic.Recipe(forward_step, backward_step_noise, path_log_ratio, nll_bound)
memory = topic.memory_rows(recipe, device=device)
topic.memory_table(memory)

# %% tags=["claim"]
for way in ("kept", "recomputed"):
    results.claim(
        f"memory of a gradient at N = 100, {way}",
        memory[-1][f"{way}, kB"],
        unit="kB",
        better="lower",
    )

# %% [markdown]
# The gradients agree to rounding. What autograd keeps grows with N, what the adjoint keeps hardly at all. But it does each step
# again, and step by step, where autograd's way asks the score for all steps at once: it takes several times as long. Here all
# fits, so the laptop takes autograd's way, and `full` the adjoint's.
#
# ## Train it
#
# Two networks of 64 × 64, for drift and score, on the checkerboard. Each sees a few sines of a point beside it, for sharp edges
# {cite}`tancik2020fourier`, and the time as a number: one model walks in any number of steps. The loss is the mean of your bound, made of your three
# step functions; g is 0.25, and the times have the paper's form, $t_i = (i/N)^{0.9}\,T$. As in the paper, N **grows** while it trains: 5,
# 10, 20, 50. It is then judged in all of them.

# %% tags=["experiment"]
check.finished("diffflow", "forward_step", "backward_step_noise", "path_log_ratio", "nll_bound")
plan = [(n, 20 * updates) for n, updates in topic.PLAN] if full else topic.PLAN
board = topic.compare(recipe, "checkerboard", plan=plan, seed=seed, device=device, recompute=full)

# %% [markdown]
# Beside it, with as many parameters and updates, and the same sines: RealNVP from the library zuko, and a DDPM. *DDPM* draws with the noise that fits
# best, for which its bound holds; *narrow* with the posterior's; DDIM with none. In all, the last step adds none. (g, rates and sines
# were set by hand, with such scores in view.) Predict: who wins at N = 5? Whose edges are sharpest?

# %% tags=["experiment"]
check.finished("diffflow", "nll_bound")
topic.comparison_table(board)

# %% tags=["experiment"]
check.finished("diffflow", "nll_bound")
topic.comparison_picture(board)

# %% tags=["experiment"]
check.finished("diffflow", "nll_bound")
topic.samples_picture(board)

# %% tags=["claim"]
for row in board.rows:
    told = f"{row.method}, N = {row.steps}" if row.steps else row.method
    results.claim(f"checkerboard, energy distance, {told}", row.energy, better="lower")
    if row.updates and row.nats == row.nats:
        results.claim(
            f"checkerboard, −log p at most, {told}", row.nats, unit="nats", better="lower"
        )
    if row.updates and row.steps < 20:
        results.claim(f"checkerboard, share off the set, {told}", row.off, better="lower")
for n in (5, 10):
    told = f"checkerboard, share off the set, DiffFlow with noise in the last step, N = {n}"
    results.claim(told, board.blurred[n], better="lower")

# %% [markdown]
# Few steps first. By energy distance DiffFlow in 5 steps cannot be told from true points (0.0004; they come to −0.0003 ±
# 0.0007). DDPM comes to 0.007, narrow to 0.037, RealNVP to 0.002.
#
# Edges, at N = 5: 12 % of DiffFlow's points lie off the board, of RealNVP's 20 %, of DDPM's 37 %. DDIM has 13 %, but spreads the others
# unevenly: 0.027. With noise in the last step, too, as its bound has it, DiffFlow has 22 %. So against the flow its sharp
# edge *is* that last step without noise.
#
# Where DiffFlow loses: likelihood in few steps. At N = 10 its bound promises 2.21 nats; RealNVP *knows* its own, 2.11.
# With 50 steps both are level; the truth is 1.79.
#
# The second set has finer edges, a Sierpiński triangle divided twice. Its training is shorter. Predict which suffers most.

# %% tags=["experiment"]
check.finished("diffflow", "forward_step", "backward_step_noise", "path_log_ratio", "nll_bound")
plan = [(n, 20 * updates) for n, updates in topic.SHORT_PLAN] if full else topic.SHORT_PLAN
triangle = topic.compare(recipe, "Sierpiński", plan=plan, seed=seed, device=device, recompute=full)
topic.comparison_table(triangle)

# %% tags=["claim"]
for row in triangle.rows:
    told = f"{row.method}, N = {row.steps}" if row.steps else row.method
    if row.updates and row.nats == row.nats:
        results.claim(f"Sierpiński, −log p at most, {told}", row.nats, unit="nats", better="lower")
    if row.updates and row.steps in (0, 10):
        results.claim(f"Sierpiński, energy distance, {told}", row.energy, better="lower")
        results.claim(f"Sierpiński, share off the set, {told}", row.off, better="lower")

# %% tags=["experiment"]
check.finished("diffflow", "nll_bound")
topic.samples_picture(triangle)

# %% [markdown]
# Nobody is sharp here yet. At N = 10 a third of the points of DiffFlow, RealNVP and DDIM lie off the set, and half of DDPM's. With
# three times the training (three seeds, run once) DiffFlow has 18 %, RealNVP 28 %; on the board 6 % against 14 %. So the paper's
# claim of sharper edges than a flow's needs patience. But RealNVP's likelihood is by far the best here: 1.28 nats, where DiffFlow
# promises 1.56.
#
# ## The paper's own table
#
# On pictures (CIFAR-10) the paper counts steps against the Fréchet inception distance; lower is better. Its networks are far
# larger and its data another world, so compare the *shape* of the rows with yours, not the numbers: DiffFlow ahead in few steps, DDPM at 100.

# %% tags=["experiment"]
topic.paper_table()

# %% [markdown]
# ## Where it breaks: the price of a path
#
# One update of a diffusion picks one time at random and jumps there: its noised point has a closed form. DiffFlow's drift is
# learned, so there is no jump. Each update walks all N steps. Here is what it costs, measured in the training above.

# %% tags=["experiment"]
check.finished("diffflow", "nll_bound")
topic.price_table(board)

# %% [markdown]
# So equal updates are not equal seconds. Here the others train for longer, DDPM for 3600 updates and RealNVP for 950; that still
# takes them fewer seconds than DiffFlow took. Predict: where do they catch up, and where not?

# %% tags=["experiment"]
check.finished("diffflow", "nll_bound")
updates = {name: (20 if full else 1) * n for name, n in topic.LONGER.items()}
longer = topic.longer_peers(board, updates=updates, seed=seed, device=device)
topic.longer_table(board, longer)

# %% tags=["claim"]
for row in longer.rows:
    told = f"{row.method} trained longer" + (f", N = {row.steps}" if row.steps else "")
    if row.steps <= 10:
        results.claim(f"checkerboard, energy distance, {told}", row.energy, better="lower")
        results.claim(f"checkerboard, share off the set, {told}", row.off, better="lower")
        if row.nats == row.nats:
            told = f"checkerboard, −log p at most, {told}"
            results.claim(told, row.nats, unit="nats", better="lower")

# %% [markdown]
# At N = 10 narrow DDPM's edges are now as sharp as DiffFlow's, 14 % off the board; but its energy distance is 0.009, in 5 steps 0.034.
# With the noise that fits it is 0.003 and 0.005, at the price of the edges, 21 % and 23 %. A fixed way forth must choose in few
# steps: sharp, or spread as it should be. DiffFlow bends the way *forth* until long steps can be undone, and is both. RealNVP
# comes to 18 %.
#
# You pay in training: an update takes several times as long as DDPM's, the more so the more steps it walks. And a caveat: DDPM
# differs in its loss as well as in its drift, so not all of the difference is the drift's.
#
# ## What came out
#
# Your run beside the recorded seeds.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - Two trained walks, forth and back, meet in one number: the noise that each needs for the same steps.
# - Noise to 0 gives a flow, a fixed drift gives a diffusion. With a trained drift few steps *and* sharp edges go together.
# - A learned drift has no shortcut: each update walks the whole path, and its slope walks back.
#
# ## Further reading
#
# - The paper: {cite}`zhang2021diffusion`. Diffusion as a stochastic differential equation: {cite}`song2021score`.
# - Flows in continuous time, and their adjoint: {cite}`chen2018neural`; for stochastic equations: {cite}`li2020scalable`.
# - Flows whose layers may be random: {cite}`wu2020stochastic,nielsen2020survae`.
# - A bridge trained by the same kind of loss: {cite}`debortoli2021diffusion`.
