"""The scores of samples, against SciPy, scikit-learn and what their papers say of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import energy_distance as by_scipy
from sklearn.neighbors import NearestNeighbors

from genssl_utils.kit.samples import coverage, energy_distance, precision_recall, scores


@pytest.fixture
def draw():
    return torch.Generator().manual_seed(0)


def test_energy_distance_in_one_dimension_is_scipys_without_its_bias(draw):
    x, y = torch.randn(700, 1, generator=draw), 1.3 * torch.randn(600, 1, generator=draw) + 0.4
    within = [
        np.abs(h.numpy() - h.numpy().T).sum() * (1 / (len(h) * (len(h) - 1)) - 1 / len(h) ** 2)
        for h in (x.double(), y.double())
    ]
    biased = by_scipy(x[:, 0].double(), y[:, 0].double()) ** 2
    assert energy_distance(x, y) == pytest.approx(biased - sum(within), abs=1e-9)


def test_energy_distance_of_equal_distributions_is_zero_on_average(draw):
    runs = [energy_distance(*torch.randn(2, 40, 3, generator=draw).unbind()) for _ in range(200)]
    error = np.std(runs) / len(runs) ** 0.5
    assert abs(np.mean(runs)) < 5 * error
    assert min(runs) < 0


def test_energy_distance_grows_as_the_heaps_part(draw):
    x, y = torch.randn(2, 300, 2, generator=draw).unbind()
    found = [energy_distance(x, y + shift) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert found == sorted(found)
    assert energy_distance(x, y + 1e4) == pytest.approx(2 * 2**0.5 * 1e4, rel=1e-3)


def nearest(heap, k):
    found = NearestNeighbors(n_neighbors=k + 1).fit(heap).kneighbors(heap)[0]
    return found[:, k]


def test_precision_recall_and_coverage_against_scikit_learn(draw):
    real = torch.randn(600, 4, generator=draw).double()
    made = 0.7 * torch.randn(530, 4, generator=draw).double() + 0.5
    far = torch.cdist(made, real).numpy()
    back = far.T
    precision = (far <= nearest(real, 3)).any(1).mean()
    recall = (back <= nearest(made, 3)).any(1).mean()
    assert precision_recall(real, made) == pytest.approx((precision, recall))
    assert coverage(real, made) == pytest.approx((far.min(0) <= nearest(real, 5)).mean())


def test_fresh_true_rows_cover_as_the_paper_says(draw):
    real, fresh = torch.randn(2, 2000, 8, generator=draw).unbind()
    for k in (1, 3, 5):
        assert coverage(real, fresh, k) == pytest.approx(1 - 0.5**k, abs=0.04)


def test_a_collapsed_model_has_precision_and_no_variety(draw):
    real = torch.randn(500, 2, generator=draw)
    found = scores(real, 0.01 * torch.randn(500, 2, generator=draw))
    assert found.precision == 1
    assert found.recall < 0.05
    assert found.coverage < 0.1
    assert found.energy > 0.3


def test_a_model_that_is_too_wide_has_variety_and_no_precision(draw):
    real = torch.randn(500, 2, generator=draw)
    found = scores(real, 6 * torch.randn(500, 2, generator=draw))
    assert found.recall > 0.9
    assert found.precision < 0.4


def test_one_row_far_out_fools_recall_and_not_coverage(draw):
    """What coverage was made for: balls are round true rows alone."""
    real = torch.randn(400, 2, generator=draw)
    made = torch.cat([torch.zeros(396, 2), torch.tensor([[9.0, 0], [-9, 0], [0, 9], [0, -9]])])
    assert precision_recall(real, made)[1] > 0.95
    assert coverage(real, made) < 0.1


def test_the_copies_of_true_rows_are_perfect(draw):
    real = torch.randn(60, 3, generator=draw, dtype=torch.float32)
    assert precision_recall(real, real.flip(0)) == (1.0, 1.0)
    assert coverage(real, real.flip(0)) == 1.0


@pytest.mark.parametrize("rows", [1, 511, 512, 513, 1025])
def test_how_rows_are_split_changes_nothing(draw, rows):
    real, made = torch.randn(1100, 2, generator=draw), torch.randn(rows + 3, 2, generator=draw)
    far = torch.cdist(real.double(), made.double()).numpy()
    wanted = (far.min(1) <= nearest(real.double(), 5)).mean()
    assert coverage(real, made) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("real", "made", "told"),
    [
        (torch.zeros(9, 2), torch.zeros(9, 3), "same columns"),
        (torch.zeros(9), torch.zeros(9), "same columns"),
        (torch.zeros(3, 2), torch.zeros(9, 2), "rows or more"),
        (torch.full((9, 2), torch.nan), torch.zeros(9, 2), "not finite"),
    ],
)
def test_bad_heaps_are_told(real, made, told):
    with pytest.raises(ValueError, match=told):
        precision_recall(real, made)


def test_a_bad_neighbour_is_told():
    with pytest.raises(ValueError, match="at least 1"):
        precision_recall(torch.zeros(9, 2), torch.zeros(9, 2), k=0)
    with pytest.raises(ValueError, match="more than 5 true rows"):
        coverage(torch.zeros(5, 2), torch.zeros(9, 2))
