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
#     part: learning without labels
#     hours: 2
#     after: []
#     needs: dot products and a softmax
#     learn: say “the same” of things never seen, and train on words without a softmax
# ---

# %% [markdown]
# # Contrastive learning: pull and push
#
# **A question.** A phone must know its owner. You cannot train a classifier with one class for each person on
# earth, and tomorrow's owner is not in today's data. So do not ask *who is this?* Ask *are these two the same?*
#
# A network that answers this for people it never saw needs a **space** in which near means same. This unit is
# about the losses that make such spaces: pull together what belongs together, push apart what does not.
#
# We have no faces here that we may ship, so digits stand in for people: the network sees 0 to 4 in training
# and is asked about 5 to 9.

# %% tags=["setup"]
import math

import torch
import torch.nn.functional as F

from genssl_utils import contrastive as topic
from genssl_utils.kit import check, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("18_contrastive", seed=seed, scale=scale)

# %% tags=["figure"]
topic.verification_picture()

# %% [markdown]
# ## Feel it first
#
# An **anchor** a, a **positive** p (same person) and three **negatives** (others) live on a circle. Drag them. Each
# negative makes a triplet with the anchor and the positive. The arrows are the steps that would lower the loss.
#
# Try this, and predict before you look:
# 1. Drag a negative away from the anchor until its arrow vanishes. Where is the border?
# 2. Set the margin to 0. Which negatives still act?
# 3. Put a negative right on the anchor. How hard is it pushed? Why is that strange?

# %% tags=["figure"]
topic.triplet_figure(margin=0.5)

# %% [markdown]
# What to notice: beyond the margin a negative teaches nothing at all; the loss has a **kink** there, and the slope
# jumps. Right at the anchor, where the loss is largest, the push fades to zero. The band between, **semi-hard**,
# does the work.
#
# ## Exercise 1: all distances inside a batch
#
# Every loss of this unit compares the rows of a batch. Write `pairwise_sq_dist(x)`: for
# embeddings x of shape (B, D), the matrix (B, B) of squared Euclidean distances
# $\lVert x_i - x_j\rVert^2$. No entry may be negative, the diagonal is exactly 0, and the gradient must be
# finite, also where two rows coincide.
#
# *By hand:* the rows (0, 0), (3, 4), (0, 1) give 25 for the first two, 1 for the first and last, and
# 9 + 9 = 18 for the last two.
#
# For speed: $\lVert a-b\rVert^2 = \lVert a\rVert^2 + \lVert b\rVert^2 - 2a^\top b$ needs no (B, B, D)
# tensor. But rounding can make it slightly negative.


# %% nbgrader={"grade": false, "grade_id": "pairwise_sq_dist", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def pairwise_sq_dist(x):
    """Squared Euclidean distance of every two rows.

    Args:
        x: embeddings, (B, D).

    Returns:
        Tensor (B, B), not negative, zero on the diagonal, differentiable.
    """
    # Squared norms of the rows, minus twice the products; then mend what rounding did.
    ### BEGIN SOLUTION
    norm = x.square().sum(1)
    dist = norm[:, None] + norm - 2 * x @ x.T
    return dist.clamp(min=0).fill_diagonal_(0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_pairwise_sq_dist", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "pairwise_sq_dist", points=3)
with ex.check("the worked numbers, and four rows in three dimensions", weight=2):
    ex.value(pairwise_sq_dist(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])))
    rows = torch.tensor([[0.5, -1.0, 2.0], [1.0, 1.0, 0.0], [-2.0, 0.0, 1.0], [0.5, 0.0, 0.0]])
    ex.value(ex.unchanged(pairwise_sq_dist, rows.clone()))
with ex.check("the gradient, also where two rows coincide", weight=2):
    rows = torch.tensor([[1.0, 2.0], [1.0, 2.0], [0.0, -1.0]], requires_grad=True)
    weight = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0], [0.5, 1.0, 0.0]])
    ex.gradient((weight * pairwise_sq_dist(rows)).sum(), rows)
with ex.check("no entry is negative, and the diagonal is zero"):
    twins = torch.randn(40, 64, generator=check.generator(0)).repeat(2, 1)
    dist = pairwise_sq_dist(twins)
    ex.shape(dist, (80, 80))
    ex.true(bool((dist >= 0).all()), f"The smallest entry is {float(dist.min()):.2g}.")
    ex.true(not dist.diagonal().any(), f"The diagonal holds {float(dist.diagonal().max()):.2g}.")
### BEGIN HIDDEN TESTS
with ex.hidden("other batches", weight=2, hint="Square, then sum over the D coordinates."):
    x = torch.randn(7, 3, generator=ex.fresh, dtype=torch.float64)
    want = [[sum((a - b) ** 2 for a, b in zip(p, q)) for q in x.tolist()] for p in x.tolist()]
    ex.value(ex.unchanged(pairwise_sq_dist, x), torch.tensor(want, dtype=torch.float64))
with ex.hidden("other gradients", weight=2, hint="Coincident rows have distance 0 and slope 0."):
    x = torch.randn(4, 5, generator=ex.fresh, dtype=torch.float64)
    x = torch.cat([x, x[:2]]).requires_grad_()
    w = torch.randn(6, 6, generator=ex.fresh, dtype=torch.float64)
    flow = 2 * (w + w.T)
    want = flow.sum(1, keepdim=True) * x.detach() - flow @ x.detach()
    ex.gradient((w * pairwise_sq_dist(x)).sum(), x, want)
with ex.hidden("one row, one column, many twins", hint="Clamp at 0 and mend the diagonal."):
    ex.value(pairwise_sq_dist(torch.ones(1, 4)), torch.zeros(1, 1))
    ex.value(pairwise_sq_dist(torch.tensor([[1.0], [4.0]])), torch.tensor([[0.0, 9.0], [9.0, 0.0]]))
    x = torch.randn(60, 100, generator=ex.fresh).repeat(2, 1)
    ex.true(bool((pairwise_sq_dist(x) >= 0).all()), "")
    ex.true(not pairwise_sq_dist(x).diagonal().any(), "")
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 2: the triplet loss
#
# Take an anchor a, a positive p (same person) and a negative n (another person). FaceNet
# {cite}`schroff2015facenet` asks that the negative be further away than the positive, by a margin m, and
# pays for what is missing:
#
# $$L = \frac1B \sum_b \big[\,\lVert a_b-p_b\rVert^2 - \lVert a_b-n_b\rVert^2 + m\,\big]_+ .$$
#
# $[\cdot]_+$ is the hinge, $\max(0, \cdot)$. Where it is 0, the triplet teaches nothing: its gradient is 0, and
# at the kink the slope jumps. Write `triplet_loss(anchor, positive, negative, margin)`. The mean runs over
# **all** B triplets, inactive ones too.
#
# *By hand:* a = (0, 0), p = (1, 0), n = (0, 2), m = 0.5: 1 − 4 + 0.5 < 0, so the loss is 0. With m = 4 it is 1.


