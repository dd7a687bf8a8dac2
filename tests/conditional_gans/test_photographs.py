"""The photographs of unit 01 are split by photograph, cut where they should be, and made small."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from skimage.color import rgb2gray

from genssl_utils.conditional_gans import enlarge, held_out, patches, photograph, shrink
from genssl_utils.conditional_gans.photographs import FACTOR, HELD_OUT, LEARNED_FROM


@pytest.mark.parametrize("name", [*LEARNED_FROM, *HELD_OUT])
def test_a_photograph_is_grey_and_fits_the_factor(name):
    picture = photograph(name)
    assert picture.ndim == 2
    assert all(side % FACTOR == 0 and side >= 300 for side in picture.shape)
    assert 0 <= float(picture.min()) < float(picture.max()) <= 1
    assert float(picture.std()) > 0.05


def test_grey_is_luminance_and_not_the_mean_of_the_channels():
    colour = data.astronaut()
    near = torch.tensor(rgb2gray(colour), dtype=torch.float32)  # weights of another norm, but near
    assert (photograph("astronaut") - near).abs().mean() < 0.02
    weighed = colour.astype(np.float64) @ (0.299, 0.587, 0.114) / 255
    assert np.allclose(photograph("astronaut").numpy(), weighed, atol=1e-5)


def test_no_photograph_is_on_both_sides_of_the_split():
    assert not set(LEARNED_FROM) & set(HELD_OUT)
    assert (len(LEARNED_FROM), len(HELD_OUT)) == (8, 3)
    with pytest.raises(ValueError, match="choose one of"):
        photograph("palace")


def test_patches_come_from_the_photographs_as_many_from_each():
    names = ("coins", "grass")
    pool = patches(20, side=16, names=names)
    assert pool.large.shape == (20, 1, 16, 16)
    assert pool.small.shape == (20, 1, 4, 4)
    for at, patch in enumerate(pool.large[:, 0]):
        whole = photograph(names[at // 10])
        windows = whole.unfold(0, 16, FACTOR).unfold(1, 16, FACTOR)
        assert bool((windows == patch).flatten(2).all(-1).any())


def test_a_small_patch_is_the_large_one_made_small():
    """Away from the edge, where the filter reaches beyond the patch."""
    pool = patches(18, side=64)
    alone = shrink(pool.large)
    assert torch.allclose(alone[..., 2:-2, 2:-2], pool.small[..., 2:-2, 2:-2], atol=1e-5)


def test_a_seed_gives_one_set_of_patches_and_another_seed_another():
    first, again, other = patches(18, seed=3), patches(18, seed=3), patches(18, seed=4)
    assert torch.equal(first.large, again.large)
    assert torch.equal(first.small, again.small)
    assert not torch.equal(first.large, other.large)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"number": 5}, "at least 8"), ({"side": 30}, "multiple of 4"), ({"side": 0}, "multiple")],
)
def test_patches_that_cannot_be_cut_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        patches(**settings)


def test_what_is_held_out_is_three_squares():
    shown = held_out()
    assert shown.large.shape == (len(HELD_OUT), 1, 256, 256)
    assert shown.small.shape == (len(HELD_OUT), 1, 64, 64)
    for square, (name, (top, left)) in zip(shown.large, HELD_OUT.items(), strict=True):
        assert torch.equal(square[0], photograph(name)[top : top + 256, left : left + 256])


def test_small_keeps_the_mean_and_large_keeps_a_smooth_picture():
    place = torch.linspace(0, 1, 64)
    smooth = (0.3 + 0.3 * place[:, None] + 0.2 * place)[None, None]
    small = shrink(smooth)
    assert float(small.mean()) == pytest.approx(float(smooth.mean()), abs=1e-4)
    back = enlarge(small)
    assert torch.allclose(back[..., 8:-8, 8:-8], smooth[..., 8:-8, 8:-8], atol=2e-3)
