"""A function beyond the pipe behaves like the function itself."""

from __future__ import annotations

import gc
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pipes import Far, far_side, two_ends
from typing import Any

import pytest
import torch
from torch import Tensor

from genssl_utils.course.grade import link
from genssl_utils.course.grade.raw import BadMessage
from genssl_utils.course.grade.wire import Severed
from genssl_utils.kit.check import CheckFailed

KEEP: list[Any] = []
SECRET = torch.tensor([2.0, -1.0], dtype=torch.float64, requires_grad=True)


class Own(KeyError):
    """An exception of the student's own."""


def cube(x):
    """A smooth function."""
    return x**3


def pair(x, y):
    """Two inputs, two outputs of other shapes."""
    return (x * y.exp()).sum(1), x - y


def ignore(x):
    """A result that hangs on nothing."""
    return torch.ones(2, dtype=x.dtype)


def cut(x):
    """A detached result."""
    return (x * 2).detach()


def as_it_is(x):
    """The argument itself."""
    return x


def alias(x):
    """The argument's memory, off the graph."""
    return x.detach()


def no_grad_inside(x):
    """Half of it is off the graph."""
    with torch.no_grad():
        y = x * 2
    return x + y


def apply(f, x):
    """Calls a function once."""
    return f(x) * x


def twice(f, x):
    """Calls it on its own result."""
    return f(f(x)) + f(x)


def steps(f, x):
    """A chain of steps."""
    for _ in range(4):
        x = x + 0.1 * f(x) * x
    return x


def nested(f, x):
    """A gradient inside of a function of a function."""
    y = f(x * 2)
    (slope,) = torch.autograd.grad(f(y).sum(), y, create_graph=True)
    return y * slope


def compose(f, g):
    """Returns a function of two functions."""
    return lambda x: f(g(x))


def by_secret(x):
    """Hangs on what only this side holds."""
    return x * SECRET


def inner_gradient(f, x):
    """A gradient taken on this side, through a function of the other."""
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
    return slope


def add_one(x):
    """Changes its argument."""
    x += 1


def change_all(tensors, names, numbers):
    """Changes a tensor in a list, a dict and a list."""
    tensors[0].mul_(2)
    names["new"] = tensors[0]
    del names["old"]
    numbers.append(names)


def past_autograd(x):
    """Changes its argument's numbers alone."""
    x.data.mul_(2)
    return x.sum()


def negate(x):
    """Turns 0 into −0."""
    x.neg_()


def first(x):
    """One number of many."""
    return x[0, 0]


def need(x):
    """Turns an argument into a leaf that needs a gradient."""
    x.requires_grad_()


def told(x):
    """What a function can ask of its argument."""
    return x.requires_grad, x.is_leaf, x.grad_fn is None, x.is_contiguous(), x.dtype


def draw(generator):
    """Noise from a generator."""
    return torch.randn(7, generator=generator), torch.randint(9, (3,), generator=generator)


def forge(generator):
    """Sets the generator anew."""
    generator.manual_seed(0)


def rewind(generator):
    """Draws, and hides it."""
    state = generator.get_state()
    torch.rand(5, generator=generator)
    generator.set_state(state)


def common(n):
    """Noise from torch's own generator."""
    return torch.rand(n)


def reseed(seed):
    """Sets torch's own generator."""
    torch.manual_seed(seed)
    return torch.rand(3)


def fail(kind, words):
    """Raises."""
    raise {
        "value": ValueError, "own": Own, "stop": StopIteration, "exit": SystemExit,
        "interrupt": KeyboardInterrupt, "base": BaseException, "stub": NotImplementedError,
    }[kind](words)  # fmt: skip


def fail_as_group():
    """Raises what can't be made of words."""
    raise ExceptionGroup("many", [ValueError("one")])


def fail_at_decoding():
    """An exception whose class wants five arguments."""
    raise UnicodeDecodeError("utf-8", b"x", 0, 1, "odd")


def change_and_fail(x):
    """Changes its argument, then raises."""
    x += 1
    raise ValueError("late")


def let_through(f):
    """Lets an exception of the other side's through."""
    return f()


def catch(f):
    """Catches it by its base class."""
    try:
        f()
    except LookupError as error:
        return type(error).__name__, str(error)


def keep(f):
    """Keeps a function for later."""
    KEEP[:] = [f]


def call_kept(x):
    """Calls it."""
    return KEEP[0](x)


def drop_kept():
    """Lets go of it."""
    KEEP.clear()


def same_function(f, g):
    """Whether one function came twice."""
    return f is g


