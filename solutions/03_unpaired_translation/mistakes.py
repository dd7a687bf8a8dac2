"""What students write for the exercises of 03_unpaired_translation: wrong, or right and unusual."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.linalg import orthogonal_procrustes

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- procrustes ---------------------------------------------------------------------------------


@oracle("procrustes")
def by_scipy(x, y):
    return torch.from_numpy(orthogonal_procrustes(x.double().numpy(), y.double().numpy())[0]).to(x)


@mistake("procrustes", "This turns y onto x. The matrix that turns x is its transpose.")
def the_other_way(x, y):
    u, _, vh = torch.linalg.svd(y.T @ x)
    return u @ vh


@mistake("procrustes", "linalg.svd gives V transposed already: you transposed it again.")
def transposed_twice(x, y):
    u, _, vh = torch.linalg.svd(x.T @ y)
    return u @ vh.T


@mistake("procrustes", "The singular values are still in it: the result stretches. Leave S out.")
def stretched(x, y):
    return x.T @ y


@mistake(
    "procrustes", "This is least squares, which may stretch. An orthogonal matrix is asked for."
)
def least_squares(x, y):
    return torch.linalg.lstsq(x, y, driver="gelsd").solution


@mistake("procrustes", "You centre the clouds first. The statement moves nothing.")
def centred(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    u, _, vh = torch.linalg.svd(x.T @ y)
    return u @ vh


@mistake("procrustes", "You allow only rotations. A mirror is orthogonal, too, and may fit better.")
def no_mirror(x, y):
    u, _, vh = torch.linalg.svd(x.T @ y)
    flip = torch.ones(len(u)).to(u)
    flip[-1] = torch.sign(torch.linalg.det(u @ vh))
    return (u * -flip.abs()) @ vh if flip[-1] > 0 else (u * flip) @ vh


@variant("procrustes")
def by_the_square_root(x, y):
    m = (x.T @ y).double()
    values, vectors = torch.linalg.eigh(m.T @ m)
    return (m @ (vectors / values.sqrt()) @ vectors.T).to(x)


@variant("procrustes")
def with_numpy(x, y):
    u, _, vh = np.linalg.svd(x.numpy().T @ y.numpy())
    return torch.from_numpy(u @ vh)


# --- csls ---------------------------------------------------------------------------------------


def _means(s, k):
    rows = s.sort(1, descending=True).values[:, :k].mean(1, keepdim=True)
    columns = s.sort(0, descending=True).values[:k].mean(0, keepdim=True)
    return rows, columns


@oracle("csls")
def by_loops(similarity, k):
    s = similarity.tolist()
    rows = [sum(sorted(row)[-k:]) / k for row in s]
    columns = [sum(sorted(column)[-k:]) / k for column in zip(*s, strict=True)]
    out = [
        [2 * v - r - c for v, c in zip(row, columns, strict=True)]
        for row, r in zip(s, rows, strict=True)
    ]
    return torch.tensor(out, dtype=similarity.dtype)


@mistake("csls", "The similarity itself counts twice: 2 s.")
def once(similarity, k):
    rows, columns = _means(similarity, k)
    return similarity - rows - columns


@mistake("csls", "Only the rows are corrected. A hub is a column that is near to every row.")
def rows_only(similarity, k):
    rows, _ = _means(similarity, k)
    return 2 * similarity - rows


@mistake("csls", "Only the columns are corrected. Do the same for the rows.")
def columns_only(similarity, k):
    _, columns = _means(similarity, k)
    return 2 * similarity - columns


@mistake("csls", "You take the mean of all neighbours. Only the k nearest count.")
def all_neighbours(similarity, k):
    return 2 * similarity - similarity.mean(1, keepdim=True) - similarity.mean(0, keepdim=True)


@mistake("csls", "You take the k smallest. The nearest neighbours have the largest similarity.")
def furthest(similarity, k):
    rows, columns = _means(-similarity, k)
    return 2 * similarity + rows + columns


@mistake("csls", "You add the k nearest and do not divide by k.")
def summed(similarity, k):
    rows, columns = _means(similarity, k)
    return 2 * similarity - k * rows - k * columns if k > 1 else 2 * similarity - rows - columns


@mistake("csls", "The rows' means are spread along the wrong axis: keep them as a column (N, 1).")
def rows_without_keepdim(similarity, k):
    rows, columns = _means(similarity, k)
    flat = rows[:, 0]
    return 2 * similarity - flat - columns


@mistake("csls", "You take the k-th largest alone. The mean of the k largest is asked for.")
def kth_alone(similarity, k):
    rows = similarity.sort(1, descending=True).values[:, k - 1 : k]
    columns = similarity.sort(0, descending=True).values[k - 1 : k]
    return 2 * similarity - rows - columns


@mistake("csls", "You take the largest alone. The mean of the k largest is asked for.")
def largest_alone(similarity, k):
    return 2 * similarity - similarity.amax(1, keepdim=True) - similarity.amax(0, keepdim=True)


@variant("csls")
def by_sorting(similarity, k):
    rows, columns = _means(similarity, k)
    return (similarity - rows) + (similarity - columns)


@variant("csls")
def transposed_and_back(similarity, k):
    rows = similarity.T.topk(k, 0)[0].sum(0) / k
    columns = similarity.T.topk(k, 1)[0].sum(1) / k
    return 2 * similarity - rows[:, None] - columns


# --- noise --------------------------------------------------------------------------------------


def _keep(tokens, p_drop, generator):
    return tokens[torch.rand(len(tokens), generator=generator) >= p_drop]


def _by_keys(tokens, reach, generator):
    keys = torch.arange(len(tokens)) + reach * torch.rand(len(tokens), generator=generator)
    return tokens[keys.argsort()]


@mistake("noise", "You keep what should be dropped: p_drop is the chance to go.")
def kept_and_dropped_swapped(tokens, p_drop, k, generator):
    kept = tokens[torch.rand(len(tokens), generator=generator) < p_drop]
    return _by_keys(kept, k + 1, generator)


@mistake(
    "noise", "Too few words swap: u is uniform on [0, k + 1), not on [0, k), and no whole number."
)
def reach_too_short(tokens, p_drop, k, generator):
    return _by_keys(_keep(tokens, p_drop, generator), k, generator)


@mistake("noise", "You shuffle the whole sentence. Words may move by at most k places.")
def full_shuffle(tokens, p_drop, k, generator):
    kept = _keep(tokens, p_drop, generator)
    return kept[torch.randperm(len(kept), generator=generator)] if k else kept


@mistake(
    "noise",
    "Nothing moves: sort the kept words by their keys, and draw for each word a u of its own.",
)
def never_shuffled(tokens, p_drop, k, generator):
    return _keep(tokens, p_drop, generator)


@mistake("noise", "You drop nothing. Each word goes with probability p_drop.")
def never_dropped(tokens, p_drop, k, generator):
    return _by_keys(tokens, k + 1, generator)


@mistake("noise", "One draw decides for the whole sentence. Each word has its own.")
def all_or_none(tokens, p_drop, k, generator):
    gone = bool(torch.rand(1, generator=generator) < p_drop)
    return _by_keys(tokens[:0] if gone else tokens, k + 1, generator)


@mistake("noise", "You return the places of the words, not the words.")
def places(tokens, p_drop, k, generator):
    kept = _keep(tokens, p_drop, generator)
    return _by_keys(torch.arange(len(kept)), k + 1, generator)


@mistake("noise", "A dropped word became 0. Leave it out, so that the sentence gets shorter.")
def dropped_to_zero(tokens, p_drop, k, generator):
    stay = torch.rand(len(tokens), generator=generator) >= p_drop
    return _by_keys(tokens * stay, k + 1, generator)


@mistake(
    "noise",
    "This is the inverse of the order: the places that argsort gives are what you index by.",
)
def inverse_order(tokens, p_drop, k, generator):
    kept = _keep(tokens, p_drop, generator)
    keys = torch.arange(len(kept)) + (k + 1) * torch.rand(len(kept), generator=generator)
    return kept[keys.argsort().argsort()]


@mistake(
    "noise", "The keys count from the old places. Count i among the kept words, after dropping."
)
def old_places(tokens, p_drop, k, generator):
    stay = torch.rand(len(tokens), generator=generator) >= p_drop
    keys = torch.arange(len(tokens)) + (k + 1) * torch.rand(len(tokens), generator=generator)
    return tokens[stay][keys[stay].argsort()]


@mistake(
    "noise", "You draw from torch's own noise. Give torch.rand the generator that you are given."
)
def generator_ignored(tokens, p_drop, k, generator):
    kept = tokens[torch.rand(len(tokens)) >= p_drop]
    return kept[(torch.arange(len(kept)) + (k + 1) * torch.rand(len(kept))).argsort()]


@variant("noise")
def with_a_list(tokens, p_drop, k, generator):
    kept = [w for w in tokens.tolist() if float(torch.rand(1, generator=generator)) >= p_drop]
    keys = [i + (k + 1) * float(torch.rand(1, generator=generator)) for i in range(len(kept))]
    order = sorted(range(len(kept)), key=keys.__getitem__)
    return torch.tensor([kept[i] for i in order], dtype=torch.int64)


@variant("noise")
def with_bernoulli(tokens, p_drop, k, generator):
    stay = torch.bernoulli(torch.full((len(tokens),), 1 - float(p_drop)), generator=generator)
    return _by_keys(tokens[stay.bool()], k + 1, generator)


# --- latent_adversarial_loss --------------------------------------------------------------------


@oracle("latent_adversarial_loss")
def by_cross_entropy(logits, language):
    return F.binary_cross_entropy_with_logits(logits, 1 - language.to(logits))


@mistake(
    "latent_adversarial_loss",
    "This is the critic's own loss: it wants the true language. The encoder wants the other.",
)
def the_critics(logits, language):
    return F.binary_cross_entropy_with_logits(logits, language.to(logits))


@mistake(
    "latent_adversarial_loss",
    "You turn the sign of the critic's loss. It falls without end; pay −log p(other) instead.",
)
def negated(logits, language):
    return -F.binary_cross_entropy_with_logits(logits, language.to(logits))


@mistake("latent_adversarial_loss", "You add over the batch. The mean is asked for.")
def added(logits, language):
    return F.binary_cross_entropy_with_logits(logits, 1 - language.to(logits), reduction="sum")


@mistake("latent_adversarial_loss", "Far out the log of 0 comes up: work with logits.")
def overflow(logits, language):
    p = torch.sigmoid(logits)
    return -torch.where(language == 1, 1 - p, p).log().mean()


@mistake("latent_adversarial_loss", "The aim is ½ for both here. It should be the other language.")
def towards_half(logits, language):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 0.5))


@mistake("latent_adversarial_loss", "No gradient comes back. Something cuts the graph.")
def cut(logits, language):
    return F.binary_cross_entropy_with_logits(logits.detach(), 1 - language.to(logits))


@variant("latent_adversarial_loss")
def two_columns(logits, language):
    both = torch.stack([torch.zeros_like(logits), logits], 1)
    return F.cross_entropy(both, 1 - language)


@variant("latent_adversarial_loss")
def by_log_sigmoid(logits, language):
    other = torch.where(language == 1, -logits, logits)
    return -F.logsigmoid(other).sum() / len(logits)


# --- back_translate_batch -----------------------------------------------------------------------


def _with_words(sources, targets):
    full = [i for i, row in enumerate(sources.tolist()) if any(row)]
    return sources[full], targets[full]


@oracle("back_translate_batch")
def by_rows(translate, corrupt, batch):
    return _with_words(corrupt(translate(batch)), batch.clone())


@mistake("back_translate_batch", "Source and target are swapped: the true sentence is the target.")
def swapped(translate, corrupt, batch):
    return _with_words(corrupt(translate(batch)), batch)[::-1]


@mistake("back_translate_batch", "The source has no noise: corrupt the translation.")
def clean(translate, corrupt, batch):
    return _with_words(translate(batch), batch)


@mistake(
    "back_translate_batch", "You add noise first. Translate the true sentence, then add noise."
)
def noise_first(translate, corrupt, batch):
    return _with_words(translate(corrupt(batch)), batch)


@mistake("back_translate_batch", "The target is noisy, too. It should stay true.")
def noisy_target(translate, corrupt, batch):
    return _with_words(corrupt(translate(batch)), corrupt(batch))


@mistake("back_translate_batch", "Nothing is translated: the source is only a noisy copy.")
def autoencoder(translate, corrupt, batch):
    return _with_words(corrupt(batch), batch)


@mistake("back_translate_batch", "The target is the translation. It should be the true sentence.")
def made_target(translate, corrupt, batch):
    made = translate(batch)
    return _with_words(corrupt(made), made)


@mistake("back_translate_batch", "A source without a word is still there: leave its row out.")
def empty_kept(translate, corrupt, batch):
    return corrupt(translate(batch)), batch


@mistake(
    "back_translate_batch", "You leave out rows with a single 0. Only rows without any word go."
)
def every_gap_dropped(translate, corrupt, batch):
    sources = corrupt(translate(batch))
    full = (sources != 0).all(1)
    return sources[full], batch[full]


@variant("back_translate_batch")
def by_the_largest(translate, corrupt, batch):
    source = corrupt(translate(batch))
    told = source.amax(1) > 0
    return [source[told], batch[told]]


@variant("back_translate_batch")
def row_by_row(translate, corrupt, batch):
    source = corrupt(translate(batch))
    rows = [(s, t) for s, t in zip(source, batch, strict=True) if s.sum() > 0]
    return torch.stack([s for s, _ in rows]), torch.stack([t for _, t in rows])


SURVIVORS: dict[str, str] = {
    "noise: swap operator in `torch.arange(len(kept)) + (k + 1) * torch.rand(len(kept), generator=generator)`": (
        "u and 1 − u have the same law, so the keys are only shifted"
    ),
    "noise: swap comparison in `torch.rand(len(tokens), generator=generator) >= p_drop`": (
        "a draw is never exactly p_drop"
    ),
    "csls: drop keepdim= of `similarity.topk(k, dim=0).values.mean(dim=0, keepdim=True)`": (
        "a vector of the columns' means is spread over the rows all the same"
    ),
    "csls: drop dim= of `similarity.topk(k, dim=1)`": "the last axis is torch's own choice",
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
