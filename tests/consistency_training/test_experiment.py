"""Views keep what they should, tasks hide what they should, and trainings repeat and learn."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
import torch

from genssl_utils.consistency_training import cifar, show
from genssl_utils.consistency_training.boundary import boundary_figure
from genssl_utils.consistency_training.cifar import CifarTask, cifar_task, plan_for, train_plan
from genssl_utils.consistency_training.digits import (
    Recipe,
    digit_task,
    few_labels,
    train,
    train_all,
)
from genssl_utils.consistency_training.explorer import explore_methods, moons_picture
from genssl_utils.consistency_training.methods import METHODS, SUPERVISED
from genssl_utils.consistency_training.moons import (
    CHOICES,
    MOMENTS,
    frames,
    settings,
    shipped_frames,
)
from genssl_utils.consistency_training.networks import Residual, WideResNet
from genssl_utils.consistency_training.noise import noise_picture, noise_study
from genssl_utils.consistency_training.views import PictureViews, warp
from genssl_utils.kit.data import digits


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# --- views ---------------------------------------------------------------------------------------


def test_a_warp_by_nothing_changes_nothing_and_a_flip_mirrors():
    x = torch.rand(8, 1, 8, 8, generator=generator())
    torch.testing.assert_close(warp(x, generator()), x, atol=1e-5, rtol=0)
    seen = warp(x, generator(), flip=True)
    mirrored = [not torch.allclose(a, b, atol=1e-5) for a, b in zip(seen, x, strict=True)]
    assert 0 < sum(mirrored) < 8
    for a, b, turned in zip(seen, x, mirrored, strict=True):
        torch.testing.assert_close(a, b.flip(-1) if turned else b, atol=1e-5, rtol=0)


def test_views_keep_shape_and_range_repeat_and_differ_in_strength():
    x, views = digits().x_train[:200], PictureViews()
    for view in (views.weak, views.strong):
        seen = view(x, generator())
        assert seen.shape == x.shape
        assert seen.min() >= 0
        assert seen.max() <= 1 + 1e-6
        assert torch.equal(seen, view(x, generator()))
    gap = [(view(x, generator()) - x).square().mean() for view in (views.weak, views.strong)]
    assert gap[0] * 1.5 < gap[1]


# --- tasks ---------------------------------------------------------------------------------------


def test_a_task_has_its_labels_and_keeps_the_test_pictures_aside():
    task = digit_task(4, seed=1)
    assert task.labelled[1].bincount().tolist() == [4] * 10
    assert len(task.unlabelled) == 1005
    assert torch.equal(task.held_out[0], digits().x_test)
    validation = digit_task(4, seed=1, validation=True).held_out[0]
    assert len(validation) == 252
    seen = {row.numpy().tobytes() for row in task.unlabelled}
    for part in (task.held_out[0], validation):
        shared = sum(row.numpy().tobytes() in seen for row in part)
        assert shared <= 1  # the bundle itself may hold a picture twice
    assert not torch.equal(task.labelled[0], digit_task(4, seed=2).labelled[0])


def test_too_few_examples_of_a_class_are_named():
    with pytest.raises(ValueError, match="fewer than 3"):
        few_labels(torch.tensor([0, 0, 0, 1]), 3, generator())


def test_the_wide_network_has_its_known_size():
    net = WideResNet()
    assert sum(p.numel() for p in net.parameters()) == 1_467_610
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_the_full_scale_says_what_it_needs(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(cifar, "fetch_openml", offline)
    with pytest.raises(ConnectionError, match="scale='laptop'"):
        plan_for("full").task(4)
    with pytest.raises(ValueError, match="laptop, full"):
        plan_for("huge")


@pytest.fixture(name="made_up")
def made_up_pictures(monkeypatch):
    """CIFAR-10's shapes without its pictures, and its network made small."""
    x = torch.rand(360, 3 * 32 * 32, generator=generator()).numpy() * 255
    y = [str(k % 10) for k in range(360)]
    monkeypatch.setattr(cifar, "fetch_openml", lambda *_, **__: (x, y))
    small = lambda self, method: WideResNet(  # noqa: E731
        self.classes, width=1, blocks=1, dropout=method.dropout, skip=method.skip
    )
    monkeypatch.setattr(CifarTask, "network", small)


def test_the_full_plan_goes_through_the_same_step(made_up, answers):
    plan = plan_for("full", steps=2)
    plan = replace(plan, recipe=replace(plan.recipe, batch=(4, 4)))
    assert plan.task(4).unlabelled.shape == (300, 3, 32, 32)
    made = train_plan(plan, answers)
    wanted = ("supervised, weak views", "UDA", "MixMatch", "ReMixMatch", "FixMatch")
    assert list(made) == [f"{name}, {n} labels" for n in (40, 250) for name in wanted]
    assert all(0 <= training.accuracy <= 1 for training in made.values())
    plt.close(show.accuracy_picture(made))
    assert "FixMatch, 250 labels" in repr(show.result_table(made))


@pytest.mark.parametrize("name", ["Mean Teacher", "Noisy Student"])
def test_what_is_held_out_leaves_no_trace_in_the_network(made_up, answers, name):
    task = cifar_task(2)
    other = replace(task, held_out=(task.held_out[0] * 0 + 5, task.held_out[1]))
    kept = [
        train(METHODS[name], answers, t, Recipe(3, (4, 4)), records=3).model.state_dict()
        for t in (task, other)
    ]
    assert any("running_mean" in key for key in kept[0])
    assert all(torch.equal(value, kept[1][key]) for key, value in kept[0].items())


