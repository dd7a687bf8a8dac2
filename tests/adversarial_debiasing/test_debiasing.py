"""What the library of unit 04 promises: its data, its two ways of training, its probes."""

from __future__ import annotations

import urllib.error

import pytest
import torch

from genssl_utils import adversarial_debiasing as topic
from genssl_utils.adversarial_debiasing import census
from genssl_utils.adversarial_debiasing.encoder import later_adversary
from genssl_utils.adversarial_debiasing.persons import draw_persons
from genssl_utils.kit.training import cpu_threads


class Turned(torch.autograd.Function):
    """The reversed gradient by its own rule."""

    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.lam * grad, None


def projected(g, h, alpha):
    return g - (g @ h) / (h @ h + 1e-12) * h - alpha * h


def linear_leakage(z, s):
    return later_adversary(z[::2], s[::2, None], z[1::2], s[1::2, None], hidden=(), steps=200)[0]


# ---- data


def test_in_the_record_the_bar_is_higher_for_one_group_and_merit_is_alike():
    data = topic.hiring(50_000)
    hired = [data.y[data.s == g].float().mean().item() for g in (0, 1)]
    deserving = [data.deserved[data.s == g].float().mean().item() for g in (0, 1)]
    assert deserving == pytest.approx([0.5, 0.5], abs=0.02)
    assert hired[1] == pytest.approx(0.5, abs=0.02)
    assert hired[0] < 0.25
    fair = topic.hiring(50_000, penalty=0.0)
    hired = [fair.y[fair.s == g].float().mean().item() for g in (0, 1)]
    assert hired == pytest.approx([0.5, 0.5], abs=0.02)


def test_a_column_is_taken_out_by_its_name():
    data = topic.hiring(10)
    left = data.without("group")
    assert left.x.shape == (10, 4)
    assert "group" not in left.names
    assert torch.equal(left.x, data.x[:, :4])
    with pytest.raises(ValueError, match="no column 'age'"):
        data.without("age")


@pytest.mark.parametrize("make", [topic.toy, topic.hiring, topic.gallery])
def test_data_depend_on_the_seed_alone_and_need_a_row(make):
    one, same, other = make(50, seed=1), make(50, seed=1), make(50, seed=2)
    assert torch.equal(one.x, same.x)
    assert not torch.equal(one.x, other.x)
    with pytest.raises(ValueError, match="at least 1"):
        make(0)


def test_each_nuisance_changes_its_own_part_of_the_picture():
    def drawn(*nuisance):
        draw = torch.Generator().manual_seed(0)
        who = torch.tensor([4])
        return draw_persons(who, torch.tensor([nuisance]), draw).view(16, 16)

    plain = drawn(0, 0, 0)
    stripes, beard, pose = drawn(1, 0, 0) - plain, drawn(0, 1, 0) - plain, drawn(0, 0, 1) - plain
    assert stripes[7:12].abs().max() > 0.2
    assert stripes[:4].abs().max() == 0, "no stripe on the head"
    assert beard[3:8].max() > 0.1
    assert beard[9:].abs().max() == 0, "no beard on the legs"
    assert pose.abs().max() > 0.2
    assert torch.equal(drawn(0, 0, 0), plain)


def test_persons_and_nuisances_are_independent():
    shown = topic.gallery(3000)
    for k in range(3):
        share = torch.stack([shown.nuisance[shown.who == p, k].float().mean() for p in range(12)])
        assert (share - 0.5).abs().max() < 0.17  # five standard errors of 250 pictures


# ---- predictors


@pytest.fixture(scope="module")
def records():
    return topic.hiring(2000), topic.hiring(8000, seed=7)


def parity(model, rows):
    yes = model.decide(rows).float()
    return abs(float(yes[rows.s == 1].mean() - yes[rows.s == 0].mean()))


def test_without_weight_an_adversary_changes_nothing_much(records):
    train, test = records
    plain = topic.plain(train, steps=400)
    idle = topic.with_reversal(train, Turned.apply, 0.0, steps=800)
    agree = (plain.decide(test) == idle.decide(test)).float().mean()
    assert agree > 0.97
    assert parity(plain, test) > 0.25


