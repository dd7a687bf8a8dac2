"""The two shipped networks see what unit 01 says of them, on photographs that they never saw."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
import torch

from genssl_utils.conditional_gans import coach, held_out, judge, patches
from genssl_utils.conditional_gans.perception import (
    DAMAGES,
    Eye,
    blurred,
    damaged,
    train_eyes,
    turned,
)
from genssl_utils.conditional_gans.photographs import HELD_OUT, LEARNED_FROM

EYES = [pytest.param(coach, id="coach"), pytest.param(judge, id="judge")]
TRUTH = held_out().large


def same_error_noise(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Noise whose mean squared error is that of a blur, picture by picture."""
    error = (blurred(x, sigma) - x).square().mean((1, 2, 3), keepdim=True).sqrt()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return x + noise * error / noise.square().mean((1, 2, 3), keepdim=True).sqrt()


@pytest.mark.parametrize("eye", EYES)
def test_equal_pictures_are_at_no_distance_and_it_is_the_same_both_ways(eye):
    assert torch.equal(eye().distance(TRUTH, TRUTH), torch.zeros(len(HELD_OUT)))
    other = blurred(TRUTH, 1.0)
    there, back = eye().distance(TRUTH, other), eye().distance(other, TRUTH)
    assert torch.allclose(there, back)
    assert bool((there > 0).all())


@pytest.mark.parametrize("eye", EYES)
def test_the_distance_grows_with_the_blur(eye):
    apart = torch.stack(
        [eye().distance(blurred(TRUTH, s), TRUTH) for s in (0.5, 0.7, 1.0, 1.5, 2.0)]
    )
    assert bool((apart.diff(dim=0) > 0).all())


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5])
def test_light_and_contrast_are_nearer_than_a_blur_of_the_same_error(eye, sigma):
    blur = blurred(TRUTH, sigma)
    error = (blur - TRUTH).square().mean((1, 2, 3), keepdim=True).sqrt()
    away = TRUTH - TRUTH.mean((2, 3), keepdim=True)
    size = away.square().mean((1, 2, 3), keepdim=True).sqrt()
    flatter = TRUTH - away * error / size
    apart = eye().distance(blur, TRUTH)
    for other in (TRUTH + error, flatter):
        assert torch.allclose((other - TRUTH).square().mean((1, 2, 3)), error.flatten().square())
        assert bool((eye().distance(other, TRUTH) < apart / 3).all())


@pytest.mark.parametrize("sigma", [0.7, 1.0])
def test_the_judge_minds_mild_noise_less_than_a_blur_of_the_same_error(sigma):
    noise, blur = same_error_noise(TRUTH, sigma), blurred(TRUTH, sigma)
    assert bool((judge().distance(noise, TRUTH) < judge().distance(blur, TRUTH)).all())


def test_the_judge_minds_more_noise_more():
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(TRUTH.shape, generator=draw)
    apart = torch.stack([judge().distance(TRUTH + s * noise, TRUTH) for s in (0.01, 0.04, 0.1)])
    assert bool((apart.diff(dim=0) > 0).all())


def test_the_coach_can_tell_what_was_done_to_patches_of_new_photographs():
    pool = patches(360, names=tuple(HELD_OUT), seed=5).large
    kinds = torch.arange(len(pool)) % len(DAMAGES)
    seen = damaged(pool, kinds, torch.Generator().manual_seed(0))
    with torch.no_grad():
        right = (coach()(seen).argmax(1) == kinds).float().mean()
    assert float(right) > 4 / len(DAMAGES)  # guessing is 1 / 12


def test_the_judge_can_tell_photographs_apart():
    each = 40
    pool = patches(each * len(LEARNED_FROM), seed=77).large
    with torch.no_grad():
        guess = judge()(pool).argmax(1)
    right = (guess == torch.arange(len(LEARNED_FROM)).repeat_interleave(each)).float().mean()
    assert float(right) > 4 / len(LEARNED_FROM)  # guessing is 1 / 8


def test_the_two_share_neither_depth_nor_weights():
    assert len(coach().layers) < len(judge().layers)
    for a, b in zip(coach().layers, judge().layers, strict=False):
        if a.weight.shape == b.weight.shape:
            assert (a.weight - b.weight).abs().mean() > 0.02
    assert not any(p.requires_grad for eye in (coach(), judge()) for p in eye.parameters())


def test_the_weights_are_small_and_come_from_the_module():
    path = resources.files("genssl_utils.conditional_gans") / "data/perception.npz"
    assert len(path.read_bytes()) < 150_000
    with path.open("rb") as file:
        stored = {name: value.dtype for name, value in np.load(file).items()}
    assert set(stored.values()) == {np.dtype(np.float16)}
    made = {f"{name}/{key}" for name, eye in train_eyes(1).items() for key in eye.state_dict()}
    assert set(stored) == made


def test_a_training_learns():
    """A few steps of the module's own training, not the 1500 of the shipped weights."""
    eyes = train_eyes(60)
    pool = patches(240, seed=1).large
    kinds = torch.arange(len(pool)) % len(DAMAGES)
    with torch.no_grad():
        scores = eyes["coach"](damaged(pool, kinds, torch.Generator().manual_seed(1)))
    assert float(torch.nn.functional.cross_entropy(scores, kinds)) < np.log(len(DAMAGES)) - 0.1


def test_damage_leaves_the_undamaged_alone_and_changes_the_rest():
    x = patches(18, side=16).large
    for kind, name in enumerate(DAMAGES):
        kinds = torch.full((len(x),), kind)
        seen = damaged(x, kinds, torch.Generator().manual_seed(0))
        assert seen.shape == x.shape
        assert torch.equal(seen, x) == (name == "none")


def test_a_blur_is_a_weighted_mean():
    flat = torch.full((1, 1, 20, 20), 0.3)
    assert torch.allclose(blurred(flat, 1.5), flat)
    spot = torch.zeros(1, 1, 31, 31)
    spot[..., 15, 15] = 1
    spread = blurred(spot, 2.0)[0, 0]
    place = torch.arange(31.0) - 15
    assert float(spread.sum()) == pytest.approx(1, abs=1e-5)
    assert float((spread.sum(0) * place.square()).sum()) == pytest.approx(4, rel=0.05)


def test_a_square_is_turned_eight_ways():
    x = torch.arange(9.0).view(1, 1, 3, 3)
    ways = {tuple(turned(x, step).flatten().tolist()) for step in range(8)}
    assert len(ways) == 8
    assert torch.equal(turned(x, 8), x)


def test_the_distance_is_the_written_sum():
    torch.manual_seed(0)
    eye = Eye(3, (4, 5, 6))
    a, b = torch.rand(2, 2, 1, 8, 8)
    want = torch.zeros(2)
    for u, v in list(zip(eye.features(a), eye.features(b), strict=True))[1:]:
        for n in range(2):
            places = u.shape[2] * u.shape[3]
            for i in range(u.shape[2]):
                for j in range(u.shape[3]):
                    p, q = u[n, :, i, j], v[n, :, i, j]
                    p, q = (w / (w @ w + 1e-4).sqrt() for w in (p, q))
                    want[n] += (p - q) @ (p - q) / places / 2
    assert torch.allclose(eye.distance(a, b), want, atol=1e-6)
