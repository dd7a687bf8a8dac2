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
#     needs: backpropagation, and what a singular value decomposition is
#     learn: translate between two languages without one translated sentence
# ---

# %% [markdown]
# # Unpaired translation: two texts and no dictionary
#
# **A question.** You get a shelf of books in English and another in French. No book is on both shelves, there is no
# dictionary, and nobody to ask. Can a machine learn to translate?
#
# Both shelves tell of one world. Whoever drives cars in one drives them in the other. That is enough: first lay
# the *words* of one language on those of the other, then let two translators teach each other.
#
# Our two languages are real, and small: sentences that we write by patterns, about a world in which we fix who does
# what. French adjectives agree with their noun, and some of them follow it.

# %% tags=["setup"]
import torch

from genssl_utils import unpaired_translation as topic
from genssl_utils.kit import check, results
from genssl_utils.kit.training import pick_device, seed_all

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
device = pick_device(device)
seed_all(seed)
results.begin("03_unpaired_translation", seed=seed, scale=scale)

# %% tags=["figure"]
sentences = {"laptop": 3000, "full": 30_000}[scale]
texts = topic.draw_texts(sentences, held_out=150, seed=seed)
topic.texts_table(texts)

# %% [markdown]
# ## Feel it first
#
# A word's vector says what company it keeps. Two languages about one world give two clouds of nearly the same
# shape, turned against each other {cite}`conneau2018word`. A **critic** is a function f that is high on one cloud
# and low on the other. The best smooth one is $f(z) = \overline{k(z, xW)} - \overline{k(z, y)}$, a bar for the mean
# and $k(a, b) = e^{-\lVert a - b\rVert^2 / 2\sigma^2}$ of width σ. It finds
#
# $$\overline{k(xW, xW)} + \overline{k(y, y)} - 2\,\overline{k(xW, y)},$$
#
# which is 0 when the clouds agree. The turn W goes downhill on that. Here 24 made-up words in a plane. Predict:
#
# 1. Turn by hand. How many rings light up at the right angle, and how many ten degrees off?
# 2. Turn it downhill from 140°. Does it arrive?
# 3. Set the width above 1.3, go back to 140° and press again. What is won, and what is lost?

# %% tags=["figure"]
topic.turn_figure()

# %% [markdown]
# What to notice: the right angle is the lowest place. A sharp critic has other valleys, and from 140° the cloud
# gets stuck in one. Above 1.3 there is one valley, and it arrives; but the valley is shallow, and ten degrees off
# costs almost nothing. So begin wide, grow sharp, try many starts, and have a criterion that judges an end without
# a dictionary.
#
# ## Exercise 1: the best turn
#
# Given some pairs of words, the turn has a closed form. Write `procrustes(x, y)` for `x` and `y` (N, D), row by row
# the vectors of a pair: the orthogonal matrix $W$ (D, D) that makes $\lVert x W - y\rVert$ smallest. With
# $x^\top y = U S V^\top$ it is $W = U V^\top$.
#
# *By hand:* x = ((1, 0), (0, 2)), y = ((0, 1), (−2, 0)): a quarter turn, W = ((0, 1), (−1, 0)).


# %% nbgrader={"grade": false, "grade_id": "procrustes", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def procrustes(x, y):
    """The orthogonal W with x W nearest to y (Schönemann 1966).

    Args:
        x: (N, D), float.
        y: (N, D), float; its row n belongs to row n of x.

    Returns:
        Tensor (D, D).
    """
    # torch.linalg.svd gives U, S and V already transposed.
    ### BEGIN SOLUTION
    u, _, v = torch.linalg.svd(x.T @ y)
    return u @ v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_procrustes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("unpaired_translation", "procrustes", points=2)
with ex.check("the worked number"):
    ex.value(
        procrustes(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, 1.0], [-2.0, 0.0]]))
    )
with ex.check("noisy pairs", weight=2):
    draw = check.generator(0)
    x, y = torch.randn(2, 9, 3, generator=draw) * torch.tensor([3.0, 1.0, 0.5])
    ex.value(ex.unchanged(procrustes, x.clone(), y.clone()))
