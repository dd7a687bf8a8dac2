"""Views keep what they should, tasks hide what they should, and trainings repeat and learn."""

import json

import matplotlib.pyplot as plt
import pytest
import torch

from genssl_utils.consistency_training import cifar, show
from genssl_utils.consistency_training.boundary import boundary_figure
from genssl_utils.consistency_training.cifar import WideResNet, cifar_task, task_for
from genssl_utils.consistency_training.digits import digit_task, few_labels, train
from genssl_utils.consistency_training.explorer import explore_methods, moons_picture
from genssl_utils.consistency_training.methods import METHODS, SUPERVISED
from genssl_utils.consistency_training.moons import MOMENTS, frames, settings, shipped_frames
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
        task_for("full")


def test_the_full_scale_goes_through_the_same_step(monkeypatch, answers):
    x = torch.rand(120, 3 * 32 * 32, generator=generator()).numpy() * 255
    y = [str(k % 10) for k in range(120)]
    monkeypatch.setattr(cifar, "fetch_openml", lambda *_, **__: (x, y))
    task = cifar_task(2)
    assert task.unlabelled.shape == (100, 3, 32, 32)
    monkeypatch.setattr(
        type(task), "network", lambda self: WideResNet(self.classes, width=1, blocks=1)
    )
    made = train(METHODS["Mean Teacher"], answers, task, steps=2, batch=(4, 4))
    assert 0 <= made.accuracy <= 1


# --- trainings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Mean Teacher", "Noisy Student"])
def test_a_training_repeats_and_leaves_the_seeds_of_others_alone(name, answers):
    state, task = torch.get_rng_state(), digit_task()
    first, again = (train(METHODS[name], answers, task, steps=12) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.history == again.history
    assert first.accuracy == again.accuracy == first.history.series["accuracy"][-1]
    assert first.history.steps[-1] == 12
    with torch.no_grad():
        right = first.model(task.held_out[0]).argmax(1) == task.held_out[1]
    assert right.double().mean().item() == pytest.approx(first.accuracy)


def test_unlabelled_pictures_help(answers):
    task = digit_task()
    alone = train(SUPERVISED, answers, task, steps=200)
    uda = train(METHODS["UDA"], answers, task, steps=200)
    assert uda.accuracy > alone.accuracy > 0.7


def test_fewer_steps_than_rounds_are_refused(answers):
    with pytest.raises(ValueError, match="3 rounds"):
        train(METHODS["Noisy Student"], answers, digit_task(), steps=2)


def test_views_that_change_the_label_do_harm(answers):
    near, far = noise_study(answers, digit_task(), degrees=(15, 180), steps=200)
    assert near.accuracy > far.accuracy
    plt.close(noise_picture([near, far], 0.8))


# --- the moons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1, 40, 108])
def test_the_shipped_frames_are_made_by_the_same_code(index, answers):
    stored, accuracy = shipped_frames()
    method = list(settings())[index]
    seen, share = frames(method, answers)
    assert stored.shape == (109, len(MOMENTS), 330)
    gap = (seen.astype(float) - stored[index].astype(float)) / 255
    assert abs(gap[:3]).mean() < 0.02, "early frames agree but for rounding"
    assert abs(gap).mean() < 0.08
    assert share == pytest.approx(accuracy[index], abs=0.05)


def test_the_live_figure_is_light_enough():
    figure = boundary_figure()
    state = sum(len(json.dumps(v, default=len)) for v in figure.get_state().values() if v)
    assert state + len(figure.frames) < 700_000


def test_the_explorer_trains_the_student_s_own_functions(answers):
    explorer = explore_methods(answers)
    assert explorer._png
    for name in ("labels", "teacher"):
        explorer._controls[name].value = {"labels": "hard", "teacher": "weights"}[name]
        assert "<img" in explorer._picture.value
    plt.close(moons_picture(METHODS["Π-model"], answers))


# --- tables --------------------------------------------------------------------------------------


def test_tables_and_pictures_hold_every_method(answers):
    made = [train(m, answers, digit_task(), steps=6) for m in (SUPERVISED, METHODS["UDA"])]
    assert "UDA" in repr(show.result_table(made))
    assert len(show.method_table().rows) == 9
    for name in METHODS:
        assert name in repr(show.label_table())
    assert "13.81" in repr(show.paper_table())
    plt.close(show.accuracy_picture(made))
    plt.close(show.views_picture())
    plt.close(show.schedule_picture(answers.ramp_up))
