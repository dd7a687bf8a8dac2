"""The unit's own answers, and small networks trained by them."""

import pytest

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.diffusion import Walkers, cloud, train_denoiser


@pytest.fixture(scope="session")
def own():
    return Checker(find_unit(project_root(), "09")).namespace


@pytest.fixture(scope="session")
def walkers(own):
    return Walkers(own["ancestral_step"], own["ddim_step"])


@pytest.fixture(scope="session")
def schedule(own):
    return own["cosine_alpha_bar"](1000).float()


@pytest.fixture(scope="session")
def on_ring(own, schedule):
    """A small network on the eight clouds."""
    return train_denoiser(
        cloud("eight clouds", 1000, 0), schedule, own["simple_loss"], steps=400, width=32,
        batch=128, rate=5e-3, octaves=3, seed=0, picture=False,
    )  # fmt: skip
