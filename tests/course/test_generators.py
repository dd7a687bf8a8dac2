"""A generator only moves forward: what draws can do is believed, anything else is not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from genssl_utils.course.grade.generators import MOST_BLOCKS, lies_ahead

DRAWS: list[Callable[[int, Generator], object]] = [
    lambda n, g: torch.rand(n, generator=g),
    lambda n, g: torch.randn(n, generator=g),
    lambda n, g: torch.rand(n, generator=g, dtype=torch.float64),
    lambda n, g: torch.randn(n, generator=g, dtype=torch.float64),
    lambda n, g: torch.randperm(n, generator=g),
    lambda n, g: torch.randint(2**40, (n,), generator=g),
    lambda n, g: torch.empty(n).exponential_(generator=g),
    lambda n, g: torch.multinomial(torch.ones(4), n + 1, replacement=True, generator=g),
    lambda n, g: torch.bernoulli(torch.full((n,), 0.5), generator=g),
    lambda n, g: torch.poisson(torch.ones(n), generator=g),
]


def state_after(seed: int, numbers: int) -> Tensor:
    """The state after so many numbers of the twister."""
    g = Generator().manual_seed(seed)
    if numbers:
        torch.empty(numbers, dtype=torch.int32).random_(generator=g)
    return g.get_state()


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(DRAWS), st.integers(0, 1500)), max_size=4), st.integers(0, 5)
)
def test_draws_of_any_kind_lie_ahead(draws: list, seed: int) -> None:
    """And nothing that has been drawn lies ahead of what came of it."""
    g = Generator().manual_seed(seed)
    torch.rand(3, generator=g)
    before = g.get_state()
    for draw, n in draws:
        draw(n, g)
    after = g.get_state()
    assert lies_ahead(before, after)
    moved = not torch.equal(after[:5016], before[:5016])
    assert lies_ahead(after, before) is not moved


@pytest.mark.parametrize("first", [0, 1, 623, 624, 625, 2000])
@pytest.mark.parametrize("second", [0, 1, 623, 624, 625, 1248, 2000])
def test_order_at_the_edges_of_a_block(first: int, second: int) -> None:
    """Of two states of one seed, the one with more numbers drawn lies ahead."""
    assert lies_ahead(state_after(1, first), state_after(1, second)) is (first <= second)


def test_another_seed_never_lies_ahead() -> None:
    """It is told by the seed, at once."""
    began = time.perf_counter()
    assert not lies_ahead(state_after(1, 5), state_after(2, 5))
    assert time.perf_counter() - began < 0.1


@pytest.mark.parametrize("at", [0, 8, 12, 16, 24, 1000, 5015, 5016, 5040, 5044, 5048])
def test_no_changed_byte_is_believed(at: int) -> None:
    """The words, the place, the seed and the flags; of a kept normal number only its range."""
    sent, came = state_after(1, 10), state_after(1, 700)
    came[at] ^= 0x80
    tries = iter(range(3))

    def tick() -> None:
        if next(tries, None) is None:
            raise TimeoutError

    try:
        believed = lies_ahead(sent, came, tick)
    except TimeoutError:
        believed = False
    assert not believed or 5016 <= at < 5048


@pytest.mark.parametrize(
    "came",
    [torch.zeros(5056, dtype=torch.uint8), torch.zeros(5055, dtype=torch.uint8), torch.zeros(5056)],
)
def test_what_is_no_state_is_refused(came: Tensor) -> None:
    """Whatever its size and dtype."""
    assert not lies_ahead(state_after(1, 10), came)


def test_the_clock_is_looked_at() -> None:
    """A forged state does not cost more time than there is."""
    forged = state_after(1, 10)
    forged[24] ^= 1
    looks = 0

    def tick() -> None:
        nonlocal looks
        looks += 1
        if looks > 5:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        lies_ahead(state_after(1, 10), forged, tick)
    assert MOST_BLOCKS > 5000
