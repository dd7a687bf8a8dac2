"""Holes: what is drawn, what the networks see, how fills are measured, what the weights do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from genssl_utils.conditional_gans import (
    Completer,
    CompletionAnswers,
    FillNet,
    HoleJudge,
    go_on,
    ground_patches,
    judge_fills,
    punch,
    train_plain,
)
from genssl_utils.conditional_gans.completer import _frozen
from genssl_utils.conditional_gans.fill import flat_weights, shipped
from genssl_utils.conditional_gans.filled import patch_distance, roughness, seam
from genssl_utils.conditional_gans.holes import GROUNDS, window
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root


@pytest.fixture(scope="module")
def answers():
    own = Checker(find_unit(project_root(), "01")).namespace
    return CompletionAnswers(*(own[name] for name in CompletionAnswers._fields))


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


# --- pictures and holes ---------------------------------------------------------------------------


def test_patches_are_balanced_repeat_and_keep_the_split():
    one, again = ground_patches(30, seed=3), ground_patches(30, seed=3)
    assert torch.equal(one.x, again.x)
    assert not torch.equal(one.x, ground_patches(30, seed=4).x)
    assert one.x.shape == (30, 1, 24, 24)
    assert one.ground.bincount().tolist() == [15, 15]
    assert one.x.abs().max() <= 1


@pytest.mark.parametrize("name", GROUNDS)
def test_no_held_out_patch_shares_a_row_with_the_training_part(name):
    """Each held-out patch is found in the lower part of the photograph, and nowhere above."""
    from importlib import resources

    from skimage import io

    from genssl_utils.conditional_gans.holes import CUT, GAP

    photo = io.imread(str(resources.files("skimage") / "data" / f"{name}.png")).astype("f8")
    photo = np.clip(0.64 * (photo - photo.mean()) / photo.std(), -1.6, 1.6)
    by = GROUNDS[name]
    low = torch.tensor(photo[CUT + GAP :])[None, None]
    sheet = F.avg_pool2d(low, by)[0, 0].clamp(-1, 1).float()
    windows = sheet.unfold(0, 24, 1).unfold(1, 24, 1).flatten(0, 1)
    for x in ground_patches(4, held_out=True, names=(name,), seed=1).x[:, 0]:
        assert (windows - x).abs().amax((1, 2)).min() < 1e-4


def test_holes_are_rectangles_inside_with_a_rim():
    holes = punch(300, generator=draw())
    sides = [holes.mask.amax(axis).sum((1, 2)) for axis in (2, 3)]
    for one in sides:
        assert set(one.int().tolist()) == {8, 9, 10, 11, 12}
    assert torch.equal(sides[0] * sides[1], holes.mask.sum((1, 2, 3)))
    rim = F.pad(torch.zeros(20, 20), (2, 2, 2, 2), value=1.0)
    assert (holes.mask * rim).sum() == 0
    assert holes.mask[:, 0][:, 2].sum() > 0, "some begin at the rim"
    for mask, (i, j) in zip(holes.mask[:, 0], holes.middle.tolist(), strict=True):
        assert mask[i, j] == 1
    assert set(punch(9, generator=draw(), side=10).mask.sum((1, 2, 3)).tolist()) == {100.0}


def test_a_window_holds_its_whole_hole_and_moves_inwards():
    holes = punch(200, generator=draw(1))
    assert torch.equal(window(holes.mask, holes.middle).sum((1, 2, 3)), holes.mask.sum((1, 2, 3)))
    x = torch.arange(48.0).view(1, 2, 4, 6)
    corner, far = (window(x, torch.tensor([at]), side=2) for at in ([0, 0], [3, 5]))
    assert torch.equal(corner[0], x[0, :, :2, :2])
    assert torch.equal(far[0], x[0, :, 2:, 4:])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"names": ("sand",)}, "sand"), ({"n": 1}, "at least one"), ({"names": ()}, "no ground")],
)
def test_wrong_patches_are_named(wrong, told):
    with pytest.raises(ValueError, match=told):
        ground_patches(**({"n": 10} | wrong))


# --- networks -------------------------------------------------------------------------------------


def test_the_network_does_not_look_under_the_hole_and_sees_all_the_rest():
    torch.manual_seed(0)
    net = FillNet()
    mask = torch.zeros(1, 1, 24, 24)
    mask[..., 8:16, 8:16] = 1
    x = torch.randn(1, 1, 24, 24, requires_grad=True)
    fill = net(x, mask)
    other = net(x.detach().masked_fill(mask > 0, torch.nan), mask)
    torch.testing.assert_close(fill, other)
    net(x.double().float(), mask)[0, 0, 12, 12].backward()
    assert (x.grad[mask > 0] == 0).all()
    reached = (x.grad[0, 0] != 0).float()
    assert reached[mask[0, 0] == 0].mean() > 0.99


def test_a_discriminator_sees_what_it_is_told():
    torch.manual_seed(0)
    holes = punch(3, generator=draw())
    x = torch.randn(3, 1, 24, 24, requires_grad=True)
    for sees, share in ((("local",), 256 / 576), (("global",), 1.0), (("global", "local"), 1.0)):
        (grad,) = torch.autograd.grad(HoleJudge(sees)(x, holes).sum(), x)
        assert (grad != 0).float().mean() == pytest.approx(share, abs=0.03)
    with pytest.raises(ValueError, match="near"):
        HoleJudge(("near",))


def test_a_frozen_network_passes_the_gradient_on():
    net = torch.nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with _frozen(net):
        out = net(x).sum()
    out.backward()
    assert x.grad is not None
    assert net.weight.grad is None
    assert net.weight.requires_grad


def test_going_on_leaves_the_beginning_as_it_was(answers):
    seen = ground_patches(40)
    plain = train_plain(seen, answers.masked_loss, steps=3)
    before = flat_weights(plain.net)
    for sees in ((), ("local",)):
        after = go_on(plain, seen, answers, sees=sees, steps=2)
        assert not np.array_equal(flat_weights(after.net), before)
    assert np.array_equal(flat_weights(plain.net), before)


def test_between_mixes_weights():
    torch.manual_seed(0)
    one, other = Completer("one", FillNet()), Completer("other", FillNet())
    quarter = flat_weights(one.towards(other, 0.25).net).astype("f4")
    want = 0.75 * flat_weights(one.net).astype("f4") + 0.25 * flat_weights(other.net).astype("f4")
    np.testing.assert_allclose(quarter, want, atol=2e-3)
    with pytest.raises(ValueError, match="0 to 1"):
        one.towards(other, 1.5)


# --- measures -------------------------------------------------------------------------------------


def test_seam_and_roughness_by_hand():
    x = torch.tensor([[0.0, 1.0, 3.0], [0.0, 0.0, 7.0]]).view(1, 1, 2, 3)
    mask = torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]).view(1, 1, 2, 3)
    assert roughness(x, mask) == 2
    assert seam(x, mask) == pytest.approx((1 + 1 + 4) / 3)


def test_seam_and_roughness_by_loops():
    x, mask = (
        torch.rand(2, 2, 5, 4, generator=draw()),
        (torch.rand(2, 1, 5, 4, generator=draw(1)) < 0.5),
    )
    across, within = [], []
    for n in range(2):
        for c in range(2):
            for i in range(5):
                for j in range(4):
                    for a, b in ((i + 1, j), (i, j + 1)):
                        if a == 5 or b == 4:
                            continue
                        ends = mask[n, 0, i, j] + 0, mask[n, 0, a, b] + 0
                        gap = (x[n, c, i, j] - x[n, c, a, b]).abs().item()
                        if sum(ends) == 1:
                            across.append(gap)
                        elif sum(ends) == 2:
                            within.append(gap)
    assert seam(x, mask.float()).item() == pytest.approx(np.mean(across), abs=1e-6)
    assert roughness(x, mask.float()).item() == pytest.approx(np.mean(within), abs=1e-6)


def test_the_patch_distance_is_zero_for_the_same_and_grows():
    a = torch.randn(3000, 5, generator=draw())
    b = torch.randn(3000, 5, generator=draw(1))
    same, wide = patch_distance(a, b), patch_distance(a, 2 * b)
    assert patch_distance(a, a[torch.randperm(3000, generator=draw())]) == 0
    assert same < 0.05
    # Along each direction N(0, 1) against N(0, 4): the mean of |z| is √(2/π).
    assert wide == pytest.approx((2 / np.pi) ** 0.5, rel=0.1)


# --- what the notebook and the figure say ---------------------------------------------------------


@pytest.fixture(scope="module")
def path():
    plain, against = shipped()
    return [plain.towards(against, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


@pytest.mark.parametrize("ground", ["grass", "gravel"])
def test_the_shipped_networks_go_from_fog_to_a_guess_in_steps(path, answers, ground):
    new = ground_patches(150, held_out=True, names=(ground,), seed=9)
    found = list(judge_fills(path, new, answers).values())
    errors, rough, far = (
        [getattr(f, k) for f in found] for k in ("error", "roughness", "distance")
    )
    assert errors == sorted(errors)
    assert rough == sorted(rough)
    assert far == sorted(far, reverse=True)
    assert rough[0] < 0.5 < 0.7 < rough[-1] < 1.3
    assert far[-1] < far[0] / 2


def test_joints_of_brick_go_on_under_the_hole(path, answers):
    """Better than the mean grey, and than the mean of what is known, which both know no joint."""
    new = ground_patches(200, held_out=True, names=("brick",), seed=9)
    holes = punch(200, generator=draw())
    errors = [answers.masked_loss(c(new.x, holes.mask), new.x, holes.mask) for c in path]
    known = (new.x * (1 - holes.mask)).sum((2, 3), keepdim=True)
    mean = (known / (1 - holes.mask).sum((2, 3), keepdim=True)).expand_as(new.x)
    assert errors[0] < 0.6 * answers.masked_loss(mean, new.x, holes.mask)


def test_a_short_training_in_each_way(answers):
    seen, new = ground_patches(600, seed=1), ground_patches(60, held_out=True, seed=1)
    plain = train_plain(seen, answers.masked_loss, steps=120, seed=1)
    ways = [
        go_on(plain, seen, answers, sees=s, name=str(s), steps=60, seed=1) for s in ((), ("local",))
    ]
    neither, local = judge_fills(ways, new, answers).values()
    assert neither.error < local.error
    assert neither.roughness < 0.5 < local.roughness
