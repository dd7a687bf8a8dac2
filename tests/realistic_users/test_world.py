"""The made homes and people: their law is the one that is told, and the truth can be drawn."""

from __future__ import annotations

import pytest
import torch

from genssl_utils.realistic_users.homes import EXTRAS, PLACES, Homes, draw_homes, home, homes_of
from genssl_utils.realistic_users.market import market
from genssl_utils.realistic_users.people import (
    ATTRIBUTES,
    BANDS,
    CATEGORIES,
    SIZES,
    TYPES,
    draw_people,
    people_of,
)  # fmt: skip


@pytest.fixture(scope="module")
def year():
    return market(800, 60, new=12, shown=30, seed=3)


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_home_and_its_table_are_the_same():
    one = home(75, 300, "coast", "pool", "lift")
    assert homes_of([one]).dicts() == [one]
    told = homes_of([one]).described()[0]
    assert told.shape == (11,)
    assert told[2:6].tolist() == [0, 0, 0, 1]
    assert told[6:].tolist() == [1, 0, 0, 1, 0]


@pytest.mark.parametrize("wrong", [{"place": "moon"}, {"place": "coast", "extra": "sauna"}])
def test_unknown_places_and_extras_are_named(wrong):
    with pytest.raises(ValueError, match="Places are"):
        home(75, 300, *wrong.values())
    with pytest.raises(ValueError, match="features"):
        homes_of([{"size": 3.0}])
    with pytest.raises(ValueError, match="columns"):
        Homes(torch.zeros(3, 2))


def test_drawn_homes_are_in_range_and_no_two_the_same():
    homes = draw_homes(500, draw())
    assert homes.column("size").min() >= 25
    assert homes.column("size").max() <= 260
    assert homes.column("price").min() >= 60
    assert homes.column("price").max() <= 1500
    assert len({tuple(row) for row in homes.table.tolist()}) == 500
    for name in EXTRAS:
        assert 0.05 < homes.column(name).mean() < 0.95
    per_metre = homes.column("price") / homes.column("size")
    centre = homes.column("place") == PLACES.index("centre")
    village = homes.column("place") == PLACES.index("village")
    assert per_metre[centre].median() > 1.5 * per_metre[village].median()


def test_shares_of_types_and_values_are_those_that_are_told():
    n = 40_000
    people, tastes = draw_people(n, draw(1))
    assert sum(one.share for one in TYPES.values()) == pytest.approx(1)
    for k, one in enumerate(TYPES.values()):
        inside = tastes.kind == k
        assert inside.float().mean() == pytest.approx(one.share, abs=5 * (one.share / n) ** 0.5)
        for name, shares in zip(CATEGORIES, one.shares, strict=True):
            assert sum(shares) == pytest.approx(1)
            seen = people.category(name)[inside].bincount(minlength=len(shares)) / inside.sum()
            assert seen.tolist() == pytest.approx(shares, abs=0.05)
        assert people.number("age")[inside].mean() == pytest.approx(one.age[0], abs=0.6)


def test_rows_and_what_they_say_agree():
    who = torch.tensor([[0, 1, 2, 3], [2, 0, 1, 1]])
    people = people_of(who, torch.tensor([29.9, 70.0]), torch.tensor([30.0, 64.0]))
    assert people.rows.shape == (2, sum(SIZES) + 2)
    assert people.number("age").tolist() == pytest.approx([29.9, 70.0], abs=1e-3)
    assert people.number("income").tolist() == pytest.approx([30.0, 64.0], abs=1e-2)
    assert people.codes[:, :5].tolist() == [[0, 1, 2, 3, 0], [2, 0, 1, 1, 5]]
    assert people.codes.shape == (2, len(ATTRIBUTES))
    assert people.codes[:, 5].max() <= len(BANDS["income"])


def test_the_chance_of_a_click_is_the_logistic_function_of_the_utility():
    """By the formula of the docstring, for a person and a home by hand."""
    _people, tastes = draw_people(200, draw(2))
    one = home(60, 230, "centre", "lift")
    weights = tastes.weights[7].double()
    size, price = (homes_of([one]).described()[0, :2]).double()
    utility = (
        weights[0] + weights[1] * size + weights[2] * size**2
        + weights[3] * price + weights[4] * price**2 + weights[5] + weights[12]
    )  # fmt: skip
    got = tastes.chance(homes_of([one]))[7, 0]
    assert got == pytest.approx(torch.sigmoid(utility).item(), rel=1e-4)
    # The best price is the budget, the best size the wanted one: both are maxima.
    assert (tastes.weights[:, 2] < 0).all()
    assert (tastes.weights[:, 4] < 0).all()


def test_a_market_is_made_by_its_seed_and_splits_are_apart(year):
    again = market(800, 60, new=12, shown=30, seed=3)
    assert torch.equal(year.clicks, again.clicks)
    assert torch.equal(year.truth.people.rows, again.truth.people.rows)
    kept = {tuple(pair) for pair in year.kept.tolist()}
    assert not kept & {tuple(pair) for pair in year.clicks.tolist()}
    assert 0.05 < len(kept) / (len(kept) + len(year.clicks)) < 0.15
    assert year.matrix.sum() == len(year.clicks)
    rows = {tuple(row) for row in year.homes.table.tolist()}
    assert not rows & {tuple(row) for row in year.new.table.tolist()}
    known = {tuple(row) for row in year.people.rows.tolist()}
    assert not known & {tuple(row) for row in year.truth.people.rows.tolist()}
    with pytest.raises(ValueError, match="shown"):
        market(10, 5, shown=6)


def test_clicks_come_as_often_as_the_truth_says():
    year = market(4000, 30, new=5, shown=30, kept=0.0, seed=5)
    seen = year.matrix.mean(0)
    want = year.truth.popularity(year.homes)
    error = (want * (1 - want) / 4000 + want / 40_000).sqrt()
    assert ((seen - want).abs() < 5 * error + 1e-3).all()


def test_true_buyers_are_drawn_by_their_chance(year):
    one = year.new[[0]]
    chance = year.truth.tastes.chance(one)[:, 0]
    want = (chance @ year.truth.people.rows) / chance.sum()
    drawn = year.truth.buyers(one, 20_000, draw(4)).rows.mean(0)
    assert drawn[: sum(SIZES)].tolist() == pytest.approx(want[: sum(SIZES)].tolist(), abs=0.02)
    assert len(year.buyers_of(0)) == int(year.matrix[:, 0].sum())