def countdown(f, n):
    """Goes to and fro n times."""
    return 0 if n == 0 else 1 + f(n - 1)


def add_to_result(f, x):
    """Changes what the other side's function returned."""
    y = f(x)
    y += 1
    return y


def change_result_list(f):
    """Changes a list of the other side's."""
    f().append(5)


def many_threads(f, n):
    """Calls a function from several threads."""
    got: list[Any] = []
    threads = [threading.Thread(target=lambda k=k: got.append(f(k))) for k in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sorted(got)


def hoard(f, x, n):
    """Holds on to all that it is given."""
    return sum(f(x) for _ in range(n))


def derivative(f, x, n):
    """The n-th one, through a function of the other side."""
    x = x.clone().requires_grad_()
    y = f(x)
    for _ in range(n):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    return y


def end():
    """Ends the process."""
    os.kill(os.getpid(), signal.SIGKILL)


def huge():
    """More than a message holds."""
    return torch.zeros(1).expand(1 << 40)


def odd_dict():
    """A dict whose keys can't cross."""
    return {torch.ones(1): 1}


def backward_inside(f, x):
    """Fills `.grad` of whatever f holds."""
    f(x).sum().backward()


FUNCTIONS = {
    name: f for name, f in list(globals().items()) if getattr(f, "__module__", "") == __name__
}


@pytest.fixture
def far() -> Iterator[Far]:
    """All functions above, in another process."""
    with far_side(FUNCTIONS, seconds=60) as found:
        yield found


def numbers(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Some numbers that need a gradient."""
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=dtype).requires_grad_()


# --- values and gradients -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["cube", "no_grad_inside", "as_it_is"])
def test_value_gradient_and_jacobian(far: Far, name: str, dtype: torch.dtype) -> None:
    """All as in one process, bit for bit."""
    here, there, x = FUNCTIONS[name], getattr(far, name), numbers(4, dtype=dtype)
    assert torch.equal(there(x), here(x))
    for f in (lambda g: g(x), lambda g: g(x * 2), lambda g: g(g(x))):
        a, b = (torch.autograd.grad(f(g).sin().sum(), x)[0] for g in (here, there))
        assert torch.equal(a, b)
    jacobian = torch.autograd.functional.jacobian
    assert torch.equal(jacobian(there, x), jacobian(here, x))


def test_derivatives_by_differences(far: Far) -> None:
    """First and second ones agree with finite differences."""
    x, y = numbers(3, 2), numbers(3, 2, seed=1)
    assert torch.autograd.gradcheck(far.pair, (x, y))
    assert torch.autograd.gradgradcheck(far.pair, (x, y))
    assert torch.autograd.gradgradcheck(far.cube, (x,))


def test_third_derivative(far: Far) -> None:
    """Of x³ it is 6."""
    y, x = None, numbers(3)
    for _ in range(3):
        y = far.cube(x) if y is None else y
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert torch.allclose(y, torch.full((3,), 6.0, dtype=torch.float64))


def test_one_gradient_for_two_outputs(far: Far) -> None:
    """Both outputs get the very same gradient tensor; its graph is counted once."""
    x, y = numbers(3, 3), numbers(3, 3, seed=1)

    def second(f: Callable) -> Tensor:
        a, b = f(x, y)
        (slope,) = torch.autograd.grad((a + b[0]).square().sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), (x, y))

    for a, b in zip(second(pair), second(far.pair), strict=True):
        assert torch.allclose(a, b, rtol=1e-12)


def test_unused_and_shared_inputs(far: Far) -> None:
    """None where there is no gradient; the same tensor twice gets both shares."""
    x, y = numbers(2, 2), numbers(2, 2, seed=1)
    _, b = far.pair(x, y)
    assert torch.autograd.grad(b.sum(), (x, y), allow_unused=True)[1].unique().tolist() == [-1]
    want = torch.autograd.grad(pair(x, x)[0].sum(), x)[0]
    assert torch.equal(torch.autograd.grad(far.pair(x, x)[0].sum(), x)[0], want)
    assert not far.ignore(x).requires_grad
    assert not far.cut(x).requires_grad
    with torch.no_grad():
        assert not far.cube(x).requires_grad


def test_the_graph_begins_where_it_does_in_one_process(far: Far) -> None:
    """Leaves are leaves there, others are none, whole numbers stay whole."""
    x = numbers(3, 2)
    for arg in (x, x * 2, x.detach(), torch.arange(3), x.detach().t(), torch.tensor([True])):
        assert far.told(arg) == told(arg)
    assert far.cube(torch.arange(3)).dtype == torch.int64


def test_the_argument_itself_comes_back(far: Far) -> None:
    """The same object, with the same graph; or its memory, off the graph."""
    x = numbers(3)
    y = x * 2
    assert far.as_it_is(x) is x
    assert far.as_it_is(y) is y
    other = far.alias(x)
    other += 1
    assert torch.equal(other, x)
    assert not other.requires_grad


def test_what_hangs_on_the_other_side_alone_needs_a_gradient(far: Far) -> None:
    """The result of a function with parameters of its own is on a graph, as in one process."""
    got = far.by_secret(torch.ones(2, dtype=torch.float64))
    assert got.requires_grad
    assert not got.is_leaf
    got.sum().backward()
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    far.by_secret(x).sum().backward()
    assert torch.equal(x.grad, SECRET.detach())


# --- functions over functions -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["apply", "twice", "inner_gradient", "steps", "nested"])
def test_gradients_reach_what_a_callable_holds(far: Far, name: str) -> None:
    """First and second derivative in x and in the weights, as in one process."""
    w, x = numbers(3, 3), numbers(2, 3, seed=1)

    def net(v: Tensor) -> Tensor:
        return torch.tanh(v @ w) * v

    def both(f: Callable) -> list[Tensor]:
        y = f(net, x)
        first = torch.autograd.grad(
            y.square().sum(), (w, x), create_graph=True, allow_unused=name == "inner_gradient"
        )
        there = [g for g in first if g is not None]
        whole = sum(g.sin().sum() for g in there)
        return [y, *there, *torch.autograd.grad(whole, (w, x), allow_unused=True)]

    for a, b in zip(both(FUNCTIONS[name]), both(getattr(far, name)), strict=True):
        assert a is b is None or torch.allclose(a, b, rtol=1e-10, atol=1e-12)


def test_callables_that_return_callables(far: Far) -> None:
    """A function made there of functions from here."""
    w = numbers(1)
    h = far.compose(lambda v: v * w, torch.sin)
    x = numbers(3)
    a, b = (torch.autograd.grad(f(x).sum(), (x, w)) for f in (lambda v: v.sin() * w, h))
    assert all(map(torch.equal, a, b))


def test_a_function_keeps_its_identity(far: Far) -> None:
    """Twice the same is the same there; one that comes home is itself."""
    f, g = (lambda x: x), (lambda x: x)
    assert far.same_function(f, f)
    assert not far.same_function(f, g)
    assert far.as_it_is(f) is f


def test_a_kept_callable_is_called_later(far: Far) -> None:
    """And is forgotten when it is let go."""
    before = len(far.peer._functions)
    far.keep(lambda x: x + 1)
    gc.collect()
    assert far.call_kept(torch.tensor(2.0)) == 3
    assert len(far.peer._functions) == before + 1
    far.drop_kept()
    assert len(far.peer._functions) == before


def test_backward_fills_the_weights_on_the_other_side(far: Far) -> None:
    """`backward()` there does to our weights what it does in one process; `grad` does not."""
    w, x = numbers(2, 2), torch.ones(1, 2, dtype=torch.float64)
    far.inner_gradient(lambda v: v @ w, x)
    assert w.grad is None
    for f in (far.backward_inside, backward_inside):
        f(lambda v: v @ w, x)
    assert torch.equal(w.grad, torch.full((2, 2), 2.0, dtype=torch.float64))
    far.apply(lambda v: v @ w, numbers(1, 2)).sum().backward()
    assert not torch.equal(w.grad, torch.full((2, 2), 2.0, dtype=torch.float64))


def test_recursion_to_and_fro(far: Far) -> None:
    """Deep enough, and stopped before the stack is."""

    def down(n: int) -> int:
        return far.countdown(down, n)

    assert far.countdown(down, 8) == 8
    with pytest.raises(RecursionError):
        far.countdown(down, 100)
    assert far.countdown(down, 3) == 3


def test_threads_take_turns(far: Far) -> None:
    """Calls from several threads don't mix."""
    assert far.many_threads(lambda k: k * k, 8) == [k * k for k in range(8)]


# --- in-place changes ---------------------------------------------------------------------------


def test_in_place_changes_are_seen(far: Far) -> None:
    """Of tensors, views, lists and dicts."""
    for f in (change_all, far.change_all):
        base = torch.arange(4.0)
        tensors, names, kept = [base[:2]], {"old": 1, "k": 2}, [7]
        f(tensors, names, kept)
        assert base.tolist() == [0, 2, 2, 3]
        assert names == {"k": 2, "new": tensors[0]}
        assert kept == [7, names]
        assert kept[1] is names
        assert names["new"] is tensors[0]


def test_a_change_takes_its_graph_along(far: Far) -> None:
    """`x += 1` of a non-leaf; `x.data` past autograd; a leaf is refused as in one process."""
    for f, g in ((add_one, past_autograd), (far.add_one, far.past_autograd)):
        x = numbers(3)
        y = x * 2
        f(y)
        assert torch.autograd.grad(y.square().sum(), x)[0].equal(4 * (2 * x + 1).detach())
        z = x * 1
        assert torch.autograd.grad(g(z), x)[0].tolist() == [1, 1, 1]
        assert torch.equal(z, 2 * x)
        with pytest.raises(RuntimeError, match="leaf"):
            f(x)


def test_changes_before_an_exception_are_seen(far: Far) -> None:
    """They happened."""
    x = torch.zeros(2)
    with pytest.raises(ValueError, match="late"):
        far.change_and_fail(x)
    assert x.tolist() == [1, 1]


def test_requires_grad_set_there_is_set_here(far: Far) -> None:
    """On the argument itself."""
    x = torch.zeros(2)
    far.need(x)
    assert x.requires_grad


def test_an_expanded_argument_stays_small_on_the_way(far: Far) -> None:
    """A billion numbers that are one; a function may look at them, and give some back."""
    assert far.first(torch.ones(1, 1).expand(1 << 15, 1 << 15)) == 1


def test_nan_and_minus_zero_are_no_change_and_a_change(far: Far) -> None:
    """Bits are compared."""
    x = torch.tensor([math.nan, 0.0])
    version = x._version
    far.cube(x)
    assert x._version == version
    far.negate(x[1:])
    assert math.copysign(1, x[1]) == -1


def test_what_a_callable_returned_is_changed_for_its_owner(far: Far) -> None:
    """The object that our function returned is the one that changes."""
    for f, g in ((add_to_result, change_result_list), (far.add_to_result, far.change_result_list)):
        x, made, numbers_ = numbers(2), [], [1]

        def net(v: Tensor, made: list = made) -> Tensor:
            made.append(v * 3)
            return made[0]

        y = f(net, x)
        assert torch.equal(made[0], y)
        assert torch.autograd.grad(y.square().sum(), x)[0].equal(6 * y.detach())
        g(lambda numbers_=numbers_: numbers_)
        assert numbers_ == [1, 5]


# --- noise --------------------------------------------------------------------------------------


def test_generators_go_on_as_in_one_process(far: Far) -> None:
    """Draw there, here, there."""
    a, b = (torch.Generator().manual_seed(5) for _ in "ab")
    for _ in range(3):
        assert all(map(torch.equal, far.draw(a), draw(b)))
        assert torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b))


