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
#     hours: 0.6
#     after: []
#     needs: a convolution, backpropagation, and what a GAN is
#     learn: enlarge a photograph, and say why the best score is not the best picture
# ---

# %% [markdown]
# # Conditional GANs: generating X from Y

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
full = scale == "full"

# %% tags=["setup"]
# TEMPORARY: in the whole unit these two are exercises of the first part.


def discriminator_loss(real_logits, fake_logits):
    softplus = torch.nn.functional.softplus
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits):
    return torch.nn.functional.softplus(-fake_logits).mean()


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
# ## Exercise: turn channels into pixels
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
    ex.value(pixel_shuffle(torch.arange(36.0).reshape(1, 18, 2, 1), 3))
with ex.check("a gradient goes back to its channel"):
    x = torch.arange(32.0).reshape(1, 8, 2, 2).requires_grad_()
    ex.gradient((pixel_shuffle(x, 2) * torch.arange(32.0).reshape(1, 2, 4, 4)).sum(), x)
### BEGIN HIDDEN TESTS
with ex.hidden(
    "beside torch's own, on other sizes", weight=3, hint="Follow each index of the formula."
):
    for n, c, r, h, w in ((1, 1, 2, 5, 4), (3, 2, 3, 2, 4), (2, 3, 4, 3, 1)):
        x = torch.randn(n, c * r * r, h, w, generator=ex.fresh, dtype=torch.float64)
        want = torch.nn.functional.pixel_shuffle(x, r)
        ex.value(ex.unchanged(lambda x, r=r: pixel_shuffle(x, r), x), want)
with ex.hidden("pixel by pixel", weight=2, hint="The block of a pixel holds its own channels."):
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
    x = torch.randn(1, 18, 2, 3, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(1, 2, 6, 9, generator=ex.fresh, dtype=torch.float64)
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
# photograph, and four ways to spoil it that cost *exactly* the same PSNR. Put them in order before you read on:
# which one looks most wrong?

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
# and pays half as much. This holds for all pictures. If $x$ is the truth behind the small picture $y$, and
# $\hat x$ another draw from everything that fits $y$, then
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
check.finished("conditional_gans", "pixel_shuffle")
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
# SSIM call bicubic about as good, or better. But in flat places there is a fine grid that no camera made.
#
# Which of the two new losses did it? Run the training again with `adversary=0.0`. Here nearly all of the gain in distance
# is the features'; the adversary adds detail, and costs PSNR.
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
# gain likewise; smooth ones, the moon say, gain nothing and can lose more than 3 dB: that is the price for a perfect
# sampler, and this is none.
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
# ## Where it breaks
#
# The detail is invented: likely, not true. A printed page shows it best. In the small picture a letter is about
# two pixels high. Read what the networks make of it.

# %% tags=["experiment"]
check.finished("conditional_gans", "pixel_shuffle")
topic.letters_picture(on_error, with_adversary)

# %% [markdown]
# The strokes get sharper, and the number no clearer. A larger network would write *clean* digits, and some of them would
# be the wrong ones. So never take a licence plate, a face or a cell from such a picture as evidence.
#
# ## What came out
#
# Your run beside the recorded seeds. (SRGAN's own numbers are for other photographs, in colour; so they do not stand here.)

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - The squared error asks for the mean of all that is possible, and that mean is a blur.
# - A perfect sampler loses 3 dB of PSNR against that mean; measure looks by features that no training saw.
# - What is added beyond the mean is invented; take each loss away in turn to see which one adds it.
#
# ## Further reading
#
# - Super-resolution with an adversary: {cite}`ledig2017photo`; its successor: {cite}`wang2018esrgan`.
# - Channels into pixels: {cite}`shi2016real`. Features as a measure: {cite}`zhang2018unreasonable`.
# - Why accuracy and looks pull apart, with the proof: {cite}`blau2018perception`.
