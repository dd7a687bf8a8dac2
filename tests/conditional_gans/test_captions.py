"""The captions and pictures of unit 01: what they say is what is drawn."""

from __future__ import annotations

import pytest
import torch

from genssl_utils.conditional_gans import captions


def every_scene():
    return torch.cartesian_prod(*(torch.arange(k) for k in captions.SCENE))


def test_a_caption_and_its_scene_say_the_same_both_ways():
    for scene in every_scene()[::37]:
        for turned in (False, True):
            assert torch.equal(captions.scene_of(captions.say(scene, turned=turned)), scene)


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "a red circle",
        "a small red circle above a large pink square",
        "a small red circle above",
    ],
)
def test_another_language_is_refused_with_an_example(caption):
    with pytest.raises(ValueError, match="Say: a small red circle"):
        captions.scene_of(caption)


def test_one_scene_in_five_is_held_out_and_each_word_is_seen():
    scenes = every_scene()
    out = captions.is_held_out(scenes)
    assert int(out.sum()) == len(scenes) // 5
    seen = captions.words(scenes[~out])
    assert int(seen.sum(0).min()) > 150
    assert torch.equal(seen.sum(1), torch.full((len(seen),), 7.0))
    assert torch.equal(captions.is_held_out(scenes.flip(0)), out.flip(0))


@pytest.mark.parametrize("held_out", [False, True])
def test_pictures_come_from_their_side_of_the_split(held_out):
    shown = captions.pictures(300, held_out=held_out, seed=3)
    assert bool((captions.is_held_out(shown.scenes) == held_out).all())
    assert shown.large.shape == (300, 3, 32, 32)
    assert shown.small.shape == (300, 3, 16, 16)
    assert float(shown.large.abs().max()) <= 1
    again = captions.pictures(300, held_out=held_out, seed=3)
    assert torch.equal(shown.large, again.large)
    assert not torch.equal(shown.large, captions.pictures(300, held_out=held_out, seed=4).large)
    with pytest.raises(ValueError, match="at least 1"):
        captions.pictures(0, held_out=held_out)


@pytest.mark.parametrize("relation", [0, 1])
def test_the_first_thing_is_above_or_on_the_left(relation):
    scene = torch.tensor([0, 0, 1, relation, 0, 2, 1]).expand(50, 7)  # red, and blue
    x = captions.render(scene, torch.Generator().manual_seed(0))
    red = (x[:, 0] - x[:, 2]).clamp(min=0)
    blue = (x[:, 2] - x[:, 0]).clamp(min=0)
    axis = torch.arange(32.0)

    def place(ink):
        along = ink.sum(1 if relation else 2)  # (50, 32)
        return (along * axis).sum(1) / along.sum(1)

    assert float((place(blue) - place(red)).min()) > 8


def test_the_area_of_a_thing_is_that_of_its_shape():
    """π r², (1.8 r)², and half of base times height."""
    areas = {0: 3.1416, 1: 1.8**2, 2: 0.5 * (2 * 0.6 * 1.95) * 1.95}
    for shape, area in areas.items():
        scene = torch.tensor([1, 3, shape, 0, 0, 2, 1]).expand(200, 7)  # yellow above blue
        x = captions.render(scene, torch.Generator().manual_seed(1))
        yellow = (x[:, 0] - x[:, 2]).clamp(0, 1.2) / 1.55
        share = float((yellow > 0.4).float().sum((1, 2)).mean()) * 4 / 32**2
        assert share == pytest.approx(area * 0.42**2, rel=0.12)
