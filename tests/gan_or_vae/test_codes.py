"""Codes for other tasks, directions, walks and bounds: held against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.gan_or_vae import (
    Gan,
    Vae,
    VaeAnswers,
    all_codes,
    bits_of,
    encoder_afterwards,
    ink,
    midpoints,
    probe,
    slant,
    turn,
)
from genssl_utils.gan_or_vae.codes import bits_without_a_code
from genssl_utils.gan_or_vae.makers import Maker, decoder_net
from genssl_utils.gan_or_vae.reader import Reader
from genssl_utils.gan_or_vae.show import all_bits
from genssl_utils.kit import data
from genssl_utils.kit.nets import cnn, mlp


@pytest.fixture(scope="module")
def own():
    return Checker(find_unit(project_root(), "07")).namespace


@pytest.fixture(scope="module")
def answers(own):
    return VaeAnswers(*(own[name] for name in VaeAnswers._fields))


@pytest.fixture(scope="module")
def digits():
    return data.digits(flat=True)


class Shade(nn.Module):
    """All pixels get the first number of the code as their logit."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, z):
        return (self.weight * z[:, :1]).expand(-1, 64)


class Fixed(nn.Module):
    """The same posterior for every picture."""

    def __init__(self, mean, log_var):
        super().__init__()
        self.answer = torch.tensor([*mean, *log_var])

    def forward(self, x):
        return self.answer.expand(len(x), -1)


def shade(encoder=None):
    if encoder is None:
        return Maker("shade", Shade(), 3, 1, 1.0, 0)
    return Vae("shade", Shade(), 3, 1, 1.0, 0, encoder)


# --- properties and directions ------------------------------------------------------------------


def test_ink_is_the_mean_pixel():
    assert ink(torch.cat([torch.zeros(1, 64), torch.ones(1, 64)])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.75])
def test_slant_is_columns_a_row_upwards(lean):
    rows = torch.arange(8.0)
    picture = torch.zeros(8, 8)
    for row in range(8):
        at = 3.5 + lean * (3.5 - row)
        low = math.floor(at)
        for column, weight in ((low, 1 - (at - low)), (low + 1, at - low)):
            if 0 <= column < 8:
                picture[int(rows[row]), column] += weight
    assert slant(picture.view(1, 64)).item() == pytest.approx(lean, abs=1e-3)


def test_a_direction_is_found_where_a_property_hangs_on_one_number(digits):
    torch.manual_seed(0)
    reader = Reader(cnn(10, width=16), 0.0)
    found = turn(shade(), "ink", reader, digits.x_test)
    assert found.way[0] > 0.99
    assert found.way.norm().item() == pytest.approx(1, abs=1e-5)
    assert found.told > 0.9  # a logistic function of it is nearly linear
    first = shade().codes(2000, seed=12)[:, 0]
    gap = (first + found.step * torch.tensor([[1.0], [-1.0]])).sigmoid().mean(1)
    want = float(gap[0] - gap[1]) / float(ink(digits.x_test).std())
    assert found.moved == pytest.approx(want, rel=0.05)
    assert found.moved == pytest.approx(1, abs=0.2)
    assert 0 <= found.kept <= 1


def test_midpoints_lie_on_the_arc_and_on_the_line(own):
    maker = shade()
    made = midpoints(maker, own["slerp"], 50)
    a, b = maker.codes(50, seed=21), maker.codes(50, seed=22)
    assert torch.equal(made["line"], maker((a + b) / 2))
    torch.testing.assert_close(made["arc"], maker(own["slerp"](a, b, 0.5)))


# --- codes for other tasks ------------------------------------------------------------------------


def test_a_probe_of_the_label_is_perfect_and_one_of_noise_is_chance(digits):
    told = [nn.functional.one_hot(y, 10).float() for y in (digits.y_train, digits.y_test)]
    assert probe(tuple(told), digits) == 1
    assert probe(tuple(told), digits, labels=2, repeats=2) == 1
    draw = torch.Generator().manual_seed(0)
    noise = tuple(torch.randn(n, 5, generator=draw) for n in (1257, 540))
    assert probe(noise, digits) < 0.2