def test_a_forged_state_is_refused_and_the_link_lives(far: Far) -> None:
    """The check fails calmly; the generator stays where the judge left it."""
    g = torch.Generator().manual_seed(9)
    torch.rand(3, generator=g)
    before = g.get_state()
    with pytest.raises(CheckFailed, match="Only draw from it"):
        far.forge(g)
    assert torch.equal(g.get_state(), before)
    far.rewind(g)  # back where it was: nothing to see
    assert all(map(torch.equal, far.draw(g), draw(torch.Generator().set_state(before))))


def test_torchs_own_noise_is_shared(far: Far) -> None:
    """A draw here follows the draw there."""
    torch.manual_seed(3)
    want = torch.rand(12)
    torch.manual_seed(3)
    assert torch.equal(torch.cat([far.common(5), torch.rand(3), far.common(4)]), want)


def test_a_seed_set_there_is_no_attack(far: Far) -> None:
    """Students call torch.manual_seed: it works for the call, and the judge's noise goes on."""
    torch.manual_seed(3)
    want = torch.rand(7)
    torch.manual_seed(3)
    got = [far.common(4), far.reseed(7), far.reseed(3), torch.rand(1), far.common(2)]
    assert torch.equal(got[1], torch.rand(3, generator=torch.Generator().manual_seed(7)))
    assert torch.equal(torch.cat([got[0], got[3], got[4]]), want)


