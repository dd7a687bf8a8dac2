"""Pictures, tables and explorers: they say what they show, and carry what they were given."""

from __future__ import annotations

import pytest
import torch

from genssl_utils import diffusion as topic
from genssl_utils.diffusion.explorers import linear_betas
from genssl_utils.kit import data
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.reader import Reader
from genssl_utils.kit.samples import Scores

SCORES = Scores(0.11, 0.22, 0.33, 0.44)
COUNTS = (1, 2, 20, 1000)


@pytest.fixture(scope="module")
def digits():
    return data.digits(flat=True)


@pytest.fixture(scope="module")
def drawn(digits):
    return {(way, n): digits.x_train[:20] for way in ("DDPM", "DDIM") for n in COUNTS}


@pytest.fixture(scope="module")
def scan(drawn):
    return [topic.Quality(way, n, 0.001 * n, SCORES) for way, n in drawn]


def names_of(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_the_linear_schedule_is_the_paper_s():
    betas = linear_betas(1000)
    assert betas[0] == pytest.approx(1e-4)
    assert betas[-1] == pytest.approx(0.02)
    left = [torch.cumprod(1 - linear_betas(n), 0)[-1].item() for n in (100, 1000)]
    assert left[0] == pytest.approx(left[1], abs=1e-4)
    assert linear_betas(1).max() < 1


def test_first_pictures_are_described():
    assert "A film of noise" in repr(topic.film_picture())
    assert "from step 476 on" in repr(topic.schedules_picture())
    assert "came by at" in repr(topic.bridges_picture())
    figure = topic.guess_picture()
    assert [axes.get_title() for axes in figure.axes] == [
        f"{share}% of the variance left" for share in (4, 50, 90)
    ]


def test_tables_carry_their_numbers(digits):
    assert "0.125" in repr(topic.losses_table({"all times": (0.5, 0.375)}))
    distances = {("true", 0): 0.0001, ("DDPM", 1): 0.5, ("DDPM", 9): 0.1, ("DDIM", 1): 0.4,
                 ("DDIM", 9): 0.02}  # fmt: skip
    told = repr(topic.clouds_table({"two moons": distances}))
    for word in ("1 step ", "9 steps", "0.0200", "0.0001"):
        assert word in told
    trip = topic.Trip(digits.x_test, digits.x_test, 0.25)
    assert "0.25" in repr(topic.trips_table({7: trip}))
    told = repr(topic.codes_table({"some": torch.tensor([0.5, 1.0, 6.0]), "none": torch.ones(0)}))
    assert told.splitlines()[-1].split() == ["some", "3", "1", "2.5", "6"]
    told = repr(topic.reading_table({0.5: 0.75}))
    assert told.splitlines()[1:] == ["50% left", "75%"]
    found = {("network", "DDPM"): 0.5, ("network", "DDIM"): 0.25, ("nobody", "true points"): 0.99}
    told = repr(topic.shares_table(found))
    for word in ("99.0%", "50.0%", "25.0%"):
        assert word in told
    less = {(2, "none"): topic.Fewer(SCORES, 0.125), (0, "true"): topic.Fewer(SCORES, 0.5)}
    told = repr(topic.noise_table(less))
    for word in ("0.440", "0.125", "0.500"):
        assert word in told
    copy = topic.Copies(digits.x_test[:20], 0.125, 0.5, float("nan"), 0.75, SCORES)
    told = repr(topic.copies_table({"some": copy}))
    for word in ("50%", "0.750", "0.125", "0.22"):
        assert word in told
    assert "nan" not in told


def test_the_table_of_scores_names_its_yardstick_and_the_budget(digits):
    torch.manual_seed(0)
    reader = Reader(cnn(10, width=16), 0.123)
    heaps = {
        "training digits": topic.Heap(digits.x_test, 0, 0, 0.0, 0.0),
        "some": topic.Heap(digits.x_test, 117, 256_000, 2.5, 0.015),
    }
    told = repr(topic.quality_table(heaps, dict.fromkeys(heaps, SCORES), reader))
    for word in ("540 pictures", "12.3% right", "117", "256,000", "2.5", "0.015", "0.22"):
        assert word in told


def test_pictures_of_digits_have_a_row_for_each(drawn, digits):
    bank = topic.bank(0)
    figure = topic.samples_picture(bank, drawn, digits.x_test)
    assert names_of(figure.axes[0]) == [
        "true", "GAN", "VAE", "flow", "DDIM, 20 steps", "DDIM, 1000 steps", "DDPM, 1000 steps"
    ]  # fmt: skip
    figure = topic.steps_picture(drawn, COUNTS)
    assert [names_of(axes) for axes in figure.axes] == [[str(n) for n in COUNTS]] * 2
    copy = topic.Copies(digits.x_test[:20], 0.1, 0.5, 0.1, 0.2, SCORES)
    figure = topic.copies_picture({"perfect guesser": copy, "network": copy}, digits.x_train)
    assert names_of(figure.axes[0])[::2] == ["perfect guesser", "network"]
    trip = topic.Trip(digits.x_test, digits.x_test, 0.25)
    figure = topic.trips_picture({1: trip, 9: trip}, digits.x_test)
    assert names_of(figure.axes[0]) == ["digits", "their codes", "back, 1 step", "back, 9 steps"]


def test_curves_hold_the_scores(scan):
    judged = dict.fromkeys(("GAN", "training digits"), SCORES)
    figure = topic.steps_curves(scan, judged, topic.bank(0))
    coverage, recall, seconds = figure.axes
    assert coverage.lines[0].get_ydata() == pytest.approx([0.44] * 4)
    assert recall.lines[0].get_ydata() == pytest.approx([0.33] * 4)
    assert seconds.lines[1].get_ydata() == pytest.approx([0.001, 0.002, 0.02, 1.0])
    assert "GAN, VAE" in repr(figure)


def test_points_on_their_way_are_drawn_beside_true_ones(on_ring, walkers):
    figure = topic.trails_picture({"eight clouds": on_ring}, walkers, steps=10, n=50)
    assert sum(len(axes.child_axes) for axes in figure.axes) == 6


def test_arrows_of_the_network_lie_over_the_best_ones(on_ring):
    figure = topic.fields_picture(on_ring, times=(100, 700))
    assert [axes.get_title() for axes in figure.axes] == ["t = 100", "t = 700"]
    assert all(len(axes.collections) == 2 for axes in figure.axes)


def test_explorers_run_the_student_s_functions(own):
    asked = []

    def schedule(T):
        asked.append(T)
        return own["cosine_alpha_bar"](T)

    one = topic.explore_noise(schedule, own["q_sample"])
    other = topic.explore_posterior(schedule, own["posterior"])
    assert asked == [1000, 10]
    for explorer in (one, other):
        assert explorer._png[:4] == b"\x89PNG"
    one._controls["T"].value = 1
    other._controls["t"].value = 1
    assert asked == [1000, 10, 1, 10]
    assert all(e._picture.value.startswith("<img") for e in (one, other))


def test_an_explorer_says_what_stopped(own):
    def broken(*args):
        raise NotImplementedError

    explorer = topic.explore_posterior(own["cosine_alpha_bar"], broken)
    assert "not written yet" in explorer._picture.value
