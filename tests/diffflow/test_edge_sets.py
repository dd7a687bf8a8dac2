"""The two sets: where their points lie, how even they are, and how large the sets are."""

from __future__ import annotations

import math

import pytest
import torch

from genssl_utils.diffflow.sets import SETS, checkerboard, sierpinski

each_set = pytest.mark.parametrize("name", list(SETS))


@each_set
def test_points_lie_on_the_set_around_zero(name):
    points = SETS[name].draw(20_000, torch.Generator().manual_seed(1))
    assert points.shape == (20_000, 2)
    assert points.dtype == torch.float32
    assert bool(SETS[name].inside(points).all())
    assert points.mean(0).abs().max() < 0.03


@each_set
def test_nats_are_the_logarithm_of_the_area(name):
    box = 4.4 * torch.rand(400_000, 2, generator=torch.Generator().manual_seed(2)) - 2.2
    share = SETS[name].inside(box).double().mean().item()
    assert math.log(share * 4.4**2) == pytest.approx(SETS[name].nats, abs=0.01)


def test_a_few_places_by_hand():
    board = SETS["checkerboard"].inside
    side = math.sqrt(3) / 2
    places = torch.tensor([[0.5, 0.5], [0.5, -0.5], [-0.5, -0.5], [1.5, 0.5], [2.5, 0.5]]) * side
    assert board(places).tolist() == [True, False, True, False, False]
    triangle = SETS["Sierpiński"].inside
    places = torch.tensor(
        [[0.0, 0.0], [0.0, 1.74], [0.0, 1.76], [0.0, 1.0], [0.0, -0.86], [0.0, 0.9]]
    )
    assert triangle(places).tolist() == [False, True, False, False, False, False]


def test_each_square_and_each_triangle_is_equally_likely():
    x = checkerboard(8000, torch.Generator().manual_seed(3))
    squares = (x / (math.sqrt(3) / 2) + 2).floor().long()
    counts = (4 * squares[:, 1] + squares[:, 0]).bincount(minlength=16)
    assert sorted(counts.tolist())[:8] == [0] * 8
    assert (counts[counts > 0] - 1000).abs().max() < 150
    y = sierpinski(9000, torch.Generator().manual_seed(3))
    top = (y[:, 1] > 1.75 * 0.25).double().mean()  # of three large triangles the upper one
    assert top.item() == pytest.approx(1 / 3, abs=0.02)


def test_the_generator_alone_decides():
    one, same = (checkerboard(5, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, same)
