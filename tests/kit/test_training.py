"""The training loop: what it does in a step, what it records, when it stops, how it complains."""

import random
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genssl_utils.kit import live_curves, training
from genssl_utils.kit.training import (
    History,
    Objective,
    Patience,
    cpu_threads,
    fit,
    pick_device,
    seed_all,
)


def weight(value: float = 4.0) -> torch.Tensor:
    return torch.tensor([value], requires_grad=True)


def descent(w: torch.Tensor, lr: float = 0.1, **kwargs: object) -> Objective:
    """Gradient descent on w²/2: each step multiplies w by 1 − lr."""
    return Objective(torch.optim.SGD([w], lr), lambda step: (w**2).sum() / 2, **kwargs)


def test_gradient_descent_has_its_closed_form_and_losses_are_means_since_the_last_record():
    w = weight()
    history = fit(descent(w), 7, record_every=3)
    assert w.item() == pytest.approx(4 * 0.9**7)
    losses = [8 * 0.9 ** (2 * k) for k in range(7)]
    assert history.steps == [3, 6, 7]
    means = [sum(losses[:3]) / 3, sum(losses[3:6]) / 3, losses[6]]
    assert history.series == {"loss": pytest.approx(means)}
    assert not history.stopped_early


def test_objectives_take_turns_in_order_and_gradients_do_not_pile_up():
    a, b, turns = weight(1.0), weight(2.0), []

    def lower_a(step):
        turns.append(("a", step, b.item()))
        return (a * b).sum()

    def lower_b(step):
        turns.append(("b", step, a.item()))
        return (a * b).sum()

    game = {
        "a": Objective(torch.optim.SGD([a], 0.5), lower_a),
        "b": Objective(torch.optim.SGD([b], 0.5), lower_b),
    }
    history = fit(game, 2)
    # a: 1 − ½·2 = 0; b: 2 − ½·0 = 2; a: 0 − ½·2 = −1; b: 2 + ½·1 = 2.5
    assert turns == [("a", 0, 2.0), ("b", 0, 0.0), ("a", 1, 2.0), ("b", 1, -1.0)]
    assert (a.item(), b.item()) == (-1.0, 2.5)
    assert list(history.series) == ["a", "b"]


def test_clip_bounds_the_move():
    w = weight(100.0)
    fit(descent(w, lr=1.0, clip=2.0), 1)
    assert w.item() == pytest.approx(98.0, abs=1e-4)


def test_hooks_run_when_promised():
    w, after, records = weight(), [], []

    def on_record(done):
        records.append(done)
        return {"accuracy": done / 10}

    history = fit(descent(w), 5, record_every=2, on_record=on_record, after_step=after.append)
    assert after == [0, 1, 2, 3, 4]
    assert records == history.steps == [2, 4, 5]
    assert history.series["accuracy"] == [0.2, 0.4, 0.5]


def test_an_average_of_weights_after_each_step_has_its_closed_form():
    w, mean = weight(1.0), torch.ones(1)
    fit(descent(w, lr=0.5), 3, after_step=lambda step: mean.lerp_(w.detach(), 0.1))
    expected = 1.0
    for k in range(1, 4):
        expected = 0.9 * expected + 0.1 * 0.5**k
    assert mean.item() == pytest.approx(expected)


@pytest.mark.parametrize("rising", [False, True])
def test_patience_stops_after_the_best_record_and_not_before(rising):
    values = [3.0, 2.0, 1.0, 1.5, 1.0, 9.0]
    sign = -1 if rising else 1
    history = fit(
        descent(weight()),
        6,
        record_every=1,
        on_record=lambda done: {"error": sign * values[done - 1]},
        stop=Patience("error", records=2, higher_is_better=rising),
    )
    assert history.steps == [1, 2, 3, 4, 5]
    assert history.stopped_early


