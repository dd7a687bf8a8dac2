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
#     needs: a density, a change of variables, the chain rule
#     learn: bend a Gaussian into data, keep count of the volume, and know log p exactly
# ---

# %% [markdown]
# # Flows: bend a distribution, keep count of the volume
#
# **A question.** You have a thousand pictures of digits. Here is one more picture. How *likely* is it,
# under whatever made the thousand? Not "does it look right", but a number: log p(x).
#
# Most generative models cannot say. A GAN draws samples and knows no density; a VAE knows a bound, a
# diffusion model mostly one too. A **flow** gives the number exactly, by an old trick: take a distribution
# that you know by heart, a Gaussian, and bend it with a map that can be undone. Wherever the map stretches
# space, the density thins; wherever it squeezes, it thickens. Keep count of the stretching, and you know the
# density everywhere.

# %% tags=["setup"]
import math

import torch

from genssl_utils import flows as topic
from genssl_utils.kit import check, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% [markdown]
# ## Feel it first
#
# A Gaussian goes through three steps. Each scales and shifts; the last two also bend, by pushing values away
# from 0. Drag the point, and move the sliders.
#
# Try this, and predict before you look:
# 1. Raise the scale of step 1. The density gets wider. What must its height do?
# 2. Move the shift of step 2 until its density has one hump in place of two.
# 3. Make the scale of step 1 negative. Which line of the receipt keeps its value, and why does log p(x) change
#    all the same?
# 4. Drag the point into the valley of the last density. Which line of the receipt made it so unlikely?

# %% tags=["figure"]
topic.chain_figure()

# %% [markdown]
# What to notice: the area under every curve stays 1, and the blue strip holds a tenth of it in every row. Wider
# means lower. The receipt keeps count: each step takes $\log|f_i'|$ off the log-density. A mirror changes no
# volume, but it sends the point to another place, where later steps stretch differently.
#
# ## The idea
#
# Start from a latent $z_0$ with a known density $\pi_0$ and apply $K$ bijections,
# $x = f_K \circ \dots \circ f_1(z_0)$, with $z_i = f_i(z_{i-1})$. Then
#
# $$\log p(x) = \log \pi_0(z_0) - \sum_{i=1}^{K} \log \left|\det \frac{\partial f_i}{\partial z_{i-1}}\right|.$$
#
# The *Jacobian* $\partial f_i / \partial z_{i-1}$ is the matrix of all partial derivatives; the absolute value of
# its determinant says by what factor a tiny volume grows {cite}`rezende2015variational,papamakarios2021normalizing`.

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("08_flows", seed=seed, scale=scale)
full = scale == "full"

# %% [markdown]
# ## Exercise 1: the volume of the simplest layer
#
# Scale each of D coordinates by a number of its own: x ↦ scale · x. The Jacobian is diagonal. Write
# `affine_log_det(scale)`: for `scale` of shape (B, D), return log|det diag(scale)| of each row, shape (B,), in
# nats (that is, by the natural logarithm). Entries may be negative (a mirror changes no volume). D may be thousands: the determinant itself may be
# too small or too large for a float, its logarithm is not.
#
# *By hand:* scale (2, −0.5, 3) has determinant −3, so the answer is log 3 = 1.0986.


# %% nbgrader={"grade": false, "grade_id": "affine_log_det", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def affine_log_det(scale):
    """Log of the volume change of an elementwise scaling.

    Args:
        scale: factors, (B, D), none of them 0.

    Returns:
        Tensor (B,), log|det diag(scale)| of each row, in nats.
    """
    ### BEGIN SOLUTION
    return scale.abs().log().sum(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_affine_log_det", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("flows", "affine_log_det", points=2)
factors = torch.tensor([[2.0, -0.5, 3.0], [0.1, 4.0, 1.5]])
with ex.check("the worked number"):
    ex.value(affine_log_det(torch.tensor([[2.0, -0.5, 3.0]])))
with ex.check("each row by itself", weight=2):
    ex.value(ex.unchanged(affine_log_det, factors.clone()))
with ex.check("two thousand dimensions"):
    ex.value(affine_log_det(torch.full((2, 2000), 0.01)))
with ex.check("a gradient reaches the factors"):
    s = factors.clone().requires_grad_()
    ex.gradient(affine_log_det(s).sum(), s)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "beside the determinant of the whole matrix", weight=2, hint="log|det|, row by row."
):
    s = torch.randn(7, 4, generator=ex.fresh, dtype=torch.float64)
    want = torch.linalg.slogdet(torch.diag_embed(s)).logabsdet
    ex.value(affine_log_det(s), want)