### BEGIN HIDDEN TESTS
with ex.hidden("other noisy pairs", weight=3, hint="Which of the two is turned?"):
    from scipy.linalg import orthogonal_procrustes

    for n, d in ((12, 2), (30, 5)):
        a, b = torch.randn(2, n, d, generator=ex.fresh, dtype=torch.float64)
        want = torch.from_numpy(orthogonal_procrustes(a.numpy(), b.numpy())[0])
        ex.value(ex.unchanged(procrustes, a, b), want)
with ex.hidden("a known turn comes back", hint="x W should be y."):
    turn = torch.linalg.qr(torch.randn(4, 4, generator=ex.fresh, dtype=torch.float64))[0]
    a = torch.randn(20, 4, generator=ex.fresh, dtype=torch.float64)
    ex.value(procrustes(a, a @ turn), turn)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 2: no word is everybody's neighbour
#
# With many dimensions some words are near to everything: hubs. CSLS {cite}`conneau2018word` corrects the similarity
# $s_{ij}$ (the cosine) of words i and j by how near each is to its own neighbours in the other language:
#
# $$\mathrm{CSLS}_{ij} = 2 s_{ij} - r_i - c_j,$$
#
# where $r_i$ is the mean of the k largest of row i, and $c_j$ the mean of the k largest of column j. Write
# `csls(similarity, k)` for similarities (N, M).
#
# *By hand:* s = ((0.9, 0.5), (0.8, 0.1)), k = 1: rows give 0.9 and 0.8, columns 0.9 and 0.5. So the first entry is
# 1.8 − 0.9 − 0.9 = 0, and the last one 0.2 − 0.8 − 0.5 = −1.1.


# %% nbgrader={"grade": false, "grade_id": "csls", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def csls(similarity, k):
    """Similarity, corrected for hubs (Conneau et al. 2018, arXiv:1710.04087).

    Args:
        similarity: (N, M), float.
        k: how many neighbours, at most N and M.

    Returns:
        Tensor (N, M).
    """
    # topk(k, dim) gives values and places.
    ### BEGIN SOLUTION
    rows = similarity.topk(k, dim=1).values.mean(dim=1, keepdim=True)
    columns = similarity.topk(k, dim=0).values.mean(dim=0, keepdim=True)
    return 2 * similarity - rows - columns
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_csls", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("unpaired_translation", "csls", points=2)
with ex.check("the worked number"):
    ex.value(csls(torch.tensor([[0.9, 0.5], [0.8, 0.1]]), 1))
with ex.check("more words, two neighbours", weight=2):
    s = torch.rand(4, 5, generator=check.generator(0)) * 2 - 1
    ex.value(ex.unchanged(lambda t: csls(t, 2), s.clone()))
### BEGIN HIDDEN TESTS
with ex.hidden("other similarities", weight=3, hint="Two means: one a row, one a column."):
    import numpy as np

    for n, m, k in ((4, 7, 3), (6, 3, 2)):
        s = torch.rand(n, m, generator=ex.fresh, dtype=torch.float64) * 2 - 1
        low = np.sort(s.numpy(), axis=1)[:, -k:].mean(1)
        side = np.sort(s.numpy(), axis=0)[-k:].mean(0)
        want = torch.from_numpy(2 * s.numpy() - low[:, None] - side)
        ex.value(ex.unchanged(lambda t, k=k: csls(t, k), s), want)
with ex.hidden("equal similarities give zero", hint="2 s − s − s = 0."):
    ex.value(csls(torch.full((5, 3), 0.4), 2), torch.zeros(5, 3))
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment 1: a dictionary out of nothing
#
# Each language alone gives its vectors: a table of how much more often than by chance two words share a sentence,
# $M_{ij} = \max(0, \log p(i, j) / (p(i)\,p(j)))$, and its 15 main axes (25 for the final list). Then 48 random
# starts, each turned downhill; your two functions refine each, and a criterion, the mean CSLS of the best matches,
# picks one. With so few words, a network as the critic, as in the paper, wandered about and never settled. Ours may
# also see how *frequent* a word is. Predict: how much does that matter?

