"""Pictures and tables: they say what they show, and carry the numbers that they were given."""

from __future__ import annotations

import json

import pytest
import torch

from genssl_utils import gan_or_vae as topic
from genssl_utils.course.source import project_root
from genssl_utils.gan_or_vae.codes import Turned
from genssl_utils.gan_or_vae.makers import Gan, Maker, Vae, decoder_net
from genssl_utils.gan_or_vae.reader import Reader
from genssl_utils.kit import data
from genssl_utils.kit.nets import cnn, mlp
from genssl_utils.kit.samples import Scores


@pytest.fixture(scope="module")
def makers():
    torch.manual_seed(0)
    vae = Vae("VAE", decoder_net(2, 8), 2, 7, 1.5, 30, mlp(64, 4, hidden=(8,)))
    gan = Gan("GAN", decoder_net(2, 8), 2, 7, 2.5, 40, mlp(64, 1, hidden=(8, 8)))
    return Maker("squared error", decoder_net(2, 8), 2, 7, 0.5, 0), vae, gan


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return Reader(cnn(10, width=16), 0.123)


def straight(a, b, t):
    return (1 - t) * a + t * b


def test_samples_have_a_row_for_each_maker_and_one_for_dots(makers):
    figure = topic.samples_picture(makers, data.digits(flat=True).x_test)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["true", "squared error", "VAE", "VAE, dots", "GAN"]


def test_the_budget_says_weights_steps_and_seconds(makers):
    told = repr(topic.budget_table(makers))
    for word in ("squared error", "672", "30", "40", "2.5", "steps"):
        assert word in told


def test_the_table_of_scores_names_its_yardstick(reader):
    judged = {"some": (1.25, Scores(0.1, 0.2, 0.3, 0.4))}
    told = repr(topic.quality_table(judged, reader))
    assert "12.3% of the test digits right" in told
    assert "1.25" in told
    assert repr(topic.midpoint_table(judged)).count("0.3") == 1


def test_features_of_equal_heaps_lie_on_each_other(reader):
    x = data.digits(flat=True).x_test[:50]
    figure = topic.features_picture({"same": x, "other": 1 - x}, x, reader)
    true, same = (c.get_offsets() for c in figure.axes[0].collections)
    assert (true == same).all()
    other = figure.axes[1].collections[1].get_offsets()
    assert abs(other - true).max() > 0.1


def test_walks_begin_and_end_at_their_codes(makers):
    figure = topic.walks_picture(makers[1:], straight, walks=2)
    assert [axes.get_title("left") or axes.get_title() for axes in figure.axes] == [
        "VAE: walks along the arc",
        "GAN: walks along the arc",
    ]
    shown = torch.tensor(figure.axes[0].images[0].get_array().filled(torch.nan))
    vae = makers[1]
    first = vae(vae.codes(2, seed=31))[0].view(8, 8)
    torch.testing.assert_close(shown[1:9, 1:9].float(), first)


def test_turns_are_shown_for_both_properties(makers):
    way = torch.tensor([1.0, 0.0])
    found = Turned(way, 0.5, 0.25, 0.875, 0.625)
    turned = {(m.name, what): found for m in makers[1:] for what in ("ink", "slant")}
    figure = topic.turns_picture(makers[1:], turned)
    assert len(figure.axes) == 2
    told = repr(topic.turns_table(turned))
    assert told.count("0.875") == told.count("0.625") == 4


def test_a_gan_has_no_bits():
    told = repr(topic.bits_table({"VAE": 2.25}))
    assert "2.250" in told
    assert "none: it draws" in told


def test_explorers_draw_with_the_function_that_they_are_given():
    seen = []

    def distance(a, b):
        seen.append((a, b))
        return torch.tensor(1.5)

    assert topic.explore_distance(distance)._png
    assert topic.explore_walk(straight)._png
    true, made = seen[0]
    assert true.shape == made.shape == (400, 2)


