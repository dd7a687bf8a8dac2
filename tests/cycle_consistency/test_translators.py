"""The trainings of unit 02: maps between clouds, translators of digits, and what they hide."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from genssl_utils import cycle_consistency as topic
from genssl_utils.cycle_consistency.answers import Remembered
from genssl_utils.cycle_consistency.clouds import Pairs, _fresh, apply
from genssl_utils.cycle_consistency.hiding import find_hidden
from genssl_utils.cycle_consistency.translator import Translators


def trip(x, f, g):
    return F.l1_loss(g(f(x)), x)


def squares(real, fake):
    judge = F.mse_loss(real, torch.ones_like(real)) + fake.square().mean()
    return judge / 2, F.mse_loss(fake, torch.ones_like(fake))


def kept(x, y, f, g):
    return F.l1_loss(g(x), x) + F.l1_loss(f(y), y)


def newest(buffer, new, generator):
    return new, buffer


ANSWERS = topic.Answers(trip, squares, kept, newest)


@pytest.fixture(scope="module")
def digits():
    return topic.heaps("relief")


# --- clouds -------------------------------------------------------------------------------------


def test_starts_side_by_side_do_not_know_of_each_other():
    """The map of a start moves its own points as it would alone."""
    draw = torch.Generator().manual_seed(0)
    weights = _fresh(3, [2, 24, 24, 2], 1.0, draw)
    points = torch.randn(3, 5, 2, generator=draw)
    alone = apply([w[1:2] for w in weights], points[1:2])
    torch.testing.assert_close(apply(weights, points)[1:2], alone)


def test_the_cycle_loss_makes_two_maps_inverse():
    cloud = topic.CLOUDS["lopsided"]
    without = topic.judge_maps(topic.train_maps(cloud, ANSWERS, 0.0, starts=4, steps=150))
    with_it = topic.judge_maps(topic.train_maps(cloud, ANSWERS, 1.0, starts=4, steps=150))
    assert with_it.forth.max() < 0.1 < without.forth.max()
    assert with_it.back.max() < 0.2


def test_a_true_turn_is_judged_right_and_a_wrong_one_is_not_told_by_its_round_trip():
    """Two linear maps of the square: by the true turn, and by a quarter of a turn more."""
    cloud = topic.CLOUDS["square"]

    def linear(matrix):
        # x + tanh(tanh(ε x) …)/ε² is x + A x to order ε²: a net that is nearly linear.
        eps = 1e-2
        first, second, third = torch.zeros(2, 24), torch.zeros(24, 24), torch.zeros(24, 2)
        first[:, :2] = eps * torch.eye(2)
        second[:2, :2] = torch.eye(2)
        third[:2] = (matrix - torch.eye(2)) / eps
        zero = torch.zeros(1, 1, 24)
        return [first[None], zero, second[None], zero, third[None], torch.zeros(1, 1, 2)]

    true = cloud.turned(torch.eye(2))
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    for matrix, right in ((true, 1.0), (true @ quarter, 0.0)):
        judged = topic.judge_maps(Pairs(cloud, linear(matrix), linear(matrix.T)))
        assert judged.right.item() == right
        assert judged.forth.item() < 0.01
        assert judged.gap.item() < 0.06, "shares of 1000 points: their standard error is 0.014"
        assert judged.off.item() == pytest.approx((torch.pi / 2) ** 0.5, abs=0.1)


def test_the_square_turned_looks_the_same_from_four_sides():
    cloud = topic.CLOUDS["square"]
    y = cloud.turned(cloud.centres)
    quarter = y @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    assert torch.cdist(quarter, y).min(1).values.max() < 1e-5


# --- digits -------------------------------------------------------------------------------------


def test_no_picture_has_its_partner_on_the_other_side(digits):
    """The partner of each x, in relief, is compared with each y."""
    partners = topic.styles.relief((digits.x + 1) / 2).flatten(1)
    assert torch.cdist(partners, digits.y.flatten(1)).min() > 0.05
    assert torch.cdist(partners, digits.y_test.flatten(1)).min() > 0.05
    torch.testing.assert_close(topic.styles.relief((digits.x_test + 1) / 2), digits.y_test)
    assert len(digits.x) + len(digits.y) + len(digits.labels) == 1797


def test_a_relief_has_both_signs_and_a_mosaic_has_flat_tiles():
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 3, 4] = 1
    pressed = topic.styles.relief(dot)[0, 0]
    assert (pressed[4, 5], pressed[2, 3]) == (1, -1)
    assert pressed.abs().sum() == 2
    tiles = topic.styles.mosaic(dot)[0, 0]
    assert (tiles[:4, 4:] == -0.875).all()
    assert (tiles == -1).sum() == 48
    again = topic.styles.mosaic((tiles[None, None] + 1) / 2)[0, 0]
    torch.testing.assert_close(again, tiles)


def test_a_wrong_style_is_named():
    with pytest.raises(ValueError, match="relief"):
        topic.heaps("oil")


def test_labels_and_partners_play_no_part_in_training(digits):
    from dataclasses import replace

    other = replace(
        digits, x_labels=9 - digits.x_labels, y_labels=9 - digits.y_labels,
        x_test=-digits.x_test, y_test=-digits.y_test, labels=9 - digits.labels,
    )  # fmt: skip
    one = topic.train_translators(digits, ANSWERS, steps=4)
    two = topic.train_translators(other, ANSWERS, steps=4)
    for a, b in zip(one.f.parameters(), two.f.parameters(), strict=True):
        assert torch.equal(a, b)


def test_each_answer_is_asked_and_the_buffer_once_it_is_full(digits):
    asked = []

    def told(name, answer):
        def ask(*args):
            asked.append(name)
            return answer(*args)

        return ask

    answers = topic.Answers(*(told(n, getattr(ANSWERS, n)) for n in topic.Answers._fields))
    topic.train_translators(digits, answers, steps=8)
    count = {name: asked.count(name) for name in topic.Answers._fields}
    # 48 fakes a side fill in six steps of 8; the two steps after that use the buffer.
    assert count == {"cycle_loss": 16, "lsgan_losses": 32, "identity_loss": 8, "replay": 4}


def test_a_network_that_remembers_gives_what_the_network_gives():
    net = torch.nn.Linear(3, 2)
    one, two, new = torch.randn(4, 3), torch.randn(2, 3), torch.randn(5, 3)
    calls = []
    net.register_forward_hook(lambda *_: calls.append(1))
    remembered = Remembered(net, one, two)
    out = [remembered(one), remembered(two), remembered(one)]
    assert len(calls) == 1
    torch.testing.assert_close(out[1], net(two))
    torch.testing.assert_close(remembered(new), net(new))
    assert out[0].requires_grad


def test_a_reader_reads_true_pictures(digits):
    reader = topic.Reader(digits.y, digits.y_labels)
    assert reader.share_right(digits.y_test, digits.labels) > 0.9
    assert reader.share_right(digits.x_test, digits.labels) < 0.5


def test_the_table_of_digits_says_what_perfect_and_idle_maps_reach(digits):
    of_ink, of_relief = topic.readers(digits)
    known = topic.bounds(digits, of_ink, of_relief)
    perfect, idle = known["true partners"], known["left as it is"]
    assert perfect.kept == of_relief.share_right(digits.y_test, digits.labels) > 0.9
    assert perfect.kept_back == of_ink.share_right(digits.x_test, digits.labels) > 0.9
    assert idle.kept == of_relief.share_right(digits.x_test, digits.labels) < 0.5
    assert idle.pair == pytest.approx((digits.x_test - digits.y_test).abs().mean().item())
    assert idle.forth == idle.back == 0
    assert [row["training"] for row in topic.digit_table(known).rows] == list(known)


# --- hiding -------------------------------------------------------------------------------------


class _Whisper(torch.nn.Module):
    """A mosaic with the picture itself added, a hundred times fainter."""

    def forward(self, x):
        return topic.styles.mosaic((x + 1) / 2) + 0.01 * x


class _Listener(torch.nn.Module):
    """Takes the flat tiles off, and makes the rest loud: what it lacks is each tile's mean."""

    def forward(self, y):
        flat = topic.styles.mosaic((y + 1) / 2)
        return (y - flat) / 0.01 + flat / 1.01


def test_a_whisper_is_found():
    """By construction: home comes x itself, from flat tiles the tiles, from noise a hundredfold."""
    tiles = topic.heaps("mosaic")
    pair = Translators("whisper", _Whisper(), _Listener())
    reader = topic.Reader(tiles.x, tiles.x_labels)
    found = find_hidden(pair, tiles, reader, lambda y: y, noises=(0.0, 0.1))
    assert found.noisy[0.0] < 1e-4
    assert found.off < 0.01
    assert found.plain == pytest.approx(found.honest, abs=1e-4)
    assert found.noisy[0.1] > 1
    assert found.read == reader.share_right(tiles.x_test, tiles.labels) > 0.9
    assert found.read_honest < 0.6