# %% tags=["experiment"]
check.finished("unpaired_translation", "procrustes", "csls")
english, french = topic.word_vectors(texts.first), topic.word_vectors(texts.second)
right = topic.dictionary("english", "french")
found = {
    "vectors": topic.align(english, french, procrustes, csls, frequency=False, seed=seed),
    "vectors and frequency": topic.align(english, french, procrustes, csls, seed=seed),
}
aligned = found["vectors and frequency"]
topic.alignment_table(found, right, "critic sees")

# %% tags=["figure"]
topic.restart_picture(aligned, right)

# %% [markdown]
# Most starts fail. That is fine if one goes right and one knows which. The criterion leans the right way, no more:
# the picked start need not be the best. Without frequency the critic gets lost here. The final list refines the
# picked one with longer vectors, and a pair pays a little for unequal frequency.
#
# Read off its share of right words. If half of it were wrong, so would be half of the words that the translator below
# begins with; it would have to find out from whole sentences.
#
# Thai is further off: adjectives follow their noun, there are no articles, and no word changes its form. Its text is
# our own, by the same world. Predict: harder or easier than French?

# %% tags=["experiment"]
check.finished("unpaired_translation", "procrustes", "csls")
in_thai = topic.draw_texts(sentences, languages=("english", "thai"), seed=seed)
to_thai = topic.align(
    topic.word_vectors(in_thai.first),
    topic.word_vectors(in_thai.second),
    procrustes,
    csls,
    seed=seed,
)
right_thai = topic.dictionary("english", "thai")
topic.thai_table(to_thai, right_thai)

# %% tags=["claim"]
alone = topic.right_share(found["vectors"], right)
results.claim(
    "right words, English–French", topic.right_share(aligned, right), unit="share", better="higher"
)
results.claim("right words, without frequency", alone, unit="share", better="higher")
results.claim(
    "right words, English–Thai",
    topic.right_share(to_thai, right_thai),
    unit="share",
    better="higher",
)
results.claim(
    "best restart minus the picked one",
    topic.shares_tried(aligned, right).max() - topic.shares_tried(aligned, right)[aligned.picked],
    unit="share",
)

# %% [markdown]
# ## Exercise 3: noise to rebuild from
#
# What came: in the recorded mean about as good as French, with larger differences from seed to seed.
#
# A translator that only copies learns nothing. So it must rebuild a sentence from a noisy copy
# {cite}`lample2018unsupervised`: words are dropped, and the rest move a little. Write
# `noise(tokens, p_drop, k, generator)` for `tokens` (T,), int64:
#
# 1. Keep each word with probability 1 − p_drop, each by itself.
# 2. Give the i-th of the kept words the key $i + u_i$, with $u_i$ uniform on [0, k + 1); sort by the keys. So no word
#    moves by more than k places.
#
# *By hand:* words (5, 6, 7) are all kept; k = 1, u = (1.5, 0.2, 0.1). Keys 1.5, 1.2, 2.1: the result is (6, 5, 7).


# %% nbgrader={"grade": false, "grade_id": "noise", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def noise(tokens, p_drop, k, generator):
    """Drop words, and shuffle the rest a little (Lample et al. 2018, section 2.3).

    Args:
        tokens: (T,), int64.
        p_drop: chance of each word to go, from 0 to 1.
        k: how many places a word may move, from 0.
        generator: the source of randomness.

    Returns:
        Tensor (S,), int64, with S at most T.
    """
    # torch.rand(n, generator=generator) twice: once to drop, once for the keys.
    ### BEGIN SOLUTION
    kept = tokens[torch.rand(len(tokens), generator=generator) >= p_drop]
    keys = torch.arange(len(kept)) + (k + 1) * torch.rand(len(kept), generator=generator)
    return kept[keys.argsort()]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_noise", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("unpaired_translation", "noise", points=4)
with ex.check("no noise leaves the sentence", weight=1):
    words = torch.tensor([9, 4, 4, 7, 30])
    want = torch.tensor([9, 4, 4, 7, 30])
    ex.value(ex.unchanged(lambda t: noise(t, 0.0, 0, check.generator(0)), words), want)