@pytest.mark.parametrize("way", ["reversal", "projection"])
def test_both_ways_close_the_gap_that_the_adversary_watches(records, way):
    train, test = records
    before = topic.plain(train, steps=400)
    if way == "reversal":
        after = topic.with_reversal(train, Turned.apply, 3.0, steps=800)
    else:
        after = topic.with_projection(train, projected, 1.0, steps=800)
    assert parity(after, test) < 0.5 * parity(before, test)
    assert (after.decide(test) == test.deserved).float().mean() > 0.7


def test_the_rule_s_vector_is_the_gradient_that_is_stepped_along(records):
    """With a rule that returns the task's own gradient, it is plain training."""
    train, test = records
    model = topic.with_projection(train, lambda g, h, alpha: g, 1.0, steps=800)
    plain = topic.plain(train, steps=400)
    assert (model.decide(test) == plain.decide(test)).float().mean() > 0.97
    still = topic.with_projection(train, lambda g, h, alpha: 0 * g, 1.0, steps=20)
    again = topic.with_projection(train, lambda g, h, alpha: 0 * g, 1.0, steps=1)
    assert torch.equal(still.weight, again.weight)


def test_a_training_is_repeatable_and_its_goal_is_checked(records):
    train, _ = records
    runs = [topic.with_reversal(train, Turned.apply, 1.0, steps=30, seed=3) for _ in range(2)]
    assert torch.equal(runs[0].weight, runs[1].weight)
    for way in (topic.with_reversal, topic.with_projection):
        with pytest.raises(ValueError, match="goal is one of"):
            way(train, Turned.apply, 1.0, goal="peace")


# ---- codes


@cpu_threads(1)
def test_the_adversary_takes_clothing_out_of_the_code_and_leaves_the_person():
    seen, others = topic.gallery(1500), topic.gallery(800, seed=5)
    how = {"told": False, "steps": 300}
    free = topic.train_encoder(seen, Turned.apply, 0.0, name="free", **how)
    forgetful = topic.train_encoder(seen, Turned.apply, 1.0, name="forgetful", **how)
    found = topic.probe([free, forgetful], others, linear_leakage)
    later = topic.attack([free, forgetful], seen, others)
    assert later["forgetful"]["clothing"] < later["free"]["clothing"] - 0.2
    assert min(f.who for f in found.values()) > 0.8
    assert set(later["free"]) == {"clothing", "beard", "pose"}
    told = topic.train_encoder(seen, Turned.apply, 0.0, steps=20)
    codes, nuisance = told.code(others.x[:5]), others.nuisance[:5]
    assert not torch.equal(told.decode(codes, nuisance), told.decode(codes, 1 - nuisance))
    assert torch.equal(free.decode(codes, nuisance), free.decode(codes, 1 - nuisance))
    assert "picture" in repr(topic.swap_picture(told, others, persons=3))


# ---- the full scale


def test_without_a_network_it_says_what_to_do(monkeypatch):
    def no_network(*given, **how):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(census, "fetch_openml", no_network)
    with pytest.raises(ConnectionError, match="scale='laptop'"):
        topic.adult()
    with pytest.raises(ValueError, match="'laptop' or 'full'"):
        topic.people("huge")


# ---- what is shown


def test_tables_and_pictures_say_what_they_show(records):
    train, test = records
    model = topic.plain(train, steps=50)
    gaps = {
        "demographic_parity_gap": lambda y_hat, s: 0.25,
        "equalized_odds_gap": lambda y_hat, y, s: torch.tensor(0.5),
    }
    judged = topic.judge([model], test, **gaps)
    assert judged["plain"].parity == 0.25
    assert judged["plain"].odds == 0.5
    assert "parity gap" in repr(topic.fairness_table(judged))
    assert "group 1" in repr(topic.hiring_picture(5000))
    assert "group 0" in repr(topic.record_table(5000))
    small = topic.plain(topic.toy(500), steps=20)
    assert repr(topic.weight_table([small])).count("plain") == 1
    assert topic.weight_ratio(small) == float(small.weight[1] / small.weight[0])
