"""The networks that enlarge, how they are trained and how they are judged."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from skimage.metrics import peak_signal_noise_ratio

from genssl_utils import conditional_gans as topic
from genssl_utils.conditional_gans.blur import same_error, two_answers
from genssl_utils.conditional_gans.perception import blurred
from genssl_utils.conditional_gans.sharper_show import letters_picture, printed, spectrum

SHOWN = topic.held_out()


def against(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def fooling(fake: torch.Tensor) -> torch.Tensor:
    return F.softplus(-fake).mean()


@pytest.fixture(scope="module")
def pool() -> topic.Patches:
    return topic.patches(900)


@pytest.fixture(scope="module")
def on_error(pool) -> topic.Upscaler:
    return topic.train_on_error(pool, F.pixel_shuffle, steps=60)


def pictures(**nets) -> dict[str, torch.Tensor]:
    made = {name: net.picture(SHOWN.small) for name, net in nets.items()}
    return {"bicubic": topic.enlarge(SHOWN.small).clamp(0, 1), **made}


# ---- the network


def test_it_begins_as_bicubic_interpolation_and_asks_for_two_shuffles():
    asked = []

    def shuffle(x, r):
        asked.append((tuple(x.shape), r))
        return F.pixel_shuffle(x, r)

    net = topic.Upscaler(shuffle)
    small = torch.rand(2, 1, 8, 12)
    assert torch.equal(net(small), topic.enlarge(small))
    assert asked == [((2, 64, 8, 12), 2), ((2, 32, 16, 24), 2)]


def test_every_weight_learns(pool):
    net = topic.train_on_error(pool, F.pixel_shuffle, steps=3)
    F.mse_loss(net(pool.small[:8]), pool.large[:8]).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


def test_a_wrong_shuffle_spoils_the_training(pool, on_error):
    """The student's function is what the network runs on."""

    def tiles(x, r):
        n, channels, h, w = x.shape
        parts = x.view(n, channels // r**2, r, r, h, w)
        return parts.transpose(3, 4).reshape(n, channels // r**2, h * r, w * r)

    wrong = topic.train_on_error(pool, tiles, steps=60)
    found = topic.judge_sharpness(pictures(right=on_error, wrong=wrong), SHOWN.large)
    assert found["wrong"].psnr < found["right"].psnr - 0.3


# ---- the trainings


def test_the_squared_error_beats_bicubic_on_new_photographs(on_error):
    found = topic.judge_sharpness(pictures(net=on_error), SHOWN.large)
    assert found["net"].psnr > found["bicubic"].psnr + 0.3
    assert found["net"].distance < found["bicubic"].distance


def test_the_adversary_pays_in_psnr_for_detail_and_looks(pool, on_error):
    before = {key: value.clone() for key, value in on_error.state_dict().items()}
    net = topic.train_with_adversary(on_error, pool, against, fooling, steps=60)
    assert all(torch.equal(before[key], value) for key, value in on_error.state_dict().items())
    found = topic.judge_sharpness(pictures(error=on_error, net=net), SHOWN.large)
    assert found["net"].psnr < found["error"].psnr
    assert found["net"].detail > 1.2 * found["error"].detail
    assert found["net"].distance < found["error"].distance


def test_both_losses_of_the_student_are_asked_in_turn(pool, on_error):
    calls = []

    def seen_against(real, fake):
        calls.append(("D", tuple(real.shape), real.shape == fake.shape))
        return against(real, fake)

    def seen_fooling(fake):
        calls.append(("G", tuple(fake.shape), True))
        return fooling(fake)

    topic.train_with_adversary(on_error, pool, seen_against, seen_fooling, steps=2)
    assert [call[0] for call in calls] == ["D", "G", "D", "G"]
    assert all(same for *_, same in calls)


def test_a_seed_gives_one_network(pool):
    nets = [topic.train_on_error(pool, F.pixel_shuffle, steps=4, seed=s) for s in (1, 1, 2)]
    first, again, other = (net.picture(SHOWN.small) for net in nets)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_between_two_networks_lie_their_weights(pool, on_error):
    second = topic.train_on_error(pool, F.pixel_shuffle, steps=2)
    ends = [topic.between(on_error, second, share) for share in (0.0, 1.0)]
    for end, whole in zip(ends, (on_error, second), strict=True):
        assert torch.allclose(end.picture(SHOWN.small), whole.picture(SHOWN.small), atol=1e-6)
    half = topic.between(on_error, second, 0.5).state_dict()
    for key, value in half.items():
        mean = (on_error.state_dict()[key] + second.state_dict()[key]) / 2
        assert torch.allclose(value, mean, atol=1e-6)
    assert len(topic.trade(on_error, second, points=3)) == 3


# ---- how they are judged


def test_the_numbers_are_scikit_images_own():
    blur = blurred(SHOWN.large, 1.3).clamp(0, 1)
    found = topic.judge_sharpness({"blur": blur, "truth": SHOWN.large}, SHOWN.large)
    want = [
        peak_signal_noise_ratio(a[0].numpy(), b[0].numpy(), data_range=1.0)
        for a, b in zip(SHOWN.large, blur, strict=True)
    ]
    assert found["blur"].psnr == pytest.approx(sum(want) / len(want), abs=1e-3)
    assert found["truth"].ssim == pytest.approx(1)
    assert found["truth"].distance == 0
    assert found["truth"].detail == pytest.approx(1)
    assert found["blur"].detail < 0.5


def test_four_ways_to_spoil_a_picture_have_one_error():
    shown = same_error()
    errors = [
        float((picture - shown["truth"]).square().mean())
        for name, picture in shown.items()
        if name != "truth"
    ]
    assert len(errors) == 4
    assert errors == pytest.approx([errors[0]] * 4, rel=1e-3)


def test_two_sharp_answers_are_one_small_picture_and_their_mean_costs_half():
    shown = two_answers()
    small = [topic.shrink(shown[name]) for name in ("A", "B", "mean")]
    apart = float((shown["A"] - shown["B"]).abs().max())
    assert apart > 0.5
    for other in small[1:]:
        assert float((small[0] - other).abs().max()) < 0.02 * apart
    errors = {
        guess: sum(float((shown[guess] - shown[truth]).square().mean()) for truth in "AB") / 2
        for guess in ("A", "B", "mean")
    }
    assert errors["A"] == pytest.approx(errors["B"])
    assert errors["A"] == pytest.approx(2 * errors["mean"], rel=1e-4)
    assert 10 * math.log10(errors["A"] / errors["mean"]) == pytest.approx(3.01, abs=0.01)


def test_another_draw_costs_twice_what_the_mean_does():
    """E‖x − x̂‖² = 2 E‖x − E x‖² for independent draws of any law."""
    draw = torch.Generator().manual_seed(0)
    law = torch.rand(6, 5, generator=draw, dtype=torch.float64)
    share = torch.rand(6, generator=draw, dtype=torch.float64)
    share = share / share.sum()
    mean = share @ law
    to_mean = share @ (law - mean).square().sum(1)
    pairs = (law[:, None] - law).square().sum(-1)
    assert float(share @ pairs @ share) == pytest.approx(2 * float(to_mean))


def test_the_spectrum_finds_a_wave_where_it_is():
    place = torch.arange(64.0)
    wave = 0.5 + 0.3 * torch.sin(2 * math.pi * 0.25 * place).expand(1, 1, 64, 64)
    middles, power = spectrum(wave)
    assert float(middles[power.argmax()]) == pytest.approx(0.25, abs=0.03)
    assert float(power[:6].sum()) < 1e-3 * float(power.sum())
    # A blur takes power from the finest waves most.
    kept = spectrum(blurred(SHOWN.large, 1.0))[1] / spectrum(SHOWN.large)[1]
    assert float(kept[0]) > 0.9
    assert float(kept[-1]) < 0.01


# ---- what is shown


def test_a_printed_page_is_dark_on_light_and_says_what_it_is_told():
    page, other = printed(), printed(("nothing else",))
    assert page.shape == other.shape == (1, 1, 64, 160)
    assert float(page.min()) < 0.3 < 0.85 < float(page.median())
    assert not torch.equal(page, other)


def test_every_picture_is_drawn_and_says_what_it_shows(pool, on_error):
    made = {
        "bicubic": topic.enlarge(SHOWN.small).clamp(0, 1),
        "squared error": on_error.picture(SHOWN.small),
        "features + adversary": on_error.picture(SHOWN.small),
    }
    worth = topic.judge_sharpness(made, SHOWN.large)
    figures = [
        topic.given_picture(),
        topic.photographs_picture(),
        topic.same_error_picture(),
        topic.two_answers_picture(),
        topic.enlarged_picture(made, SHOWN.large),
        topic.spectrum_picture(made, SHOWN.large),
        topic.trade_picture(topic.trade(on_error, on_error, points=2), worth["bicubic"]),
        letters_picture(on_error, on_error),
    ]
    for figure in figures:
        assert repr(figure).startswith("A picture of ")
    assert "bicubic" in repr(topic.looks_table(worth))


def test_the_explorer_draws_with_the_function_that_it_is_given():
    asked = []

    def shuffle(x, r):
        asked.append((tuple(x.shape), r))
        return F.pixel_shuffle(x, r)

    explorer = topic.explore_shuffle(shuffle)
    assert asked == [((1, 4, 2, 3), 2)]
    assert explorer._png
    explorer.children[0].value = 4
    assert asked[-1] == ((1, 16, 2, 3), 4)