# %% nbgrader={"grade": false, "grade_id": "triplet_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def triplet_loss(anchor, positive, negative, margin):
    """The triplet loss with a margin (Schroff et al. 2015, arXiv:1503.03832).

    Args:
        anchor: embeddings, (B, D).
        positive: embeddings of the same classes, (B, D).
        negative: embeddings of other classes, (B, D).
        margin: how much further away the negative should be, in squared distance.

    Returns:
        Scalar tensor, the mean over the B triplets.
    """
    # Two squared distances a row, the hinge, the mean.
    ### BEGIN SOLUTION
    pull = (anchor - positive).square().sum(1)
    push = (anchor - negative).square().sum(1)
    return torch.relu(pull - push + margin).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_triplet_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "triplet_loss", points=4)
a = torch.tensor([[0.0, 0.0], [1.0, 0.5], [0.3, -0.2], [0.0, 1.0]])
p = torch.tensor([[1.0, 0.0], [0.0, 0.5], [0.8, 0.1], [0.1, 0.9]])
n = torch.tensor([[0.0, 2.0], [1.5, 1.0], [0.2, 0.4], [-1.0, 0.5]])
with ex.check("the worked numbers", weight=2):
    ex.value(triplet_loss(a[:1], p[:1], n[:1], 0.5))
    ex.value(triplet_loss(a[:1], p[:1], n[:1], 4.0))
with ex.check("four triplets, two of them inactive", weight=2):
    ex.value(ex.unchanged(lambda *t: triplet_loss(*t, 0.2), a.clone(), p.clone(), n.clone()))
with ex.check("the gradients", weight=2):
    three = torch.stack([a, p, n]).requires_grad_()
    ex.gradient(triplet_loss(*three, 0.2), three)
### BEGIN HIDDEN TESTS
with ex.hidden("other batches and margins", weight=2, hint="Hinge each triplet, then average."):
    a, p, n = torch.randn(3, 9, 4, generator=ex.fresh)
    for margin in (0.01, 0.3, 5.0):
        terms = [
            max(0.0, sum((u - v) ** 2 - (u - w) ** 2 for u, v, w in zip(*rows)) + margin)
            for rows in zip(a.tolist(), p.tolist(), n.tolist())
        ]
        got = ex.unchanged(lambda *t, m=margin: triplet_loss(*t, m), a, p, n)
        ex.value(got, torch.tensor(sum(terms) / 9))
with ex.hidden("inactive triplets teach nothing", hint="Beyond the margin the loss is 0 and flat."):
    a = torch.randn(5, 3, generator=ex.fresh)
    far = (a + 10).requires_grad_()
    loss = triplet_loss(a, a + 0.1, far, 1.0)
    ex.value(loss, 0.0)
    ex.no_gradient(loss, far)
