"""The reference answers: theorems, and equality with pytorch-metric-learning where it agrees."""

from __future__ import annotations

import math

import pytest
import torch
from pytorch_metric_learning import distances, losses, miners, reducers
from torch.nn import functional as F

from genssl_utils.contrastive.explorer import semi_hard_picture
from genssl_utils.contrastive.information import bound_of
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@pytest.fixture(scope="module")
def answers():
    return Checker(find_unit(project_root(), "18")).namespace


def batch(dtype=torch.float64, size=24, classes=4, seed=0):
    chance = torch.Generator().manual_seed(seed)
    z = F.normalize(torch.randn(size, 6, generator=chance, dtype=dtype), dim=1)
    return z, torch.arange(size) % classes


def squared():
    return distances.LpDistance(normalize_embeddings=False, power=2)


def triples_of(index, size):
    cube = torch.zeros(size, size, size, dtype=torch.bool)
    cube[tuple(index)] = True
    return cube


# ---- equal to pytorch-metric-learning


@DTYPES
def test_distances_are_its_distances(answers, dtype):
    z, _ = batch(dtype)
    torch.testing.assert_close(answers["pairwise_sq_dist"](z), squared()(z), atol=1e-6, rtol=1e-5)


@DTYPES
def test_triplets_of_the_same_indices_cost_the_same(answers, dtype):
    z, y = batch(dtype)
    a, p, n = (
        triples_of(miners.TripletMarginMiner(margin=9, distance=squared())(z, y), 24).nonzero().T
    )
    theirs = losses.TripletMarginLoss(
        margin=0.2, distance=squared(), reducer=reducers.MeanReducer()
    )(z, y, (a, p, n))
    torch.testing.assert_close(answers["triplet_loss"](z[a], z[p], z[n], 0.2), theirs)


def test_semi_hard_triples_are_its_own_up_to_ties(answers):
    z, y = batch()
    ours = answers["semi_hard_negatives"](squared()(z), y, 0.4)
    theirs = miners.TripletMarginMiner(margin=0.4, type_of_triplets="semihard", distance=squared())(
        z, y
    )
    assert len(ours) > 20
    assert torch.equal(triples_of(ours.T, 24), triples_of(theirs, 24))


@DTYPES
def test_lifted_loss_is_its_own_on_plain_distances(answers, dtype):
    z, y = batch(dtype)
    plain = distances.LpDistance(normalize_embeddings=False)
    theirs = losses.LiftedStructureLoss(neg_margin=1.0, pos_margin=0.0, distance=plain)(z, y)
    ours = answers["lifted_structure_loss"](plain(z), y, 1.0)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@DTYPES
def test_info_nce_is_nt_xent_with_other_views_as_candidates(answers, dtype):
    (z, _), (c, _) = batch(dtype), batch(dtype, seed=1)
    pairs, dot = torch.arange(24), distances.DotProductSimilarity(normalize_embeddings=False)
    theirs = losses.NTXentLoss(temperature=0.5, distance=dot)(
        c, pairs, ref_emb=z, ref_labels=pairs.clone()
    )
    torch.testing.assert_close(answers["info_nce"](z, c, None, 0.5), theirs, atol=1e-6, rtol=1e-5)


def test_soft_nearest_neighbour_is_sup_con_where_there_is_one_positive(answers):
    """With more, SupCon takes the log inside the mean over positives: Jensen makes it larger."""
    for classes, equal in ((12, True), (4, False)):
        z, y = batch(classes=classes)
        supcon = losses.SupConLoss(temperature=0.25)(z, y)
        snn = answers["soft_nearest_neighbor_loss"](z, y, 0.5)  # −d²/0.5 = 2zᵀz′/0.5 − const
        if equal:
            torch.testing.assert_close(snn, supcon, atol=1e-6, rtol=1e-6)
        else:
            assert snn < supcon


# ---- theorems


def test_equal_scores_cost_log_n(answers):
    for n in (1, 2, 7, 100):
        assert answers["info_nce"](torch.ones(n, 3), torch.ones(n, 3)).item() == pytest.approx(
            math.log(n), abs=1e-5
        )


