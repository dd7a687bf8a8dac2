"""The true density of two moons, the affine baseline, and what a training leaves."""

import pytest
import torch
from flows_student import RECIPE, affine_log_det, coupling_forward, coupling_inverse

from genssl_utils.flows.explorer import coupling_picture
from genssl_utils.flows.likelihood import affine_log_prob
from genssl_utils.flows.moons import MOMENTS, moons_log_density, train_moons
from genssl_utils.flows.show import density_picture, moons_table
from genssl_utils.flows.travel import LIMIT, travel_figure
from genssl_utils.kit.data import two_moons


def test_the_true_density_sums_to_one():
    across, up = torch.linspace(-2, 3, 251), torch.linspace(-1.5, 2, 176)
    density = moons_log_density(torch.cartesian_prod(across, up)).exp()
    assert density.sum().item() * 0.02 * 0.02 == pytest.approx(1, abs=1e-4)


def test_the_true_density_counts_the_points():
    """Shares of a million points in boxes are the density's, to six standard errors."""
    points, _ = two_moons(1_000_000, generator=torch.Generator().manual_seed(0))
    for low, high in (
        ((-0.2, 0.9), (0.2, 1.1)),
        ((0.8, -0.6), (1.2, -0.4)),
        ((0.3, 0.2), (0.6, 0.4)),
    ):
        low, high = torch.tensor(low), torch.tensor(high)
        share = ((points > low) & (points < high)).all(1).double().mean().item()
        sides = [
            torch.linspace(a, b, 81)[:-1] + (b - a) / 160 for a, b in zip(low, high, strict=True)
        ]
        cells = moons_log_density(torch.cartesian_prod(*sides)).exp()
        mass = cells.mean().item() * (high - low).prod().item()
        assert share == pytest.approx(mass, abs=6 * (mass / 1e6) ** 0.5 + 1e-6)


def test_more_angles_change_nothing():
    x = two_moons(50, noise=0.2, generator=torch.Generator().manual_seed(2))[0]
    few, many = moons_log_density(x), moons_log_density(x, angles=20_000)
    assert torch.allclose(few, many, atol=2e-3)


def test_no_density_costs_less_than_the_true_one():
    points, _ = two_moons(5000, generator=torch.Generator().manual_seed(1))
    truth = moons_log_density(points).mean()
    for noise in (0.06, 0.1, 0.3):
        assert moons_log_density(points, noise=noise).mean() < truth


def test_one_affine_layer_is_the_gaussian_without_correlations():
    train = torch.randn(500, 3, dtype=torch.float64) * torch.tensor([1.0, 0.2, 5.0]) + 3
    x = torch.randn(20, 3, dtype=torch.float64)
    law = torch.distributions.Normal(train.mean(0), train.std(0, correction=0))
    got = affine_log_prob(RECIPE, affine_log_det, train, x)
    assert torch.allclose(got, law.log_prob(x).sum(1))


@pytest.fixture(scope="module")
def run():
    return train_moons(RECIPE, affine_log_det, steps=150, seed=0, hidden=(32, 32))


def test_a_short_training_beats_the_baseline_and_not_the_truth(run):
    assert run.floor < run.nll < run.affine_nll - 0.3
    assert run.undone < 1e-3
    assert run.nll == pytest.approx(-run.flow.log_prob(run.test).mean().item())


def test_the_journey_is_what_the_flow_does(run):
    journey = run.journey
    assert journey.steps == [round(share * 150) for share in MOMENTS]
    assert journey.nll[0] > journey.nll[-1]
    for frames in journey.frames:
        assert frames.shape == (9, 300 + 256, 2)
        assert torch.equal(frames[0], journey.frames[0][0]), "one latent for all moments"
    assert torch.equal(journey.frames[0][0], journey.frames[0][-1]), "a fresh flow moves nothing"
    assert run.fitted.best_step == 150, "then the last frames are the kept weights'"
    back = run.flow.decode(journey.frames[0][0])
    assert torch.allclose(journey.frames[-1][-1], back, atol=1e-5)


def test_the_same_seed_gives_the_same_flow():
    a, b = (train_moons(RECIPE, affine_log_det, steps=6, seed=3, hidden=(8,)) for _ in range(2))
    assert a.nll == b.nll
    assert a.nll != train_moons(RECIPE, affine_log_det, steps=6, seed=4, hidden=(8,)).nll


def test_the_travel_figure_carries_the_frames(run):
    figure = travel_figure(run)
    assert len(figure.frames) == 8 * 9 * 556 * 2 * 2
    assert len(figure.frames) + len(figure.data) < 225_000, "300 KB on the page"
    assert figure.moves == [0, 1] * 4
    numbers = torch.frombuffer(bytearray(figure.frames), dtype=torch.int16).float() * LIMIT / 32767
    frames = torch.stack(run.journey.frames).clamp(-LIMIT, LIMIT).reshape(-1)
    assert (numbers - frames).abs().max() < 1.01e-4
    for name, value in (("layer", 9.0), ("layer", -1.0), ("moment", 8)):
        with pytest.raises(ValueError, match=name):
            setattr(figure, name, value)


def test_what_is_shown_names_its_numbers(run):
    text = repr(moons_table(run))
    assert "the true density" in text
    assert f"{run.nll:.3g}" in text
    assert "of its mass is here" in density_picture(run, side=60).axes[1].get_title(loc="left")


def test_the_explorer_shows_the_error_of_the_way_back():
    figure = coupling_picture(coupling_forward, coupling_inverse)
    error = float(figure.axes[2].get_title(loc="left").split()[-1])
    assert error < 1e-5
    broken = coupling_picture(coupling_forward, lambda y, mask, net: y)
    assert float(broken.axes[2].get_title(loc="left").split()[-1]) > 0.01
