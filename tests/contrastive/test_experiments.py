"""What the experiments stand on: the verdicts, the views, the corpus, the classes."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score

from genssl_utils.contrastive import information, judging, objectives, unlabelled, unseen, words
from genssl_utils.contrastive.views import jitter


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# ---- verdicts


def test_the_roc_curve_has_scikit_learn_s_area():
    distance = torch.rand(400, generator=generator()).round(decimals=2)  # with ties
    same = torch.rand(400, generator=generator(1)) < 0.3
    false, true = judging.roc(distance, same)
    assert float(torch.trapezoid(true, false)) == pytest.approx(
        roc_auc_score(same.numpy(), -distance.numpy()), abs=1e-12
    )
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)


def test_equal_error_is_0_for_a_perfect_space_and_one_half_for_chance():
    distance = torch.rand(20_000, generator=generator())
    same = torch.rand(20_000, generator=generator(1)) < 0.5
    assert judging.equal_error(distance, same) == pytest.approx(0.5, abs=0.03)
    assert judging.equal_error(distance, distance < 0.4) == 0
    assert judging.equal_error(distance, distance > 0.4) == 1
    with pytest.raises(ValueError, match="pairs of one class"):
        judging.roc(distance, torch.ones(20_000, dtype=torch.bool))


def test_separated_clouds_get_a_perfect_verdict():
    y = torch.arange(60) % 3
    x = torch.eye(3)[y] + 0.01 * torch.randn(60, 3, generator=generator())
    verdict = judging.judge(x[:30], y[:30], x[30:], y[30:])
    assert (verdict.one_label, verdict.probe, verdict.eer, verdict.accept) == (1, 1, 0, 1)


# ---- classes and views


def test_no_unseen_class_is_trained_on():
    data = unseen.strangers()
    assert set(data.gallery_y.tolist()) == set(data.query_y.tolist()) == {5, 6, 7, 8, 9}
    assert len(data.y.unique()) == int(data.y.max()) + 1 == 27


def test_turned_digits_are_classes_of_their_own():
    x = torch.rand(3, 1, 8, 8, generator=generator())
    pictures, classes = unseen.turned(x, torch.tensor([0, 1, 2]))
    assert classes.bincount().tolist() == [1] * 11  # 0 once, 1 twice, 2 in eight ways
    assert len({tuple(p.flatten().tolist()) for p in pictures}) == 11


def test_views_stay_pictures_and_follow_the_generator():
    x = torch.rand(5, 1, 8, 8, generator=generator())
    view = jitter(x, generator(3))
    assert view.shape == x.shape
    assert 0 <= view.min() <= view.max() <= 1
    assert torch.equal(view, jitter(x, generator(3)))
    assert not torch.equal(view, jitter(x, generator(4)))
    still = jitter(x, generator(), turn=0, shift=0, zoom=0, noise=0)
    torch.testing.assert_close(still, x, atol=1e-5, rtol=0)


# ---- which triples a loss is given


def test_one_semi_hard_triple_of_each_pair():
    triples = torch.tensor([[0, 1, 2], [0, 1, 3], [1, 0, 2], [4, 5, 0], [4, 5, 1], [4, 5, 2]])
    seen = set()
    for seed in range(40):
        found = objectives.one_of_each(triples, 6, generator(seed))
        assert found[:, :2].tolist() == [[0, 1], [1, 0], [4, 5]]
        seen |= set(map(tuple, found.tolist()))
    assert seen == set(map(tuple, triples.tolist()))  # each has its turn
    with pytest.raises(ValueError, match="every=True goes with semi-hard"):
        objectives.triplets(None, None, None, kind="hard", every=True)


def test_the_classifier_trains_its_own_directions():
    data = unseen.strangers((0, 1), (2,), choosing=True)
    loss = objectives.Classifier(3, unseen.SIZE)
    before = loss.directions.detach().clone()
    with pytest.raises(ValueError, match="pairs of two"):  # one unseen class has no verdict
        unseen.train_embedding("classifier", loss, data, steps=1)
    assert not torch.equal(loss.directions, before)
    z = torch.nn.functional.normalize(loss.directions.detach(), dim=1)
    assert loss(z, torch.arange(3), generator()) < loss(z, torch.tensor([1, 2, 0]), generator())


def test_a_learned_temperature_moves_and_losses_add_up():
    def snn(z, y, temperature):
        return (z.square().sum() + 1) / temperature

    learned = objectives.LearnedTemperature(snn, temperature=0.5)
    z, y = torch.eye(2), torch.tensor([0, 1])
    loss = learned(z, y, generator())
    (slope,) = torch.autograd.grad(loss, learned.log_temperature)
    assert loss.item() == pytest.approx(6)
    assert slope.item() == pytest.approx(-6)  # d/d(log T) of 3/T
    both = objectives.Together(learned, objectives.nearest(snn, temperature=3.0))
    assert [name for name, _ in both.named_parameters()] == ["own.0.log_temperature"]
    assert both(z, y, generator()).item() == pytest.approx(7)


def test_settings_are_chosen_without_a_test_picture_or_an_unseen_digit():
    data = unseen.strangers((0, 1, 2), (3, 4), choosing=True)
    assert set(data.gallery_y.tolist()) == set(data.query_y.tolist()) == {3, 4}
    train = unseen.digits().y_train
    assert len(data.gallery_y) + len(data.query_y) == int(
        torch.isin(train, torch.tensor([3, 4])).sum()
    )
    with pytest.raises(ValueError, match=r"\[2\] cannot be seen and unseen"):
        unseen.strangers((0, 2), (2, 3))


@pytest.mark.parametrize("kind", objectives.KINDS)
def test_triplets_are_of_the_kind_asked_for(kind):
    y = torch.tensor([0, 0, 1, 1, 2, 2])
    z = torch.nn.functional.normalize(torch.randn(6, 3, generator=generator()), dim=1)
    dist = torch.cdist(z, z).square()
    seen = []

    def loss(a, p, n, margin):
        seen.append((a, p, n))
        return (a - p).square().sum()

    def found(d, labels, margin):
        return torch.tensor([[0, 1, 2]])

    objectives.triplets(loss, lambda x: dist, found, kind=kind)(z, y, generator())
    where = [[int((z == row).all(1).nonzero()) for row in part] for part in seen[0]]
    if kind == "semi-hard":
        assert where == [[0], [1], [2]]
        return
    assert len(where[0]) == 6
    for a, p, n in zip(*where, strict=True):
        assert a != p
        assert y[a] == y[p] != y[n]
        others = dist[a][y != y[a]]
        assert kind != "hard" or dist[a, n] == others.min()
        assert kind != "easy" or dist[a, n] == others.max()


def test_pairs_never_meet_a_negative_of_their_class():
    y = torch.tensor([3, 3, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2])
    calls = []

    def info_nce(z, c, temperature):
        calls.append((z[:, 0].tolist(), c[:, 0].tolist()))
        return z.sum()

    objectives.pairs(info_nce)(y[:, None].float(), y, generator())
    assert calls == [([1, 2, 3], [1, 2, 3])] * 2


# ---- information


@pytest.mark.parametrize("nats", [0.5, 3.0])
def test_the_critic_is_the_density_ratio_up_to_the_context(nats):
    z, c = information.gaussian_pairs(nats, 5, generator())
    rho = information.correlation(nats)
    given = torch.distributions.Normal(rho * c[:, None], (1 - rho**2) ** 0.5)
    ratio = (given.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)).sum(-1)
    features, contexts, W = information.best_critic(z, c, nats)
    gap = contexts @ (features @ W).T - ratio
    torch.testing.assert_close(gap, gap[:, :1].expand(5, 5))
    assert -0.5 * 4 * math.log(1 - rho**2) == pytest.approx(nats)


# ---- words


def test_the_corpus_is_what_its_card_says():
    corpus = words.made_corpus(300)
    assert len(corpus.words) == len(set(corpus.words)) == 81
    assert (corpus.classes < 0).sum() == len(words.SMALL)
    assert len(corpus.pairs) > 5 * len(corpus.test_pairs)
    assert torch.equal(corpus.pairs, words.made_corpus(300).pairs)


def test_agreement_is_1_for_classes_and_small_for_chance():
    classes = torch.arange(10).repeat_interleave(6)
    assert words.agreement(torch.eye(10)[classes] + 1e-3, classes) == 1
    noise = torch.randn(60, 8, generator=generator())
    assert words.agreement(noise, classes) < 0.25


def test_a_few_steps_of_each_training_run():
    data = unlabelled.askew_digits()

    def info_nce(z, c, temperature):
        return torch.nn.functional.cross_entropy(c @ z.T / temperature, torch.arange(len(z)))

    found = unlabelled.train_unlabelled(info_nce, data, batch=8, pictures=16)
    assert found.steps == 2
    assert 0 <= found.accuracy <= 1
    trained = words.train_words(words.made_corpus(60), None, steps=3)
    assert len(trained.neighbours("cat", 3)) == 3