with ex.hidden("other gradients", weight=2, hint="Active triplets alone move, by 2/B differences."):
    a, p, n = torch.randn(3, 8, 5, generator=ex.fresh, dtype=torch.float64)
    gap = (a - p).square().sum(-1) - (a - n).square().sum(-1) + 1.0
    on = (gap > 0).double()[:, None] / 4
    leaves = [t.clone().requires_grad_() for t in (a, p, n)]
    loss = triplet_loss(*leaves, 1.0)
    for leaf, want in zip(leaves, (on * (n - p), on * (p - a), on * (a - n))):
        ex.gradient(loss, leaf, want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 3: negatives that teach
#
# A batch of B pictures holds up to B³ triplets, and after a while nearly all are easy (loss 0). The *hardest*
# negatives, nearer than the positive, are often mislabelled or odd, and they can make training collapse. FaceNet
# takes those between: **semi-hard**, further away than the positive, but inside the margin.
#
# Write `semi_hard_negatives(dist, labels, margin)`: from the distances (B, B), symmetric, and labels (B,), every triple
# (anchor, positive, negative) of indices with $d_{ap} < d_{an} < d_{ap} + m$, as a LongTensor (A, 3), in any
# order, each once. The positive is another picture of the anchor's class; the negative is of another class.
#
# *By hand:* labels (0, 0, 1), distances $d_{01}=1$, $d_{02}=1.1$, $d_{12}=3$, margin 0.5: only (0, 1, 2).


# %% nbgrader={"grade": false, "grade_id": "semi_hard_negatives", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def semi_hard_negatives(dist, labels, margin):
    """Every semi-hard triple of a batch (Schroff et al. 2015, section 3.2).

    Args:
        dist: distances, (B, B), symmetric; two pictures may coincide.
        labels: classes, (B,).
        margin: the width of the zone, in the unit of `dist`.

    Returns:
        LongTensor (A, 3): anchor, positive, negative; (0, 3) where there is none.
    """
    # Find the pairs of one class, compare each with all of the anchor's negatives.
    ### BEGIN SOLUTION
    a, p = (labels[:, None] == labels).fill_diagonal_(False).nonzero().unbind(1)
    d_ap, d_an = dist[a, p, None], dist[a]
    inside = (d_ap < d_an) & (d_an < d_ap + margin) & (labels[a, None] != labels)
    pair, n = inside.nonzero().unbind(1)
    return torch.stack([a[pair], p[pair], n], 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_semi_hard_negatives", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "semi_hard_negatives", points=5)

line = torch.tensor([0.0, 1.0, -0.5, 1.4, 2.2, 0.3, -1.7])
dist = (line[:, None] - line).abs()
labels = torch.tensor([0, 0, 1, 1, 0, 2, 1])
with ex.check("the worked triple", weight=2):
    small = torch.tensor([[0.0, 1.0, 1.1], [1.0, 0.0, 3.0], [1.1, 3.0, 0.0]])
    ex.rows(semi_hard_negatives(small, torch.tensor([0, 0, 1]), 0.5))
with ex.check("seven points on a line", weight=4):
    ex.rows(ex.unchanged(lambda *t: semi_hard_negatives(*t, 1.15), dist.clone(), labels.clone()))
with ex.check("borders do not count, and two pictures that coincide are a pair"):
    twins = torch.tensor([[0.0, 0.0, 0.3], [0.0, 0.0, 0.3], [0.3, 0.3, 0.0]])
    ex.rows(semi_hard_negatives(twins, torch.tensor([0, 0, 1]), 0.5))
    grid = (torch.arange(5.0)[:, None] - torch.arange(5.0)).abs()
    ex.rows(semi_hard_negatives(grid, torch.tensor([0, 0, 1, 1, 0]), 1.0))
with ex.check("nothing found is an empty (0, 3)"):
    ex.shape(semi_hard_negatives(dist, torch.arange(7), 1.0), (0, 3), torch.int64)
### BEGIN HIDDEN TESTS
with ex.hidden("other batches", weight=5, hint="Three conditions on labels, two on distances."):
    for size, classes, margin in ((7, 3, 0.4), (9, 2, 1.5), (6, 2, 100.0)):
        d = torch.rand(size, size, generator=ex.fresh, dtype=torch.float64).triu(1)
        d = 2 * (d + d.T)
        y = torch.randint(classes, (size,), generator=ex.fresh)
        every = range(size)
        want = [
            (i, j, k) for i in every for j in every for k in every
            if i != j and y[i] == y[j] != y[k] and d[i, j] < d[i, k] < d[i, j] + margin
        ]  # fmt: skip
        got = ex.unchanged(lambda *t, m=margin: semi_hard_negatives(*t, m), d, y)
        ex.rows(got, torch.tensor(want).reshape(-1, 3))
with ex.hidden("the borders again", hint="Both comparisons are strict."):
    d = torch.tensor([[0.0, 1.0, 1.0, 3.0], [1.0, 0.0, 1.5, 2.0], [1.0, 1.5, 0, 1], [3.0, 2, 1, 0]])
    y = torch.tensor([4, 4, 7, 9])
    ex.rows(semi_hard_negatives(d, y, 1.0), torch.tensor([[1, 0, 2]]))
with ex.hidden("one class, or one picture a class", hint="The result is then empty, (0, 3)."):
    d = torch.rand(4, 4, generator=ex.fresh).triu(1)
    d = d + d.T
    ex.shape(semi_hard_negatives(d, torch.zeros(4, dtype=torch.int64), 1.0), (0, 3), torch.int64)
    ex.shape(semi_hard_negatives(d, torch.arange(4), 1.0), (0, 3), torch.int64)
with ex.hidden("the order of the batch, and odd labels", hint="A label is a name, not a position."):
    d = torch.rand(6, 6, generator=ex.fresh, dtype=torch.float64).triu(1)
    d = d + d.T
    y = torch.tensor([-3, 40, -3, 40, 7, -3])
    turn = torch.randperm(6, generator=ex.fresh)
    want = [
        (a, p, n) for a in range(6) for p in range(6) for n in range(6)
        if a != p and y[a] == y[p] != y[n] and d[a, p] < d[a, n] < d[a, p] + 0.6
    ]  # fmt: skip
    place = turn.argsort()  # row i stands at place[i] after the shuffle
    got = semi_hard_negatives(d[turn][:, turn], y[turn], 0.6)
    ex.rows(got, place[torch.tensor(want).reshape(-1, 3)])
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Now see your own function choose. Circles are one class, squares another. The solid line leads to the anchor's
# furthest positive, the dotted ones to the negatives that are semi-hard with it. Widen the margin: which come in first?

# %% tags=["figure"]
topic.explore_semi_hard(semi_hard_negatives)

# %% [markdown]
# ## Exercise 4: use every pair at once
#
# The first contrastive loss looked at one pair at a time {cite}`hadsell2006contrastive`: pull it, or push it. A triplet
# looks at one negative more. A batch of B holds B(B − 1)/2 pairs, and the **lifted structured loss**
# {cite}`song2016lifted` uses them all: for each positive pair (i, j), all negatives of both ends:
#
# $$J_{ij} = \log\Big(\sum_{k \in N_i} e^{m - D_{ik}} + \sum_{l \in N_j} e^{m - D_{jl}}\Big) + D_{ij},
# \qquad L = \frac{1}{2|P|} \sum_{(i,j) \in P} [J_{ij}]_+^2 .$$
#
# P holds the pairs of two different pictures of one class; $N_i$ holds all pictures of other classes than i's.
# The log of a sum of exponentials is a smooth maximum: the nearest negatives count most. Write
# `lifted_structure_loss(dist, labels, margin)` for the distances D (B, B). Each batch has at least one positive
# pair and two classes. It must stay right at distances in the hundreds.
#
# *By hand:* labels (0, 0, 1), $D_{01}=1$, $D_{02}=D_{12}=2$, m = 1: $J = \log(2e^{-1}) + 1 = 0.6931$, L = 0.2402.


# %% nbgrader={"grade": false, "grade_id": "lifted_structure_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def lifted_structure_loss(dist, labels, margin):
    """The lifted structured loss (Song et al. 2016, arXiv:1511.06452).

    Args:
        dist: distances D, (B, B), symmetric, not squared.
        labels: classes, (B,).
        margin: m, in the unit of `dist`.

    Returns:
        Scalar tensor.
    """
    # First each row's negatives, then both ends of each pair; mind what exp does to large distances.
    ### BEGIN SOLUTION
    same = labels[:, None] == labels
    push = (margin - dist).masked_fill(same, -torch.inf).logsumexp(1)
    i, j = same.triu(1).nonzero().unbind(1)
    return torch.relu(torch.logaddexp(push[i], push[j]) + dist[i, j]).square().mean() / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_lifted_structure_loss", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "lifted_structure_loss", points=5)
dist = torch.tensor(
    [
        [0.0, 0.9, 1.4, 0.7, 2.0],
        [0.9, 0.0, 0.5, 1.1, 1.6],
        [1.4, 0.5, 0.0, 1.3, 0.4],
        [0.7, 1.1, 1.3, 0.0, 1.9],
        [2.0, 1.6, 0.4, 1.9, 0.0],
    ]
)
labels = torch.tensor([0, 0, 1, 1, 0])
with ex.check("the worked number", weight=2):
    small = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [2.0, 2.0, 0.0]])
    ex.value(lifted_structure_loss(small, torch.tensor([0, 0, 1]), 1.0))
with ex.check("five pictures of two classes, two margins", weight=2):
    ex.value(lifted_structure_loss(dist, labels, 1.0))
    ex.value(lifted_structure_loss(dist, labels, -1.5))