with ex.check("how often two neighbours swap", weight=2):
    draw = check.generator(1)
    made = [noise(torch.tensor([0, 1]), 0.0, 2, draw) for _ in range(800)]
    ex.true(all(len(m) == 2 for m in made), "A word was lost although p_drop is 0.")
    ex.frequencies(torch.stack(made)[:, 0], torch.tensor([7 / 9, 2 / 9]), 800)
with ex.check("how many words stay", weight=2):
    draw = check.generator(2)
    kept = [noise(torch.arange(1, 3), 0.3, 0, draw) for _ in range(800)]
    ex.true(not any((m == 0).any() for m in kept), "A 0 is left where a word was dropped.")
    many = torch.tensor([len(m) for m in kept])
    ex.frequencies(many, torch.tensor([0.09, 0.42, 0.49]), 800)
with ex.check("sorted by the keys, not the inverse of it"):
    draw = check.generator(3)
    made = torch.stack([noise(torch.arange(60), 0.0, 2, draw) for _ in range(60)])
    early = int(torch.triu(made[:, :, None] - made[:, None], 1).max())
    ex.true(early <= 2, f"A word stands before one that began {early} places ahead; k is 2.")
with ex.check("two words left of twenty, in order or swapped", weight=2):
    draw = check.generator(4)
    made = [noise(torch.arange(20), 0.9, 1, draw) for _ in range(800)]
    seen = [int(m[0] > m[1]) if len(m) == 2 else 2 for m in made]
    ex.frequencies(torch.tensor(seen), torch.tensor([0.2495, 0.0356, 0.7148]), 800)
with ex.check("same seed, same result"):
    one, two = (noise(torch.arange(60), 0.2, 3, check.generator(5)).tolist() for _ in range(2))
    ex.true(one == two, "Two generators with one seed gave two results.")
### BEGIN HIDDEN TESTS
with ex.hidden(
    "no word moves further than allowed", weight=2, hint="The keys go from i to i + k + 1."
):
    for k in (1, 2, 4):
        whole = torch.arange(40)
        far = max(
            int((noise(whole.clone(), 0.0, k, ex.fresh) - whole).abs().max()) for _ in range(60)
        )
        ex.true(far == k, "The furthest move of many is not k.")
with ex.hidden("a longer sentence loses its share", weight=2, hint="p_drop is the chance to go."):
    many = [len(noise(torch.arange(3), 0.2, 2, ex.fresh)) for _ in range(800)]
    ex.frequencies(torch.tensor(many), torch.tensor([0.008, 0.096, 0.384, 0.512]), 800)
with ex.hidden(
    "one generator, one result", weight=1, hint="Draw from the generator that you are given."
):
    words = torch.arange(60)
    once = noise(words.clone(), 0.2, 3, check.generator(5))
    kept = noise(words.clone(), 0.5, 0, check.generator(6))
    ex.value(noise(words.clone(), 0.2, 3, check.generator(5)), once)
    ex.value(noise(words.clone(), 0.5, 0, check.generator(6)), kept)
with ex.hidden("no order that keys cannot give", hint="Sort by the keys: kept[keys.argsort()]."):
    made = torch.stack([noise(torch.arange(50), 0.0, 3, ex.fresh) for _ in range(80)])
    early = torch.triu(made[:, :, None] - made[:, None], 1).max()
    ex.true(early <= 3, "An order came out that no keys give.")
with ex.hidden("two words left of twelve", weight=2, hint="Count places among the kept words."):
    made = [noise(torch.arange(12), 0.8, 3, ex.fresh) for _ in range(800)]
    seen = [int(m[0] > m[1]) if len(m) == 2 else 2 for m in made]
    two = 66 * 0.04 * 0.8**10
    want = torch.tensor([two * 23 / 32, two * 9 / 32, 1 - two])
    ex.frequencies(torch.tensor(seen), want, 800)
with ex.hidden("the words are the sentence's own", weight=1, hint="Return words, not places."):
    words = torch.randperm(900, generator=ex.fresh)[:12] + 50
    want = words.sort().values
    ex.value(noise(words, 0.0, 3, ex.fresh).sort().values, want)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 4: one room for two languages