with ex.hidden("large determinants, and other gradients", hint="Take logarithms early."):
    s = 50 + torch.rand(3, 1500, generator=ex.fresh, dtype=torch.float64)
    s.requires_grad_()
    want = torch.stack([sum(v.log() for v in row) for row in s.detach()])
    ex.value(affine_log_det(s), want)
    ex.gradient(affine_log_det(s).sum(), s, 1 / s.detach())
with ex.hidden("one row, one coordinate", hint="Any B and D: one number a row."):
    s = -torch.rand(1, 1, generator=ex.fresh) - 0.1
    ex.value(affine_log_det(s), torch.tensor([math.log(-s.item())]))
with ex.hidden("the input stays whole", hint="Work on a new tensor."):
    s = torch.randn(4, 2, generator=ex.fresh)
    ex.shape(ex.unchanged(affine_log_det, s), (4,))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## The trick: a layer that is easy to undo and easy to measure
#
# The determinant of a full D × D Jacobian costs D³. So constrain the layer. RealNVP's **coupling layer** lets
# some coordinates pass and changes only the others, by a scale and a shift that a network reads off those
# that pass ({cite}`dinh2017density`, figure 2). What passed is still there afterwards, so the network can be asked again and
# the change undone. The Jacobian is triangular; its determinant is the product of the scales.
#
# Below, one coordinate of the plane passes. Drag the point in either picture, and predict:
# 1. With the log-scale at strength 0, the grid is bent. Do the areas of its cells change?
# 2. Drag straight up or down. Why does the log-det stay the same?
# 3. Let the other coordinate pass. Which lines stay straight now?

# %% tags=["figure"]
topic.grid_figure()

# %% [markdown]
# ## Exercise 2: forward
#
# Write `coupling_forward(x, mask, net)`, which returns the pair `(y, log_det)`. `mask`, shape (D,), holds 1 where a
# coordinate passes and 0 where it is free. `net` takes the masked x, shape (B, D), and returns `(log_s, t)`,
# each (B, D). Then
#
# $$y = m \odot x + (1 - m) \odot (x \odot e^{\log s} + t)$$
#
# with $\odot$ the product entry by entry. `log_det`, shape (B,), is log|det ∂y/∂x| of each row in nats. What
# `net` says about coordinates that pass counts nowhere.
#
# *By hand:* x = (1, 2), mask = (1, 0), and a net that answers log_s = (5, log 3) and t = (7, 1): y = (1, 2 · 3 + 1)
# = (1, 7), log_det = log 3 = 1.0986.