# --- exceptions ---------------------------------------------------------------------------------


def test_no_exception_of_a_students_ends_a_loop_of_ours(far: Far) -> None:
    with pytest.raises(Exception, match="some words"):
        list(map(lambda kind: far.fail(kind, "some words"), ["stop", "stop"]))


@pytest.mark.parametrize(
    ("kind", "base", "name"),
    [
        ("value", ValueError, "ValueError"), ("own", KeyError, "Own"),
        ("own", LookupError, "Own"), ("stop", Exception, "StopIteration"),
        ("exit", Exception, "SystemExit"), ("interrupt", Exception, "KeyboardInterrupt"),
        ("base", Exception, "BaseException"), ("stub", NotImplementedError, "NotImplementedError"),
    ],
)  # fmt: skip
def test_exceptions_read_the_same(far: Far, kind: str, base: type, name: str) -> None:
    """Class, base class, words, and where."""
    with pytest.raises(base, match="some words") as caught:
        far.fail(kind, "some words")
    assert type(caught.value).__name__ == name
    assert caught.value.elsewhere.where == "fail"


def test_exceptions_of_odd_classes(far: Far) -> None:
    """Those that can't be made of words are made of their base or none."""
    with pytest.raises(Exception, match="many") as caught:
        far.fail_as_group()
    assert type(caught.value).__name__ == "ExceptionGroup"
    with pytest.raises(ValueError, match="odd"):
        far.fail_at_decoding()
    with pytest.raises(KeyError):
        far.no_such_function()


