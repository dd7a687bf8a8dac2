"""What students write for the exercises of 18_contrastive: wrong, or right and unusual."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- pairwise_sq_dist ---------------------------------------------------------------------------


def _differences(x: Tensor) -> Tensor:
    return x[:, None] - x  # (B, B, D)


@oracle("pairwise_sq_dist")
def pair_by_pair(x):
    """One pair at a time; differences of equal rows are exactly 0."""
    rows = [torch.stack([((a - b) ** 2).sum() for b in x]) for a in x]
    return torch.stack(rows)


@mistake("pairwise_sq_dist", "You took the root. The squared distance is asked for.")
def rooted(x):
    return _differences(x).norm(dim=-1)


@mistake(
    "pairwise_sq_dist",
    "A root is taken and squared again: its slope at distance 0 is infinite. Do without the root.",
)
def rooted_and_squared(x):
    return _differences(x).square().sum(-1).sqrt().square()


@mistake(
    "pairwise_sq_dist",
    "These are absolute differences, summed. Square the differences of the coordinates.",
)
def city_block(x):
    return _differences(x).abs().sum(-1)


@mistake("pairwise_sq_dist", "You average over the coordinates. Sum over them.")
def averaged(x):
    return _differences(x).square().mean(-1)


@mistake("pairwise_sq_dist", "These are inner products, not distances.")
def products(x):
    return x @ x.T


@mistake("pairwise_sq_dist", "The product counts once here. Expand the square of a − b again.")
def product_once(x):
    n = x.square().sum(-1)
    return (n[:, None] + n - x @ x.T).clamp(min=0) * (1 - torch.eye(len(x)).to(x))


@mistake(
    "pairwise_sq_dist",
    "Rounding left entries below 0 or off 0 on the diagonal. Mend both after the subtraction.",
)
def rounding_left(x):
    n = x.square().sum(-1)
    return n[:, None] + n - 2 * x @ x.T


@mistake(
    "pairwise_sq_dist", "Clamping keeps what rounding left on the diagonal: it must be exactly 0."
)
def clamped_alone(x):
    n = x.square().sum(-1)
    return (n[:, None] + n - 2 * x @ x.T).clamp(min=0)


@mistake("pairwise_sq_dist", "The product is added. Expand the square of a − b again.")
def product_added(x):
    n = x.square().sum(-1)
    return (n[:, None] + n + 2 * x @ x.T).clamp(min=0) * (1 - torch.eye(len(x)).to(x))


@mistake("pairwise_sq_dist", "You sum over the rows: the result is (B, D). Sum over coordinates.")
def wrong_axis(x):
    return _differences(x).square().sum(1)


@mistake("pairwise_sq_dist", "No gradient reaches x: it was detached, or no_grad is on.")
def detached_distances(x):
    return _differences(x.detach()).square().sum(-1)


@mistake("pairwise_sq_dist", "You changed x in place. Others still need it: make a new tensor.")
def centred_in_place(x):
    x.data -= x.data.mean(0)
    return _differences(x).square().sum(-1)


@mistake("pairwise_sq_dist", "An axis of length 1 is left. Sum without keepdim.")
def axis_kept(x):
    return _differences(x).square().sum(-1, keepdim=True)


@mistake("pairwise_sq_dist", "Only one triangle is filled. Every ordered pair has its distance.")
def upper_triangle(x):
    return _differences(x).square().sum(-1).triu()


@variant("pairwise_sq_dist")
def by_differences(x):
    return _differences(x).square().sum(-1)


@variant("pairwise_sq_dist")
def by_cdist(x):
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").square()


@variant("pairwise_sq_dist")
def loop_in_float64(x):
    x = x.double()
    return torch.stack([(x - row).square().sum(-1) for row in x], dim=1)


# --- triplet_loss -------------------------------------------------------------------------------


def _gap(a, p, n):
    return (a - p).square().sum(-1) - (a - n).square().sum(-1)


@oracle("triplet_loss")
def triplet_by_triplet(anchor, positive, negative, margin):
    """Each triplet by itself, and only the active ones in the sum."""
    total = 0 * anchor.sum() + 0 * positive.sum() + 0 * negative.sum()
    for a, p, n in zip(anchor, positive, negative, strict=True):
        missing = torch.dot(a - p, a - p) - torch.dot(a - n, a - n) + margin
        if missing > 0:
            total = total + missing
    return total / len(anchor)


@mistake("triplet_loss", "The distances are rooted. The formula has the squared ones.")
def distances_rooted(anchor, positive, negative, margin):
    return torch.relu(
        (anchor - positive).norm(dim=-1) - (anchor - negative).norm(dim=-1) + margin
    ).mean()


@mistake("triplet_loss", "Positive and negative have changed places.")
def swapped(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, negative, positive) + margin).mean()


@mistake("triplet_loss", "The margin is subtracted. It is added inside the hinge.")
def margin_subtracted(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, positive, negative) - margin).mean()


@mistake("triplet_loss", "The hinge is missing: an easy triplet must cost 0, not less.")
def no_hinge(anchor, positive, negative, margin):
    return (_gap(anchor, positive, negative) + margin).mean()


@mistake("triplet_loss", "The hinge acts on the whole batch. Put it on each triplet, then average.")
def hinge_on_the_mean(anchor, positive, negative, margin):
    return torch.relu((_gap(anchor, positive, negative) + margin).mean())


@mistake("triplet_loss", "The margin is added after the hinge. It belongs inside.")
def margin_outside(anchor, positive, negative, margin):
    return (torch.relu(_gap(anchor, positive, negative)) + margin).mean()


@mistake("triplet_loss", "You sum over the batch. Take the mean, or the step grows with B.")
def summed_triplets(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, positive, negative) + margin).sum()


@mistake("triplet_loss", "You average over the active triplets. The mean is over all of them.")
def mean_of_the_active(anchor, positive, negative, margin):
    loss = torch.relu(_gap(anchor, positive, negative) + margin)
    return loss.sum() / (loss > 0).sum().clamp(min=1)


@mistake("triplet_loss", "You average the coordinates. A squared distance is their sum.")
def mean_of_coordinates(anchor, positive, negative, margin):
    pull, push = (anchor - positive).square().mean(-1), (anchor - negative).square().mean(-1)
    return torch.relu(pull - push + margin).mean()


@mistake("triplet_loss", "You return one number a triplet. Average them to a scalar.")
def one_each(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, positive, negative) + margin)


@mistake("triplet_loss", "The margin is not used.")
def margin_forgotten(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, positive, negative)).mean()


@mistake("triplet_loss", "The hinge is smooth here. The formula has a kink: max(0, ·).")
def softplus_for_hinge(anchor, positive, negative, margin):
    return F.softplus(_gap(anchor, positive, negative) + margin).mean()


@mistake("triplet_loss", "The negative was detached. It moves too.")
def negative_detached(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, positive, negative.detach()) + margin).mean()


@mistake("triplet_loss", "The loss hangs on nothing: drop no_grad, detach and torch.tensor(...).")
def nothing_hangs_together(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor, positive, negative) + margin).mean().detach()


@mistake("triplet_loss", "You changed an argument in place (-= does). Make new tensors.")
def triplet_in_place(anchor, positive, negative, margin):
    positive.data -= anchor.data
    push = (anchor - negative).square().sum(-1)
    return torch.relu(positive.square().sum(-1) - push + margin).mean()


@mistake("triplet_loss", "The anchor was detached. It moves too.")
def anchor_detached(anchor, positive, negative, margin):
    return torch.relu(_gap(anchor.detach(), positive, negative) + margin).mean()


@mistake("triplet_loss", "One distance joins positive and negative. Both start at the anchor.")
def from_the_positive(anchor, positive, negative, margin):
    return torch.relu(
        (anchor - positive).square().sum(-1) - (positive - negative).square().sum(-1) + margin
    ).mean()


@variant("triplet_loss")
def by_pairwise_distance(anchor, positive, negative, margin):
    pull, push = (F.pairwise_distance(anchor, other) ** 2 for other in (positive, negative))
    return torch.clamp(pull - push + margin, min=0).mean()


@variant("triplet_loss")
def zero_when_all_is_easy(anchor, positive, negative, margin):
    """A plain number where nothing is active."""
    terms = [max(0, t) for t in _gap(anchor, positive, negative) + margin]
    return sum(terms) / len(terms)


@variant("triplet_loss")
def by_products(anchor, positive, negative, margin):
    """‖a−p‖² − ‖a−n‖² = (n − p)·(2a − p − n)."""
    gap = ((negative - positive) * (2 * anchor - positive - negative)).sum(-1)
    return (gap + margin).clamp(min=0).sum() / len(anchor)


@variant("triplet_loss")
def in_float64_by_loop(anchor, positive, negative, margin):
    rows = zip(anchor.double(), positive.double(), negative.double(), strict=True)
    terms = [_gap(a, p, n) + margin for a, p, n in rows]
    return torch.stack([torch.where(t > 0, t, torch.zeros_like(t)) for t in terms]).mean()


# --- semi_hard_negatives ------------------------------------------------------------------------


def _triples(dist, labels, keep, pairs=lambda same, eye: same & ~eye):
    """All triples whose distances satisfy `keep(d_ap, d_an)`, by the cube of all of them."""
    same, eye = labels[:, None] == labels, torch.eye(len(labels), dtype=torch.bool)
    inside = keep(dist[:, :, None], dist[:, None, :])
    return (pairs(same, eye)[:, :, None] & ~same[:, None, :] & inside).nonzero()


@oracle("semi_hard_negatives")
def three_loops(dist, labels, margin):
    """Every triple of indices, one after another."""
    found = [
        (a, p, n)
        for a in range(len(labels))
        for p in range(len(labels))
        for n in range(len(labels))
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
        if dist[a, p] < dist[a, n] < dist[a, p] + margin
    ]
    return torch.tensor(found, dtype=torch.int64).reshape(-1, 3)


@mistake("semi_hard_negatives", "These are the hard ones too. The negative must be further away.")
def hard_too(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: an < ap + margin)


@mistake("semi_hard_negatives", "These are the hard ones alone: nearer than the positive.")
def hard_alone(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: an < ap)


@mistake("semi_hard_negatives", "The easy ones are in here: beyond the margin nothing is taught.")
def easy_too(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: ap < an)


@mistake("semi_hard_negatives", "A picture is not its own positive: leave out p = a.")
def own_positive(dist, labels, margin):
    return _triples(
        dist, labels, lambda ap, an: (ap < an) & (an < ap + margin), lambda same, eye: same
    )


@mistake("semi_hard_negatives", "Each pair counts both ways round: either end can be the anchor.")
def one_way_round(dist, labels, margin):
    return _triples(
        dist, labels, lambda ap, an: (ap < an) & (an < ap + margin), lambda same, eye: same.triu(1)
    )


@mistake("semi_hard_negatives", "Your negatives are not always of another class than the anchor.")
def any_third(dist, labels, margin):
    same, eye = labels[:, None] == labels, torch.eye(len(labels), dtype=torch.bool)
    ap, an = dist[:, :, None], dist[:, None, :]
    inside = (ap < an) & (an < ap + margin)
    return ((same & ~eye)[:, :, None] & ~eye[:, None, :] & inside).nonzero()


@mistake("semi_hard_negatives", "On the borders the distances are equal: both comparisons are <.")
def borders_included(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: (ap <= an) & (an <= ap + margin))


@mistake(
    "semi_hard_negatives", "You return the nearest one of each pair. All of them are asked for."
)
def nearest_alone(dist, labels, margin):
    rows = three_loops(dist, labels, margin)
    best = {}
    for a, p, n in rows.tolist():
        if (a, p) not in best or dist[a, n] < dist[a, best[a, p]]:
            best[a, p] = n
    found = [(a, p, n) for (a, p), n in best.items()]
    return torch.tensor(found, dtype=torch.int64).reshape(-1, 3)


@mistake(
    "semi_hard_negatives", "The margin is measured from 0 here. Add it to the positive's distance."
)
def margin_from_zero(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: (ap < an) & (an < margin))


@mistake(
    "semi_hard_negatives", "The negative's distance is measured from the positive. Use the anchor."
)
def seen_from_the_positive(dist, labels, margin):
    same, eye = labels[:, None] == labels, torch.eye(len(labels), dtype=torch.bool)
    ap, pn = dist[:, :, None], dist[None]
    inside = (ap < pn) & (pn < ap + margin)
    return ((same & ~eye)[:, :, None] & ~same[:, None, :] & inside).nonzero()


@mistake("semi_hard_negatives", "Where nothing is found the shape must still be (0, 3).")
def empty_without_columns(dist, labels, margin):
    found = three_loops(dist, labels, margin)
    return found if len(found) else torch.tensor([], dtype=torch.int64)


@mistake("semi_hard_negatives", "Where nothing is found, an empty LongTensor (0, 3) is needed.")
def empty_of_floats(dist, labels, margin):
    return torch.tensor(three_loops(dist, labels, margin).tolist())


@mistake("semi_hard_negatives", "One row a triple is asked for, (A, 3): yours lie in columns.")
def triples_in_columns(dist, labels, margin):
    return three_loops(dist, labels, margin).T


@mistake("semi_hard_negatives", "At the outer border the negative is easy: that comparison is <.")
def outer_border_included(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: (ap < an) & (an <= ap + margin))


@mistake("semi_hard_negatives", "At the inner border the negative is hard: that comparison is <.")
def inner_border_included(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: (ap <= an) & (an < ap + margin))


@mistake("semi_hard_negatives", "Two pictures that coincide are a pair: ask for p ≠ a, not d > 0.")
def coincident_left_out(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: (ap > 0) & (ap < an) & (an < ap + margin))


@mistake("semi_hard_negatives", "You changed dist in place. Others still need it: make a copy.")
def dist_changed(dist, labels, margin):
    found = three_loops(dist, labels, margin)
    dist.fill_diagonal_(torch.inf)
    return found


@mistake("semi_hard_negatives", "The columns are in another order: anchor, positive, negative.")
def other_columns(dist, labels, margin):
    return three_loops(dist, labels, margin)[:, [0, 2, 1]]


@mistake("semi_hard_negatives", "You return a mask. The indices of its true entries are asked for.")
def a_mask(dist, labels, margin):
    cube = torch.zeros(len(labels), len(labels), len(labels), dtype=torch.bool)
    for a, p, n in three_loops(dist, labels, margin).tolist():
        cube[a, p, n] = True
    return cube


@variant("semi_hard_negatives")
def by_the_cube(dist, labels, margin):
    return _triples(dist, labels, lambda ap, an: (ap < an) & (an < ap + margin)).flip(0)


@variant("semi_hard_negatives")
def by_python_lists(dist, labels, margin):
    d, y, found = dist.tolist(), labels.tolist(), []
    for n in reversed(range(len(y))):
        for a in range(len(y)):
            found += [[a, p, n] for p in range(len(y)) if p != a and y[p] == y[a] != y[n]
                      and d[a][p] < d[a][n] < d[a][p] + margin]  # fmt: skip
    return torch.tensor(found, dtype=torch.int64).reshape(len(found), 3)


# --- lifted_structure_loss ----------------------------------------------------------------------


def _lifted(dist, labels, margin, *, ends="both", pairs="upper", smooth=True, shift=1.0):
    """J of each pair, with one thing or another done differently."""
    same = labels[:, None] == labels
    far = (shift * (margin - dist)).masked_fill(same, -torch.inf)
    push = far.logsumexp(-1) if smooth else far.amax(-1)
    mask = {"upper": same.triu(1), "self": same, "all": torch.ones_like(same).triu(1)}[pairs]
    i, j = mask.nonzero().unbind(-1)
    join = torch.logaddexp if smooth else torch.maximum
    return (push[i] if ends == "one" else join(push[i], push[j])) + dist[i, j]


@oracle("lifted_structure_loss")
def lifted_pair_by_pair(dist, labels, margin):
    """The formula of the paper, one pair after another, in float64."""
    d, y = dist.double(), labels.tolist()
    terms = []
    for i in range(len(y)):
        for j in range(i + 1, len(y)):
            if y[i] == y[j]:
                others = [margin - d[i, k] for k in range(len(y)) if y[k] != y[i]]
                others += [margin - d[j, k] for k in range(len(y)) if y[k] != y[j]]
                terms.append(torch.logsumexp(torch.stack(others), 0) + d[i, j])
    return (torch.stack(terms).clamp(min=0) ** 2).sum() / (2 * len(terms))


@mistake("lifted_structure_loss", "Only one end's negatives are in the sum. Both ends have some.")
def one_end(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin, ends="one")).square().mean() / 2


@mistake("lifted_structure_loss", "You take the largest term. The formula sums all, inside a log.")
def hardest_negative(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin, smooth=False)).square().mean() / 2


@mistake("lifted_structure_loss", "The pull is missing: each J ends in + D of its own pair.")
def without_the_pull(dist, labels, margin):
    same = labels[:, None] == labels
    i, j = same.triu(1).nonzero().unbind(-1)
    push = _lifted(dist, labels, margin) - dist[i, j]
    return torch.relu(push).square().mean() / 2


@mistake("lifted_structure_loss", "The distances are squared again. They come as they are used.")
def squared_again(dist, labels, margin):
    return torch.relu(_lifted(dist.square(), labels, margin)).square().mean() / 2


@mistake(
    "lifted_structure_loss", "Pictures of the anchor's own class are in the sum. Mask them first."
)
def own_class_pushed(dist, labels, margin):
    push = (margin - dist).logsumexp(-1)
    i, j = (labels[:, None] == labels).triu(1).nonzero().unbind(-1)
    return torch.relu(torch.logaddexp(push[i], push[j]) + dist[i, j]).square().mean() / 2


@mistake(
    "lifted_structure_loss",
    "A mask of zeros does not take an entry out: exp(0) is 1. Inside logsumexp it must be −inf.",
)
def masked_by_zero(dist, labels, margin):
    same = labels[:, None] == labels
    push = ((margin - dist) * ~same).logsumexp(-1)
    i, j = same.triu(1).nonzero().unbind(-1)
    return torch.relu(torch.logaddexp(push[i], push[j]) + dist[i, j]).square().mean() / 2


@mistake("lifted_structure_loss", "The distance of the pair is subtracted. It is what must shrink.")
def pull_subtracted(dist, labels, margin):
    i, j = (labels[:, None] == labels).triu(1).nonzero().unbind(-1)
    term = _lifted(dist, labels, margin) - 2 * dist[i, j]
    return torch.relu(term).square().mean() / 2


@mistake("lifted_structure_loss", "You halve twice: each pair stands once in the sum already.")
def halved_twice(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin)).square().mean() / 4


@mistake("lifted_structure_loss", "The sum is not divided by the number of pairs.")
def not_divided(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin)).square().sum() / 2


@mistake(
    "lifted_structure_loss",
    "A small number added inside the log hides what underflows. Work in logs.",
)
def epsilon_inside(dist, labels, margin):
    same = labels[:, None] == labels
    push = ((margin - dist).exp() * ~same).sum(-1)
    i, j = same.triu(1).nonzero().unbind(-1)
    term = (push[i] + push[j] + 1e-8).log() + dist[i, j]
    return torch.relu(term).square().mean() / 2


@mistake("lifted_structure_loss", "The margin is not used.")
def lifted_margin_forgotten(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, 0.0)).square().mean() / 2


@mistake("lifted_structure_loss", "The square is missing.")
def not_squared(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin)).mean() / 2


@mistake("lifted_structure_loss", "The hinge is missing: a pair with a negative J costs 0.")
def lifted_without_hinge(dist, labels, margin):
    return _lifted(dist, labels, margin).square().mean() / 2


@mistake("lifted_structure_loss", "It is twice too large: mind the 2 in 1/(2|P|).")
def without_half(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin)).square().mean()


@mistake(
    "lifted_structure_loss", "The mean runs over all pictures' pairs. P holds those of one class."
)
def over_all_pairs(dist, labels, margin):
    pairs = len(labels) * (len(labels) - 1) / 2
    return torch.relu(_lifted(dist, labels, margin)).square().sum() / 2 / pairs


@mistake("lifted_structure_loss", "A picture with itself is no positive pair: leave out i = j.")
def pairs_with_itself(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin, pairs="self")).square().mean() / 2


@mistake(
    "lifted_structure_loss", "The exponent has the wrong sign: near negatives must count most."
)
def sign_of_the_exponent(dist, labels, margin):
    return torch.relu(_lifted(dist, labels, margin, shift=-1.0)).square().mean() / 2


@mistake("lifted_structure_loss", "You add two logarithms. Add the two sums inside one logarithm.")
def two_logarithms(dist, labels, margin):
    same = labels[:, None] == labels
    push = (margin - dist).masked_fill(same, -torch.inf).logsumexp(-1)
    i, j = same.triu(1).nonzero().unbind(-1)
    return torch.relu(push[i] + push[j] + dist[i, j]).square().mean() / 2


@mistake(
    "lifted_structure_loss", "exp(m − D) becomes 0 at large D, and its log −inf. Use logsumexp."
)
def underflow(dist, labels, margin):
    same = labels[:, None] == labels
    far = ((margin - dist).exp() * ~same).sum(-1)
    i, j = same.triu(1).nonzero().unbind(-1)
    return torch.relu((far[i] + far[j]).log() + dist[i, j]).square().mean() / 2


@mistake("lifted_structure_loss", "Pictures of the pair's own class are among the negatives.")
def everyone_pushed(dist, labels, margin):
    eye = torch.eye(len(labels), dtype=torch.bool)
    push = (margin - dist).masked_fill(eye, -torch.inf).logsumexp(-1)
    i, j = (labels[:, None] == labels).triu(1).nonzero().unbind(-1)
    return torch.relu(torch.logaddexp(push[i], push[j]) + dist[i, j]).square().mean() / 2


@variant("lifted_structure_loss")
def over_ordered_pairs(dist, labels, margin):
    """Both orders of each pair: the mean is the same."""
    same = labels[:, None] == labels
    push = torch.where(same, -torch.inf, margin - dist).logsumexp(-1)
    every = torch.logaddexp(push[:, None], push) + dist
    mask = same & ~torch.eye(len(labels), dtype=torch.bool)
    return 0.5 * every[mask].clamp(min=0).pow(2).mean()


@variant("lifted_structure_loss")
def with_concatenation(dist, labels, margin):
    terms = []
    for i in range(len(labels)):
        for j in range(i):
            if labels[i] == labels[j]:
                away = margin - torch.cat(
                    [dist[i][labels != labels[i]], dist[j][labels != labels[j]]]
                )
                top = away.max().detach()
                term = (away - top).exp().sum().log() + top + dist[i, j]
                terms.append(torch.relu(term) ** 2)
    return sum(terms) / len(terms) / 2


# --- nce_loss -----------------------------------------------------------------------------------


@oracle("nce_loss")
def word_by_word(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    """A classifier of 1 against 0 for each word, by torch's own binary cross-entropy."""
    k = neg_scores.shape[1]
    odds = torch.cat([pos_score[:, None], neg_scores], 1).double()
    odds = odds - torch.cat([log_noise_pos[:, None], log_noise_neg], 1) - torch.log(torch.tensor(k))
    truth = torch.zeros_like(odds)
    truth[:, 0] = 1
    each = F.binary_cross_entropy_with_logits(odds, truth, reduction="none")
    return each.sum() / len(each)


