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
#     hours: 1.0
#     after: []
#     needs: convolutions and backpropagation
#     learn: fill a hole in a picture so that nobody sees it, and measure what that costs
# ---

# %% [markdown]
# # Conditional GANs: missing pieces
#
# **A question.** A patch of a photograph is gone. What was there? Nobody can know: many stones would fit. Which one do
# you draw?
#
# Below: patches of two photographs of the ground, of the part that no network will train on.

# %% tags=["setup"]
import torch

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
topic.grounds_picture()

# %% [markdown]
# ## Missing pieces: feel it first
#
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
# ## Exercise: put the piece in
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
        image = torch.randn(4, colours, 5, 6, generator=ex.fresh, dtype=torch.float64)
        painted = torch.randn(4, colours, 5, 6, generator=ex.fresh, dtype=torch.float64)
        mask = (torch.rand(4, 1, 5, 6, generator=ex.fresh) < 0.4).double()
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
# ## Exercise: an error in the hole alone
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
        image, painted = torch.randn(2, 4, colours, 5, 6, generator=ex.fresh, dtype=torch.float64)
        mask = (torch.rand(4, 1, 5, 6, generator=ex.fresh) < 0.4).double()
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
with ex.hidden("no hole again, in float64", hint="Then the answer is 0, and no nan."):
    fill = torch.rand(2, 3, 4, 4, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    image = torch.rand(2, 3, 4, 4, generator=ex.fresh, dtype=torch.float64)
    nothing = torch.zeros(2, 1, 4, 4, dtype=torch.float64)
    loss = masked_loss(fill, image, nothing)
    ex.value(loss, torch.tensor(0.0, dtype=torch.float64))
    ex.gradient(loss, fill, torch.zeros(2, 3, 4, 4, dtype=torch.float64))
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

# %% tags=["setup"]
# TEMPORARY: these two are exercises of the part on captions.
from torch.nn.functional import softplus


def discriminator_loss(real_logits, fake_logits):
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits):
    return softplus(-fake_logits).mean()


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
answers = topic.CompletionAnswers(composite, masked_loss, discriminator_loss, generator_loss)
seen = topic.patches({"laptop": 3000, "full": 30_000}[scale], seed=seed).to(device)
new = topic.patches(200, held_out=True, seed=seed).to(device)
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
# *Neither* has the smallest error, and its holes are fog: hardly rough at all, and far from true patches. Its *seam* is no
# larger than the true one, for fog beside a stone is a softer step than stone beside stone. Every adversary pays with a
# larger error for fills that look like ground.
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
path = [topic.between(plain, filled[-1], share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
on_path = topic.judge_fills(path, new, answers, seed=seed)
topic.filled_table(on_path)

# %% tags=["claim"]
halfway = on_path["0.5 of the way"]
results.claim("masked error, halfway", halfway.error)
results.claim("roughness over the true one, halfway", halfway.roughness)

# %% [markdown]
# ## Where it breaks
#
# Your networks have seen grass and gravel, and never a wall. Predict: what do *neither* and *both* put into brick?

# %% tags=["experiment"]
check.finished("conditional_gans", "composite", "masked_loss")
walls = topic.patches(200, held_out=True, names=("brick",), seed=seed).to(device)
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
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds. Iizuka et al. judged by showing
# pictures to people, so no number of theirs stands here.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - A squared error asks for the mean of all answers. Where there are many, the mean is none of them.
# - An adversary makes fills that look right, and pays in masked error. Report both kinds of number.
# - The known part of the picture goes through untouched, and the loss counts in the hole alone.
#
# ## Further reading
#
# - Completion with a global and a local discriminator: {cite}`iizuka2017globally`; before it, context encoders:
#   {cite}`pathak2016context`.
# - Mixing the weights of two networks: {cite}`wang2018esrgan`, section 3.4.
