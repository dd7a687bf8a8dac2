"""The shipped readers of unit 01 see what the unit says that they see."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from genssl_utils.conditional_gans import captions, reading


@pytest.fixture(scope="module")
def true():
    return captions.pictures(600, seed=77)


def test_the_weights_are_small():
    assert reading.WEIGHTS.stat().st_size < 300_000


@pytest.mark.parametrize("held_out", [False, True])
def test_the_detector_names_all_seven_parts_of_true_pictures(held_out):
    new = captions.pictures(600, held_out=held_out, seed=78)
    assert reading.faithfulness(new.large, new.scenes).all > 0.99
    assert reading.faithfulness(new.small, new.scenes).all > 0.98


def test_one_wrong_part_counts_where_it_belongs(true):
    wrong = true.scenes.clone()
    wrong[:300, 1] = (wrong[:300, 1] + 1) % 4  # half of the first things have another colour
    found = reading.faithfulness(true.large, wrong)
    assert found.colour == pytest.approx(0.75, abs=0.01)
    assert found.all == pytest.approx(0.5, abs=0.01)
    assert min(found.shape, found.size, found.relation) > 0.99


def test_the_distance_grows_with_what_is_wrong(true):
    other = captions.pictures(600, seed=79).large
    draw = torch.Generator().manual_seed(0)
    grain = other + 0.6 * torch.randn(other.shape, generator=draw)
    blurred = reading.enlarged(F.avg_pool2d(other, 2))
    near, *far = (reading.distance(x, true.large) for x in (other, blurred, grain))
    assert abs(near) < 0.004
    assert min(far) > 0.008
    same = other[:1] + 0.001 * torch.randn(other.shape, generator=draw)
    assert reading.distance(same, true.large) > 0.9


def test_codes_are_centred_and_scenes_lie_apart():
    draw = torch.Generator().manual_seed(0)
    code = reading.read(captions.draw_scenes(5000, draw))
    assert code.shape == (5000, reading.CODE)
    assert float(code.mean(0).abs().max()) < 0.1
    assert float((code.std(0) - 1).abs().max()) < 0.1
    every = reading.read(torch.cartesian_prod(*(torch.arange(k) for k in captions.SCENE)))
    apart = torch.cdist(every, every) + 1e9 * torch.eye(len(every))
    assert float(apart.min()) > 0.5