with ex.check("the gradient", weight=2):
    leaf = dist.clone().requires_grad_()
    loss = lifted_structure_loss((leaf + leaf.T) / 2, labels, 0.5)
    ex.gradient(loss, leaf)
with ex.check("right at large distances"):
    ex.value(lifted_structure_loss(300 * dist, labels, 1.0))
### BEGIN HIDDEN TESTS
with ex.hidden("other batches", weight=3, hint="Each unordered pair once; both ends' negatives."):
    for y, m in (((0, 1, 0, 2, 1, 2, 0), 0.7), ((3, 3, 5), 0.2), ((1, 1, 1, 2), 2.0)):
        size = len(y)
        d = torch.rand(size, size, generator=ex.fresh, dtype=torch.float64) * 2
        d = torch.triu(d, 1) + torch.triu(d, 1).T
        total, pairs = 0.0, 0
        for i in range(size):
            for j in range(i):
                if y[i] == y[j]:
                    far = [math.exp(m - d[i, k]) for k in range(size) if y[k] != y[i]]
                    far += [math.exp(m - d[j, k]) for k in range(size) if y[k] != y[j]]
                    total += max(0.0, math.log(sum(far)) + float(d[i, j])) ** 2
                    pairs += 1
        got = ex.unchanged(lambda *t, m=m: lifted_structure_loss(*t, m), d, torch.tensor(y))
        ex.value(got, torch.tensor(total / 2 / pairs, dtype=torch.float64))
with ex.hidden("the slope along a random direction", weight=3, hint="Leave nothing detached."):
    d = torch.rand(6, 6, generator=ex.fresh, dtype=torch.float64) + 0.2
    d = torch.triu(d, 1) + torch.triu(d, 1).T
    way = torch.rand(6, 6, generator=ex.fresh, dtype=torch.float64) - 0.5
    way = torch.triu(way, 1) + torch.triu(way, 1).T
    y = torch.tensor([0, 1, 0, 1, 2, 0])

    def written_out(t):
        e = torch.exp(1 - d - t * way) * (y[:, None] != y)
        j = torch.log(e.sum(1)[:, None] + e.sum(1)) + d + t * way
        return (
            0.5 * j.clamp(min=0)[(y[:, None] == y) & ~torch.eye(6, dtype=torch.bool)].pow(2).mean()
        )

    t, s = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    (want,) = torch.autograd.grad(written_out(t), t)
    ex.gradient(lifted_structure_loss(d + s * way, y, 1.0), s, want)
with ex.hidden(
    "very large and very small distances", hint="Never take the log of an exp that is 0."
):
    y = torch.tensor([0, 0, 1])
    for size in (1e-3, 500.0, 1e4):
        d = size * torch.tensor([[0.0, 3.0, 2.0], [3.0, 0.0, 2.0], [2.0, 2.0, 0.0]])
        ex.value(lifted_structure_loss(d, y, 1.0), max(0.0, math.log(2) + 1 + size) ** 2 / 2)