def test_an_encoder_trained_afterwards_finds_the_codes_of_made_pictures(digits):
    torch.manual_seed(0)
    gan = Gan("GAN", decoder_net(2, 32), 2, 1, 1.0, 0, mlp(64, 1, hidden=(8, 8)))
    net = encoder_afterwards(gan, steps=400)
    z = gan.codes(500, seed=9)
    with torch.no_grad():
        missed = (net(gan(z)) - z).square().mean()
    assert missed < 0.3
    encoder = mlp(64, 4, hidden=(8,))
    vae = Vae("VAE", decoder_net(2, 32), 2, 1, 1.0, 0, encoder)
    codes = all_codes(vae, gan, net, digits)
    assert {tuple(map(len, heaps)) for heaps in codes.values()} == {(1257, 540)}
    assert [heaps[0].shape[1] for heaps in codes.values()] == [2, 2, 8, 2, 64]


# --- bounds ----------------------------------------------------------------------------------


def test_where_the_code_says_nothing_all_bounds_are_log_p(answers, digits):
    """A decoder of one grey level whatever the code, and a posterior that is the prior."""
    vae = Vae("none", nn.Sequential(nn.Linear(3, 64)), 3, 1, 1.0, 0, Fixed([0.0] * 3, [0.0] * 3))
    with torch.no_grad():
        vae.decoder[0].weight.zero_()
        vae.decoder[0].bias.fill_(-0.8)
    x = digits.x_test[:50]
    found = bits_of(vae, x, answers, samples=(1, 5))
    law = torch.distributions.Binomial(16, logits=torch.tensor(-0.8))
    want = -law.log_prob(16 * x).sum(1).mean().item() / (64 * math.log(2))
    assert found.bound == pytest.approx(want, rel=1e-5)
    assert list(found.weighted.values()) == pytest.approx([want, want], rel=1e-5)


def test_more_weights_tighten_the_bound_towards_the_integral(answers):
    """log p(x) of the shade model by quadrature over its one number that counts."""
    x = torch.full((300, 64), 5 / 16)
    vae = shade(Fixed([-0.5, 0.1, 0.0], [-2.0, 0.1, 0.0]))
    grid = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    law = torch.distributions.Binomial(16, logits=grid)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(grid)
    log_joint = 64 * law.log_prob(torch.tensor(5.0)) + prior
    log_p = (log_joint.logsumexp(0) + math.log(16 / 4000)).item()
    want = -log_p / (64 * math.log(2))
    found = bits_of(vae, x, answers, samples=(1, 10, 600))
    assert found.weighted[600] == pytest.approx(want, abs=2e-3)
    assert found.bound > found.weighted[10] > found.weighted[600]
    assert found.weighted[1] == pytest.approx(found.bound, rel=0.1)


def test_no_code_costs_what_the_pixels_cost_by_themselves(answers, digits):
    found = bits_without_a_code(digits.x_train, digits.x_test, answers.elbo)
    share = (digits.x_train.double().sum(0) * 16 + 1) / (1257 * 16 + 2)
    law = torch.distributions.Binomial(16, probs=share)
    want = -law.log_prob(16 * digits.x_test.double()).sum(1).mean().item() / (64 * math.log(2))
    assert found == pytest.approx(want, rel=1e-5)


def test_the_table_of_costs_knows_that_equal_levels_cost_log_17(answers, digits):
    torch.manual_seed(0)
    vae = Vae("VAE", decoder_net(2, 8), 2, 1, 1.0, 0, mlp(64, 4, hidden=(8,)))
    costs = all_bits(vae, digits, answers)
    assert costs["each count equally likely"] == pytest.approx(math.log2(17))
    assert costs["VAE, 100 weights"] < costs["VAE, bound"]
