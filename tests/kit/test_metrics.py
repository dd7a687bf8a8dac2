"""The measures: axioms of a distance, closed forms, and agreement with simulation."""

import math

import pytest
import torch
from scipy import stats

from genssl_utils.kit.metrics import (
    accuracy,
    effective_number,
    mass_covered,
    total_variation,
    variation_floor,
)


def distributions(count: int = 3, k: int = 6) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(count, k, dtype=torch.float64).softmax(dim=1)


def test_total_variation_is_a_distance_between_0_and_1():
    p, q, r = distributions()
    assert total_variation(p, p) == 0
    assert total_variation(p, q) == total_variation(q, p) > 0
    assert total_variation(p, r) <= total_variation(p, q) + total_variation(q, r)
    assert total_variation(torch.tensor([1, 0]), torch.tensor([0, 5])) == 1


def test_total_variation_is_the_largest_gap_over_all_events():
    p, q, _ = distributions()
    events = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * len(p))
    assert math.isclose(total_variation(p, q), (events @ (p - q)).max().item(), rel_tol=1e-12)


@pytest.mark.parametrize("draws", [1, 2, 10, 137])
def test_the_floor_equals_the_sum_over_scipys_binomial(draws):
    p = distributions()[0]
    expected = 0.0
    for p_k in p.tolist():
        law = stats.binom(draws, p_k)
        expected += sum(law.pmf(m) * abs(m / draws - p_k) for m in range(draws + 1)) / 2
    assert math.isclose(variation_floor(p, draws), expected, rel_tol=1e-9)


def test_the_floor_is_what_perfect_samples_show_and_falls_as_one_over_root_n():
    p = distributions(1, 100)[0]
    generator = torch.Generator().manual_seed(0)
    seen = [
        total_variation(
            torch.multinomial(p, 500, replacement=True, generator=generator).bincount(
                minlength=100
            ),
            p,
        )
        for _ in range(100)
    ]
    seen = torch.tensor(seen)
    assert abs(seen.mean().item() - variation_floor(p, 500)) < 5 * seen.std().item() / 10
    assert math.isclose(variation_floor(p, 10**6) / variation_floor(p, 4 * 10**6), 2, rel_tol=1e-3)


def test_a_sure_outcome_has_no_floor():
    assert variation_floor(torch.tensor([0.0, 3.0]), 7) == 0


@pytest.mark.parametrize("k", [1, 2, 10])
def test_effective_number_of_equal_counts_is_their_number(k):
    counts = torch.cat([torch.full((k,), 4), torch.zeros(3, dtype=torch.int64)])
    assert math.isclose(effective_number(counts), k, rel_tol=1e-12)


def test_effective_number_multiplies_for_independent_choices():
    p, q, _ = distributions()
    both = (p[:, None] * q).flatten()
    assert math.isclose(effective_number(both), effective_number(p) * effective_number(q))


def test_mass_covered_counts_outcomes_not_repeats():
    p = torch.tensor([0.5, 0.3, 0.2])
    assert math.isclose(mass_covered(p, torch.tensor([1, 0, 0])), 0.5, rel_tol=1e-6)
    assert mass_covered(p, torch.tensor([1, 0, 0])) == mass_covered(p, torch.tensor([9, 0, 0]))
    assert math.isclose(mass_covered(p, torch.tensor([1, 2, 1])), 1)


def test_accuracy_is_the_share_of_hits():
    assert accuracy(torch.eye(4), torch.tensor([0, 1, 2, 0])) == 0.75


BAD = [torch.tensor([-1.0, 2.0]), torch.zeros(2), torch.ones(1, 2), torch.tensor([float("nan"), 1])]


@pytest.mark.parametrize("weights", BAD)
def test_what_is_no_distribution_is_refused(weights):
    for measure in (
        effective_number,
        lambda w: total_variation(w, torch.ones(2)),
        lambda w: mass_covered(w, torch.ones(2)),
        lambda w: variation_floor(w, 5),
    ):
        with pytest.raises(ValueError, match=r"[Ww]eight"):
            measure(weights)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="same outcomes"):
        total_variation(torch.ones(2), torch.ones(3))
    with pytest.raises(ValueError, match="one count"):
        mass_covered(torch.ones(2), torch.ones(3))
    with pytest.raises(ValueError, match="at least 1"):
        variation_floor(torch.ones(2), 0)
    with pytest.raises(ValueError, match="scores of shape"):
        accuracy(torch.ones(2), torch.ones(2))
