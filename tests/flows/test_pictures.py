"""Pictures: their levels, the way to the real line, their cost, and strangers."""

import math
from urllib.error import URLError

import pytest
import torch
from flows_student import RECIPE, affine_log_det, bits_per_dim

from genssl_utils.flows.picture_flow import histogram_bits, strangers, train_pictures
from genssl_utils.flows.pictures import (
    Pictures,
    dequantise,
    digit_pictures,
    flower_patches,
    logit_layer,
    mnist_pictures,
    palace_patches,
)
from genssl_utils.flows.show import (
    bits_table,
    interpolation_picture,
    sample_picture,
    stranger_picture,
    stranger_table,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("make", "sizes", "side"),
    [(digit_pictures, (1005, 252, 540), 8), (palace_patches, (2800, 500, 940), 8)],
)
def test_levels_are_whole_and_parts_have_their_sizes(make, sizes, side):
    pictures = make()
    parts = (pictures.train, pictures.valid, pictures.test)
    assert tuple(map(len, parts)) == sizes
    assert pictures.side == side
    for levels in parts:
        assert torch.equal(levels, levels.round())
        assert 0 <= levels.min() <= levels.max() <= pictures.bins - 1


def test_no_digit_is_in_two_parts():
    pictures = digit_pictures()
    everything = torch.cat([pictures.train, pictures.valid, pictures.test])
    from sklearn.datasets import load_digits

    once = torch.tensor(load_digits().data, dtype=torch.float32)
    order = lambda rows: sorted(map(tuple, rows.tolist()))  # noqa: E731
    assert order(everything) == order(once)


def test_patches_put_together_are_the_photograph():
    from sklearn.datasets import load_sample_image

    photo = torch.tensor(load_sample_image("flower.jpg")).float()
    grey = (photo[:424] @ torch.tensor([0.299, 0.587, 0.114])).round()
    patches = flower_patches()
    assert torch.equal(patches[0].reshape(8, 8), grey[:8, :8])
    assert torch.equal(patches[81].reshape(8, 8), grey[8:16, 8:16])


def test_dequantised_levels_can_be_read_again():
    levels = torch.randint(17, (50, 64), generator=generator()).float()
    x = dequantise(levels, 17, generator())
    assert 0 <= x.min() <= x.max() < 1
    assert torch.equal((17 * x).floor(), levels)


def test_the_logit_layer_is_undone_and_counts_its_volume():
    layer, inverse = logit_layer(0.05)
    x = torch.rand(5, 3, dtype=torch.float64)
    y, log_det = layer(x)
    assert torch.allclose(inverse(y), x)
    for row, got in zip(x, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda r: layer(r[None])[0][0], row)
        assert torch.isclose(got, torch.linalg.slogdet(jacobian).logabsdet)
    assert torch.isfinite(layer(torch.tensor([[0.0, 1.0]]))[0]).all()


def test_a_histogram_of_even_levels_costs_log2_of_their_number():
    even = torch.arange(8.0).repeat(100)[:, None].expand(-1, 3)
    assert histogram_bits(Pictures("even", 8, even, even, even)) == pytest.approx(3)
    still = torch.zeros(10_000, 3)
    assert histogram_bits(Pictures("still", 8, still, still, still)) < 0.01


def test_mnist_without_a_network_says_what_to_do(monkeypatch):
    def fetch_openml(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    with pytest.raises(RuntimeError, match="scale = 'laptop'"):
        mnist_pictures()


@pytest.fixture(scope="module")
def run():
    pictures = palace_patches()
    return train_pictures(
        RECIPE, bits_per_dim, affine_log_det, pictures, steps=60, hidden=(32,), edge=0.01
    )


def test_a_short_training_beats_an_affine_layer_and_a_flat_code(run):
    assert run.test_bits.mean() < run.affine_bits
    assert run.test_bits.mean() < 8
    assert run.test_bits.shape == (940,)
    assert torch.equal(run.score(run.pictures.test[:20]), run.score(run.pictures.test[:20]))


def test_the_kept_weights_are_the_best_on_the_validation_part(run):
    history = run.fitted.history
    costs = history.series["validation"]
    assert run.fitted.best_step == history.steps[costs.index(min(costs))]


def test_bits_are_those_of_the_density(run):
    """By hand for one picture: −log₂ of density times the volume of a cell, over 64."""
    x = dequantise(run.pictures.test[:1], 256, generator(1))
    log_prob = run.flow.log_prob(x).item()
    want = -(log_prob - 64 * math.log(256)) / math.log(2) / 64
    assert bits_per_dim(torch.tensor(log_prob), 64).item() == pytest.approx(want, rel=1e-5)
    assert run.test_bits[0].item() == pytest.approx(want, abs=0.5)


def test_strangers_are_ranked_as_auroc_says(run):
    found = strangers(run)
    own = found[0]
    assert own.auroc == pytest.approx(0.5)
    assert own.likelier == pytest.approx(0.5, abs=0.01)
    for s in found:
        pairs = (s.bits[:, None] > run.test_bits).double() + 0.5 * (
            s.bits[:, None] == run.test_bits
        )
        assert s.auroc == pytest.approx(pairs.mean().item())
    noise = found[-1]
    assert noise.name == "noise"
    assert noise.auroc > 0.99


def test_pictures_and_tables_are_made(run):
    assert "histogram" in repr(bits_table(run))
    assert len(sample_picture(run).axes) == 3
    assert len(interpolation_picture(run).axes) == 2
    found = strangers(run)
    assert len(stranger_picture(found).axes) == 2
    assert "AUROC" in repr(stranger_table(found))