def _nce(pos, neg, q_pos, q_neg, log_k=None, reduce=None):
    log_k = math.log(neg.shape[-1]) if log_k is None else log_k
    true, noise = F.softplus(q_pos + log_k - pos), F.softplus(neg - q_neg - log_k)
    return (reduce or (lambda t, n: (t + n.sum(-1)).mean()))(true, noise)


@mistake("nce_loss", "k is missing. There are k noise words for each true one: the odds are k q.")
def without_k(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg, log_k=0.0)


@mistake("nce_loss", "The noise law is not used. That is word2vec's shortcut, not NCE.")
def without_noise_law(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, 0 * log_noise_pos, 0 * log_noise_neg, log_k=0.0)


@mistake("nce_loss", "You subtract log k alone. The words' own log q is missing.")
def k_alone(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, 0 * log_noise_pos, 0 * log_noise_neg)


@mistake("nce_loss", "log(k q) is added to the scores. It is subtracted.")
def correction_added(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = -math.log(neg_scores.shape[-1])
    return _nce(pos_score, neg_scores, -log_noise_pos, -log_noise_neg, log_k=log_k)


@mistake("nce_loss", "You average over the k noise words. Sum over them.")
def mean_over_noise(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg,
                reduce=lambda t, n: (t + n.mean(-1)).mean())  # fmt: skip


@mistake("nce_loss", "Noise words must become unlikely: their σ is subtracted from 1.")
def noise_not_flipped(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = math.log(neg_scores.shape[-1])
    true = F.softplus(log_noise_pos + log_k - pos_score)
    return (true + F.softplus(log_noise_neg + log_k - neg_scores).sum(-1)).mean()


@mistake("nce_loss", "k stands below q here. The odds are against k·q: the logs add.")
def k_divided(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = -math.log(neg_scores.shape[-1])
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg, log_k=log_k)


@mistake("nce_loss", "You multiply log q by k. The logarithm of k·q is a sum.")
def k_times_log_q(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    k = neg_scores.shape[-1]
    return _nce(pos_score, neg_scores, k * log_noise_pos, k * log_noise_neg, log_k=0.0)


@mistake("nce_loss", "The noise words' scores lack the correction log(k q).")
def noise_uncorrected(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = math.log(neg_scores.shape[-1])
    true = F.softplus(log_noise_pos + log_k - pos_score)
    return (true + F.softplus(neg_scores).sum(-1)).mean()


@mistake("nce_loss", "The logarithm is taken twice: log q is given, not q.")
def log_of_log(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos.log(), log_noise_neg.log())


@mistake("nce_loss", "You return one number a row. Average over the batch.")
def nce_one_each(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg,
                reduce=lambda t, n: t + n.sum(-1))  # fmt: skip


@mistake("nce_loss", "You average over all words. Sum over a row's words; average over the B rows.")
def mean_over_all_words(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg,
                reduce=lambda t, n: torch.cat([t[:, None], n], 1).mean())  # fmt: skip


@mistake("nce_loss", "The noise words' odds lack log k: both kinds are judged by the same odds.")
def k_for_true_words_alone(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = math.log(neg_scores.shape[-1])
    true = F.softplus(log_noise_pos + log_k - pos_score)
    return (true + F.softplus(neg_scores - log_noise_neg).sum(-1)).mean()


@mistake("nce_loss", "You sum over the batch. Take the mean over it.")
def summed_over_batch(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg,
                reduce=lambda t, n: (t + n.sum(-1)).sum())  # fmt: skip


@mistake("nce_loss", "The true words alone are in the loss. The noise words belong in it too.")
def true_words_alone(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg,
                reduce=lambda t, n: t.mean())  # fmt: skip


@mistake("nce_loss", "True and noise have changed roles: the score of true words would fall.")
def roles_swapped(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(-pos_score, -neg_scores, -log_noise_pos, -log_noise_neg,
                log_k=-math.log(neg_scores.shape[-1]))  # fmt: skip


@mistake("nce_loss", "The sign is wrong: this would be maximised.")
def likelihood_returned(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return -_nce(pos_score, neg_scores, log_noise_pos, log_noise_neg)


@mistake("nce_loss", "log(sigmoid(·)) overflows at large scores. There is a function made for it.")
def log_of_sigmoid(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = math.log(neg_scores.shape[-1])
    true = -torch.log(torch.sigmoid(pos_score - log_noise_pos - log_k))
    noise = -torch.log(1 - torch.sigmoid(neg_scores - log_noise_neg - log_k))
    return (true + noise.sum(-1)).mean()


@mistake("nce_loss", "q is used where its logarithm belongs: it is given as log q already.")
def exponent_of_noise(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    return _nce(pos_score, neg_scores, log_noise_pos.exp(), log_noise_neg.exp())


@mistake("nce_loss", "k is the number of noise words a row, not the size of the batch.")
def k_is_the_batch(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    log_k = math.log(len(neg_scores))
    return _nce(pos_score, neg_scores, log_noise_pos, log_noise_neg, log_k=log_k)


@variant("nce_loss")
def by_logsigmoid(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    k = neg_scores.size(1)
    pos = pos_score - log_noise_pos - math.log(k)
    neg = neg_scores - log_noise_neg - math.log(k)
    return -F.logsigmoid(pos).mean() - F.logsigmoid(-neg).mean() * k


@variant("nce_loss")
def row_by_row(pos_score, neg_scores, log_noise_pos, log_noise_neg):
    total = pos_score.new_zeros(())
    rows = zip(pos_score, neg_scores, log_noise_pos, log_noise_neg, strict=True)
    for s, noise, q, q_noise in rows:
        zero = torch.zeros_like(s)
        total = total + torch.logaddexp(zero, q + math.log(len(noise)) - s)
        for t, q_t in zip(noise, q_noise, strict=True):
            total = total + torch.logaddexp(zero, t - q_t - math.log(len(noise)))
    return total / len(pos_score)


# --- info_nce -----------------------------------------------------------------------------------


def _scores(z, c, W=None):
    return c @ (z if W is None else z @ W).T


def _choice(scores):
    return F.cross_entropy(scores, torch.arange(len(scores)))


@oracle("info_nce")
def context_by_context(z, c, W=None, temperature=1.0):
    """One context at a time: its scores with each candidate, in float64."""
    W = torch.eye(z.shape[1]).to(z) if W is None else W
    terms = []
    for i, context in enumerate(c.double()):
        scores = torch.stack([candidate @ W.double() @ context for candidate in z.double()])
        terms.append(-torch.log_softmax(scores / temperature, 0)[i])
    return torch.stack(terms).mean()


@mistake("info_nce", "Contexts are summed over for each candidate. Sum over candidates instead.")
def wrong_direction(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c, W).T / temperature)


@mistake("info_nce", "You multiply by the temperature. A small one must sharpen.")
def temperature_multiplied(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c, W) * temperature)


@mistake("info_nce", "The temperature is not used.")
def temperature_forgotten(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c, W))


@mistake("info_nce", "W is not used.")
def map_forgotten(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c) / temperature)


@mistake("info_nce", "W stands transposed: it maps z's side to c's.")
def map_transposed(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c, None if W is None else W.T) / temperature)


@mistake("info_nce", "exp overflows, or everything underflows. Work with the scores and logsumexp.")
def naive_exponentials(z, c, W=None, temperature=1.0):
    f = (_scores(z, c, W) / temperature).exp()
    return -(f.diagonal() / f.sum(-1)).log().mean()


@mistake("info_nce", "The log of a sum of exponentials overflows. There is a function for it.")
def naive_log_sum(z, c, W=None, temperature=1.0):
    s = _scores(z, c, W) / temperature
    return (s.exp().sum(-1).log() - s.diagonal()).mean()


@mistake("info_nce", "Only the positive is divided by the temperature. All scores are.")
def temperature_of_the_positive(z, c, W=None, temperature=1.0):
    s = _scores(z, c, W)
    return (s.logsumexp(-1) - s.diagonal() / temperature).mean()


@mistake("info_nce", "These are bits. Nats are asked for: the natural logarithm.")
def in_bits(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c, W) / temperature) / math.log(2)


@mistake("info_nce", "You return one number a context. Average them to a scalar.")
def one_a_context(z, c, W=None, temperature=1.0):
    s = _scores(z, c, W) / temperature
    return s.logsumexp(-1) - s.diagonal()


@mistake("info_nce", "The positive is missing in the sum below. All N candidates stand there.")
def positive_left_out(z, c, W=None, temperature=1.0):
    s = _scores(z, c, W) / temperature
    eye = torch.eye(len(s), dtype=torch.bool)
    return (s.masked_fill(eye, -torch.inf).logsumexp(-1) - s.diagonal()).mean()


@mistake("info_nce", "You sum over the contexts. Take their mean.")
def contexts_summed(z, c, W=None, temperature=1.0):
    return _choice(_scores(z, c, W) / temperature) * len(z)


@mistake("info_nce", "This is the bound on the information, log N minus the loss. Return the loss.")
def the_bound(z, c, W=None, temperature=1.0):
    return math.log(len(z)) - _choice(_scores(z, c, W) / temperature)


@mistake("info_nce", "The sign is wrong: minimising this makes the positive unlikely.")
def info_sign(z, c, W=None, temperature=1.0):
    return -_choice(_scores(z, c, W) / temperature)


@mistake("info_nce", "You made the rows unit vectors. f uses z and c as they are.")
def cosine(z, c, W=None, temperature=1.0):
    return _choice(_scores(F.normalize(z, dim=-1), F.normalize(c, dim=-1), W) / temperature)


@mistake("info_nce", "Both directions are averaged here. One is asked for: candidates a context.")
def both_directions(z, c, W=None, temperature=1.0):
    s = _scores(z, c, W) / temperature
    return (_choice(s) + _choice(s.T)) / 2


@mistake("info_nce", "The softmax is taken twice. Cross-entropy wants raw scores.")
def softmax_twice(z, c, W=None, temperature=1.0):
    return _choice((_scores(z, c, W) / temperature).softmax(-1))


@variant("info_nce")
def by_cross_entropy(z, c, W=None, temperature=1.0):
    W = torch.eye(z.shape[1], dtype=z.dtype) if W is None else W
    return F.cross_entropy((z @ W @ c.T).T / temperature, torch.arange(z.shape[0]))


@variant("info_nce")
def by_log_softmax_of_columns(z, c, W=None, temperature=1.0):
    z = z.double()
    mapped = z if W is None else z @ W.double()
    return -torch.log_softmax(mapped @ c.double().T / temperature, 0).diagonal().sum() / len(z)


# --- soft_nearest_neighbor_loss -----------------------------------------------------------------


def _snn(x, y, T, *, sign=-1.0, own=False, squared=True, keep="positives"):
    d = (x[:, None] - x).square().sum(-1)
    if not squared:
        d = (d + 1e-20).sqrt()
    eye = torch.eye(len(x), dtype=torch.bool)
    score = sign * d / T
    score = score if own else score.masked_fill(eye, -torch.inf)
    near = (y[:, None] == y) if own else (y[:, None] == y) & ~eye
    rows = ((y[:, None] == y) & ~eye).any(-1)
    rows = torch.ones_like(rows) if keep == "all" else rows
    below, score = score[rows], score[rows]
    above = score.masked_fill(~near[rows], -torch.inf)
    return below.logsumexp(-1) - above.logsumexp(-1)


@oracle("soft_nearest_neighbor_loss")
def anchor_by_anchor(x, y, temperature):
    """One anchor at a time, with softmax probabilities in float64."""
    terms = []
    for i in range(len(y)):
        others = [j for j in range(len(y)) if j != i]
        if not any(y[j] == y[i] for j in others):
            continue
        score = torch.stack([-((x[i].double() - x[j].double()) ** 2).sum() for j in others])
        log_p = torch.log_softmax(score / temperature, 0)
        good = torch.stack([log_p[a] for a, j in enumerate(others) if y[j] == y[i]])
        terms.append(-good.logsumexp(0))
    return torch.stack(terms).mean()


@mistake("soft_nearest_neighbor_loss", "The anchor is its own neighbour here. Leave out j = i.")
def itself_included(x, y, temperature):
    return _snn(x, y, temperature, own=True).mean()


@mistake(
    "soft_nearest_neighbor_loss",
    "Each anchor counts itself as a neighbour of its class. Leave out j = i above and below.",
)
def itself_everywhere(x, y, temperature):
    score = -(x[:, None] - x).square().sum(-1) / temperature
    near = score.masked_fill(y[:, None] != y, -torch.inf)
    return (score.logsumexp(-1) - near.logsumexp(-1)).mean()


@mistake(
    "soft_nearest_neighbor_loss", "In the sum below the anchor is still there. Leave out k = i."
)
def itself_below(x, y, temperature):
    eye = torch.eye(len(x), dtype=torch.bool)
    score = -(x[:, None] - x).square().sum(-1) / temperature
    same = (y[:, None] == y) & ~eye
    some = same.any(-1)
    near = score.masked_fill(~same, -torch.inf)[some]
    return (score[some].logsumexp(-1) - near.logsumexp(-1)).mean()


@mistake("soft_nearest_neighbor_loss", "This is the chance of a wrong class. Its log is asked for.")
def without_the_log(x, y, temperature):
    return (1 - (-_snn(x, y, temperature)).exp()).mean()


@mistake("soft_nearest_neighbor_loss", "The log comes after the mean. Take it for each anchor.")
def log_of_the_mean(x, y, temperature):
    return -(-_snn(x, y, temperature)).exp().mean().log()


@mistake("soft_nearest_neighbor_loss", "You return one number an anchor. Average them to a scalar.")
def one_an_anchor(x, y, temperature):
    return _snn(x, y, temperature)


@mistake("soft_nearest_neighbor_loss", "The mean counts anchors without a positive. It is over A.")
def mean_over_everyone(x, y, temperature):
    return _snn(x, y, temperature).sum() / len(x)


@mistake("soft_nearest_neighbor_loss", "An anchor without a positive gives log 0. Leave it out.")
def lonely_anchors(x, y, temperature):
    return _snn(x, y, temperature, keep="all").mean()


@mistake("soft_nearest_neighbor_loss", "The sign of the exponent is wrong: near ones weigh most.")
def far_ones_weigh(x, y, temperature):
    return _snn(x, y, temperature, sign=1.0).mean()


@mistake("soft_nearest_neighbor_loss", "The distances are rooted. The exponent has squared ones.")
def soft_distances_rooted(x, y, temperature):
    return _snn(x, y, temperature, squared=False).mean()


@mistake("soft_nearest_neighbor_loss", "You multiply by the temperature. Divide by it.")
def hot_for_cold(x, y, temperature):
    return _snn(x, y, 1 / temperature).mean()


@mistake(
    "soft_nearest_neighbor_loss",
    "You average the positives' probabilities. They are alternatives: their chances add up.",
)
def positives_averaged(x, y, temperature):
    eye = torch.eye(len(x), dtype=torch.bool)
    count = ((y[:, None] == y) & ~eye).sum(-1)
    return (_snn(x, y, temperature) + count[count > 0].log()).mean()


@mistake("soft_nearest_neighbor_loss", "You sum over the anchors. Take their mean.")
def anchors_summed(x, y, temperature):
    return _snn(x, y, temperature).sum()


@mistake("soft_nearest_neighbor_loss", "The sign is wrong: minimising this would mix the classes.")
def classes_mixed(x, y, temperature):
    return -_snn(x, y, temperature).mean()


@mistake(
    "soft_nearest_neighbor_loss",
    "The log is inside the sum over positives. Sum their probabilities first, then take the log.",
)
def log_inside(x, y, temperature):
    eye = torch.eye(len(x), dtype=torch.bool)
    d = (x[:, None] - x).square().sum(-1)
    log_p = torch.log_softmax((-d / temperature).masked_fill(eye, -torch.inf), -1)
    same = (y[:, None] == y) & ~eye
    some = same.any(-1)
    each = log_p.masked_fill(~same, 0).sum(-1) / same.sum(-1).clamp(min=1)
    return -each[some].mean()


@mistake("soft_nearest_neighbor_loss", "Only negatives stand below. All others belong there.")
def negatives_below(x, y, temperature):
    eye = torch.eye(len(x), dtype=torch.bool)
    score = (-(x[:, None] - x).square().sum(-1) / temperature).masked_fill(eye, -torch.inf)
    same = (y[:, None] == y) & ~eye
    some = same.any(-1)
    above = score.masked_fill(~same, -torch.inf)[some].logsumexp(-1)
    below = score.masked_fill(y[:, None] == y, -torch.inf)[some].logsumexp(-1)
    return (below - above).mean()


@mistake("soft_nearest_neighbor_loss", "At a small T every exp is 0. Use logsumexp.")
def cold_underflow(x, y, temperature):
    eye = torch.eye(len(x), dtype=torch.bool)
    e = (-(x[:, None] - x).square().sum(-1) / temperature).exp() * ~eye
    same = (y[:, None] == y) & ~eye
    some = same.any(-1)
    return -((e * same).sum(-1)[some] / e.sum(-1)[some]).log().mean()


@mistake("soft_nearest_neighbor_loss", "No gradient reaches the temperature. It may be learned.")
def temperature_a_number(x, y, temperature):
    return _snn(x, y, float(temperature)).mean()


@variant("soft_nearest_neighbor_loss")
def by_masks(x, y, temperature):
    return _snn(x, y, temperature).mean()


@variant("soft_nearest_neighbor_loss")
def in_float64_one_anchor_at_a_time(x, y, temperature):
    x, terms = x.double(), []
    for i in range(len(x)):
        rest = torch.arange(len(x)) != i
        score = -(x[rest] - x[i]).pow(2).sum(1) / temperature
        good = y[rest] == y[i]
        if good.any():
            terms.append(torch.logsumexp(score, 0) - torch.logsumexp(score[good], 0))
    return sum(terms) / len(terms)


SURVIVORS: dict[str, str] = {}
"""Mutants that no check has to reject, because they do the same: name → reason."""
