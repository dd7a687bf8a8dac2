"""The ring: what is counted on it, and how questions are answered."""

from __future__ import annotations

import pytest
import torch

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.gan_or_vae import (
    answers_to,
    judge_answers,
    judge_ring,
    ring_gan,
    ring_points,
    ring_regression,
    ring_vae,
)
from genssl_utils.gan_or_vae.ring import CENTRES, NOISE
from genssl_utils.gan_or_vae.ring_show import answer_all, judge_all


@pytest.fixture(scope="module")
def ring():
    return ring_points(2000, seed=0)


def test_true_points_are_on_eight_even_clouds(ring):
    found = judge_ring(ring_points(2000, seed=1), ring)
    assert found.clouds == 8
    assert found.on == pytest.approx(1 - 2.718281828**-4.5, abs=0.01)
    assert found.uneven < 0.06
    assert abs(found.energy) < 0.02


def test_what_is_lost_is_counted(ring):
    two = CENTRES[[0, 3]].repeat(50, 1)
    found = judge_ring(two, ring)
    assert (found.clouds, found.on) == (2, 1.0)
    assert found.uneven == pytest.approx(0.75)
    nowhere = judge_ring(torch.zeros(100, 2), ring)
    assert (nowhere.clouds, nowhere.on, nowhere.uneven) == (0, 0.0, 1.0)
    rare = torch.cat([CENTRES[:1].repeat(199, 1), CENTRES[1:2]])
    assert judge_ring(rare, ring).clouds == 1


def test_an_answer_is_the_height_of_the_nearest_place():
    points = torch.tensor([[0.0, 10.0], [1.0, 20.0], [3.0, 30.0]])
    place = torch.tensor([-5.0, 0.4, 0.6, 1.9, 2.1, 9.0])
    assert answers_to(place, points.flip(0)).tolist() == [10, 10, 20, 20, 30, 30]


def test_answers_are_judged_by_error_and_by_place():
    asked = torch.tensor([[0.0, 2.0], [0.0, -2.0]])
    middle = judge_answers(asked[:, 0], torch.zeros(2), asked)
    assert middle == (2.0, 0.0)
    wrong_side = judge_answers(asked[:, 0], -asked[:, 1], asked)
    assert wrong_side == (4.0, 1.0)


def test_regression_goes_between_and_training_points_do_not(ring):
    asked = ring_points(1000, seed=5)
    replies = answer_all(asked, ring_regression(ring, steps=300), {}, ring)
    worth = judge_all(replies, asked)
    assert worth["regression"][0] < worth["true"][0]
    assert worth["true"][1] > 0.9 > 0.4 > worth["regression"][1]


def test_both_rivals_train_on_it(ring):
    own = Checker(find_unit(project_root(), "07")).namespace
    vae = ring_vae(ring, own["reparameterize"], own["gaussian_kl"], steps=300)
    gan = ring_gan(ring, steps=300)
    assert vae.noise == NOISE
    assert gan.noise == 0
    for maker in (vae, gan):
        points = maker.draw(500, seed=2)
        assert points.shape == (500, 2)
        assert torch.equal(points, maker.draw(500, seed=2))
        far = judge_ring(torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * 8, ring)
        assert judge_ring(points, ring).energy < far.energy
