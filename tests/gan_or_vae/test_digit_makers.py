"""What is trained: both rivals' parts, what they draw, how they are judged."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.gan_or_vae import (
    Gan,
    Maker,
    Vae,
    VaeAnswers,
    judge_pictures,
    train_gan,
    train_regression,
    train_vae,
)
from genssl_utils.gan_or_vae.makers import DOTS, decoder_net, frozen
from genssl_utils.gan_or_vae.reader import Reader
from genssl_utils.gan_or_vae.show import few_pictures, heaps
from genssl_utils.kit import data
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.samples import scores


@pytest.fixture(scope="module")
def own():
    return Checker(find_unit(project_root(), "07")).namespace


@pytest.fixture(scope="module")
def answers(own):
    return VaeAnswers(*(own[name] for name in VaeAnswers._fields))


@pytest.fixture(scope="module")
def digits():
    return data.digits(flat=True)


@pytest.fixture(scope="module")
def trio(answers, digits):
    options = {"steps": 400, "width": 32, "latent": 4, "seed": 1}
    return (
        train_vae(digits.x_train, answers, **options),
        train_gan(digits.x_train, **options),
        train_regression(digits.x_train, **options),
    )


def test_the_three_share_one_decoder_and_one_number_of_steps(trio):
    assert {type(maker) for maker in trio} == {Vae, Gan, Maker}
    assert len({maker.weights for maker in trio}) == 1
    assert {maker.steps for maker in trio} == {400}
    vae, gan, _ = trio
    assert 0.7 < vae.others / gan.others < 1.4
    assert min(maker.seconds for maker in trio) > 0


def test_a_training_repeats_and_another_seed_gives_another(trio, answers, digits):
    again = train_vae(digits.x_train, answers, steps=400, width=32, latent=4, seed=1)
    assert torch.equal(again.draw(3), trio[0].draw(3))
    other = train_gan(digits.x_train, steps=120, width=32, latent=4, seed=2)
    assert not torch.equal(other.draw(3), trio[1].draw(3))


def test_draws_are_pictures_of_standard_normal_codes(trio):
    for maker in trio:
        z = maker.codes(4000, seed=3)
        assert z.shape == (4000, 4)
        assert z.mean(0).abs().max() < 5 / math.sqrt(4000)
        x = maker.draw(5, seed=3)
        assert x.shape == (5, 64)
        assert 0 <= x.min() < x.max() <= 1
        assert torch.equal(x, maker(maker.codes(5, seed=3)))


def test_dots_are_counts_with_the_decoder_s_mean(trio):
    vae = trio[0]
    z = vae.codes(1, seed=0).expand(3000, 4)
    dots = vae.with_dots(z, seed=1) * DOTS
    assert torch.equal(dots, dots.round())
    share = vae(z[:1])[0]
    error = (share * (1 - share) / DOTS / 3000).sqrt() * DOTS
    assert ((dots.mean(0) - DOTS * share).abs() <= 6 * error + 1e-3).all()


def test_regression_draws_the_mean_digit_and_little_else(trio, digits):
    made = trio[2].draw(200)
    mean = digits.x_train.mean(0)
    assert (made - mean).square().mean() < 0.1 * (digits.x_train - mean).square().mean()


def test_a_vae_learns_to_encode(trio, digits, own):
    vae = trio[0]
    mean, log_var = vae.encode(digits.x_test)
    assert mean.shape == log_var.shape == (540, 4)
    blank = (digits.x_test - digits.x_train.mean(0)).square().mean()
    assert (vae(mean) - digits.x_test).square().mean() < 0.9 * blank


def test_the_generator_s_turn_leaves_the_judge_alone():
    net = nn.Linear(2, 1)
    with frozen(net):
        assert not any(part.requires_grad for part in net.parameters())
    assert all(part.requires_grad for part in net.parameters())


def test_the_discriminator_s_last_layer_is_what_its_logit_is_made_of(trio, digits):
    gan = trio[1]
    seen = gan.last_layer(digits.x_test[:7])
    assert seen.shape == (7, 32)
    torch.testing.assert_close(gan.judge[-1](seen), gan.judge(digits.x_test[:7]))


# --- the judge ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blind():
    torch.manual_seed(0)
    return Reader(cnn(10, width=16), 0.1)


def test_heaps_are_judged_in_the_reader_s_features_by_the_given_distance(blind, digits):
    asked = []

    def distance(a, b):
        asked.append((a, b))
        return torch.tensor(float(len(asked)))

    real = digits.x_test[:60]
    found = judge_pictures({"one": real, "two": digits.x_train[:60]}, real, blind, distance)
    assert [found[name][0] for name in ("one", "two")] == [1.0, 2.0]
    assert torch.equal(asked[1][1], blind.features(digits.x_train[:60]))
    assert found["two"][1] == scores(blind.features(real), blind.features(digits.x_train[:60]))
    assert found["one"][1].precision == found["one"][1].coverage == 1


def test_the_heaps_are_of_one_size_and_the_first_is_copied(trio, digits):
    vae, gan, regression = trio
    found = heaps(regression, vae, gan, digits)
    assert {tuple(heap.shape) for heap in found.values()} == {(540, 64)}
    known = {tuple(row) for row in digits.x_train.tolist()}
    assert all(tuple(row) in known for row in found["training digits"].tolist())


def test_fewer_pictures_lie_further_apart(trio, digits, blind, own):
    vae, gan, _ = trio
    found = few_pictures(
        vae, gan, digits, blind, own["frechet_distance"], numbers=(40, 540), seed=0
    )
    assert found["true digits"][0] > 2 * found["true digits"][1] > 0


def test_the_decoder_is_of_the_size_that_it_says():
    assert decoder_net(3, 10)(torch.zeros(2, 3)).shape == (2, 64)