def test_patience_names_what_could_be_watched():
    with pytest.raises(ValueError, match=r"'accuracy'.*\['loss'\]"):
        fit(descent(weight()), 2, stop=Patience("accuracy"))
    with pytest.raises(ValueError, match="at least 1"):
        Patience("loss", records=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_named_before_it_spoils_anything(bad):
    w = weight()
    sick = Objective(torch.optim.SGD([w], 0.1), lambda step: w.sum() * (bad if step == 2 else 0.0))
    with pytest.raises(FloatingPointError, match=r"'critic' is \S+ at step 2.*learning rate"):
        fit({"critic": sick}, 5)
    assert w.item() == 4.0


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda w: w**2, r"'loss' must be one number.*shape \(1,\).*mean"),
        (lambda w: 3.0, "'loss' must be one number.*float"),
        (lambda w: None, "'loss' must be one number.*NoneType"),
        (lambda w: (w.detach() ** 2).sum(), r"'loss' depends on no parameter.*detach\(\)"),
    ],
)
def test_a_loss_that_cannot_train_is_explained(loss, message):
    w = weight()
    with pytest.raises(ValueError, match=message):
        fit(Objective(torch.optim.SGD([w], 0.1), lambda step: loss(w)), 1)


def test_records_keep_one_set_of_names():
    with pytest.raises(ValueError, match="same series"):
        fit(
            descent(weight()),
            2,
            record_every=1,
            on_record=lambda done: {"a": 1.0} if done == 1 else {},
        )
    with pytest.raises(ValueError, match=r"may not return \['loss'\]"):
        fit(descent(weight()), 1, on_record=lambda done: {"loss": 1.0})


@pytest.mark.parametrize(
    "kwargs", [{"steps": 0}, {"steps": 1, "record_every": 0}, {"steps": 1, "threads": 0}]
)
def test_no_steps_is_refused(kwargs):
    with pytest.raises(ValueError, match="at least 1"):
        fit(descent(weight()), **kwargs)
    with pytest.raises(ValueError, match="objective"):
        fit({}, 1)


def test_threads_are_given_back_even_after_an_error():
    before, seen = torch.get_num_threads(), []
    fit(
        descent(weight()),
        1,
        threads=2,
        after_step=lambda step: seen.append(torch.get_num_threads()),
    )
    with pytest.raises(KeyError), cpu_threads(3):
        raise KeyError
    assert seen == [2]
    assert torch.get_num_threads() == before


def test_seed_all_makes_every_source_repeat():
    def draw():
        generator = seed_all(7)
        return (
            random.random(),
            np.random.rand(),
            torch.rand(1).item(),
            torch.rand(1, generator=generator).item(),
        )

    first = draw()
    assert draw() == first
    seed_all(8)
    assert torch.rand(1).item() != first[2]
    with pytest.raises(ValueError, match="seed"):
        seed_all(-1)


def test_pick_device_gives_what_is_there_or_says_so():
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    for name in ("cuda:99", "abacus"):
        with pytest.raises(ValueError, match="device='auto'"):
            pick_device(name)


def test_nothing_is_drawn_outside_a_notebook(monkeypatch):
    monkeypatch.setattr(live_curves, "notebook_shell", lambda: False)
    monkeypatch.setattr(
        live_curves.LiveCurves, "_png", lambda *_: pytest.fail("a picture was drawn")
    )
    fit(descent(weight()), 3, record_every=1)


def test_a_notebook_gets_one_picture_updated_in_place_and_no_open_figure(monkeypatch):
    shown, updates = [], []
    handle = SimpleNamespace(update=updates.append)
    fake = SimpleNamespace(
        Image=lambda data, alt: SimpleNamespace(data=data, alt=alt),
        display=lambda image, display_id: shown.append(image) or handle,
    )
    monkeypatch.setattr(live_curves, "notebook_shell", lambda: True)
    monkeypatch.setattr(training, "tqdm", lambda **_: _Bar())
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    import matplotlib.pyplot as plt

    began = time.perf_counter()
    fit(
        descent(weight()),
        50,
        record_every=1,
        title="descent",
        on_record=lambda done: {"accuracy": 0.75},
    )
    assert len(shown) == 1
    took = time.perf_counter() - began
    assert 1 <= len(updates) <= 2 + 2.5 * took  # at most about two a second, and the last one
    assert shown[0].data.startswith(b"\x89PNG")
    assert "descent" in updates[-1].alt
    assert "step 50" in updates[-1].alt
    assert "accuracy 0.75" in updates[-1].alt
    assert plt.get_fignums() == []


class _Bar:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self):
        pass

    def set_postfix(self, _):
        pass


def test_history_is_plain_lists():
    history = History()
    history.add(1, {"loss": torch.tensor(0.5)})
    assert history.series == {"loss": [0.5]}
    assert type(history.series["loss"][0]) is float
