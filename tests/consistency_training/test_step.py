"""One step for every method: what its four answers do to the loss."""

import math

import pytest
import torch
from torch.nn import functional as F

from genssl_utils.consistency_training.methods import (
    METHODS,
    QUESTIONS,
    SUPERVISED,
    Method,
    mixed,
)
from genssl_utils.consistency_training.step import Step, distance
from genssl_utils.consistency_training.views import MoonViews
from genssl_utils.kit.nets import mlp


class Untouched:
    """Views that change nothing."""

    radius = 0.5

    def weak(self, x, generator):
        return x

    strong = weak


def make(method, answers, views=None, seed=0, **how):
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = mlp(2, 3, hidden=(8,))
    x, y = torch.randn(6, 2, generator=generator), torch.tensor([0, 0, 1, 1, 2, 2])
    u = torch.randn(40, 2, generator=generator)
    return Step(
        method, answers, model, views or MoonViews(), (x, y), u, steps=10, generator=generator,
        batch=(6, 16), **how,
    )  # fmt: skip


def every_row():
    return [SUPERVISED, *METHODS.values()]


@pytest.mark.parametrize("method", every_row(), ids=lambda m: m.name)
def test_the_gradient_of_every_method_reaches_every_weight(method, answers):
    step = make(method, answers, teacher=mlp(2, 3, hidden=(8,)))
    loss = step(9)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.abs().sum() > 0 for p in step.model.parameters())


@pytest.mark.parametrize("method", every_row(), ids=lambda m: m.name)
def test_a_step_repeats_and_leaves_the_data_and_the_teacher_alone(method, answers):
    teacher = mlp(2, 3, hidden=(8,))
    before = [p.clone() for p in teacher.parameters()]
    first, again = (make(method, answers, teacher=teacher) for _ in range(2))
    u = first.u.clone()
    assert torch.equal(first(3), again(3))
    assert torch.equal(first.u, u)
    assert all(torch.equal(p, q) for p, q in zip(before, teacher.parameters(), strict=True))
    assert all(p.grad is None for p in teacher.parameters())


@pytest.mark.parametrize("loss", ["L2", "KL", "JS"])
def test_agreement_costs_nothing_when_teacher_and_student_see_the_same(loss, answers):
    step = make(Method("same", loss=loss), answers, Untouched())
    labelled = make(SUPERVISED, answers, Untouched())
    assert step(9).item() == pytest.approx(labelled(9).item(), abs=1e-5)


def test_what_no_target_reaches_adds_nothing(answers):
    for labels, loss in (("hard", "CE"), ("soft", "KL")):
        strict = make(Method("strict", labels=labels, loss=loss, threshold=1.0), answers)
        assert strict(9).item() == pytest.approx(make(SUPERVISED, answers)(9).item(), abs=1e-6)
        assert strict.passed == 0


def test_the_ramp_and_the_weight_multiply_the_unlabelled_loss(answers):
    def at(step, **how):
        method = Method("x", augmentation="strong", loss="L2", **how)
        return make(method, answers, MoonViews(strong=3.0))(step).item()

    alone = make(SUPERVISED, answers, MoonViews(strong=3.0))(0).item()
    whole = at(0) - alone
    assert at(0, weight=3.0) - alone == pytest.approx(3 * whole, rel=1e-3)
    assert at(0, ramp_up=1.0) - alone == pytest.approx(math.exp(-5) * whole, rel=0.02)


def test_the_averaged_weights_have_their_closed_form(answers):
    step = make(METHODS["Mean Teacher"], answers)
    start = {k: v.clone() for k, v in step.average.items()}
    with torch.no_grad():
        for p in step.model.parameters():
            p.add_(1.0)
    for n in range(4):
        step(n)
    left = METHODS["Mean Teacher"].decay ** 4
    for name, moved in step.model.state_dict().items():
        torch.testing.assert_close(step.average[name], left * start[name] + (1 - left) * moved)


def test_the_memory_of_predictions_is_free_of_its_start(answers):
    step = make(METHODS["Temporal Ensembling"], answers)
    at = torch.arange(16)
    p = torch.softmax(torch.randn(16, 3), 1)
    for _ in range(3):
        torch.testing.assert_close(step._remembered(p, at), p)
    assert step.memory[16:].eq(0).all()