def test_an_exception_of_ours_comes_home_as_itself(far: Far) -> None:
    """Through both sides, and through two."""
    mine = Own("mine")

    def boom() -> None:
        raise mine

    for call in (boom, lambda: far.let_through(boom)):
        with pytest.raises(Own) as caught:
            far.let_through(call)
        assert caught.value is mine
    assert far.catch(boom) == ("Own", "'mine'")


def test_what_is_too_large_is_an_exception(far: Far) -> None:
    """On either side, and the link lives."""
    with pytest.raises(ValueError, match="MiB"):
        far.huge()
    with pytest.raises(ValueError, match="MiB"):
        far.cube(torch.empty(1 << 40, device="meta").new_empty(1, device="cpu").repeat(1 << 25))
    assert [type(key).__name__ for key in far.odd_dict()] == ["Tensor"]
    assert far.cube(2) == 8


# --- ends ---------------------------------------------------------------------------------------


def test_the_end_of_the_other_side() -> None:
    """A graph that hung on it says so; nothing hangs, and the end is told once."""
    with far_side(FUNCTIONS) as far:
        x = numbers(3)
        y = far.cube(x)
        with pytest.raises(Severed):
            far.end()
        with pytest.raises(CheckFailed, match="stopped"):
            torch.autograd.grad(y.sum(), x)
        with pytest.raises(CheckFailed, match="stopped"):
            far.cube(x)
        del y
        gc.collect()


def test_graphs_and_functions_are_forgotten() -> None:
    """What the caller drops is kept nowhere; told with the next message."""
    with two_ends(FUNCTIONS) as (far, other):
        w, x = numbers(3, 3), numbers(2, 3)
        for _ in range(5):
            y = far.twice(lambda v: torch.tanh(v @ w), x)
            slope = torch.autograd.grad(y.sum(), x, create_graph=True)[0]
            torch.autograd.grad(slope.sum(), w)
            far.compose(torch.sin, torch.cos)(x)
        assert other._kept
        del y, slope
        for _ in range(6):  # a chain is let go from its end, one link a message
            gc.collect()
            far.cube(1)
        assert not other._kept
        assert not far.peer._kept
        assert not len(other._functions)
        assert not len(far.peer._functions)
        assert far.peer._held == 0


@pytest.mark.parametrize(
    ("name", "most", "what"),
    [
        ("MOST_GRAPHS", 3, "too much is kept"), ("MOST_KEPT", 500, "too much is kept"),
        ("MOST_TRAFFIC", 10_000, "too large"), ("MOST_MESSAGES", 9, "too many"),
    ],
)  # fmt: skip
def test_limits_on_an_untrusted_side(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int, what: str
) -> None:
    """Graphs kept for it, its traffic and its messages are bounded."""
    monkeypatch.setattr(link, name, most)
    w = numbers(3, 3)
    with two_ends(FUNCTIONS) as (far, _):
        with pytest.raises(BadMessage, match=what):
            far.hoard(lambda v: v @ w, w, 200)


def test_the_order_of_derivatives_is_bounded() -> None:
    """Each one makes the graph larger by a factor."""
    with two_ends(FUNCTIONS) as (far, _):
        x = torch.ones(1, dtype=torch.float64)
        assert far.derivative(torch.sin, x, 3).requires_grad
        with pytest.raises(BadMessage, match="order"):
            far.derivative(torch.sin, x, 9)
