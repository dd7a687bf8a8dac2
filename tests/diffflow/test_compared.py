"""The comparison: one budget for all, bounds that are bounds, tables that tell what was found."""

from __future__ import annotations

import math

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from genssl_utils import diffflow as topic
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.diffflow.peers import DDPM, kept_signal, trained_realnvp
from genssl_utils.diffflow.sets import SETS

PLAN = ((2, 30), (4, 20))


@pytest.fixture(scope="module")
def recipe():
    own = Checker(find_unit(project_root(), "10")).namespace
    return topic.Recipe(*(own[name] for name in topic.Recipe._fields))


@pytest.fixture(scope="module")
def found(recipe):
    return topic.compare(recipe, "checkerboard", plan=PLAN, seed=3)


def test_all_have_equal_weights_and_updates(found):
    counts = found.weights.values()
    assert max(counts) < 1.02 * min(counts)
    ended = {found.row("DiffFlow", 4).updates, found.row("DDPM", 2).updates}
    assert ended | {found.row("RealNVP").updates} == {50}
    assert found.row("DiffFlow", 2).updates == 30


def test_each_method_has_its_rows(found):
    assert [(r.method, r.steps) for r in found.rows] == [
        ("DiffFlow", 2), ("DiffFlow", 4), ("DDPM", 2), ("DDIM", 2), ("DDPM", 4), ("DDIM", 4),
        ("RealNVP", 0),
    ]  # fmt: skip
    assert found.lengths == [2, 4]
    for row in found.rows:
        assert math.isnan(row.nats) == (row.method == "DDIM")
        assert row.method == "DDIM" or row.nats > found.floor
        assert 0 < row.off < 1
        assert found.made[row.method, row.steps].shape == found.test.shape


def test_the_same_seed_gives_the_same_numbers(recipe, found):
    again = topic.compare(recipe, "checkerboard", plan=PLAN, seed=3, recompute=True)
    for one, other in zip(found.rows, again.rows, strict=True):
        assert one.energy == pytest.approx(other.energy, abs=2e-3)
        if one.method != "DDIM":
            assert one.nats == pytest.approx(other.nats, rel=1e-3)


def test_the_longer_ddpm_is_judged_on_the_same_points(found):
    longer = topic.longer_ddpm(found, updates=20, seed=3, lengths=(2,))
    assert [(r.method, r.updates) for r in longer.rows] == [("DDPM", 20), ("DDIM", 20)]
    assert torch.equal(longer.test, found.test)
    told = repr(topic.longer_table(found, longer))
    assert told.count("DiffFlow ") == 1


class Best(nn.Module):
    """The best guess of the noise where data are N(0, ¼); it is linear."""

    turns = torch.ones(1)

    def forward(self, x, t):
        kept = kept_signal(t)
        return (1 - kept).sqrt() * x / (1 - kept + kept / 4)


def perfect():
    """A DDPM that knows the answer."""
    made = DDPM(hidden=(4,))
    made.net = Best()
    return made


@pytest.mark.parametrize(("steps", "gap"), [(200, 0.05), (10, 0.6)])
def test_ddpms_bound_is_tight_where_its_guess_is_best_and_steps_are_many(steps, gap):
    x, known = 0.5 * torch.randn(2, 4000, 2, generator=torch.Generator().manual_seed(0))
    bound = perfect().bound(x, known, steps, torch.Generator().manual_seed(1)).mean()
    truth = 0.5 * (4 * x.square() + math.log(2 * math.pi / 4)).sum(1).mean()
    assert -0.05 < (bound - truth).item() < gap


@pytest.mark.parametrize("chance", [True, False])
def test_ddpm_draws_what_it_knows(chance):
    made = perfect().draw(4000, 100, torch.Generator().manual_seed(2), chance=chance)
    assert made.std().item() == pytest.approx(0.5, abs=0.03)


def test_the_time_of_ddpm_runs_from_data_to_noise():
    kept = kept_signal(torch.linspace(0, 1, 11))
    assert kept[0] == 1
    assert kept[-1] < 1e-3
    assert bool((kept.diff() < 0).all())


def test_realnvp_learns_something():
    flow, seconds = trained_realnvp(SETS["checkerboard"], steps=60)
    test = SETS["checkerboard"].draw(500, torch.Generator().manual_seed(1))
    assert -flow().log_prob(test).mean() < 2.8
    assert seconds > 0


def test_tables_and_pictures(found):
    told = repr(topic.comparison_table(found))
    assert f"{found.row('DiffFlow', 2).nats:.3f}" in told
    assert "the truth costs 1.792 nats" in told
    prices = topic.price_table(found).rows
    assert [row["method"] for row in prices] == [
        "DiffFlow, N = 2", "DiffFlow, N = 4", "DDPM", "RealNVP",
    ]  # fmt: skip
    assert all(row["ms an update"] > 0 for row in prices)
    assert "28.51" in repr(topic.paper_table())
    for picture in (topic.comparison_picture(found), topic.sets_picture()):
        assert isinstance(picture, Figure)
    assert "RealNVP" in repr(topic.samples_picture(found, steps=(2, 4)))


def test_the_explorer_runs_on_the_students_functions(recipe):
    shown = topic.explore_step(recipe.forward_step, recipe.backward_step_noise)
    assert "Mean square" not in shown._picture.value
    assert shown._png

    def broken(*args):
        raise NotImplementedError

    assert "not written yet" in topic.explore_step(broken, broken)._picture.value