# --- trainings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Mean Teacher", "Noisy Student"])
def test_a_training_repeats_and_leaves_the_seeds_of_others_alone(name, answers):
    state, task = torch.get_rng_state(), digit_task()
    first, again = (train(METHODS[name], answers, task, Recipe(12)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.history == again.history
    assert first.accuracy == again.accuracy == first.history.series["accuracy"][-1]
    assert first.history.steps[-1] == 12
    with torch.no_grad():
        right = first.model(task.held_out[0]).argmax(1) == task.held_out[1]
    assert right.double().mean().item() == pytest.approx(first.accuracy)


def test_unlabelled_pictures_help(answers):
    task = digit_task()
    alone = train(SUPERVISED, answers, task, Recipe(200))
    uda = train(METHODS["UDA"], answers, task, Recipe(200))
    assert uda.accuracy > alone.accuracy > 0.7


def test_fewer_steps_than_rounds_are_refused(answers):
    with pytest.raises(ValueError, match="3 rounds"):
        train(METHODS["Noisy Student"], answers, digit_task(), Recipe(2))


def test_views_that_change_the_label_do_harm(answers):
    found = noise_study(answers, digit_task(), degrees=(15, 180), recipe=Recipe(200))
    alone, near, far = found
    assert alone.degrees is None
    assert near.accuracy > far.accuracy
    assert near.sixes_and_nines > far.sixes_and_nines
    plt.close(noise_picture(found))


# --- the network's noise -------------------------------------------------------------------------


def test_a_skipped_block_keeps_its_mean_and_is_whole_in_use():
    torch.manual_seed(0)
    block = Residual(torch.nn.Linear(3, 3), skip=0.4)
    x = torch.randn(1, 3).expand(20_000, 3)
    whole = block.eval()(x[:1])
    torch.testing.assert_close(whole, x[:1] + block.body(x[:1]))
    seen = block.train()(x)
    stays = (seen != x).any(1)
    assert abs(stays.double().mean() - 0.6) < 5 * (0.24 / 20_000) ** 0.5
    torch.testing.assert_close(seen[stays][0], x[0] + block.body(x[0]) / 0.6)
    torch.testing.assert_close(seen.mean(0), whole[0], atol=0.03, rtol=0)
    with pytest.raises(ValueError, match="from 0 to below 1"):
        Residual(torch.nn.Identity(), skip=1.0)


def test_noisy_student_s_students_are_noised_and_its_first_teacher_is_not(answers, monkeypatch):
    made, network = [], type(digit_task()).network
    monkeypatch.setattr(
        type(digit_task()),
        "network",
        lambda self, method: made.append((method.name, network(self, method))) or made[-1][1],
    )
    trained = train(METHODS["Noisy Student"], answers, digit_task(), Recipe(6))
    assert [name for name, _ in made] == [SUPERVISED.name, "Noisy Student", "Noisy Student"]
    noises = [
        [m.skip for m in net.modules() if isinstance(m, Residual)]
        + [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)]
        for _, net in made
    ]
    assert noises == [[], [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]]
    x = digit_task().held_out[0]
    with torch.no_grad():
        assert torch.equal(trained.model(x), trained.model(x)), "no noise in use"
        trained.model.train()
        assert not torch.equal(trained.model(x), trained.model(x))


# --- the moons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1, 200, 600])
def test_the_shipped_frames_are_made_by_the_same_code(index, answers):
    stored, accuracy = shipped_frames()
    method, views = list(settings())[index]
    seen, share = frames(method, answers, views)
    assert stored.shape == (601, len(MOMENTS), 330)
    gap = (seen.astype(float) - stored[index].astype(float)) / 255
    assert abs(gap[:3]).mean() < 0.02, "early frames agree but for rounding"
    assert abs(gap).mean() < 0.08
    assert share == pytest.approx(accuracy[index], abs=0.05)


def test_every_answer_of_the_figure_gives_another_training():
    accuracy = shipped_frames()[1]
    sizes = [len(options) for options in CHOICES.values()]
    grid = accuracy[1:].reshape(sizes)
    for axis in range(len(sizes)):
        assert (grid.std(axis=axis) > 0).mean() > 0.9


def test_the_live_figure_is_light_enough():
    figure = boundary_figure()
    state = sum(len(json.dumps(v, default=len)) for v in figure.get_state().values() if v)
    assert state + len(figure.frames) < 1_300_000


def test_the_explorer_trains_the_student_s_own_functions(answers):
    explorer = explore_methods(answers)
    assert explorer._png
    for name in ("labels", "teacher"):
        explorer._controls[name].value = {"labels": "hard", "teacher": "weights"}[name]
        assert "<img" in explorer._picture.value
    plt.close(moons_picture(METHODS["Π-model"], answers))


# --- tables --------------------------------------------------------------------------------------


def test_tables_and_pictures_hold_every_method(answers):
    rows = (SUPERVISED, METHODS["UDA"])
    made = train_all(answers, digit_task(), rows, recipe=Recipe(6))
    assert "UDA" in repr(show.result_table(made))
    assert len(show.method_table().rows) == 9
    for name in METHODS:
        assert name in repr(show.label_table())
    assert "13.81" in repr(show.paper_table())
    assert "88.4" in repr(show.student_table())
    assert "97.76" in repr(show.tagger_table())
    plt.close(show.accuracy_picture(made))
    plt.close(show.views_picture())
    plt.close(show.schedule_picture(answers.ramp_up))
