"""What students write for the exercises of 06_realistic_users: wrong, or right and unusual."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.spatial.distance import cdist

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- bpr_loss -----------------------------------------------------------------------------------


def _margin(users, chosen, passed):
    return torch.einsum("bd,bd->b", users, chosen) - torch.einsum("bd,bd->b", users, passed)


def _lengths(*parts):
    return sum(torch.einsum("bd,bd->b", part, part) for part in parts)


@oracle("bpr_loss")
def by_cross_entropy(users, chosen, passed, decay):
    scores = torch.stack(
        [_margin(users, chosen, 0 * passed), _margin(users, passed, 0 * chosen)], 1
    )
    ranking = F.cross_entropy(scores, torch.zeros(len(users), dtype=torch.int64))
    return ranking + decay * _lengths(users, chosen, passed).mean()


@mistake("bpr_loss", "The order is turned round: this wants the home that was passed over on top.")
def turned_round(users, chosen, passed, decay):
    return (
        F.softplus(_margin(users, chosen, passed)) + decay * _lengths(users, chosen, passed)
    ).mean()


@mistake(
    "bpr_loss",
    "You take the logarithm of a σ, or of 1 + eᵗ: where the scores are far apart it is lost. Use a softplus.",
)
def log_of_sigmoid(users, chosen, passed, decay):
    ranking = -torch.log(torch.sigmoid(_margin(users, chosen, passed)))
    return (ranking + decay * _lengths(users, chosen, passed)).mean()


@mistake(
    "bpr_loss",
    "Each person is scored against the homes of all others, (B, B). A row belongs to one person and two homes.",
)
def all_pairs(users, chosen, passed, decay):
    ranking = F.softplus(users @ passed.T - users @ chosen.T).mean()
    return ranking + decay * _lengths(users, chosen, passed).mean()


@mistake(
    "bpr_loss",
    "You take σ of each product before they are summed. First sum over D: that is the score.",
)
def element_by_element(users, chosen, passed, decay):
    ranking = F.softplus(-users * (chosen - passed)).sum(1)
    return (ranking + decay * _lengths(users, chosen, passed)).mean()


@mistake(
    "bpr_loss",
    "You take σ of each product and average over D as well. First sum over D: that is the score.",
)
def element_by_element_averaged(users, chosen, passed, decay):
    ranking = F.softplus(-users * (chosen - passed)).mean()
    return ranking + decay * _lengths(users, chosen, passed).mean()


@mistake(
    "bpr_loss", "The minus before the logarithm is missing: this falls as the order gets worse."
)
def minus_missing(users, chosen, passed, decay):
    ranking = F.logsigmoid(_margin(users, chosen, passed))
    return (ranking + decay * _lengths(users, chosen, passed)).mean()


@mistake("bpr_loss", "You take the squared lengths off. They are a cost: add them.")
def lengths_taken_off(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed))
    return (ranking - decay * _lengths(users, chosen, passed)).mean()


@mistake("bpr_loss", "Half of the squared lengths is missing: here λ has no ½ before it.")
def half_of_decay(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed))
    return (ranking + decay / 2 * _lengths(users, chosen, passed)).mean()


@mistake(
    "bpr_loss",
    "A clamp or a small number inside the logarithm keeps it finite and wrong: at a difference of −200 the cost is 200.",
)
def log_with_epsilon(users, chosen, passed, decay):
    ranking = -torch.log(torch.sigmoid(_margin(users, chosen, passed)) + 1e-8)
    return (ranking + decay * _lengths(users, chosen, passed)).mean()


@mistake("bpr_loss", "You sum over the people. Take the mean.")
def summed(users, chosen, passed, decay):
    return (
        F.softplus(-_margin(users, chosen, passed)) + decay * _lengths(users, chosen, passed)
    ).sum()


@mistake(
    "bpr_loss", "The squared lengths are summed over the batch. They are averaged, like the costs."
)
def lengths_summed(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed)).mean()
    return ranking + decay * _lengths(users, chosen, passed).sum()


@mistake("bpr_loss", "The squared lengths are averaged over D as well. A length is a sum over D.")
def lengths_averaged(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed)).mean()
    return ranking + decay * sum(part.square().mean() for part in (users, chosen, passed))


@mistake("bpr_loss", "These are the lengths, not their squares.")
def lengths_not_squared(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed)).mean()
    return ranking + decay * sum(part.norm(dim=1).mean() for part in (users, chosen, passed))


@mistake("bpr_loss", "The home that was passed over has a length, too.")
def passed_without_length(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed)).mean()
    return ranking + decay * _lengths(users, chosen).mean()


@mistake("bpr_loss", "The lengths play no part: where is decay?")
def without_decay(users, chosen, passed, decay):
    return F.softplus(-_margin(users, chosen, passed)).mean()


@mistake("bpr_loss", "A score is the sum over D of the products. You take their mean.")
def score_averaged(users, chosen, passed, decay):
    margin = _margin(users, chosen, passed) / users.shape[1]
    return (F.softplus(-margin) + decay * _lengths(users, chosen, passed)).mean()


@mistake(
    "bpr_loss",
    "You judge the two homes one by one, as clicked or not. Only their order counts: take the difference of the scores.",
)
def point_by_point(users, chosen, passed, decay):
    up, down = _margin(users, chosen, 0 * passed), _margin(users, passed, 0 * chosen)
    return (F.softplus(-up) + F.softplus(down) + decay * _lengths(users, chosen, passed)).mean()


@mistake("bpr_loss", "This is σ itself, without the logarithm.")
def without_logarithm(users, chosen, passed, decay):
    return (
        torch.sigmoid(-_margin(users, chosen, passed)) + decay * _lengths(users, chosen, passed)
    ).mean()


@mistake("bpr_loss", "The home that was passed over is detached. It has to move as well: down.")
def passed_detached(users, chosen, passed, decay):
    ranking = F.softplus(-_margin(users, chosen, passed.detach()))
    return (ranking + decay * _lengths(users, chosen, passed)).mean()


@variant("bpr_loss")
def by_log_sigmoid(users, chosen, passed, decay):
    lengths = users.norm(dim=1) ** 2 + chosen.norm(dim=1) ** 2 + passed.norm(dim=1) ** 2
    return (
        decay * lengths - F.logsigmoid((users * chosen).sum(-1) - (users * passed).sum(-1))
    ).mean()


@variant("bpr_loss")
def one_by_one(users, chosen, passed, decay):
    total = 0.0
    for u, v, w in zip(users, chosen, passed):
        total = total + torch.logaddexp(0 * u[0], u @ w - u @ v) + decay * (u @ u + v @ v + w @ w)
    return total / users.shape[0]


# --- multi_categorical_st -----------------------------------------------------------------------


def _gumbel(shape, generator):
    """As −log of an exponential number."""
    return -torch.empty(shape).exponential_(generator=generator).clamp(min=1e-30).log()


def _hardened(soft):
    hot = F.one_hot(soft.argmax(1), soft.shape[1]).to(soft)
    return hot + soft - soft.detach()


def _by_blocks(noisy, sizes, of_block):
    return torch.cat([of_block(part) for part in torch.split(noisy, [*sizes], 1)], 1)


@oracle("multi_categorical_st")
def by_exponentials(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake(
    "multi_categorical_st",
    "There is one choice for the whole row. Each block has a choice of its own.",
)
def one_choice_a_row(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _hardened(torch.softmax(noisy, 1))


@mistake(
    "multi_categorical_st",
    "These are the soft choices. Return zeros and ones, with the slope of the soft choice.",
)
def left_soft(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: torch.softmax(part, 1))


@mistake(
    "multi_categorical_st",
    "No gradient passes: a one-hot vector alone has none. Add what is 0 in value and not in slope.",
)
def hard_alone(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: F.one_hot(part.argmax(1), part.shape[1]).to(part))


@mistake(
    "multi_categorical_st",
    "There is no noise, or one number for all columns of a row: the largest logit wins every time.",
)
def no_noise(logits, sizes, tau, generator):
    return _by_blocks(logits / tau, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake(
    "multi_categorical_st", "The noise is normal. Only Gumbel noise gives the shares of a softmax."
)
def normal_noise(logits, sizes, tau, generator):
    noisy = (logits + torch.randn(logits.shape, generator=generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake("multi_categorical_st", "The noise is uniform. Take −log(−log ε) of it.")
def uniform_noise(logits, sizes, tau, generator):
    noisy = (logits + torch.rand(logits.shape, generator=generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake("multi_categorical_st", "The noise has the wrong sign: g is −log(−log ε).")
def noise_turned_round(logits, sizes, tau, generator):
    noisy = (logits - _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake(
    "multi_categorical_st",
    "You divide by τ before the noise is added. τ divides the sum, so that it changes no share.",
)
def tau_before_the_noise(logits, sizes, tau, generator):
    noisy = logits / tau + _gumbel(logits.shape, generator).to(logits)
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake(
    "multi_categorical_st",
    "The slope does not know τ. The soft choice is a softmax of the sum over τ.",
)
def tau_forgotten(logits, sizes, tau, generator):
    noisy = logits + _gumbel(logits.shape, generator).to(logits)
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake(
    "multi_categorical_st", "You multiply by τ. A small τ has to make the soft choice nearly hard."
)
def times_tau(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) * tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake("multi_categorical_st", "All rows share one noise. Draw a number for each row and column.")
def shared_by_rows(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits[:1].shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake("multi_categorical_st", "The rows share one noise. Draw it for each row and column.")
def shared_by_rows_of_uniform(logits, sizes, tau, generator):
    noise = -torch.log(-torch.log(torch.rand(logits.shape[1], generator=generator)))
    return _by_blocks(
        (logits + noise.to(logits)) / tau, sizes, lambda part: _hardened(torch.softmax(part, 1))
    )


@mistake(
    "multi_categorical_st", "One logarithm is missing in the noise: g is −log(−log ε), not −log ε."
)
def one_logarithm(logits, sizes, tau, generator):
    noise = -torch.rand(logits.shape, generator=generator).clamp(min=1e-30).log()
    return _by_blocks(
        (logits + noise.to(logits)) / tau, sizes, lambda part: _hardened(torch.softmax(part, 1))
    )


@mistake(
    "multi_categorical_st",
    "One logarithm is missing in the noise, and a sign: g is −log(−log ε), not log ε.",
)
def one_logarithm_and_no_sign(logits, sizes, tau, generator):
    noise = torch.rand(logits.shape, generator=generator).clamp(min=1e-30).log()
    return _by_blocks(
        (logits + noise.to(logits)) / tau, sizes, lambda part: _hardened(torch.softmax(part, 1))
    )


@mistake(
    "multi_categorical_st",
    "The slope is that of the noisy logits. The soft choice is their softmax.",
)
def softmax_forgotten(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, _hardened)


@mistake(
    "multi_categorical_st",
    "The softmax runs down the rows, over people. It belongs to the columns of a block: dim=1.",
)
def softmax_down_the_rows(logits, sizes, tau, generator):
    noise = -torch.log(-torch.log(torch.rand(logits.shape, generator=generator)))
    return _by_blocks(
        (logits + noise.to(logits)) / tau, sizes, lambda part: _hardened(torch.softmax(part, 0))
    )


@mistake("multi_categorical_st", "You divide by τ twice. Once is enough: (ℓ + g)/τ.")
def tau_twice(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part / tau, 1)))


@mistake(
    "multi_categorical_st",
    "The softmax runs over the whole row, though you choose in each block. Take it inside each block.",
)
def softmax_over_the_row(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, generator).to(logits)) / tau
    return _by_blocks(torch.softmax(noisy, 1), sizes, _hardened)


@mistake(
    "multi_categorical_st",
    "Your soft choice cancels in the slope too: only what you take off may be detached, and it has to be.",
)
def soft_cancelled(logits, sizes, tau, generator):
    def choose(part):
        soft = torch.softmax(part, 1)
        return F.one_hot(soft.argmax(1), soft.shape[1]).to(soft) + soft - soft

    return _by_blocks((logits + _gumbel(logits.shape, generator).to(logits)) / tau, sizes, choose)


@mistake(
    "multi_categorical_st",
    "You detach the wrong one: the soft choice that is added keeps its slope, the one taken off has none.",
)
def soft_turned_round(logits, sizes, tau, generator):
    def choose(part):
        soft = torch.softmax(part, 1)
        return F.one_hot(soft.argmax(1), soft.shape[1]).to(soft) - soft + soft.detach()

    return _by_blocks((logits + _gumbel(logits.shape, generator).to(logits)) / tau, sizes, choose)


@mistake(
    "multi_categorical_st",
    "You add the soft choice and never take it off again: subtract it, detached.",
)
def soft_left_on_top(logits, sizes, tau, generator):
    def choose(part):
        soft = torch.softmax(part, 1)
        return F.one_hot(soft.argmax(1), soft.shape[1]).to(soft) + soft

    return _by_blocks((logits + _gumbel(logits.shape, generator).to(logits)) / tau, sizes, choose)


@mistake(
    "multi_categorical_st",
    "Each call begins the noise anew. Draw on from the generator as it was given: do not seed it, nor copy it.",
)
def rewound(logits, sizes, tau, generator):
    again = torch.Generator().manual_seed(generator.initial_seed())
    noisy = (logits + _gumbel(logits.shape, again).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake("multi_categorical_st", "Blocks share one noise. Draw a number for each row and column.")
def shared_by_blocks(logits, sizes, tau, generator):
    noise = _gumbel((len(logits), max(sizes)), generator).to(logits)
    return _by_blocks(
        logits,
        sizes,
        lambda part: _hardened(torch.softmax((part + noise[:, : part.shape[1]]) / tau, 1)),
    )


@mistake(
    "multi_categorical_st",
    "The noise of the soft choice is another one than that of the hard choice. One noise decides both.",
)
def two_noises(logits, sizes, tau, generator):
    def choose(part):
        first, second = (_gumbel(part.shape, generator).to(part) for _ in range(2))
        soft = torch.softmax((part + second) / tau, 1)
        hot = F.one_hot((part + first).argmax(1), part.shape[1]).to(part)
        return hot + soft - soft.detach()

    return _by_blocks(logits, sizes, choose)


@mistake(
    "multi_categorical_st", "You draw from torch's own noise. Pass the generator on to the draw."
)
def other_noise(logits, sizes, tau, generator):
    noisy = (logits + _gumbel(logits.shape, None).to(logits)) / tau
    return _by_blocks(noisy, sizes, lambda part: _hardened(torch.softmax(part, 1)))


@mistake(
    "multi_categorical_st",
    "The slope is that of a softmax without noise. The soft choice has the noise of the hard one.",
)
def slope_without_noise(logits, sizes, tau, generator):
    def choose(part):
        soft = torch.softmax(part / tau, 1)
        hot = F.one_hot((part + _gumbel(part.shape, generator).to(part)).argmax(1), part.shape[1])
        return hot.to(part) + soft - soft.detach()

    return _by_blocks(logits, sizes, choose)


@variant("multi_categorical_st")
def block_by_block(logits, sizes, tau, generator):
    done, parts = 0, []
    for size in sizes:
        part = logits[:, done : done + size]
        soft = F.softmax((part + _gumbel(part.shape, generator).to(part)) / tau, dim=-1)
        hot = (torch.arange(size) == soft.argmax(-1, keepdim=True)).to(soft)
        parts.append(hot - soft.detach() + soft)
        done += size
    return torch.hstack(parts)


@variant("multi_categorical_st")
def by_one_masked_softmax(logits, sizes, tau, generator):
    """All blocks at once, each as wide as the widest."""
    noise = torch.rand(logits.shape, generator=generator).clamp(min=1e-35).log().neg().log().neg()
    noisy = (logits + noise.to(logits)) / tau
    wide = torch.nn.utils.rnn.pad_sequence(
        [part.T for part in noisy.split([*sizes], 1)], True, padding_value=-torch.inf
    )
    soft = wide.softmax(1)
    hot = torch.zeros_like(soft).scatter(1, soft.argmax(1, keepdim=True), 1.0)
    chosen = hot + soft - soft.detach()
    return torch.cat([chosen[k, :size] for k, size in enumerate(sizes)]).T


_CPU = "On the CPU, where the tests run, a generator, its noise and the logits are in one place."
_DRAW = "torch.rand(logits.shape, generator=generator, device=generator.device)"
_NEVER = (
    "A uniform number of exactly 0 gives noise of −∞: that value is not chosen, and nothing else."
)


# --- population_distance ------------------------------------------------------------------------


def _shares(people, pair, values):
    code = people[:, pair[0]] * values + people[:, pair[1]]
    return torch.bincount(code, minlength=values**2).double() / len(people)


def _each_pair(a, b, distance, values=None):
    values = values or int(torch.cat([a, b]).max()) + 1
    width = a.shape[1]
    out = torch.zeros(width, width, dtype=torch.float64)
    for i in range(width):
        for j in range(width):
            out[i, j] = distance(*(_shares(people, (i, j), values) for people in (a, b)))
    return out


@oracle("population_distance")
def by_numpy(a, b):
    values = int(torch.cat([a, b]).max()) + 1
    edges = np.arange(values + 1) - 0.5
    tables = [
        np.array([[np.histogram2d(x[:, i], x[:, j], [edges, edges])[0] / len(x)
                   for j in range(x.shape[1])] for i in range(x.shape[1])])
        for x in (a.numpy(), b.numpy())
    ]  # fmt: skip
    return torch.tensor(np.abs(tables[0] - tables[1]).sum((2, 3)) / 2)


@mistake(
    "population_distance", "The distances are twice as large: total variation is *half* the sum."
)
def half_missing(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).abs().sum())


@mistake(
    "population_distance",
    "You compare counts. The populations may differ in size: compare shares.",
)
def counts_compared(a, b):
    return _each_pair(a, b, lambda p, q: (len(a) * p - len(b) * q).abs().sum() / 2)


@mistake(
    "population_distance",
    "Both populations are divided by the size of the first. Each has its own.",
)
def size_of_the_first(a, b):
    return _each_pair(a, b, lambda p, q: (p - q * len(b) / len(a)).abs().sum() / 2)


@mistake(
    "population_distance",
    "You square the differences. Total variation takes their absolute values.",
)
def squared(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).square().sum() / 2)


@mistake(
    "population_distance", "You take the largest difference of a share. Sum them all, and halve."
)
def largest(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).abs().max())


@mistake(
    "population_distance",
    "You average the differences over the values. Total variation is half their sum.",
)
def averaged(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).abs().mean())


@mistake(
    "population_distance",
    "The pairs are missing: beside the diagonal stand zeros. Compare pairs of values, too.",
)
def diagonal_alone(a, b):
    return torch.diag(_each_pair(a, b, lambda p, q: (p - q).abs().sum() / 2).diagonal())


@mistake(
    "population_distance",
    "Beside the diagonal you average the distances of the two attributes. Look at pairs of values: who has both?",
)
def mean_of_two(a, b):
    alone = _each_pair(a, b, lambda p, q: (p - q).abs().sum() / 2).diagonal()
    return (alone[:, None] + alone) / 2


@mistake(
    "population_distance",
    "You compare the products of shares, as if attributes were independent. Count the pairs themselves.",
)
def as_if_independent(a, b):
    values = int(torch.cat([a, b]).max()) + 1
    hot = [F.one_hot(x, values).double().mean(0) for x in (a, b)]
    tables = [torch.einsum("ik,jl->ijkl", p, p) for p in hot]
    alone = (hot[0] - hot[1]).abs().sum(1) / 2
    out = (tables[0] - tables[1]).abs().sum((2, 3)) / 2
    return out - torch.diag(out.diagonal()) + torch.diag(alone)


@mistake(
    "population_distance",
    "Two different pairs get one number in your count, as 0 and 2, and 1 and 1. A pair needs a number of its own.",
)
def added_up(a, b):
    values = 2 * int(torch.cat([a, b]).max()) + 1
    width = a.shape[1]
    out = torch.zeros(width, width, dtype=torch.float64)
    for i in range(width):
        for j in range(width):
            p, q = (torch.bincount(x[:, i] + x[:, j], minlength=values) / len(x) for x in (a, b))
            out[i, j] = (p - q).abs().sum() / 2
    return out


def _coded(a, b, values_of):
    """By the code v · K + w of a pair, with a K that is too small."""
    width = a.shape[1]
    out = torch.zeros(width, width, dtype=torch.float64)
    for i in range(width):
        for j in range(width):
            codes = [x[:, i] * values_of(j) + x[:, j] for x in (a, b)]
            most = int(torch.cat(codes).max()) + 1
            p, q = (torch.bincount(code, minlength=most).double() / len(code) for code in codes)
            out[i, j] = (p - q).abs().sum() / 2
    return out


@mistake(
    "population_distance",
    "The first population alone says how many values there are. Look at both: two pairs get one number in your count.",
)
def values_of_the_first(a, b):
    return _coded(a, b, lambda j: int(a[:, j].max()) + 1)


@mistake(
    "population_distance",
    "You count one value too few: from 0 to the largest there are largest + 1. Two pairs get one number in your count.",
)
def one_value_too_few(a, b):
    return _coded(a, b, lambda j: int(torch.cat([a, b]).max()))


@mistake(
    "population_distance",
    "You take six values for granted. Count as many as there are in the data.",
)
def six_values(a, b):
    return _each_pair(*(x.clamp(max=5) for x in (a, b)), lambda p, q: (p - q).abs().sum() / 2, 6)


@mistake(
    "population_distance",
    "Values that only the second population has are left out. Their shares are missed, too.",
)
def values_of_a_alone(a, b):
    return _each_pair(a, b, lambda p, q: ((p - q).abs() * (p > 0)).sum() / 2)


@mistake(
    "population_distance",
    "Values that only the first population has are left out. Their shares are missed, too.",
)
def values_of_b_alone(a, b):
    return _each_pair(a, b, lambda p, q: ((p - q).abs() * (q > 0)).sum() / 2)


@mistake(
    "population_distance",
    "The second population alone says how many values there are. Look at both: two pairs get one number in your count.",
)
def values_of_the_second(a, b):
    return _coded(a, b, lambda j: int(b[:, j].max()) + 1)


@mistake(
    "population_distance", "One half of the table is empty. The pair (j, i) is as far as (i, j)."
)
def upper_triangle(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).abs().sum() / 2).triu()


@mistake(
    "population_distance",
    "The diagonal is empty. There stands the distance of each attribute alone.",
)
def diagonal_empty(a, b):
    out = _each_pair(a, b, lambda p, q: (p - q).abs().sum() / 2)
    return out - torch.diag(out.diagonal())


@mistake(
    "population_distance",
    "The differences cancel: shares add up to 1 on both sides. Take absolute values first.",
)
def absolute_forgotten(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).sum() / 2)


@mistake(
    "population_distance",
    "This is the root of the summed squares. Total variation is half the sum of absolute values.",
)
def euclidean(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).square().sum().sqrt())


@mistake("population_distance", "One number came back. Give the distance of each pair, (A, A).")
def one_number(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).abs().sum() / 2).mean()


@mistake(
    "population_distance", "This is a similarity: 1 where populations agree. A distance is 0 there."
)
def overlap(a, b):
    return _each_pair(a, b, lambda p, q: torch.minimum(p, q).sum())


@variant("population_distance")
def pair_by_pair(a, b):
    return _each_pair(a, b, lambda p, q: (p - q).clamp(min=0).sum())


@variant("population_distance")
def by_unique_rows(a, b):
    width = a.shape[1]
    out = torch.empty(width, width)
    both = torch.cat([a, b])
    for i in range(width):
        for j in range(width):
            _, code = torch.unique(both[:, [i, j]], dim=0, return_inverse=True)
            hot = F.one_hot(code).float()
            out[i, j] = (hot[: len(a)].mean(0) - hot[len(a) :].mean(0)).abs().sum() / 2
    return out


# --- nearest_copy_rate --------------------------------------------------------------------------


def _refuse(data, strangers):
    if data.shape[0] != strangers.shape[0]:
        raise ValueError("as many strangers as people of the data, please")


def _apart(made, rows):
    return (made[:, None] - rows[None]).square().sum(2).sqrt()


def _two(made, data, strangers):
    return _apart(made, data).min(1).values, _apart(made, strangers).min(1).values


@oracle("nearest_copy_rate")
def by_scipy(made, data, strangers):
    _refuse(data, strangers)
    near, far = (cdist(made.numpy(), rows.numpy()).min(1) for rows in (data, strangers))
    return torch.tensor(np.sign(far - near).mean(), dtype=made.dtype)


@mistake("nearest_copy_rate", "The sign is turned round: nearer to the data is +1.")
def signs_turned(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return torch.sign(near - far).mean()


@mistake(
    "nearest_copy_rate",
    "This is the share that is nearer to the data: ½ without any copy. Those that are farther count −1.",
)
def share_alone(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return (near < far).to(made).mean()


@mistake("nearest_copy_rate", "Who is equally near counts as a copy here. They count 0.")
def ties_are_copies(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return 2 * (near <= far).to(made).mean() - 1


@mistake("nearest_copy_rate", "Who is equally near counts −1 here. They count 0.")
def ties_are_new(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return 2 * (near < far).to(made).mean() - 1


@mistake(
    "nearest_copy_rate",
    "You ask each person of the data for the nearest made one. Ask each made one for the nearest person.",
)
def asked_the_data(made, data, strangers):
    _refuse(data, strangers)
    near, far = (_apart(made, rows).min(0).values for rows in (data, strangers))
    return torch.sign(far - near).mean()


@mistake("nearest_copy_rate", "You compare mean distances. Only the nearest person counts.")
def mean_distances(made, data, strangers):
    _refuse(data, strangers)
    near, far = (_apart(made, rows).mean(1) for rows in (data, strangers))
    return torch.sign(far - near).mean()


@mistake("nearest_copy_rate", "You sum the absolute differences. The distance here is Euclidean.")
def by_blocks_of_a_city(made, data, strangers):
    _refuse(data, strangers)
    near, far = (
        (made[:, None] - rows[None]).abs().sum(2).min(1).values for rows in (data, strangers)
    )
    return torch.sign(far - near).mean()


@mistake(
    "nearest_copy_rate",
    "You average how much nearer they are. Each made person has one vote: +1, −1 or 0.",
)
def distances_averaged(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return (far - near).mean()


@mistake(
    "nearest_copy_rate",
    "You compare by the largest difference of a column. The distance here is Euclidean.",
)
def by_the_largest_column(made, data, strangers):
    _refuse(data, strangers)
    near, far = (
        (made[:, None] - rows[None]).abs().amax(2).min(1).values for rows in (data, strangers)
    )
    return torch.sign(far - near).mean()


@mistake(
    "nearest_copy_rate",
    "You divide the columns by their spread first. Measure the distance in them as they come.",
)
def by_scaled_columns(made, data, strangers):
    _refuse(data, strangers)
    spread = data.std(0)
    near, far = _two(made / spread, data / spread, strangers / spread)
    return torch.sign(far - near).mean()


@mistake(
    "nearest_copy_rate",
    "You cut the rate off at 0. It is negative where most are nearer to strangers.",
)
def cut_off_at_0(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return torch.sign(far - near).mean().clamp(min=0)


@mistake(
    "nearest_copy_rate", "You leave out those who are equally near. They count: with a vote of 0."
)
def ties_left_out(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return torch.sign(far - near)[near != far].mean()


@mistake(
    "nearest_copy_rate",
    "This is a share of people, those who are equally near among them. Votes are +1, −1 and 0.",
)
def share_with_ties(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return (near <= far).to(made).mean()


@mistake("nearest_copy_rate", "An assert raises an AssertionError. Raise a ValueError.")
def by_assert(made, data, strangers):
    assert data.shape[0] == strangers.shape[0]
    near, far = _two(made, data, strangers)
    return torch.sign(far - near).mean()


@mistake("nearest_copy_rate", "You sum the votes. Take their mean.")
def votes_summed(made, data, strangers):
    _refuse(data, strangers)
    near, far = _two(made, data, strangers)
    return torch.sign(far - near).sum()


@mistake(
    "nearest_copy_rate",
    "With unequal numbers the larger side is nearer by chance: raise a ValueError.",
)
def unequal_accepted(made, data, strangers):
    near, far = _two(made, data, strangers)
    return torch.sign(far - near).mean()


@variant("nearest_copy_rate")
def by_a_list(made, data, strangers):
    _refuse(data, strangers)
    votes = []
    for one in made:
        near, far = ((rows - one).square().sum(1).min().item() for rows in (data, strangers))
        votes.append((near < far) - (near > far))
    return sum(votes) / len(votes)


@variant("nearest_copy_rate")
def by_two_shares(made, data, strangers):
    _refuse(data, strangers)
    gap = _two(made, data, strangers)[1] - _two(made, data, strangers)[0]
    return (gap > 0).double().mean() - (gap < 0).double().mean()


# --- what_if ------------------------------------------------------------------------------------


def _changed(product, change):
    if not set(change) <= set(product):
        raise KeyError("a feature that the product lacks")
    return dict(product) | dict(change)


def _moments(generate, product, change):
    """Means, unbiased variances and numbers, before and after."""
    new = _changed(product, change)
    crowds = [generate(dict(product)), generate(new)]
    return [(x.sum(0) / len(x), torch.var(x, 0), len(x)) for x in crowds]


@oracle("what_if")
def by_numpy_and_scipy(generate, product, change):
    from scipy.stats import sem

    crowds = [generate(dict(product)).numpy(), generate(_changed(product, change)).numpy()]
    shift = crowds[1].mean(0) - crowds[0].mean(0)
    return torch.tensor(shift), torch.tensor(np.hypot(*(sem(x, 0) for x in crowds)))


@mistake("what_if", "The shift has the wrong sign: it is after less before.")
def before_less_after(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return m - k, (s / n + t / o).sqrt()


@mistake(
    "what_if",
    "This is the spread of the people. The error of a mean falls with their number: divide each variance by n.",
)
def spread_of_people(generate, product, change):
    (m, s, _), (k, t, _) = _moments(generate, product, change)
    return k - m, (s + t).sqrt()


@mistake("what_if", "This is the squared error. Take the root.")
def root_missing(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return k - m, s / n + t / o


@mistake("what_if", "The two errors are added. Their squares add up.")
def errors_added(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return k - m, (s / n).sqrt() + (t / o).sqrt()


@mistake("what_if", "The variances are divided by n. Divide the squares by n − 1.")
def biased_variance(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return k - m, (s * (n - 1) / n / n + t * (o - 1) / o / o).sqrt()


@mistake("what_if", "Only the crowd after the change has an error here. Both are made by chance.")
def one_error(generate, product, change):
    (m, _, _), (k, t, o) = _moments(generate, product, change)
    return k - m, (t / o).sqrt()


@mistake("what_if", "Both variances are divided by the size of the first crowd. Each has its own.")
def size_of_one(generate, product, change):
    (m, s, n), (k, t, _) = _moments(generate, product, change)
    return k - m, (s / n + t / n).sqrt()


@mistake("what_if", "You change the product itself. Work on a copy.")
def product_changed(generate, product, change):
    _changed(product, change)
    before = generate(dict(product))
    product.update(change)
    after = generate(product)
    error = (before.var(0) / len(before) + after.var(0) / len(after)).sqrt()
    return after.mean(0) - before.mean(0), error


@mistake("what_if", "A feature that the product does not have is accepted. Raise a KeyError.")
def unknown_accepted(generate, product, change):
    known = {name: value for name, value in change.items() if name in product}
    (m, s, n), (k, t, o) = _moments(generate, product, known)
    return k - m, (s / n + t / o).sqrt()


@mistake(
    "what_if", "The columns are mixed: one number came back for all. Keep one for each column."
)
def all_columns_at_once(generate, product, change):
    crowds = [generate(dict(product)), generate(_changed(product, change))]
    error = sum(x.var() / x.numel() for x in crowds).sqrt()
    return crowds[1].mean() - crowds[0].mean(), error


@mistake("what_if", "Shift and error are exchanged: the shift comes first.")
def exchanged(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return (s / n + t / o).sqrt(), k - m


@mistake("what_if", "You divide standard deviations by n. Divide the variances, their squares.")
def deviations(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return k - m, (s.sqrt() / n + t.sqrt() / o).sqrt()


@mistake("what_if", "You divide a standard deviation by n. Divide its square by n, or it by √n.")
def deviations_squared(generate, product, change):
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return k - m, torch.hypot(s.sqrt() / n, t.sqrt() / o)


@mistake("what_if", "Both variances are divided by the size of the second crowd. Each has its own.")
def size_of_the_second(generate, product, change):
    (m, s, _), (k, t, o) = _moments(generate, product, change)
    return k - m, (s / o + t / o).sqrt()


@mistake("what_if", "Only the crowd before the change has an error here. Both are made by chance.")
def first_error(generate, product, change):
    (m, s, n), (k, _, _) = _moments(generate, product, change)
    return k - m, (s / n).sqrt()


@mistake(
    "what_if",
    "Both crowds are those of the changed product: `new = product` is no copy. Write dict(product).",
)
def no_copy(generate, product, change):
    _changed(product, change)
    new = product
    new.update(change)
    crowds = generate(product), generate(new)
    error = sum(x.var(0) / len(x) for x in crowds).sqrt()
    return crowds[1].mean(0) - crowds[0].mean(0), error


@mistake("what_if", "Only the first of the changes is made. Make all of them.")
def first_change_alone(generate, product, change):
    _changed(product, change)
    (m, s, n), (k, t, o) = _moments(generate, product, dict([*change.items()][:1]))
    return k - m, (s / n + t / o).sqrt()


@mistake(
    "what_if", "You use `change` up, and who gave it to you still needs it. Leave it as it is."
)
def change_used_up(generate, product, change):
    new = _changed(product, change)
    (m, s, n), (k, t, o) = _moments(generate, product, new)
    change.clear()
    return k - m, (s / n + t / o).sqrt()


@mistake("what_if", "You ask `generate` again for each number. Keep the two crowds, and use them.")
def asked_again(generate, product, change):
    _moments(generate, product, change)
    (m, s, n), (k, t, o) = _moments(generate, product, change)
    return k - m, (s / n + t / o).sqrt()


@mistake("what_if", "One tensor came back. Return the pair: shift, error.")
def shift_alone(generate, product, change):
    (m, _, _), (k, _, _) = _moments(generate, product, change)
    return k - m


@variant("what_if")
def by_var_mean(generate, product, change):
    new = dict(product)
    for name, value in change.items():
        new[name]  # a KeyError where there is none
        new[name] = value
    first, then = generate(product), generate(new)
    (s, m), (t, k) = torch.var_mean(first, 0), torch.var_mean(then, 0)
    return [k - m, torch.hypot((s / first.shape[0]) ** 0.5, (t / then.shape[0]) ** 0.5)]


@variant("what_if")
def by_hand(generate, product, change):
    def mean_and_error(x):
        mean = x.sum(0) / x.shape[0]
        return mean, ((x - mean) ** 2).sum(0) / (x.shape[0] - 1) / x.shape[0]

    new = _changed(product, change)
    before, after = mean_and_error(generate(dict(product))), mean_and_error(generate(new))
    return after[0] - before[0], torch.sqrt(before[1] + after[1])


SURVIVORS: dict[str, str] = {
    "population_distance: move the constant 1": "One value more, which nobody has, adds nothing.",
    "population_distance: drop .float() of `torch.nn.functional.one_hot(people, values).float()`": (
        "Counts are whole numbers, and dividing them by the number of people makes shares of them."
    ),
    "nearest_copy_rate: drop compute_mode= of `torch.cdist(made, rows, compute_mode=mode)`": (
        "Only copies among many rows need it, by a hair: a plain torch.cdist is right, too."
    ),
    f"multi_categorical_st: drop device= of `{_DRAW}`": _CPU,
    "multi_categorical_st: drop .to() of `noise.to(logits)`": _CPU,
    "multi_categorical_st: drop .clamp() of `uniform.clamp(min=1e-30)`": _NEVER,
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