with ex.hidden("the order of the batch, and odd labels", hint="A label is a name, not a position."):
    d = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [2.0, 2.0, 0.0]]) + 0.1
    turn = torch.randperm(3, generator=ex.fresh)
    y = torch.tensor([-7, -7, 90])
    want = max(0.0, math.log(2 * math.exp(0.4 - 2.1)) + 1.1) ** 2 / 2
    ex.value(lifted_structure_loss(d[turn][:, turn], y[turn], 0.4), want)
    want = max(0.0, math.log(2 * math.exp(3.0 - 2.1)) + 1.1) ** 2 / 2
    ex.value(lifted_structure_loss(d[turn][:, turn], y[turn], 3.0), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 5: NCE, real or noise?
#
# A language model wants $p(w \mid c)$ over every word w of a huge vocabulary; the softmax's sum is too dear.
# **Noise-contrastive estimation** {cite}`gutmann2010nce,mnih2012fast` asks an easier question: one true word among k
# words drawn from a noise law q, which is which? If the score s(w) is to become $\log p(w \mid c)$, the log-odds of
# "true" are $s(w) - \log(k\,q(w))$. So, with σ the logistic function,
#
# $$L = \frac1B\sum_b \Big[-\log\sigma\big(s^+_b - \log(k\,q^+_b)\big)
# - \sum_{i=1}^k \log\big(1 - \sigma(s^-_{bi} - \log(k\,q^-_{bi}))\big)\Big].$$
#
# Write `nce_loss(pos_score, neg_scores, log_noise_pos, log_noise_neg)`, right for scores of ±10⁴ too.
#
# *By hand:* B = 1, k = 2, every q = ½, so that k q = 1; s⁺ = log 3, s⁻ = (log 3, 0). The three σ are ¾, ¾ and ½:
# L = −log ¾ − log ¼ − log ½ = 2.3671.


# %% nbgrader={"grade": false, "grade_id": "nce_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def nce_loss(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    """Binary noise-contrastive estimation (Gutmann & Hyvärinen 2010).

    Args:
        pos_score: scores of the true words, (B,).
        neg_scores: scores of the noise words, (B, k).
        log_noise_pos: log q of the true words, (B,).
        log_noise_neg: log q of the noise words, (B, k).

    Returns:
        Scalar tensor in nats: a sum over the words, a mean over the batch.
    """
    # Turn scores into log-odds, then one logistic loss for each word.
    ### BEGIN SOLUTION
    log_k = math.log(neg_scores.shape[1])
    true = F.softplus(log_noise_pos + log_k - pos_score)
    noise = F.softplus(neg_scores - log_noise_neg - log_k)
    return (true + noise.sum(1)).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_nce_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "nce_loss", points=4)
pos, log_q_pos = torch.tensor([0.5, -1.0]), torch.tensor([-1.2, -2.5])
neg = torch.tensor([[0.1, -0.4, 1.0], [2.0, 0.3, -1.5]])
log_q_neg = torch.tensor([[-0.7, -3.0, -1.9], [-2.2, -0.9, -1.4]])
with ex.check("the worked number", weight=2):
    three, half = math.log(3), torch.full((1, 2), 0.5).log()
    ex.value(nce_loss(torch.tensor([three]), torch.tensor([[three, 0.0]]), half[:, 0], half))
with ex.check("two true words, three noise words each", weight=2):
    ex.value(nce_loss(pos, neg, log_q_pos, log_q_neg))
with ex.check("the gradients", weight=2):
    up, down = pos.clone().requires_grad_(), neg.clone().requires_grad_()
    loss = nce_loss(up, down, log_q_pos, log_q_neg)
    ex.gradient(loss, up)
    ex.gradient(loss, down)
with ex.check("right at scores of ±10⁴"):
    ex.value(nce_loss(-1e4 * torch.ones(2), 1e4 * neg, log_q_pos, log_q_neg))
### BEGIN HIDDEN TESTS
with ex.hidden("other batches", weight=2, hint="Subtract log(k q); sum over k, mean over B."):
    for size, k in ((5, 4), (3, 1), (1, 7)):
        s = torch.randn(size, k + 1, generator=ex.fresh, dtype=torch.float64)
        q = -3 * torch.rand(size, k + 1, generator=ex.fresh, dtype=torch.float64) - 0.1
        total = 0.0
        for row, noise in zip(s.tolist(), q.tolist()):
            odds = [math.exp(a - b) / k for a, b in zip(row, noise)]
            total -= math.log(odds[0] / (1 + odds[0])) - sum(math.log(1 + o) for o in odds[1:])
        got = ex.unchanged(nce_loss, s[:, 0], s[:, 1:], q[:, 0], q[:, 1:])
        ex.value(got, torch.tensor(total / size, dtype=torch.float64))
with ex.hidden("the true law is where the loss is flat", weight=3, hint="Is the log(k q) right?"):
    # At s = log p the expected gradient is zero: summed here over all words, weighed by p and q.
    p, q = torch.rand(2, 4, generator=ex.fresh, dtype=torch.float64) + 0.1
    p, q, k = p / p.sum(), q / q.sum(), 2
    s = p.log().requires_grad_()
    first, second, third = torch.cartesian_prod(*[torch.arange(4)] * 3).T
    weight = p[first] * q[second] * q[third]
    pair = torch.stack([second, third], -1)
    rows = torch.stack(
        [nce_loss(s[f][None], s[n][None], q.log()[f][None], q.log()[n][None])
         for f, n in zip(first, pair)]
    )  # fmt: skip
    (slope,) = torch.autograd.grad((weight * rows).sum(), s)
    ex.value(slope, torch.zeros(4, dtype=torch.float64))
with ex.hidden("extreme scores", hint="log σ has a form that never overflows."):
    zero = torch.zeros(1)
    ex.value(nce_loss(1e4 + zero, zero[None] - 1e4, zero, zero[None]), 0.0)
    ex.value(nce_loss(zero - 1e4, zero[None] + 1e4, zero, zero[None]), 2e4)
    s = torch.full((1,), -1e4, requires_grad=True)
    ex.gradient(nce_loss(s, zero[None], zero, zero[None]), s, torch.tensor([-1.0]))
with ex.hidden(
    "score and noise count by their difference", hint="The odds compare s with log(k q)."
):
    s = torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64)
    q = -torch.rand(4, 3, generator=ex.fresh, dtype=torch.float64)
    more = 50 * torch.randn(4, 3, generator=ex.fresh, dtype=torch.float64)
    odds = s - q - math.log(2)
    want = (torch.log1p(torch.exp(-odds[:, 0])) + torch.log1p(torch.exp(odds[:, 1:])).sum(1)).mean()
    s, q = s + more, q + more
    ex.value(nce_loss(s[:, 0], s[:, 1:], q[:, 0], q[:, 1:]), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 6: InfoNCE, which one of N?
#
# **InfoNCE** {cite}`oord2018cpc` makes it a choice among N: given a context $c_i$, which of the N candidates
# $z_1 \dots z_N$ of the batch belongs to it? With $f(z, c) = \exp(z^\top W c\,/\,\tau)$:
#
# $$L = -\frac1N \sum_i \log \frac{f(z_i, c_i)}{\sum_j f(z_j, c_i)} .$$
#
# Write `info_nce(z, c, W=None, temperature=1.0)` for z (N, D), c (N, E), W (D, E); no W means the identity. Row i
# of z belongs to row i of c; the sum runs over the **candidates z**. It must survive scores of ±10⁴.
#
# *By hand:* N equal scores give log N: you can only guess. Two pairs with $f$ = e on the diagonal and 1 off it:
# log(1 + 1/e) = 0.3133.


# %% nbgrader={"grade": false, "grade_id": "info_nce", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def info_nce(z, c, W=None, temperature=1.0):
    """InfoNCE with positives on the diagonal (van den Oord et al. 2018, arXiv:1807.03748).

    Args:
        z: candidates, (N, D).
        c: contexts, (N, E); row i belongs to row i of z.
        W: bilinear map, (D, E); None for the identity, with D = E.
        temperature: a positive number or tensor.

    Returns:
        Scalar tensor in nats, the mean over the contexts.
    """
    # All scores, contexts by candidates; then a classification among N.
    ### BEGIN SOLUTION
    scores = c @ (z if W is None else z @ W).T / temperature
    return (scores.logsumexp(1) - scores.diagonal()).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_info_nce", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "info_nce", points=4)
z = torch.tensor([[1.0, 0.5], [-0.3, 0.8], [0.4, -1.2]])
c = torch.tensor([[0.6, 0.1], [0.2, 1.5], [-0.7, -0.4]])
W = torch.tensor([[1.2, -0.6], [0.3, 0.5]])
with ex.check("N equal scores give log N, and the worked number"):
    ex.value(info_nce(torch.ones(5, 2), torch.ones(5, 2)))
    ex.value(info_nce(torch.eye(2), torch.eye(2)))
with ex.check("three pairs, without and with W", weight=3):
    ex.value(info_nce(z, c))
    ex.value(info_nce(z, c, W))
    ex.value(info_nce(z, c, W, 0.5))
with ex.check("the gradients", weight=2):
    leaves = [t.clone().requires_grad_() for t in (z, c, W)]
    for leaf in leaves:
        ex.gradient(info_nce(*leaves, 0.7), leaf)
with ex.check("survives scores of ±10⁴"):
    ex.value(info_nce(100 * z, 100 * c))
### BEGIN HIDDEN TESTS
with ex.hidden("other batches", weight=3, hint="For each context, softmax over the candidates."):
    z = torch.randn(6, 3, generator=ex.fresh, dtype=torch.float64)
    c = torch.randn(6, 4, generator=ex.fresh, dtype=torch.float64)
    W = torch.randn(3, 4, generator=ex.fresh, dtype=torch.float64)
    for t in (0.3, 1.0, 4.0):
        f = [[math.exp(a @ W @ b / t) for a in z] for b in c]
        want = -sum(math.log(f[i][i] / sum(f[i])) for i in range(6)) / 6
        got = ex.unchanged(lambda *three, t=t: info_nce(*three, temperature=t), z, c, W)
        ex.value(got, torch.tensor(want, dtype=torch.float64))
with ex.hidden("a learned temperature, and W's gradient", weight=2, hint="Detach nothing."):
    z, c = torch.randn(2, 4, 3, generator=ex.fresh, dtype=torch.float64)
    t = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    W = torch.randn(3, 3, generator=ex.fresh, dtype=torch.float64).requires_grad_()
    s = (c @ (z @ W).T).detach()
    share = torch.softmax(s / 0.8, 1) - torch.eye(4)
    loss = info_nce(z, c, W, t)
    ex.gradient(loss, t, (share * -s / 0.64).sum() / 4)
    ex.gradient(loss, W, z.T @ share.T @ c / 0.8 / 4)
with ex.hidden("one pair, and a perfect critic", hint="With N = 1 there is nothing to choose."):
    x = torch.randn(1, 5, generator=ex.fresh)
    ex.value(info_nce(x, x), 0.0)
    ex.value(info_nce(300 * torch.eye(4), 300 * torch.eye(4)), 0.0)
    ex.value(info_nce(300 * torch.eye(4), -300 * torch.eye(4)), 9e4 + math.log(3))
with ex.hidden("what all candidates share cancels", hint="Only differences of scores can matter."):
    z = torch.randn(5, 3, generator=ex.fresh, dtype=torch.float64)
    c = torch.randn(5, 3, generator=ex.fresh, dtype=torch.float64)
    f = [[math.exp(float(a @ b) / 0.5) for a in z] for b in c]
    want = -sum(math.log(f[i][i] / sum(f[i])) for i in range(5)) / 5
    shift = torch.randn(3, generator=ex.fresh, dtype=torch.float64)
    turn = torch.randperm(5, generator=ex.fresh)
    want = torch.tensor(want, dtype=torch.float64)
    ex.value(info_nce((z + shift)[turn], c[turn], temperature=0.5), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# The score f is called the **critic**. A good one makes L small, and $\log N - L$ never exceeds, on average, the
# **mutual information** of z and c: how many nats (units of the natural logarithm) each tells about the other
# {cite}`oord2018cpc`; a proof is in {cite}`poole2019variational`. But L cannot be negative, so the bound cannot exceed
# log N either. Here z and c are correlated Gaussians, whose information is known, and the critic is the best one.
#
# Set the information to 6 nats. How large must a batch be before the bound says 4?

# %% tags=["figure"]
topic.bound_figure(information=3.0, batch=64)

# %% [markdown]
# The same with **your** `info_nce` holding the critic (a bilinear form is enough for Gaussians). Compare a number
# with the figure's. (A mean over a few thousand pairs may pass the truth by chance, by a hundredth or so.)

# %% tags=["experiment"]
check.finished("contrastive", "info_nce")
topic.bound_table(info_nce, information=(1.0, 3.0, 6.0), seed=seed)

# %% [markdown]
# ## Exercise 7: soft nearest neighbour
#
# With labels, why only one positive? The **soft nearest neighbour loss** {cite}`frosst2019soft` asks: pick a
# neighbour of i by a softmax over $-\text{distance}/T$; with what chance is it of i's class?
#
# $$L = -\frac{1}{|A|} \sum_{i \in A} \log
# \frac{\sum_{j \ne i,\; y_j = y_i} e^{-\lVert x_i - x_j\rVert^2 / T}}{\sum_{k \ne i} e^{-\lVert x_i - x_k\rVert^2 / T}}$$
#
# A holds the anchors that have a positive; each batch has at least one. Write
# `soft_nearest_neighbor_loss(x, y, temperature)`. The temperature may be a tensor that is learned. The loss must be
# right at T = 0.001. You may call your own `pairwise_sq_dist`.
#
# *By hand:* x = 0, 1, 2 on a line with labels (0, 0, 1), T = 1. Anchor 0: $e^{-1}/(e^{-1} + e^{-4})$, anchor 1:
# 1/2; the third has no positive. L = (0.0486 + 0.6931)/2 = 0.3709.


# %% nbgrader={"grade": false, "grade_id": "soft_nearest_neighbor_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def soft_nearest_neighbor_loss(x, y, temperature):
    """The soft nearest neighbour loss (Frosst et al. 2019, arXiv:1902.01889).

    Args:
        x: embeddings, (B, D).
        y: labels, (B,).
        temperature: T, a positive number or tensor, in squared distance.

    Returns:
        Scalar tensor in nats, the mean over the anchors that have a positive.
    """
    # Scores without the diagonal, for anchors with a positive; mind what a small T does to exp.
    ### BEGIN SOLUTION
    same = (y[:, None] == y).fill_diagonal_(False)
    some = same.any(1)
    score = (-pairwise_sq_dist(x) / temperature).fill_diagonal_(-torch.inf)[some]
    near = score.masked_fill(~same[some], -torch.inf)
    return (score.logsumexp(1) - near.logsumexp(1)).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_soft_nearest_neighbor_loss", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("contrastive", "soft_nearest_neighbor_loss", points=5)
x = torch.tensor([[0.0, 0.2], [0.9, -0.1], [0.4, 1.0], [-0.5, 0.6], [1.3, 0.8], [0.1, -0.9]])
y = torch.tensor([0, 1, 0, 1, 0, 2])
with ex.check("the worked number", weight=2):
    points = torch.tensor([[0.0], [1.0], [2.0]])
    ex.value(soft_nearest_neighbor_loss(points, torch.tensor([0, 0, 1]), 1.0))
with ex.check("six points, two temperatures", weight=2):
    ex.value(soft_nearest_neighbor_loss(x, y, 1.0))
    ex.value(soft_nearest_neighbor_loss(x, y, 0.3))
with ex.check("the gradients in x and in the temperature", weight=2):
    leaf, T = x.clone().requires_grad_(), torch.tensor(0.5, requires_grad=True)
    loss = soft_nearest_neighbor_loss(leaf, y, T)
    ex.gradient(loss, leaf)
    ex.gradient(loss, T)
with ex.check("right at T = 0.001"):
    ex.value(soft_nearest_neighbor_loss(x, y, 0.001))
### BEGIN HIDDEN TESTS
with ex.hidden("other batches", weight=3, hint="Never the anchor itself; mean over anchors in A."):
    for labels, T in (((0, 0, 1, 1, 2, 0, 3), 0.7), ((1, 1, 1), 2.0), ((5, 5, 9, 8), 1.5)):
        x = torch.randn(len(labels), 3, generator=ex.fresh, dtype=torch.float64)
        terms = []
        for i, own in enumerate(labels):
            others = [j for j in range(len(labels)) if j != i]
            e = {j: math.exp(-float(((x[i] - x[j]) ** 2).sum()) / T) for j in others}
            good = sum(e[j] for j in others if labels[j] == own)
            if good:
                terms.append(-math.log(good / sum(e.values())))
        got = ex.unchanged(
            lambda *t, T=T: soft_nearest_neighbor_loss(*t, T), x, torch.tensor(labels)
        )
        ex.value(got, torch.tensor(sum(terms) / len(terms), dtype=torch.float64))
with ex.hidden("the gradient stays finite", weight=2, hint="Leave lonely anchors out early."):
    x = torch.randn(5, 3, generator=ex.fresh)
    x[1] = x[0]
    x.requires_grad_()
    loss = soft_nearest_neighbor_loss(x, torch.tensor([0, 0, 1, 1, 2]), 0.5)
    (slope,) = torch.autograd.grad(loss, x)
    ex.finite(slope)
    ex.value(slope.sum(0), torch.zeros(3))  # moving all points alike changes nothing
with ex.hidden("cold and hot", weight=2, hint="Use logsumexp, and mind what a hot T does."):
    x = torch.tensor([[0.0], [1.0], [-2.0], [5.0]])
    y = torch.tensor([0, 1, 0, 1])
    ex.value(soft_nearest_neighbor_loss(x, y, 1e-3), (3000 + 15000 + 0 + 0) / 4)
    ex.value(soft_nearest_neighbor_loss(x, y, 1e9), math.log(3))
with ex.hidden(
    "units, place and order do not matter", hint="T has the unit of a squared distance."
):
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    y = torch.tensor([-4, -4, 60])
    turn = torch.randperm(3, generator=ex.fresh)
    far = 1 + torch.rand(2, generator=ex.fresh, dtype=torch.float64)
    want = (math.log(1 + math.exp(-3.0)) + math.log(2)) / 2
    want = torch.tensor(want, dtype=torch.float64)
    ex.value(soft_nearest_neighbor_loss(3 * x[turn] + far, y[turn], 9.0), want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Temperature: who pulls whom?
#
# Both last losses share out their attention by a softmax, and the temperature says how unequally. A line's width is
# the softmax weight of a point seen from the anchor **a**: solid lines pull it, dashed ones push it away.
#
# 1. Cool the temperature down. How many points still matter? Heat it up: towards which number does the loss go,
#    and why?
# 2. Switch to *InfoNCE*, which sees no labels: one partner pulls, all others push. What happens to the other
#    points of the anchor's own class? They are called **false negatives**.

# %% tags=["figure"]
topic.pull_figure(temperature=0.5)

# %% [markdown]
# ## Experiment 1: digits nobody trained on
#
# The network sees 0 to 4 alone. To have more than five "people", each digit turned by a quarter, or mirrored,
# counts as a character of its own: 27 classes. Then it is asked about digits 5 to 9, slightly turned and shifted
# as a face before a camera is.
#
# - **verification**: are these two the same? At the *equal error rate* (EER), as many true pairs are refused as
#   false ones accepted; guessing gives 0.5.
# - **one label a class**: the class of the nearest of five known pictures.
# - **linear probe**: logistic regression on all labelled pictures of the unseen classes.
#
# The same network, batches and steps for all; each loss has one setting, chosen among digits 0 to 4 alone. The last
# row adds the classifier's loss to the one before. Predict: are a plain classifier's features the worst?

# %% tags=["experiment"]
check.finished("contrastive", "pairwise_sq_dist", "triplet_loss", "semi_hard_negatives")
check.finished("contrastive", "lifted_structure_loss", "info_nce", "soft_nearest_neighbor_loss")
steps = {"laptop": 300, "full": 4000}[scale]
parts = (triplet_loss, pairwise_sq_dist, semi_hard_negatives)
losses = {
    "triplet, semi-hard": topic.triplets(*parts, kind="semi-hard", margin=0.5, every=True),
    "lifted structured": topic.lifted(lifted_structure_loss, pairwise_sq_dist),
    "InfoNCE": topic.pairs(info_nce),
    "soft nearest, T learned": topic.LearnedTemperature(soft_nearest_neighbor_loss),
    "soft nearest": topic.nearest(soft_nearest_neighbor_loss),
}
spaces = topic.unseen_study(losses, steps=steps, seed=seed, device=device)
topic.embedding_table(spaces)

# %% tags=["experiment"]
topic.roc_picture([spaces[0], spaces[1], spaces[-2]])

# %% tags=["claim"]
for space in spaces:
    results.claim(f"EER, {space.name}", space.verdict.eer, unit="share", better="lower")
    results.claim(f"one label, {space.name}", space.verdict.one_label, better="higher")

# %% [markdown]
# All of them beat pixels in every recorded seed, none is near perfect, and **none wins clearly**: over five seeds their
# mean errors lie between 0.31 and 0.35, hardly further apart than one loss's seeds, and the plain classifier is among
# them. (A learned temperature helped in four seeds of five; the classifier's loss added nothing.) On photographs, with
# equal effort for all, the losses hardly differed either {cite}`musgrave2020reality`. FaceNet's 99.63 % on faces comes
# from 100 to 200 million pictures of about 8 million people.
#
# ## Experiment 2: easy, semi-hard, hard
#
# One loss, your `triplet_loss`, and four ways to choose the negative of a pair: at random, the furthest of the batch
# (easy), one of the semi-hard ones, the nearest of the batch (hard). Predict: which one fails most badly, and what
# would its loss be, in numbers? The margin is 0.5.

# %% tags=["experiment"]
check.finished("contrastive", "pairwise_sq_dist", "triplet_loss", "semi_hard_negatives")
kinds = {kind: topic.triplets(*parts, kind=kind, margin=0.5) for kind in topic.KINDS}
mined = topic.mining_study(kinds, steps=steps, seed=seed, device=device)
topic.mining_picture(mined)

# %% tags=["claim"]
for space in mined:
    results.claim(f"EER, {space.name} negatives", space.verdict.eer, better="lower")
results.claim("last loss, hard negatives", round(mined[-1].history.series["loss"][-1], 3))

# %% [markdown]
# The hardest negatives **collapse** the space: all pictures land nearly on one point, and the loss stands at the
# margin, 0.5. When every negative is nearer than the positive, shrinking all distances is the quickest way to a lower
# loss, and near a point the push has no slope left (first figure). The easy ones soon meet the margin and teach
# nothing more. Both end **worse than raw pixels**. Semi-hard ones beat random ones in each recorded seed. (One of
# them a pair also beat using all, as Experiment 1 did.)
#
# ## Experiment 3: no labels at all
#
# Two random views of one picture (turned, shifted, grainy) are a pair; the other pictures of the batch are the
# negatives {cite}`chen2020simclr`. Then the network is frozen, and a linear probe gets **five labels a class**, as it
# gets on pixels. Every batch size is given the same number of updates.

# %% tags=["experiment"]
check.finished("contrastive", "info_nce")
updates = {"laptop": 120, "full": 4000}[scale]
data = topic.askew_digits()
probes = topic.pixel_probes(data, seed=seed)
settings = {"seed": seed, "device": device}
by_batch = [
    topic.train_unlabelled(info_nce, data, batch=n, pictures=n * updates, **settings)
    for n in (4, 16, 64, 256)
]
topic.batch_picture(probes, by_batch)

# %% [markdown]
# A large batch has more negatives, but it also shows more pictures. The last row of the table gives N = 64 as many
# pictures as N = 256 had, hence four times the updates. Predict: what is left of the advantage?

# %% tags=["experiment"]
check.finished("contrastive", "info_nce")
longer = topic.train_unlabelled(
    info_nce, data, batch=64, pictures=256 * updates, name="InfoNCE, longer", **settings
)
topic.unlabelled_table(probes, [*by_batch, longer])

# %% tags=["claim"]
for name, accuracy in probes.items():
    results.claim(f"probe on {name}", accuracy, better="higher")
for found in by_batch:
    results.claim(f"probe, InfoNCE N = {found.batch}", found.accuracy, better="higher")
results.claim("probe, InfoNCE N = 64, as many pictures as 256", longer.accuracy, better="higher")

# %% [markdown]
# Nothing is left: at an equal number of *pictures* the smaller batch did better here, in each recorded seed; at an
# equal number of *updates* the larger one did. SimCLR saw it otherwise: at 100 epochs of ImageNet, equal pictures for
# all, large batches won clearly, and the gap shrank or vanished as training went on. So "large batches help" needs its
# unit, and its length of training.
#
# ## Experiment 4: words, by noise
#
# A small made language (81 words, seven sentence patterns). From a word, predict its neighbours, with the score
# $s(w \mid c) = u_w^\top v_c + b_w$. Three ways to train the same numbers: the full softmax over all words, your
# `nce_loss` with k = 8 noise words, and the same without the correction log(k q), which is the *negative sampling* of
# word2vec {cite}`mikolov2013distributed`.
#
# $\log Z$ is the log of the summed $e^{s}$: if the scores are true log-probabilities, it is 0. Predict for each of the
# three: is it?

# %% tags=["experiment"]
corpus = topic.made_corpus(seed=0)
topic.corpus_table(corpus)

# %% tags=["experiment"]
check.finished("contrastive", "nce_loss")
vectors = [
    topic.train_words(corpus, None, seed=seed, name="full softmax"),
    topic.train_words(corpus, nce_loss, seed=seed, name="NCE"),
    topic.train_words(corpus, nce_loss, correct=False, seed=seed, name="no correction"),
]
topic.word_table(vectors)

# %% tags=["claim"]
for found in vectors:
    results.claim(f"perplexity, {found.name}", found.perplexity, better="lower")
results.claim("mean log Z, NCE", vectors[1].log_z, unit="nats")

# %% [markdown]
# NCE reaches the softmax's perplexity to within 1 % with 9 scores a pair in place of 81, and log Z is near 0 on
# average, although nobody ever summed the scores. The softmax itself does not care for log Z: a constant added to all
# scores changes nothing there. Without the correction the scores are far from log-probabilities, also when a softmax
# normalises them: see the perplexity. Its vectors still find the word classes, as all three do (these classes are too
# clear to tell them apart). At 81 words the softmax is cheap and NCE saves no time; at a million it does.
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. The papers measure on other data
# (faces, photographs, real text), so their numbers do not belong in this table.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## Where it breaks
#
# Two views of one picture are called the same, *whatever you do to make them*. So the views decide what the
# space forgets. Turn the views by up to half a turn, and ask two questions of the space that the loss sees: which
# digit is it, and which way up does it stand (four positions; guessing gives 0.25)? Predict both.

# %% tags=["experiment"]
check.finished("contrastive", "info_nce")
gentle = topic.train_unlabelled(info_nce, data, batch=64, name="turned up to 15°", **settings)
wild = topic.train_unlabelled(
    info_nce, data, batch=64, turn=180.0, name="turned up to 180°", **settings
)
asked = topic.ask_twice([gentle, wild], data)
topic.turned_table(asked)

# %% tags=["claim"]
for name, (digit, way_up) in asked.items():
    results.claim(f"which digit?, {name}", digit, better="higher")
    results.claim(f"which way up?, {name}", way_up, better="higher")

# %% [markdown]
# The second space was told that a turned digit is the same thing. It knows a little less of how a digit stands, and far
# less of which digit it is: a 6 and a 9 became one thing. No loss and no batch size mends that: the labels that a contrastive loss does without hide in the
# choice of what counts as the same.
#
# ## What to remember
#
# - Pull the positive, push the negatives: the losses differ in *which* pairs of a batch count, and how much.
# - Negatives decide. Too easy teaches nothing, too hard collapses; semi-hard ones, or all of a batch at once, work.
# - NCE learns a law without its sum; InfoNCE cannot see more than log N nats of information.
#
# ## Further reading
#
# - The three losses on labelled batches: {cite}`schroff2015facenet,song2016lifted,frosst2019soft`.
# - Noise-contrastive estimation and its cousins: {cite}`gutmann2010nce,mnih2012fast,mikolov2013distributed`.
# - Predictive coding and views: {cite}`oord2018cpc,chen2020simclr`; the bound, looked at closely:
#   {cite}`poole2019variational`; a sceptical comparison of metric losses: {cite}`musgrave2020reality`.
