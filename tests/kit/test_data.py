"""The data sets: what their cards say is true, and a split loses and doubles nothing."""

import math

import pytest
import torch

from genssl_utils.kit import data

CLOUDS = [data.two_moons, data.blobs, data.pinwheel]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_digits_are_as_their_card_says():
    parts = data.digits()
    assert parts.x_train.shape == (1257, 1, 8, 8)
    assert parts.x_test.shape == (540, 1, 8, 8)
    pixels = torch.cat([parts.x_train, parts.x_test])
    assert pixels.dtype == torch.float32
    assert pixels.min() == 0
    assert pixels.max() == 1
    assert torch.equal(pixels * 16, (pixels * 16).round())
    counts = torch.cat([parts.y_train, parts.y_test]).bincount()
    assert len(counts) == 10
    assert counts.min() == 174
    assert counts.max() == 183


def test_flat_digits_are_the_same_pixels():
    assert torch.equal(data.digits(flat=True).x_test, data.digits().x_test.flatten(1))


def test_split_is_stratified_and_follows_its_seed_alone():
    first, again, other = data.digits(seed=1), data.digits(seed=1), data.digits(seed=2)
    assert torch.equal(first.x_train, again.x_train)
    assert not torch.equal(first.y_train, other.y_train)
    share = first.y_test.bincount() / torch.cat([first.y_train, first.y_test]).bincount()
    assert (share - 0.3).abs().max() < 0.005


def test_split_keeps_every_example_once_with_its_label():
    x = torch.arange(60)
    parts = data.split(x, x % 3, test=0.25, seed=4)
    assert torch.equal(torch.cat([parts.x_train, parts.x_test]).sort().values, x)
    assert torch.equal(parts.x_train % 3, parts.y_train)
    assert torch.equal(parts.x_test % 3, parts.y_test)


@pytest.mark.parametrize("test", [0, 1, -0.1, 1.5])
def test_split_refuses_a_share_outside_0_to_1(test):
    with pytest.raises(ValueError, match="between 0 and 1"):
        data.split(torch.zeros(4), torch.zeros(4), test=test)


def test_split_refuses_other_lengths():
    with pytest.raises(ValueError, match="one label an example"):
        data.split(torch.zeros(4), torch.zeros(5))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_clouds_have_one_shape_and_follow_their_generator(cloud):
    points, label = cloud(101, generator=generator(3))
    assert points.shape == (101, 2)
    assert points.dtype == torch.float32
    assert label.shape == (101,)
    assert label.dtype == torch.int64
    again, _ = cloud(101, generator=generator(3))
    assert torch.equal(points, again)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_clouds_refuse_no_points(cloud):
    with pytest.raises(ValueError, match="at least 1"):
        cloud(0)


def test_moons_without_noise_lie_on_their_half_circles():
    points, label = data.two_moons(400, noise=0, generator=generator())
    upper, lower = points[label == 0], points[label == 1]
    assert len(upper) == len(lower) == 200
    assert torch.allclose(upper.norm(dim=1), torch.ones(200))
    assert torch.allclose((lower - torch.tensor([1.0, 0.5])).norm(dim=1), torch.ones(200))
    assert (upper[:, 1] >= -1e-6).all()
    assert (lower[:, 1] <= 0.5 + 1e-6).all()


def test_blobs_have_the_stated_means_and_spread():
    points, label = data.blobs(20_000, centres=4, radius=3, noise=0.5, generator=generator())
    for k in range(4):
        mine = points[label == k]
        mean = 3 * torch.tensor([math.cos(k * math.pi / 2), math.sin(k * math.pi / 2)])
        assert (mine.mean(dim=0) - mean).abs().max() < 5 * 0.5 / math.sqrt(len(mine))
        assert (mine.std(dim=0) - 0.5).abs().max() < 0.03


def test_arms_of_the_pinwheel_are_turns_of_one_another():
    points, label = data.pinwheel(50_000, arms=5, generator=generator())
    turn = 2 * math.pi / 5
    rotation = torch.tensor([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    means = torch.stack([points[label == k].mean(dim=0) for k in range(5)])
    assert torch.allclose(means @ rotation, means.roll(-1, dims=0), atol=0.05)


@pytest.mark.parametrize("make", [data.two_moons, data.blobs])
def test_negative_noise_is_refused(make):
    with pytest.raises(ValueError, match="standard deviation"):
        make(5, noise=-1)