# %% nbgrader={"grade": false, "grade_id": "coupling_forward", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def coupling_forward(x, mask, net):
    """One affine coupling layer (Dinh et al. 2017, arXiv:1605.08803).

    Args:
        x: points, (B, D).
        mask: (D,), 1 where a coordinate passes, 0 where it is free.
        net: maps the masked x, (B, D), to (log_s, t), each (B, D).

    Returns:
        y, (B, D), and log|det dy/dx|, (B,), in nats.
    """
    # Ask the net about the masked x, change the free coordinates, count their log-scales.
    ### BEGIN SOLUTION
    kept, free = mask * x, 1 - mask
    log_s, t = net(kept)
    return kept + free * (x * log_s.exp() + t), (free * log_s).sum(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_coupling_forward", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("flows", "coupling_forward", points=6)


def fixed_net(h):
    return torch.tensor([[5.0, math.log(3.0)]]).to(h), torch.tensor([[7.0, 1.0]]).to(h)


def mixing_net(h):
    log_s = 0.7 * torch.tanh(h.roll(1, -1) - 0.5 * h.roll(2, -1) + 0.3)
    return log_s, h.roll(2, -1) + 0.4 * h.sum(-1, keepdim=True) + 0.25


def watched(net, seen):
    def ask(h):
        seen.append(h.detach().clone())
        return net(h)

    return ask


points = torch.tensor([[0.5, -1.0, 2.0, 0.3], [1.5, 0.2, -0.7, 1.1], [-0.4, 0.9, 0.6, -2.0]])
keep = torch.tensor([1.0, 0.0, 0.0, 1.0])
with ex.check("the worked number"):
    made = coupling_forward(torch.tensor([[1.0, 2.0]]), torch.tensor([1.0, 0.0]), fixed_net)
    y, log_det = ex.parts(made, "y, log_det")
    ex.value(y, what="y")
    ex.value(log_det, what="log_det")
with ex.check("y, for three points of four coordinates", weight=2):
    y, _ = ex.parts(coupling_forward(points, keep, mixing_net), "y, log_det")
    ex.value(y)
with ex.check("log_det, for the same points", weight=2):
    _, log_det = ex.parts(coupling_forward(points, keep, mixing_net), "y, log_det")
    ex.value(log_det)
with ex.check("a gradient flows through the net, too"):
    x = points.clone().requires_grad_()
    y, log_det = ex.parts(coupling_forward(x, keep, mixing_net), "y, log_det")
    ex.gradient((y * torch.arange(4.0)).sum() + log_det.sum(), x)
with ex.check("x stays as it was"):
    made = ex.unchanged(lambda x: coupling_forward(x, keep, mixing_net), points.clone())
    ex.shape(ex.parts(made, "y, log_det")[0], (3, 4))
### BEGIN HIDDEN TESTS
with ex.hidden("other points and another mask", weight=3, hint="Follow the mask that is given."):
    x = torch.randn(5, 3, generator=ex.fresh, dtype=torch.float64)
    m = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    log_s, t = mixing_net(m * x)
    want = x.clone()
    for k in (0, 1):
        want[:, k] = x[:, k] * log_s[:, k].exp() + t[:, k]
    y, log_det = ex.parts(coupling_forward(x, m, mixing_net), "y, log_det")
    ex.value(y, want)
    ex.value(log_det, log_s[:, 0] + log_s[:, 1])
with ex.hidden("log_det beside autograd's Jacobian", weight=2, hint="Which scales count?"):
    m = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    x = torch.randn(4, 5, generator=ex.fresh, dtype=torch.float64)
    ex.log_det(lambda x: ex.parts(coupling_forward(x, m, mixing_net), "y, log_det"), x)
with ex.hidden("the net sees what passes and nothing else", hint="Mask x before the net sees it."):
    seen = []
    x = torch.randn(3, 4, generator=ex.fresh)
    passes = x[:, [0, 3]]
    coupling_forward(x, keep, watched(mixing_net, seen))
    ex.true(len(seen) > 0, "")
    ex.value(seen[0][:, [1, 2]], torch.zeros(3, 2))
    ex.value(seen[0][:, [0, 3]], passes)
with ex.hidden("the gradient on other points", hint="Nothing may be detached."):
    x = torch.randn(6, 2, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    m = torch.tensor([1.0, 0.0], dtype=torch.float64)
    a, b = x.detach().unbind(1)
    want = torch.stack([1 + a.cos() * (b * a.sin().exp() + 1) + 2 * a, a.sin().exp()], 1)
    made = coupling_forward(x, m, lambda h: (h.roll(1, -1).sin(), h.roll(1, -1).square()))
    y, log_det = ex.parts(made, "y, log_det")
    ex.gradient(y.sum() + log_det.sum(), x, want)
with ex.hidden("one row alone, and x undamaged", hint="Any B; work on new tensors."):
    x = torch.randn(1, 4, generator=ex.fresh)
    made = ex.unchanged(lambda x: coupling_forward(x, keep, mixing_net), x)
    y, log_det = ex.parts(made, "y, log_det")
    ex.shape(y, (1, 4))
    ex.shape(log_det, (1,))
    ex.true(torch.equal(y[:, [0, 3]], x[:, [0, 3]]), "")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 3: and back
#
# Write `coupling_inverse(y, mask, net)`, which returns the x that `coupling_forward` would carry to y. You need not
# invert the net: the coordinates that passed are in y as they were in x, so the net can be asked the same
# question again. Ask it **once**: sampling then costs as much as computing a likelihood.
#
# *By hand:* y = (1, 7), with the mask and the net of exercise 2, gives x = (1, (7 − 1) / 3) = (1, 2).


# %% nbgrader={"grade": false, "grade_id": "coupling_inverse", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def coupling_inverse(y, mask, net):
    """Undo an affine coupling layer at the cost of one call of its net.

    Args:
        y: points, (B, D).
        mask: (D,), 1 where a coordinate passed, 0 where it was changed.
        net: the layer's own, maps (B, D) to (log_s, t), each (B, D).

    Returns:
        x, (B, D).
    """
    # Ask the net once, then take back the shift and the scale of the free coordinates.
    ### BEGIN SOLUTION
    log_s, t = net(mask * y)
    return mask * y + (1 - mask) * (y - t) * (-log_s).exp()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_coupling_inverse", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("flows", "coupling_inverse", points=5)


def fixed_net(h):
    return torch.tensor([[5.0, math.log(3.0)]]).to(h), torch.tensor([[7.0, 1.0]]).to(h)


def mixing_net(h):
    log_s = 0.7 * torch.tanh(h.roll(1, -1) - 0.5 * h.roll(2, -1) + 0.3)
    return log_s, h.roll(2, -1) + 0.4 * h.sum(-1, keepdim=True) + 0.25


def watched(net, seen):
    def ask(h):
        seen.append(h.detach().clone())
        return net(h)

    return ask


points = torch.tensor([[0.5, -1.0, 2.0, 0.3], [1.5, 0.2, -0.7, 1.1], [-0.4, 0.9, 0.6, -2.0]])
keep = torch.tensor([1.0, 0.0, 0.0, 1.0])
with ex.check("the worked number"):
    ex.value(coupling_inverse(torch.tensor([[1.0, 7.0]]), torch.tensor([1.0, 0.0]), fixed_net))
with ex.check("three points of four coordinates", weight=2):
    ex.value(coupling_inverse(points, keep, mixing_net))
with ex.check("asks the net once"):
    seen = []
    coupling_inverse(points, keep, watched(mixing_net, seen))
    ex.true(len(seen) == 1, f"The net was called {len(seen)} times; once is enough.")
with ex.check("a gradient flows back through it"):
    y = points.clone().requires_grad_()
    ex.gradient((coupling_inverse(y, keep, mixing_net) * torch.arange(4.0)).sum(), y)
with ex.check("y stays as it was"):
    x = ex.unchanged(lambda y: coupling_inverse(y, keep, mixing_net), points.clone())
    ex.shape(x, (3, 4))
### BEGIN HIDDEN TESTS
with ex.hidden(
    "there and back on other points", weight=3, hint="Follow the mask; take off t, then s."
):
    x = torch.randn(6, 3, generator=ex.fresh, dtype=torch.float64)
    m = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    log_s, t = mixing_net(m * x)
    y = x.clone()
    for k in (0, 2):
        y[:, k] = x[:, k] * log_s[:, k].exp() + t[:, k]
    ex.value(coupling_inverse(y, m, mixing_net), x)
with ex.hidden("strong scales", weight=2, hint="Divide by exp(log_s), and by nothing else."):
    x = torch.randn(4, 2, generator=ex.fresh, dtype=torch.float64)
    m = torch.tensor([1.0, 0.0], dtype=torch.float64)
    y = torch.stack([x[:, 0], x[:, 1] * math.exp(6.0) - 3], 1)
    back = coupling_inverse(y, m, lambda h: (torch.full_like(h, 6.0), torch.full_like(h, -3.0)))
    ex.value(back, x)
with ex.hidden("the net sees what passed and nothing else", hint="Mask y before the net sees it."):
    seen = []
    y = torch.randn(3, 4, generator=ex.fresh)
    passed = y[:, [0, 3]]
    coupling_inverse(y, keep, watched(mixing_net, seen))
    ex.true(len(seen) > 0, "")
    ex.value(seen[0][:, [1, 2]], torch.zeros(3, 2))
    ex.value(seen[0][:, [0, 3]], passed)
with ex.hidden("the gradient on other points", hint="Nothing may be detached."):
    y = torch.randn(5, 2, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    m = torch.tensor([1.0, 0.0], dtype=torch.float64)
    a, b = y.detach().unbind(1)
    s = (-a.sin()).exp()
    want = torch.stack([1 - s * (2 * a + a.cos() * (b - a * a)), s], 1)
    back = coupling_inverse(y, m, lambda h: (h.roll(1, -1).sin(), h.roll(1, -1).square()))
    ex.gradient(back.sum(), y, want)
with ex.hidden("one row alone, and y undamaged", hint="Any B; work on new tensors."):
    y = torch.randn(1, 4, generator=ex.fresh)
    x = ex.unchanged(lambda y: coupling_inverse(y, keep, mixing_net), y)
    ex.shape(x, (1, 4))
    ex.true(torch.equal(x[:, [0, 3]], y[:, [0, 3]]), "")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# See both at work: a ring of data goes through one coupling layer of yours and back. The network is a small
# random one, with weights you can turn up. Nobody inverted it.

# %% tags=["figure"]
topic.explore_coupling(coupling_forward, coupling_inverse)

# %% [markdown]
# ## Exercise 4: the chain
#
# Write `chain(x, layers)`. Each layer is a function x → (x′, log_det), with x and x′ of shape (B, D) and log_det of
# shape (B,). Apply them in order; return `(z, log_det)`: the last output and the *sum* of all
# log-determinants, shape (B,). With no layers at all z is x, and the sum is B zeros.
#
# *By hand:* x = 3 through x ↦ 2x (log-det log 2), then x ↦ x² (for x > 0; log-det log 2x = log 12 at x = 6): z = 36, log_det =
# log 2 + log 12 = 3.178.


# %% nbgrader={"grade": false, "grade_id": "chain", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def chain(x, layers):
    """Apply layers one after another and add up their log-determinants.

    Args:
        x: points, (B, D).
        layers: list of functions, x (B, D) → (x', log_det) of shapes (B, D) and (B,).

    Returns:
        z, (B, D), and log|det dz/dx|, (B,), in nats.
    """
    ### BEGIN SOLUTION
    log_det = x.new_zeros(x.shape[0])
    for layer in layers:
        x, step = layer(x)
        log_det = log_det + step
    return x, log_det
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_chain", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("flows", "chain", points=3)


def doubled(x):
    return 2 * x, torch.full_like(x, math.log(2.0)).sum(-1)


def squared(x):
    return x.square(), (2 * x).log().sum(-1)


def cubed(x):
    return x**3, (3 * x.square()).log().sum(-1)


def sheared(x):  # log(1 + 0.3³) = 0.0266
    return x + 0.3 * x.roll(1, -1), torch.full_like(x[:, 0], 0.026641930946421092)


def counting(k, seen):
    def layer(x):
        seen.append(k)
        return x + k, torch.full_like(x[:, 0], 1.0 + k)

    return layer


some = torch.tensor([[1.0, 2.0], [0.5, 3.0], [2.5, 0.2]])
with ex.check("the worked number"):
    z, log_det = ex.parts(chain(torch.tensor([[3.0]]), [doubled, squared]), "z, log_det")
    ex.value(z, what="z")
    ex.value(log_det, what="log_det")
with ex.check("z after three layers"):
    z, _ = ex.parts(chain(some, [doubled, squared, cubed]), "z, log_det")
    ex.value(z)
with ex.check("the sum of three log-dets", weight=2):
    _, log_det = ex.parts(chain(some, [doubled, squared, cubed]), "z, log_det")
    ex.value(log_det)
with ex.check("no layers: x and zeros"):
    z, log_det = ex.parts(chain(some, []), "z, log_det")
    ex.value(z, what="z")
    ex.value(log_det, what="log_det")
with ex.check("a gradient, and nothing damaged"):
    x, first = some.clone().requires_grad_(), torch.zeros(3)
    ex.unchanged(lambda kept: chain(some, [lambda x: (x, kept), doubled]), first)
    z, log_det = ex.parts(chain(x, [squared, doubled, cubed]), "z, log_det")
    ex.gradient(log_det.sum() + z.sum() / 1000, x)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "log_det beside autograd's Jacobian", weight=3, hint="Add up every layer's log-det."
):
    x = 0.5 + torch.rand(4, 3, generator=ex.fresh, dtype=torch.float64)
    ex.log_det(lambda x: ex.parts(chain(x, [squared, sheared, cubed]), "z, log_det"), x)
with ex.hidden(
    "in order, each once", weight=2, hint="Each layer runs once, on what the last made."
):
    for count in (1, 2, 5):
        seen = []
        layers = [counting(k, seen) for k in range(count)]
        x = torch.randn(3, 2, generator=ex.fresh)
        want = x + sum(range(count))
        z, log_det = ex.parts(chain(x, layers), "z, log_det")
        ex.true(seen == list(range(count)), "")
        ex.value(z, want)
        ex.value(log_det, torch.full((3,), count + float(sum(range(count)))))
with ex.hidden("no layers, one row, float64", hint="B zeros, one a row of x."):
    x = torch.randn(1, 4, generator=ex.fresh, dtype=torch.float64)
    want = x.clone()
    z, log_det = ex.parts(chain(x, []), "z, log_det")
    ex.value(z, want)
    ex.value(log_det, torch.zeros(1))
    ex.shape(ex.parts(chain(torch.ones(5, 2), []), "z, log_det")[1], (5,))
with ex.hidden("what the layers return stays whole", hint="Do not add in place."):
    kept = torch.randn(3, generator=ex.fresh)
    made = ex.unchanged(lambda a: chain(some, [lambda x: (x, a), doubled]), kept)
    ex.value(ex.parts(made, "z, log_det")[1], kept + 2 * math.log(2))
with ex.hidden("gradients flow through both parts", hint="Nothing may be detached."):
    x = (0.5 + torch.rand(5, 2, generator=ex.fresh, dtype=torch.float64)).requires_grad_()
    z, log_det = ex.parts(chain(x, [squared, doubled, squared]), "z, log_det")
    ex.gradient(log_det.sum() + z.sum(), x, 3 / x.detach() + 16 * x.detach() ** 3)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 5: the likelihood
#
# A flow is trained by maximum likelihood, and then the way *from data to latent* is the one you walk. Write
# `flow_log_prob(x, layers, base_log_prob)`: log p(x) of each row, shape (B,), in nats. Here the layers lead from data to
# latent, the reverse of the f's above, and the log-determinant of a reversed map has the opposite sign. Think
# about what that does to the minus in the formula. `base_log_prob` maps latents (B, D) to their log-density (B,). You may call
# your own `chain`.
#
# *By hand:* x = 0.5, one layer x ↦ 2x, a standard Gaussian as base: z = 1 has log-density −1.4189, and log p(x) =
# −1.4189 + 0.6931 = −0.7258. (x has half the spread of z, so its density is twice as high.)


# %% nbgrader={"grade": false, "grade_id": "flow_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def flow_log_prob(x, layers, base_log_prob):
    """Log-density of data under a flow, by the change of variables.

    Args:
        x: data, (B, D).
        layers: list of functions from data to latent, x → (x', log_det).
        base_log_prob: latents (B, D) → their log-density (B,).

    Returns:
        Tensor (B,), log p(x) in nats.
    """
    ### BEGIN SOLUTION
    z, log_det = chain(x, layers)
    return base_log_prob(z) + log_det
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_flow_log_prob", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("flows", "flow_log_prob", points=3)


def gaussian(z):
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)


def stretched(x):
    return 3 * x + 1, torch.full_like(x, math.log(3.0)).sum(-1)


def curved(x):
    return x + 0.5 * x**3, (1 + 1.5 * x.square()).log().sum(-1)


def logs(x):
    return x.log(), -x.log().sum(-1)


def doubled(x):
    return 2 * x, torch.full_like(x, math.log(2.0)).sum(-1)


data = torch.tensor([[0.5, -0.2], [1.0, 0.3], [-0.8, 0.1]])
with ex.check("the worked number"):
    ex.value(flow_log_prob(torch.tensor([[0.5]]), [doubled], gaussian))
with ex.check("two layers, two coordinates, three points", weight=2):
    ex.value(flow_log_prob(data, [curved, stretched], gaussian))
with ex.check("the area under the density is 1"):
    grid = torch.linspace(-3, 3, 2001, dtype=torch.float64)
    density = flow_log_prob(grid[:, None], [curved, stretched], gaussian).exp()
    ex.value(torch.trapezoid(density.reshape(-1), grid), torch.tensor(1.0).double())
with ex.check("a gradient flows, so that the flow can learn"):
    x = data.clone().requires_grad_()
    ex.gradient(flow_log_prob(x, [curved, stretched], gaussian).sum(), x)
### BEGIN HIDDEN TESTS
with ex.hidden("beside torch's log-normal", weight=2, hint="Is it the base that was given?"):
    x = 0.2 + 3 * torch.rand(7, 3, generator=ex.fresh, dtype=torch.float64)
    normal, law = torch.distributions.Normal(0.3, 0.8), torch.distributions.LogNormal(0.3, 0.8)
    got = flow_log_prob(x, [logs], lambda z: normal.log_prob(z).sum(-1))
    ex.value(got, law.log_prob(x).sum(-1))
with ex.hidden("beside a Gaussian with covariance", weight=2, hint="Base density of z, not of x."):
    a = torch.randn(3, 3, generator=ex.fresh, dtype=torch.float64).tril(-1) + 1.5 * torch.eye(3)
    x = torch.randn(5, 3, generator=ex.fresh, dtype=torch.float64)
    root, volume = torch.linalg.inv(a).T, x.new_full((5,), -3 * math.log(1.5))
    layers = [lambda x: (x - 0.7, 0 * volume), lambda x: (x @ root, volume)]
    law = torch.distributions.MultivariateNormal(torch.full((3,), 0.7).double(), scale_tril=a)
    want = law.log_prob(x)
    ex.value(flow_log_prob(x, layers, gaussian), want)
with ex.hidden("another base, and no layers", hint="Use the base density that is given."):
    x = torch.randn(4, 2, generator=ex.fresh, dtype=torch.float64)
    law = torch.distributions.Laplace(0.0, 2.0)
    want = law.log_prob(x).sum(-1), law.log_prob(3 * x[:1] + 1).sum(-1) + 2 * math.log(3)
    ex.value(flow_log_prob(x, [], lambda z: law.log_prob(z).sum(-1)), want[0])
    ex.value(flow_log_prob(x[:1], [stretched], lambda z: law.log_prob(z).sum(-1)), want[1])
with ex.hidden("the gradient elsewhere, and x undamaged", hint="Nothing may be detached."):
    x = torch.randn(6, 1, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    v = x.detach()
    slope = 1 + 1.5 * v.square()
    want = 3 * v / slope - (v + 0.5 * v**3) * slope
    ex.gradient(flow_log_prob(x, [curved], gaussian).sum(), x, want)
    ex.unchanged(lambda x: flow_log_prob(x, [curved], gaussian), v)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 6: nats into bits
#
# Pixels are whole numbers, and a density over whole numbers can be infinitely high. So add noise: a pixel of
# level k out of `bins` becomes (k + u) / bins with u uniform in [0, 1). That **dequantised** picture lies in [0, 1)
# and has a true density. Give each pixel's cell of width 1/bins its share of that density: minus the mean log₂ of it
# is at least the bits that an ideal code needs for a pixel {cite}`theis2016note`. Write `bits_per_dim(log_prob, dims, bins=256)`:
#
# $$\frac{1}{\ln 2}\left(-\frac{\log p}{D} + \ln(\text{bins})\right)$$
#
# with `log_prob` in nats, a tensor of any shape, and D = `dims`. The shape stays.
#
# *By hand:* log_prob = −100, dims = 64, bins = 17: (1.5625 + 2.8332) / 0.6931 = 6.342. And log_prob = 0, a flat
# density, costs 8 bits at 256 bins.


# %% nbgrader={"grade": false, "grade_id": "bits_per_dim", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def bits_per_dim(log_prob, dims, bins=256):
    """Bits for each dimension of discrete data, from the log-density of dequantised data.

    Args:
        log_prob: log-density on [0, 1)^D in nats, any shape.
        dims: number of dimensions D.
        bins: number of levels.

    Returns:
        Tensor of the same shape, in bits.
    """
    ### BEGIN SOLUTION
    return (math.log(bins) - log_prob / dims) / math.log(2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_bits_per_dim", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("flows", "bits_per_dim", points=2)
nats = torch.tensor([-100.0, 30.0, 0.0])
with ex.check("the worked number, and two more", weight=2):
    ex.value(bits_per_dim(nats, 64, bins=17))
with ex.check("256 levels by default"):
    ex.value(bits_per_dim(torch.tensor([[0.0], [-5.0]]), 3))
with ex.check("log_prob as it was, and a gradient"):
    ex.unchanged(lambda lp: bits_per_dim(lp, 64, 17), nats.clone())
    lp = nats.clone().requires_grad_()
    ex.gradient(bits_per_dim(lp, 64, bins=17).sum(), lp)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "an ideal code for levels of known frequency", weight=2, hint="Try one level in two."
):
    share = torch.rand(9, generator=ex.fresh, dtype=torch.float64) + 0.1
    share = share / share.sum()
    level = torch.randint(9, (5, 12), generator=ex.fresh)
    log_prob = (9 * share[level]).log().sum(-1)
    ex.value(bits_per_dim(log_prob, 12, bins=9), -share[level].log2().mean(-1))
with ex.hidden("any shape", hint="Nothing is summed or averaged here."):
    log_prob = torch.randn(2, 3, 1, generator=ex.fresh)
    ex.shape(bits_per_dim(log_prob, 5), (2, 3, 1))
    ex.value(bits_per_dim(log_prob[0, 0, 0] * 0, 5), torch.tensor(8.0))
with ex.hidden("the gradient for other sizes", hint="Minus, over dims, over log 2."):
    lp = torch.randn(4, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    ex.gradient(bits_per_dim(lp, 7, 4).sum(), lp, torch.full((4,), -0.2060992915555662).double())
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment 1: two moons
#
# Eight coupling layers; the coordinates take turns to pass. The loss is minus the mean of *your* `flow_log_prob`, and
# nothing else. Because we made the moons ourselves, their true density is known: no model can cost less, in
# the long run, than the true density does. If yours falls clearly below, its log_det is wrong. Beside it stands a flow of one affine layer, measured by your
# `affine_log_det`: a Gaussian, and all that one layer without a network can do.
#
# Predict: will the flow's density have a gap between the moons, or a thin bridge?

# %% tags=["experiment"]
check.finished("flows", "affine_log_det", "coupling_forward", "coupling_inverse")
check.finished("flows", "chain", "flow_log_prob")
recipe = topic.Recipe(coupling_forward, coupling_inverse, flow_log_prob)
steps = 20_000 if full else 1000
moons = topic.train_moons(recipe, affine_log_det, steps=steps, seed=seed, device=device)
topic.moons_table(moons)

# %% tags=["claim"]
check.finished("flows", "flow_log_prob")
results.claim("moons, RealNVP", moons.nll, unit="nats", better="lower")
results.claim("moons, above the truth", moons.nll - moons.floor, unit="nats", better="lower")
results.claim("moons, one affine layer", moons.affine_nll, unit="nats", better="lower")

# %% tags=["experiment"]
check.finished("flows", "coupling_forward", "flow_log_prob")
topic.density_picture(moons)

# %% [markdown]
# A continuous map with a continuous inverse cannot tear the plane. A Gaussian is one piece, so two moons stay
# joined by a thread of low density, however long you train.
#
# See it happen. These are samples on their way from the latent to the data, carried by *your* `coupling_inverse`.
# 1. Go through the layers with the trained flow. Which way do the points move in each?
# 2. Stay at the last layer and go back in training. What is learned first, the shape or the sharpness?

# %% tags=["experiment"]
check.finished("flows", "coupling_inverse", "flow_log_prob")
topic.travel_figure(moons)

# %% [markdown]
# ## Experiment 2: digits
#
# Now 64 dimensions: real digits of 8 × 8 pixels with 17 grey levels. The chain is dequantisation, a logit that
# carries [0, 1] to the whole line (a layer like any other, with its own log-det), then eight couplings in a
# chessboard pattern. A fifth of the training pictures chooses when to stop; the test pictures are looked at
# once, at the end.

# %% tags=["experiment"]
check.finished("flows", "affine_log_det", "coupling_forward", "coupling_inverse")
check.finished("flows", "chain", "flow_log_prob", "bits_per_dim")
pictures = topic.mnist_pictures() if full else topic.digit_pictures()
size = {"steps": 20_000, "hidden": (1024, 1024), "layers": 12} if full else {}
tools = (recipe, bits_per_dim, affine_log_det)
digits = topic.train_pictures(*tools, pictures, seed=seed, device=device, **size)
topic.bits_table(digits)

# %% tags=["experiment"]
check.finished("flows", "coupling_inverse", "flow_log_prob")
topic.sample_picture(digits)

# %% [markdown]
# A hint of a digit, often not a good one: the flow must explain *every* pixel, so it spends its capacity on
# fine grain that the eye does not care for. (A smaller spread of the latent gives calmer pictures, no longer drawn
# from the model.) Likelihood and looks are different things {cite}`theis2016note`.
#
# The latent is as large as the picture, 64 numbers for 64 pixels; nothing is thrown away. So every picture has its
# exact place in it, and between two places there is a way. Look at the middle of each row: do strokes move, or fade?

# %% tags=["experiment"]
check.finished("flows", "coupling_forward", "coupling_inverse")
topic.interpolation_picture(digits)

# %% tags=["claim"]
check.finished("flows", "bits_per_dim")
bits = digits.test_bits.mean()
results.claim("digits, RealNVP", bits, unit="bits/dim", better="lower")
results.claim("digits, one affine layer", digits.affine_bits, unit="bits/dim", better="lower")

# %% [markdown]
# ## What flows share with diffusion
#
# A diffusion model, too, walks between a Gaussian and the data through many small steps, and its latent is as
# large as the data. The difference is in the steps. A flow's are few, learned and invertible, so log p is exact.
# Diffusion's forward steps are fixed noise; only the way back is learned, by any network that you like. Read as an
# ordinary differential equation, a diffusion model *is* a flow in continuous time {cite}`song2021score`.
#
# ## Where it breaks: likely is not familiar
#
# A picture unlike the training data should be unlikely. Train a flow on patches of a photograph of a palace,
# 8 × 8 pixels, 256 levels. Then show it patches of *another* photograph, a flower, and stranger things.
#
# Predict: which kinds will cost more bits than the median of the palace's own test patches?

# %% tags=["experiment"]
check.finished("flows", "affine_log_det", "coupling_forward", "coupling_inverse")
check.finished("flows", "chain", "flow_log_prob", "bits_per_dim")
steps = 10_000 if full else 300
patches = topic.palace_patches()
palace = topic.train_pictures(*tools, patches, steps=steps, seed=seed, device=device, edge=0.01)
found = topic.strangers(palace)
topic.stranger_picture(found)

# %% [markdown]
# AUROC, in the table, is the chance that a stranger costs more bits than a test patch of the palace: 1 would be a
# perfect alarm, ½ is a coin, and below ½ strangers look *more* familiar.

# %% tags=["experiment"]
check.finished("flows", "flow_log_prob", "bits_per_dim")
topic.stranger_table(found)

# %% tags=["claim"]
check.finished("flows", "bits_per_dim")
for stranger in found[1:4]:
    results.claim(f"AUROC, {stranger.name}", stranger.auroc, better="higher")
results.claim(
    "flower patches likelier than the median palace patch", found[1].likelier, unit="share"
)

# %% [markdown]
# Noise is caught at once. But most patches of a flower that the flow has *never seen* are likelier than the palace's
# median patch, and so is every flat grey square. The palace's own patches are smooth and cheap, or textured and dear;
# the flower's lie between. So its mean is higher, its median lower, and its AUROC near a coin.
#
# The same was found with CIFAR-10 and house numbers {cite}`nalisnick2019deep`: simple, smooth pictures get a high
# density wherever they come from. The flow learns how neighbouring pixels go together, more than what they
# show {cite}`kirichenko2020why`. Do not use log p alone as an alarm.
#
# ## What came out
#
# Your run beside five recorded seeds. RealNVP's own headline is 3.49 bits per dimension on CIFAR-10
# {cite}`dinh2017density`: colour photographs of 32 × 32 pixels and 256 levels, with convolutions. Other
# pictures and other levels: no row of the table.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - Bend a known distribution by maps you can undo, keep count of the volume, and you know log p exactly.
# - A coupling layer asks its network only about what passes: the inverse and the determinant come for free.
# - Exact is not wise: a stranger can be more likely than the data. Report bits, look at samples, and doubt.
#
# ## Further reading
#
# - Where coupling layers come from: {cite}`dinh2014nice,dinh2017density`; normalizing flows in inference:
#   {cite}`rezende2015variational`.
# - Stronger layers: {cite}`kingma2018glow,durkan2019neural`. A survey: {cite}`papamakarios2021normalizing`.