def test_one_noise_word_makes_nce_a_logistic_regression(answers):
    s = torch.randn(9, 2, dtype=torch.float64)
    q = -torch.rand(9, 2, dtype=torch.float64)
    odds = torch.cat([s[:, 0] - q[:, 0], s[:, 1] - q[:, 1]])
    truth = torch.cat([torch.ones(9), torch.zeros(9)]).double()
    want = 2 * F.binary_cross_entropy_with_logits(odds, truth)
    torch.testing.assert_close(answers["nce_loss"](s[:, 0], s[:, 1:], q[:, 0], q[:, 1:]), want)


def test_a_rotation_and_a_shift_change_no_distance(answers):
    z, _ = batch()
    turn = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
    dist = answers["pairwise_sq_dist"]
    torch.testing.assert_close(dist(z @ turn + 3), dist(z), atol=1e-9, rtol=0)


def test_a_collapsed_batch_costs_the_margin(answers):
    z = torch.ones(8, 5)
    assert answers["triplet_loss"](z, z, z, 0.2).item() == pytest.approx(0.2)


def test_a_cold_soft_nearest_neighbour_compares_two_nearest(answers):
    """T · loss tends to d(nearest positive) − d(nearest of all), averaged."""
    z, y = batch()
    dist = torch.cdist(z, z).square().fill_diagonal_(torch.inf)
    positive = dist.masked_fill(y[:, None] != y, torch.inf).amin(1)
    want = (positive - dist.amin(1)).mean()
    cold = 1e-5 * answers["soft_nearest_neighbor_loss"](z, y, 1e-5)
    torch.testing.assert_close(cold, want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("nats", [1.0, 3.0, 6.0])
def test_the_bound_exceeds_neither_the_information_nor_log_n(answers, nats):
    """Poole et al. 2019: log N − L ≤ min(I, log N) on average; 4096 pairs leave some noise."""
    before = -1.0
    for batch_size in (4, 32, 256):
        bound = bound_of(answers["info_nce"], information=nats, batch=batch_size)
        assert before < bound <= min(nats + 0.06, math.log(batch_size))
        before = bound
    assert before > 0.6 * min(nats, math.log(256))


def test_a_hot_soft_nearest_neighbour_counts_and_a_hot_info_nce_guesses(answers):
    z, y = batch(size=24, classes=4)  # 5 others of one's own class among 23
    hot = answers["soft_nearest_neighbor_loss"](z, y, 1e9).item()
    assert hot == pytest.approx(math.log(23 / 5), abs=1e-6)
    guess = answers["info_nce"](z, z, None, 1e9).item()
    assert guess == pytest.approx(math.log(24), abs=1e-6)


def test_lifted_loss_lies_above_its_hardest_negative_and_below_a_sum_more(answers):
    """A log of a sum over n terms is their maximum, plus at most log n."""
    z, y = batch()
    dist = torch.cdist(z, z)
    away = (1.0 - dist).masked_fill(y[:, None] == y, -torch.inf).amax(1)
    i, j = (y[:, None] == y).triu(1).nonzero().T
    hardest = torch.maximum(away[i], away[j]) + dist[i, j]
    got = (2 * answers["lifted_structure_loss"](dist, y, 1.0)).item()
    low = torch.relu(hardest).square().mean().item()
    high = torch.relu(hardest + math.log(2 * 18)).square().mean().item()
    assert low < got < high


def test_semi_hard_triples_all_cost_something_and_less_than_the_margin(answers):
    z, y = batch()
    dist = answers["pairwise_sq_dist"](z)
    for a, p, n in answers["semi_hard_negatives"](dist, y, 0.3).tolist():
        cost = answers["triplet_loss"](z[a][None], z[p][None], z[n][None], 0.3).item()
        assert 0 < cost < 0.3


def test_the_explorer_shows_the_furthest_positive_whatever_the_order_of_the_rows(answers):
    def shuffled(*args):
        rows = answers["semi_hard_negatives"](*args)
        return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(7))]

    for anchor in range(6):
        lines = [
            [line.get_xydata().tolist() for line in semi_hard_picture(f, 1.0, anchor).axes[0].lines]
            for f in (answers["semi_hard_negatives"], shuffled)
        ]
        circles = [
            sorted(p.radius for p in semi_hard_picture(f, 1.0, anchor).axes[0].patches)
            for f in (answers["semi_hard_negatives"], shuffled)
        ]
        assert circles[0] == circles[1]
        assert sorted(map(str, lines[0])) == sorted(map(str, lines[1]))
    assert any(circles[0])