#
# One encoder reads both languages. The decoder learns to speak English mostly from states of English sentences. If
# states of French ones look the same, it can speak English from them, too. So a critic, here a network, guesses the
# language from the encoder's mean state: its logit $\ell$ is that of language 1. The encoder wants the critic to say the *other* one, and pays
# $-\log p(\text{other language})$, the mean over the batch. Write `latent_adversarial_loss(logits, language)` for
# `logits` (B,) and `language` (B,), 0 or 1. It must stay finite at logits of ±1000.
#
# *By hand:* logits (0, log 3), languages (0, 1). p(language 1) is ½ and ¾, so p(other) is ½ and ¼: the loss is
# (log 2 + log 4) / 2 = 1.0397.


# %% nbgrader={"grade": false, "grade_id": "latent_adversarial_loss", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def latent_adversarial_loss(logits, language):
    """What the encoder pays for a latent that tells its language (Lample et al. 2018, eq. 3).

    Args:
        logits: the critic's logits of language 1, (B,), float.
        language: the true languages, (B,), 0 or 1, int64.

    Returns:
        Scalar tensor, in nats.
    """
    # softplus(x) = log(1 + e^x), without overflow.
    ### BEGIN SOLUTION
    sign = 2.0 * language - 1
    return torch.nn.functional.softplus(sign * logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_latent_adversarial_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("unpaired_translation", "latent_adversarial_loss", points=3)
with ex.check("the worked number"):
    ex.value(latent_adversarial_loss(torch.tensor([0.0, 1.0986123]), torch.tensor([0, 1])))
with ex.check("a larger batch, and its slope", weight=2):
    logits = torch.tensor([2.0, -1.0, 0.5, 3.0, -2.5], requires_grad=True)
    loss = latent_adversarial_loss(logits, torch.tensor([1, 0, 0, 1, 1]))
    ex.value(loss)
    ex.gradient(loss, logits)
with ex.check("logits far out"):
    ex.value(latent_adversarial_loss(torch.tensor([1000.0, -1000.0]), torch.tensor([1, 1])))
### BEGIN HIDDEN TESTS
with ex.hidden(
    "other batches", weight=3, hint="−log p of the other language, the mean of the batch."
):
    import math

    for n in (3, 8):
        logits = torch.randn(n, generator=ex.fresh, dtype=torch.float64) * 2
        language = torch.randint(2, (n,), generator=ex.fresh)
        chance = [1 / (1 + math.exp(-v)) for v in logits.tolist()]
        paid = [-math.log(1 - p if s else p) for p, s in zip(chance, language.tolist())]
        got = ex.unchanged(latent_adversarial_loss, logits, language)
        ex.value(got, torch.tensor(sum(paid) / n, dtype=torch.float64))
with ex.hidden(
    "the slope elsewhere", hint="Where the critic is right, the logit should fall or rise?"
):
    logits = torch.randn(4, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    slope = (1 - torch.sigmoid(-logits.detach())) / 4
    ex.gradient(latent_adversarial_loss(logits, torch.ones(4, dtype=torch.int64)), logits, slope)
with ex.hidden("far out on the other side", hint="Do not take the log of a rounded 0."):
    ex.value(latent_adversarial_loss(torch.tensor([-1000.0, 400.0]), torch.tensor([0, 0])), 500.0)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Exercise 5: let the other direction write the exercise book
#
# To learn French → English you need French sentences with true English answers. You have English ones. So translate
# *them* into French, badly, and learn to find the way back: the made sentence is the **source**, the true one the
# **target**. Write `back_translate_batch(translate, corrupt, batch)`:
#
# - `batch`: true sentences, (B, T), int64; `translate`: (B, T) → (B, S), and `corrupt`: (B, S) → (B, S), functions;
# - return `(sources, targets)`: the corrupted translations of the batch, and the true batch. The number 0 is no word:
#   leave out, in both, the rows whose source has no word at all.
#
# *By hand:* translate adds 10, corrupt doubles, batch = ((1, 2)): sources ((22, 24)), targets ((1, 2)).


# %% nbgrader={"grade": false, "grade_id": "back_translate_batch", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def back_translate_batch(translate, corrupt, batch):
    """Sources that we made and targets that are true (Sennrich et al. 2016; Lample et al. 2018).

    Args:
        translate: (B, T) → (B, S): translate into the other language.
        corrupt: (B, S) → (B, S): add noise.
        batch: true sentences, (B, T), int64.

    Returns:
        Two tensors: sources (B, S) and targets (B, T).
    """
    # What is noisy, what is true? Then choose rows with a mask of booleans.
    ### BEGIN SOLUTION
    sources = corrupt(translate(batch))
    told = (sources > 0).any(dim=1)
    return sources[told], batch[told]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_back_translate_batch", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("unpaired_translation", "back_translate_batch", points=2)
with ex.check("the worked number", weight=2):
    got = back_translate_batch(lambda t: t + 10, lambda t: 2 * t, torch.tensor([[1, 2]]))
    sources, targets = ex.parts(got, "sources, targets")
    ex.value(sources, what="sources")
    ex.value(targets, what="targets")
with ex.check("a source without a word", weight=2):
    batch = torch.tensor([[3, 3], [5, 3], [1, 9]])
    got = back_translate_batch(lambda t: (t - 3).clamp(min=0), lambda t: 3 * t, batch)
    sources, targets = ex.parts(got, "sources, targets")
    ex.value(sources, what="sources")
    ex.value(targets, what="targets")
### BEGIN HIDDEN TESTS
with ex.hidden(
    "other functions", weight=3, hint="Translate first, then add noise, to the source alone."
):
    for width in (3, 6):
        batch = torch.randint(1, 50, (4, width), generator=ex.fresh)
        want, true = (batch.flip(1) * 3 + 1) % 41 + 1, batch.clone()
        got = back_translate_batch(lambda t: t.flip(1) * 3 + 1, lambda t: t % 41 + 1, batch)
        sources, targets = ex.parts(got, "sources, targets")
        ex.value(sources, want)
        ex.value(targets, true)
with ex.hidden(
    "rows that the noise emptied", weight=2, hint="A row goes when all of its source is 0."
):
    batch = torch.randint(1, 9, (12, 3), generator=ex.fresh)
    batch[:5, 1:] = 0
    batch[2] = torch.tensor([0, 0, 1])
    emptied = [i for i, row in enumerate(batch.tolist()) if row[1:] == [0, 0]]
    rows = [i for i in range(12) if i not in emptied]
    want, true = batch[rows].clone(), batch[rows].clone()
    want[:, 0] = 0
    got = back_translate_batch(lambda t: t.clone(), lambda t: t * torch.tensor([0, 1, 1]), batch)
    sources, targets = ex.parts(got, "sources, targets")
    ex.value(sources, want)
    ex.value(targets, true)
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# ## Experiment 2: translate
#
# One encoder and one decoder, begun with the aligned words. In each iteration the last translator (at first: word by
# word) translates both texts. The network then pays for true sentences, rebuilt from noisy copies and from these
# translations, plus 0.3 × your adversarial loss; then the critic steps on its own cross-entropy. Sentences are short
# and order matters: words move by 1 place, 5 % go (paper: 3, 10 %).
#
# **BLEU** counts how many runs of one to four words a translation shares with the right one: 100 is identical, 0
# nothing shared; short outputs are punished.
#
# Beside it: the word list; reordered by a language model (counts of three words in a row; neighbours swap while that
# gets likelier); reordered by an oracle that sees the answer, the most that order alone can give; the network trained
# on pairs. Predict: which will the third iteration beat?

# %% tags=["experiment"]
check.finished("unpaired_translation", "procrustes", "csls", "noise")
check.finished("unpaired_translation", "latent_adversarial_loss", "back_translate_batch")
vocabulary = topic.Vocabulary(texts)
steps = {"laptop": 120, "full": 3000}[scale]
network, seen = topic.learn_without_pairs(
    texts,
    vocabulary,
    aligned,
    noise,
    latent_adversarial_loss,
    back_translate_batch,
    steps=steps,
    seed=seed,
    watch=topic.watcher(texts),
    device=device,
)
taught = topic.learn_from_pairs(texts, vocabulary, steps=2 * steps, seed=seed, device=device)
scores = {"supervised": topic.both_ways(texts, taught.say)} | topic.lexicon_systems(texts, aligned)
for number in (1, 2, 3):
    last = topic.of_iteration(seen, number)
    scores[f"iteration {number}"] = (last["forth"], last["back"])
topic.bleu_table(scores)

# %% tags=["figure"]
french_side = [pair[1] for pair in texts.test]
topic.examples_table(
    texts, topic.word_by_word(aligned.lexicon(backwards=True), french_side), network
)

# %% tags=["claim"]
for name, both in scores.items():
    for way, value, paper in zip(("en → fr", "fr → en"), both, topic.PAPER[name]):
        source = "Lample 2018, table 2, Multi30k" if paper else None
        results.claim(f"BLEU {way}, {name}", value, paper=paper, source=source, better="higher")

# %% [markdown]
# What came: in the recorded means the third iteration beats the three that use the word list, and not the pairs.
#
# The paper's data are captions of photographs, with 10 000 words; ours are patterns with about 70. So the levels
# differ: compare the order of the rows in the recorded means, not the numbers.
#
# ## Which moment to stop at, without pairs?
#
# Nobody can look at true BLEU in real life. The paper's criterion: translate there and back, and compare with where
# you began. Predict: does it follow the truth?

# %% tags=["experiment"]
topic.round_trip_picture(seen)

# %% tags=["claim"]
results.claim("correlation of the round trip with true BLEU", topic.agreement(seen))
chosen = max(seen, key=lambda row: row["round trip"])
results.claim(
    "BLEU, mean of both ways, where the round trip is best",
    (chosen["forth"] + chosen["back"]) / 2,
    better="higher",
)
results.claim(
    "BLEU, mean of both ways, at the best moment",
    max((r["forth"] + r["back"]) / 2 for r in seen),
    better="higher",
)

# %% [markdown]
# What came: the two curves rise and fall together, but the round trip lies higher.
#
# A round trip flatters the level, and only ranks moments: a wrong word costs nothing where it is turned back on the
# way home. Call every cat a dog, and every dog a cat on the way back, and you arrive where you began.
#
# ## Where it breaks
#
# It all hangs on *one* world. Let the French text tell of another, with the same words and other habits.

# %% tags=["experiment"]
check.finished("unpaired_translation", "procrustes", "csls")
apart = topic.draw_texts(sentences, seed=seed, worlds=(0, 1))
lost = topic.align(
    topic.word_vectors(apart.first),
    topic.word_vectors(apart.second),
    procrustes,
    csls,
    seed=seed,
)
topic.alignment_table({"one world": aligned, "two worlds": lost}, right, "texts")

# %% tags=["claim"]
results.claim("right words, two worlds", topic.right_share(lost, right), unit="share")
results.claim("criterion, one world", aligned.criterion.max())
results.claim("criterion, two worlds", lost.criterion.max())

# %% [markdown]
# As many starts as before. The criterion is lower than for one world; but without a second text to compare with, a
# value alone tells little.
#
# ## What came out
#
# Your run (one seed) beside the mean ± standard deviation of the recorded seeds.

# %% tags=["claim"]
results.table()

# %% [markdown]
# ## What to remember
#
# - Two languages about one world give word clouds of nearly one shape: turn one until no critic tells them apart.
# - Most starts fail. Make many, and pick by a criterion that needs no dictionary; it leans the right way, no more.
# - Back-translation turns text into pairs: the made side is the source, the true side the target.
#
# ## Further reading
#
# - Words: {cite}`conneau2018word`. Sentences: {cite}`lample2018unsupervised`, and at the same time {cite}`artetxe2018unsupervised`.
# - The kernel critic: {cite}`li2017mmd`. BLEU that can be compared: {cite}`post2018call`.
# - When it fails: {cite}`sogaard2018limitations`.
