"""The bank, the scores by steps, the way into the latent, and copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genssl_utils import diffusion as topic
from genssl_utils.diffusion.digits import LEVELS, NAMES, with_all_of_beta
from genssl_utils.kit import data
from genssl_utils.kit.nets import cnn
from genssl_utils.kit.reader import Reader, train_reader
from genssl_utils.kit.samples import scores


@pytest.fixture(scope="module")
def digits():
    return data.digits(flat=True)


@pytest.fixture(scope="module")
def blind():
    torch.manual_seed(0)
    return Reader(cnn(10, width=16), 0.1)


@pytest.fixture(scope="module")
def small(own, schedule, digits):
    """A small network on the digits."""
    return topic.train_denoiser(
        digits.x_train, schedule, own["simple_loss"], steps=150, width=32, picture=False
    )


def test_the_bank_holds_what_the_makers_made_with_about_one_number_of_weights(schedule):
    heaps = topic.bank(0)
    assert tuple(heaps) == NAMES
    own = sum(part.numel() for part in topic.NoiseNet(64, 192, schedule).parameters())
    for heap in heaps.values():
        assert heap.pictures.shape == (540, 64)
        assert heap.pictures.min() >= 0
        assert heap.pictures.max() <= 1
        assert len(heap.pictures.unique()) <= LEVELS + 1
        assert heap.weights == pytest.approx(own, rel=0.02)
        assert heap.seen == 256_000
        assert heap.trained > 1
        assert 0 < heap.drawn < 1


def test_the_bank_has_five_trainings_of_each_and_counts_round():
    every = [topic.bank(seed) for seed in range(6)]
    for name in NAMES:
        pictures = [heaps[name].pictures for heaps in every]
        assert torch.equal(pictures[0], pictures[5])
        assert all(not torch.equal(pictures[0], other) for other in pictures[1:5])


def test_no_heap_of_the_bank_is_copied_from_training_digits(digits):
    for heap in topic.bank(1).values():
        near, share = topic.knows_by_heart(heap.pictures, digits.x_train)
        assert near > 0.05
        assert share < 0.01


def test_scores_are_those_of_the_kit_in_the_reader_s_features(digits, blind):
    real, heap = digits.x_test[:60], digits.x_train[:60]
    found = topic.judge({"one": heap}, real, blind)
    assert found["one"] == scores(blind.features(real), blind.features(heap))
    known = [topic.Quality("DDIM", 20, 0.1, scores(blind.features(real), blind.features(real)))]
    again = topic.judge({"one": heap, "DDIM, 20 steps": heap}, real, blind, known)
    assert again == found | {"DDIM, 20 steps": known[0].scores}


def test_more_steps_take_longer_and_each_number_is_drawn(small, walkers, digits, blind):
    real = digits.x_test[:80]
    scan, drawn = topic.quality_by_steps(small, walkers, real, blind, steps=(1, 60))
    assert [(row.way, row.steps) for row in scan] == list(drawn)
    assert {heap.shape for heap in drawn.values()} == {(80, 64)}
    for way in ("DDPM", "DDIM"):
        one, many = (row for row in scan if row.way == way)
        assert many.seconds > 4 * one.seconds > 0
    # One step has no chance in it; the two formulas round differently.
    torch.testing.assert_close(drawn["DDPM", 1], drawn["DDIM", 1], atol=5e-3, rtol=0)
    assert all(heap.min() >= 0 and heap.max() <= 1 for heap in drawn.values())


def test_digits_come_back_the_better_the_more_steps(small, walkers, digits):
    found = topic.trips(small, walkers, digits.x_test[:100], steps=(4, 20, 100))
    errors = [trip.error for trip in found.values()]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05
    trip = found[100]
    assert trip.codes.shape == (100, 64)
    assert trip.error == pytest.approx((trip.back - digits.x_test[:100]).square().mean().sqrt())
    assert trip.sizes.shape == (100,)
    assert trip.sizes.mean() == pytest.approx(trip.codes.square().mean())


def test_codes_are_told_apart_by_ink_that_no_training_digit_has(small, walkers, digits):
    trip = topic.round_trip(small, walkers, digits.x_test, 10)
    sizes = topic.code_sizes(small, walkers, digits, trip, 10)
    training, test, beyond, others = sizes.values()
    assert len(training) == len(test) == len(beyond) + len(others) == 540
    most = digits.x_train.amax(0)
    rows = [k for k, row in enumerate(digits.x_test) if (row > most).any()]
    assert beyond.tolist() == test[rows].tolist()


def test_noise_of_variance_beta_is_put_back_and_none_at_the_end(walkers, schedule):
    x, guess, fresh = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    more = with_all_of_beta(walkers).ancestral_step
    for t in (1, 2, 700):
        when = torch.full((5,), t)
        mean = walkers.ancestral_step(x, guess, when, schedule, 0 * fresh)
        beta = 1 - schedule[t] / schedule[t - 1] if t > 1 else torch.tensor(0.0)
        torch.testing.assert_close(
            more(x, guess, when, schedule, fresh), mean + beta.sqrt() * fresh
        )


def test_more_noise_is_compared_with_less(small, walkers, digits, blind):
    real = digits.x_test[:60]
    _, drawn = topic.quality_by_steps(small, walkers, real, blind, steps=(2,))
    found = topic.noise_put_back(small, walkers, drawn, real, blind, steps=(2,))
    less, more, none, true = found.values()
    assert more.spread > less.spread
    assert none.spread == pytest.approx(drawn["DDIM", 2].std(0).mean())
    assert true.spread == pytest.approx(real.std(0).mean())


def test_the_reader_reads_the_less_the_less_is_left(own, digits):
    reader = train_reader(digits, steps=60)
    read = topic.read_noised(reader, digits, own["q_sample"], (1.0, 0.5, 0.0))
    assert read[1.0] == pytest.approx(reader.accuracy)
    assert read[1.0] > read[0.5] > read[0.0]


def test_heaps_stand_beside_each_other_with_what_they_took(small, walkers, digits, blind):
    scan, drawn = topic.quality_by_steps(
        small, walkers, digits.x_test[:30], blind, steps=(20, 1000)
    )
    heaps = topic.all_heaps(topic.bank(0), small, scan, drawn, digits)
    assert list(heaps) == [
        "training digits", *NAMES, "DDIM, 20 steps", "DDIM, 1000 steps", "DDPM, 1000 steps"
    ]  # fmt: skip
    assert len(heaps["training digits"].pictures) == 540
    known = {tuple(row) for row in digits.x_train.tolist()}
    assert all(tuple(row) in known for row in heaps["training digits"].pictures.tolist())
    assert heaps["DDIM, 20 steps"].seen == 150 * 64
    assert heaps["DDPM, 1000 steps"].drawn > heaps["DDIM, 20 steps"].drawn


def test_the_perfect_guesser_copies_and_the_network_does_not(
    own, small, walkers, digits, blind
):  # fmt: skip
    drawn = {("DDIM", 20): small.draw(540, walkers, "DDIM", 20).clamp(0, 1)}
    best = topic.perfect(small, digits.x_train, 0.0)
    found = topic.copies(
        small, best, drawn, walkers, digits, blind, own["simple_loss"], steps=20
    )  # fmt: skip
    assert list(found) == ["perfect guesser", "network", "test digits"]
    assert found["perfect guesser"].share > 0.95
    assert found["network"].share == 0
    perfect, network = found["perfect guesser"], found["network"]
    assert perfect.seen < network.seen < network.new + 0.1 < perfect.new
    assert np.isnan(found["test digits"].seen)
