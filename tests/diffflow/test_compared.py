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
from genssl_utils.diffflow.peers import DDPM, WAYS, kept_signal, trained_realnvp
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
    assert {row.updates for row in found.rows[1:]} == {50}
    assert [(steps, updates) for steps, updates, _ in found.stages] == [(2, 30), (4, 50)]


def test_each_method_has_its_rows(found):
    assert [(r.method, r.steps) for r in found.rows] == [
        ("true points", 0), ("DiffFlow", 2), ("DiffFlow", 4), *((way, 2) for way in WAYS),
        *((way, 4) for way in WAYS), ("RealNVP", 0),
    ]  # fmt: skip
    assert found.lengths == [2, 4]
    true, *others = found.rows
    assert (true.off, true.nats) == (0, found.floor)
    assert abs(true.energy) < 0.01
    for row in others:
        assert math.isnan(row.nats) == (row.method in WAYS[1:])
        assert row.method in WAYS[1:] or row.nats > found.floor
        assert 0 < row.off < 1
        assert found.made[row.method, row.steps].shape == found.test.shape


def test_the_same_seed_gives_the_same_numbers(recipe, found):
    again = topic.compare(recipe, "checkerboard", plan=PLAN, seed=3, recompute=True)
    for one, other in zip(found.rows, again.rows, strict=True):
        assert one.energy == pytest.approx(other.energy, abs=2e-3)
        if one.nats == one.nats:
            assert one.nats == pytest.approx(other.nats, rel=1e-3)


def test_noise_in_the_last_step_blurs_the_edge(found):
    # By so short a training the edge is no edge; that the walks differ is what is seen here.
    for steps in found.lengths:
        assert found.blurred[steps] != found.row("DiffFlow", steps).off
    model = topic.DiffFlow(noise=0.5)  # drift and score are 0 as yet: only noise moves points
    source = [torch.Generator().manual_seed(5) for _ in range(2)]
    still = model.draw(4000, 1, source[0])
    moved = model.draw(4000, 1, source[1], noise_at_last=True)
    assert (moved - still).std().item() == pytest.approx(0.5, rel=0.03)


def test_peers_with_more_updates_are_judged_on_the_same_points(found):
    longer = topic.longer_peers(
        found, updates={"DDPM": 20, "RealNVP": 10}, seed=3, lengths=(2,)
    )  # fmt: skip
    told = [(r.method, r.updates) for r in longer.rows]
    assert told == [*((way, 20) for way in WAYS), ("RealNVP", 10)]
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


@pytest.mark.parametrize("way", WAYS)
def test_ddpm_draws_what_it_knows(way):
    known = 0.5 * torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    fit_on = known if way == "DDPM" else None
    made = perfect().draw(4000, 100, torch.Generator().manual_seed(2), way=way, known=fit_on)
    assert made.std().item() == pytest.approx(0.5, abs=0.03)


def test_the_noise_that_fits_keeps_the_spread_in_few_steps():
    known = 0.5 * torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0))
    spread = {
        way: perfect().draw(
            20_000, 3, torch.Generator().manual_seed(2), way=way,
            known=known if way == "DDPM" else None,
        ).std().item()
        for way in WAYS[:2]
    }  # fmt: skip
    assert spread["DDPM, narrow"] < spread["DDPM"] < 0.5
    # A step from a Gaussian to a Gaussian: its variance is known in closed form.
    kept = kept_signal(torch.linspace(0, 1, 4))
    wide = perfect().fitted(known, 3, torch.Generator().manual_seed(1))
    for i in (1, 2, 3):
        whole = [1 - 0.75 * kept[at] for at in (i - 1, i)]  # variances at both ends
        cross = (kept[i] / kept[i - 1]).sqrt() * whole[0]
        assert wide[i].item() == pytest.approx((whole[0] - cross**2 / whole[1]).item(), rel=0.04)


def test_a_way_that_is_not_there_is_refused():
    for way in ("DDPM", "other"):
        with pytest.raises(ValueError, match="known rows"):
            perfect().draw(3, 2, torch.Generator(), way=way)


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
    plain, _ = trained_realnvp(SETS["checkerboard"], steps=1, width=51, fine=False)
    counts = [sum(part.numel() for part in net.parameters()) for net in (flow, plain)]
    assert max(counts) < 1.02 * min(counts)
    x = flow().sample((50,))
    there = flow.transform().inv(flow.transform()(x))
    torch.testing.assert_close(there, x, atol=1e-4, rtol=0)


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
