"""The trainings of unit 04: a score or a code that forgets, and the probes that judge it."""

from __future__ import annotations

import pytest
import torch

from genssl_utils import adversarial_debiasing as topic
from genssl_utils.adversarial_debiasing.encoder import later_adversary


class _Turned(torch.autograd.Function):
    """A reversed gradient of these tests' own."""

    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return -ctx.lam * grad, None


def turned(x, lam):
    return _Turned.apply(x, lam)


def pushed(g, h, alpha):
    """The paper's rule by the unit vector of these tests' own."""
    unit = torch.nn.functional.normalize(h, dim=0)
    return g - (g * unit).sum() * unit - alpha * h


@pytest.fixture(scope="module")
def records():
    return topic.toy(20_000)


def test_without_an_adversary_the_score_takes_the_group_for_what_it_tells(records):
    """Given (u, s), v has the mean (u + s) / 2: both weigh the same in the best guess."""
    assert topic.weight_ratio(topic.plain(records)) == pytest.approx(1, abs=0.35)


def test_both_rules_turn_the_weight_of_the_group_round(records):
    reverse = topic.with_reversal(records, turned, 1.0, steps=500)
    project = topic.with_projection(records, pushed, 1.0, steps=500)
    assert topic.weight_ratio(reverse) < 0
    assert topic.weight_ratio(project) < 0


def test_a_wrong_goal_is_named(records):
    with pytest.raises(ValueError, match="parity"):
        topic.with_reversal(records, turned, 1.0, goal="merit", steps=1)
    with pytest.raises(ValueError, match="parity"):
        topic.with_projection(records, pushed, 1.0, goal="merit", steps=1)


def test_at_weight_0_the_adversary_leaves_the_predictor_alone(records):
    """With λ = 0 the function that turns the gradient can be anything that lets none through."""
    one = topic.with_reversal(records, turned, 0.0, steps=30)
    other = topic.with_reversal(records, lambda x, lam: x.detach(), 0.0, steps=30)
    torch.testing.assert_close(one.weight, other.weight)
    on = topic.with_reversal(records, turned, 5.0, steps=30)
    assert not torch.equal(on.weight, one.weight)


def test_the_students_rule_is_what_steps_the_predictor(records):
    still = topic.with_projection(records, lambda g, h, alpha: torch.zeros_like(g), 1.0, steps=20)
    again = topic.with_projection(records, lambda g, h, alpha: torch.zeros_like(g), 9.0, steps=1)
    assert torch.equal(still.weight, again.weight)


def test_a_network_finds_what_no_line_can_and_nothing_in_noise():
    """One secret is the sign of a product, which no linear probe sees; the other is a coin."""
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(4000, 2, generator=draw)
    hidden = (z[:, 0] * z[:, 1] > 0).long()
    secrets = torch.stack([hidden, torch.randint(2, (4000,), generator=draw)], 1)
    found = later_adversary(z[:2000], secrets[:2000], z[2000:], secrets[2000:], steps=250)
    assert found[0] > 0.8
    assert abs(found[1]) < 0.12  # a difference of shares of 1000 rows: standard error 0.022


def test_an_encoder_is_as_wide_as_it_says_and_is_probed_on_new_pictures():
    seen, others = topic.gallery(300), topic.gallery(200, seed=1)
    asked = []

    def leakage(z, s):
        asked.append((tuple(z.shape), tuple(s.shape)))
        return 0.25

    encoder = topic.train_encoder(seen, turned, 1.0, steps=10)
    found = topic.probe([encoder], others, leakage)[encoder.name]
    assert asked == [((200, 16), (200,))] * 3
    assert dict(found.linear) == {"clothing": 0.25, "beard": 0.25, "pose": 0.25}
    assert 0 <= found.who <= 1
    drawn = encoder.decode(encoder.code(others.x), others.nuisance)
    assert drawn.shape == others.x.shape


def test_only_a_told_decoder_is_told():
    seen = topic.gallery(300)
    for told in (True, False):
        encoder = topic.train_encoder(seen, turned, 0.0, told=told, steps=10)
        codes = encoder.code(seen.x)
        same = torch.equal(
            encoder.decode(codes, seen.nuisance), encoder.decode(codes, 1 - seen.nuisance)
        )
        assert same is not told