def test_alignment_lifts_the_classes_that_are_predicted_too_seldom(answers):
    step = make(METHODS["ReMixMatch"], answers)
    p = torch.tensor([[0.8, 0.1, 0.1]]).repeat(16, 1)
    for _ in range(200):
        aligned = step._aligned(p)
    torch.testing.assert_close(aligned.sum(1), torch.ones(16))
    torch.testing.assert_close(aligned.mean(0), torch.full((3,), 1 / 3), atol=1e-3, rtol=0)


def test_beta_draws_have_their_moments(answers):
    step = make(METHODS["MixMatch"], answers)
    draws = torch.tensor([step._beta(0.75) for _ in range(4000)])
    assert abs(draws.mean() - 0.5) < 5 * 0.3162 / 4000**0.5
    assert draws.var() == pytest.approx(0.1, rel=0.1)  # 1 / (4 (2a + 1)) at a = ¾


def test_distances_are_what_their_names_say():
    p = torch.softmax(torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).double(), 1)
    logits = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)).double()
    q = logits.softmax(1)
    kl = F.kl_div(q.log(), p, reduction="none").sum(1)
    torch.testing.assert_close(distance("CE", p, logits) - torch.special.entr(p).sum(1), kl)
    torch.testing.assert_close(distance("L2", p, logits), (p - q).norm(dim=1) ** 2)
    js = distance("JS", p, logits)
    torch.testing.assert_close(js, distance("JS", q, p.log()))  # symmetric,
    assert (js >= 0).all()
    assert (js <= math.log(2)).all()
    torch.testing.assert_close(distance("JS", q, logits), torch.zeros(50).double())
    with pytest.raises(ValueError, match="choose 'L2'"):
        distance("L1", p, logits)


@pytest.mark.parametrize("labels", ["soft", "sharpened"])
def test_the_step_takes_jensen_shannon_as_any_other_loss(labels, answers):
    method = Method("JS", labels=labels, augmentation="strong", loss="JS", weight=2.0)
    views = MoonViews(strong=1.0)
    step, alone = make(method, answers, views), make(SUPERVISED, answers, views)
    loss = step(9)
    loss.backward()
    assert all(p.grad.abs().sum() > 0 for p in step.model.parameters())
    added = loss.item() - alone(9).item()
    assert 0 < added <= 2 * math.log(2), "JS lies between 0 and ln 2"
    assert method.answers()["loss"] == "JS"


def test_an_adversarial_step_leads_away_from_what_the_teacher_saw(answers):
    seen = []

    class Told(MoonViews):
        def weak(self, x, generator):
            seen.append(super().weak(x, generator))
            return seen[-1]

    step = make(METHODS["VAT"], answers, Told())
    at_teacher, model = [], step.model
    step.model = lambda x: at_teacher.append(x) or model(x)
    step(9)
    assert torch.equal(at_teacher[0], seen[-1]), "the teacher judges the weak view"
    moved = at_teacher[-1][6:] - seen[-1]
    torch.testing.assert_close(moved.norm(dim=1), torch.full((16,), step.views.radius))


def test_the_teacher_of_a_round_is_not_noised(answers):
    teacher = torch.nn.Sequential(torch.nn.Dropout(0.5), mlp(2, 3, hidden=(8,))).train()
    make(METHODS["Noisy Student"], answers, teacher=teacher)
    assert not teacher.training


def test_a_round_needs_a_teacher(answers):
    with pytest.raises(ValueError, match="trained teacher"):
        make(METHODS["Noisy Student"], answers)


# --- the table -----------------------------------------------------------------------------------


def test_the_table_answers_all_four_questions_differently_for_each_method():
    rows = [tuple(m.answers().values()) for m in METHODS.values()]
    assert len(set(rows)) == len(METHODS) == 9
    assert all(list(m.answers()) == list(QUESTIONS) for m in METHODS.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"teacher": "nobody"}, "choose one of"),
        ({"labels": "hard", "loss": "L2"}, "hard label needs"),
        ({"threshold": 1.5}, "threshold"),
        ({"students": 0}, "at least 1"),
        ({"dropout": 1.0}, "chances"),
        ({"skip": 0.2}, "residual=True"),
    ],
)
def test_impossible_rows_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        Method("odd", **change)
    with pytest.raises(ValueError, match=said):
        mixed("UDA", **change)