def test_two_clumps_have_the_mean_and_the_spread_of_one_cloud():
    seen = []

    def distance(a, b):
        seen.append(b)
        return torch.tensor(0.0)

    shown = topic.explore_distance(distance)
    shown._controls["shape"].value = "two clumps"
    one, two = seen[0], seen[-1]
    torch.testing.assert_close(one.mean(0), two.mean(0), atol=1e-5, rtol=0)
    assert (torch.cov(one.T) - torch.cov(two.T)).abs().max() < 0.12
    assert (two[:, 0].abs() < 0.3).float().mean() < 0.1 < (one[:, 0].abs() < 0.3).float().mean()


def test_the_other_pictures_say_what_they_show():
    few = {"numbers": [60, 540], "true digits": [3.0, 1.0], "VAE": [5.0, 4.0], "GAN": [4.0, 2.0]}
    assert "true digits, VAE, GAN" in repr(topic.few_picture(few))
    assert "middles of straight walks" in repr(topic.lengths_picture())
    assert "μ = (2, 1)" in repr(topic.moved_noise_picture())
    assert "Who made which row?" in repr(topic.who_made_picture())


def test_what_the_text_says_of_the_recorded_seeds_is_so():
    path = project_root() / "book/results/07_gan_or_vae.json"
    claims = json.loads(path.read_text("utf-8"))["scales"]["laptop"]["claims"]

    def seeds(name):
        return claims[name]["values"]

    def every(lower, higher, times=1.0):
        return all(times * a < b for a, b in zip(seeds(lower), seeds(higher), strict=True))

    def apart(lower, higher):
        return max(seeds(lower)) < min(seeds(higher))

    for distance in ("Fréchet distance", "energy distance"):
        assert apart(f"{distance}, GAN", f"{distance}, VAE")
    for score in ("precision", "coverage"):
        rivals = [claims[f"{score}, {name}"] for name in ("VAE", "GAN")]
        assert abs(rivals[0]["mean"] - rivals[1]["mean"]) < rivals[0]["sd"] + rivals[1]["sd"]
    assert every("recall, GAN", "recall, VAE", 1.05)
    assert sorted(seeds("clouds found of 8, GAN")) == [2, 2, 7, 8, 8]
    assert set(seeds("clouds found of 8, GAN, penalty")) == {8}
    assert min(seeds("share on a cloud, GAN, penalty")) > 0.5 > max(seeds("share on a cloud, VAE"))
    assert every("error of the answer, regression", "error of the answer, VAE", 1.2)
    for name in ("VAE", "GAN"):
        line, arc = (f"Fréchet distance halfway, {name}, {way}" for way in ("line", "arc"))
        assert every(arc, line, 1.2)
        assert every(f"recall halfway, {name}, line", f"recall halfway, {name}, arc", 1.2)
        assert claims[arc]["mean"] < 1.1 * claims[f"Fréchet distance, {name}"]["mean"]
        assert 0.55 < claims[f"same digit after turning slant, {name}"]["mean"] < 0.66
    for what in ("ink", "slant"):
        linear = f"share of {what} that is linear in the code"
        kept = f"same digit after turning {what}"
        assert every(f"{linear}, GAN", f"{linear}, VAE", 1.05)
        assert claims[f"{kept}, VAE"]["mean"] > 1.05 * claims[f"{kept}, GAN"]["mean"]
    for labels in ("all labels", "10 a class"):
        vae, afterwards, layer, pca, pixels = (
            claims[f"probe with {labels}, {name}"]["mean"]
            for name in (
                "VAE, its encoder", "GAN, an encoder trained afterwards",
                "GAN, the discriminator's last layer", "principal components", "pixels",
            )
        )  # fmt: skip
        assert afterwards < vae - 0.02
        assert pca - 0.02 < vae < pca
        assert pixels - 0.001 < layer < pixels + 0.02
    assert every("bits a pixel, VAE, 100 weights", "bits a pixel, VAE, bound")
    assert every("bits a pixel, VAE, training digits", "bits a pixel, VAE, bound")
