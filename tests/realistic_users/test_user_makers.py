"""The recommender, the makers of buyers and what is measured of them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from genssl_utils import realistic_users as topic
from genssl_utils.kit.samples import energy_distance
from genssl_utils.realistic_users.judging import MADE, judge, novelty
from genssl_utils.realistic_users.makers import Maker, misfit
from genssl_utils.realistic_users.manager import (
    COLUMNS,
    ask_makers,
    generator_of,
    popularity,
    readable,
    true_shift,
)  # fmt: skip
from genssl_utils.realistic_users.people import CATEGORIES, SIZES, People
from genssl_utils.realistic_users.recommender import clicks_nearby, ranked_right
from genssl_utils.realistic_users.strange import FACTORS, strange_picture, strange_prices


def ranking(users, chosen, passed, decay):
    gap = (users * passed).sum(1) - (users * chosen).sum(1)
    return F.softplus(gap).mean() + decay * sum(
        x.square().sum(1).mean() for x in (users, chosen, passed)
    )


def pick(logits, sizes, tau, generator):
    """Straight-through choices, another way than the unit's."""
    noise = -torch.empty(logits.shape).exponential_(generator=generator).clamp(min=1e-20).log()
    parts = []
    for part in torch.split(logits + noise, list(sizes), 1):
        soft = (part / tau).softmax(1)
        parts.append(F.one_hot(part.argmax(1), part.shape[1]) + soft - soft.detach())
    return torch.cat(parts, 1)


def tables(a, b):
    """Total variations of attributes and pairs, by loops."""
    out = torch.zeros(a.shape[1], a.shape[1])
    for i in range(a.shape[1]):
        for j in range(a.shape[1]):
            p, q = ((10 * x[:, i] + x[:, j]).bincount(minlength=100) / len(x) for x in (a, b))
            out[i, j] = (p - q).clamp(min=0).sum()
    return out


def copies(made, data, strangers):
    near, far = ((made[:, None] - x).square().sum(2).amin(1) for x in (data, strangers))
    return ((near < far).float() - (near > far).float()).mean()


def change(generate, product, new):
    first, then = generate(product), generate({**product, **new})
    return then.mean(0) - first.mean(0), torch.zeros(first.shape[1])


@pytest.fixture(scope="module")
def year():
    return topic.market(600, 50, new=4, shown=25, seed=1)


@pytest.fixture(scope="module")
def vectors(year):
    return topic.train_recommender(year, ranking, steps=150, seed=0)


def test_a_recommender_ranks_better_than_chance_also_what_is_new(year, vectors):
    found = topic.judge_recommenders(year, [vectors, topic.by_svd(year)])
    for one in found.values():
        assert one.kept > 0.55
        assert one.guessed > 0.5
    assert found["BPR"].new > 0.55
    assert found["BPR"].new > found["number of clicks"].new > 0.5
    assert "AUC" in repr(topic.recommender_table(found))
    assert "% of the matrix" in topic.clicks_picture(year).axes[0].get_title()


def test_auc_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    scores = torch.randn(1, 40, generator=torch.Generator().manual_seed(0))
    liked = torch.tensor([[0, 3], [0, 8], [0, 30]])
    other = torch.ones(1, 40, dtype=torch.bool)
    other[0, liked[:, 1]] = False
    want = roc_auc_score((~other[0]).int(), scores[0])
    assert ranked_right(scores, liked, other) == pytest.approx(want)


def test_the_guess_of_a_vector_is_near_the_vector_of_a_home_with_clicks(year, vectors):
    guess = vectors.vectors_of(year.homes)
    assert guess.shape == vectors.homes.shape
    left = (guess - vectors.homes).square().sum() / (
        vectors.homes - vectors.homes.mean(0)
    ).square().sum()
    assert left < 0.9


def test_every_maker_makes_people(year, vectors):
    told = topic.by_vectors(vectors)
    makers = [
        topic.true_buyers(year), topic.all_buyers(year), topic.nearest_buyers(year, told),
        topic.one_mean_buyer(year, told, steps=20), topic.train_cvae(year, told, steps=20),
        topic.train_gan(year, told, pick, steps=20),
    ]  # fmt: skip
    for maker in makers:
        made = maker(topic.home(60, 230), 30, maker.draw(0))
        again = maker(topic.home(60, 230), 30, maker.draw(0))
        assert made.rows.shape == (30, 16)
        assert torch.equal(made.rows, again.rows)
        for block in made.rows[:, : sum(SIZES)].split(list(SIZES), 1):
            assert block.sum(1).tolist() == pytest.approx([1.0] * 30)
            assert ((block - 0.5).abs() > 0.499).all()


def test_nearest_buyers_are_people_of_the_data(year, vectors):
    maker = topic.nearest_buyers(year, topic.by_vectors(vectors))
    made = maker(topic.home(60, 230), 40, maker.draw(0)).rows
    known = {tuple(row) for row in year.people.rows.tolist()}
    assert {tuple(row) for row in made.tolist()} <= known


def test_the_mean_buyer_is_one_person(year, vectors):
    maker = topic.one_mean_buyer(year, topic.by_vectors(vectors), steps=50)
    made = maker(topic.home(60, 230), 20, maker.draw(0)).rows
    assert torch.equal(made, made[:1].expand(20, -1))


def test_misfit_is_minus_the_log_probability():
    draw = torch.Generator().manual_seed(0)
    guess = torch.randn(3, 16, generator=draw)
    hot = [F.one_hot(torch.randint(s, (3,), generator=draw), s).float() for s in SIZES]
    numbers = torch.randn(3, 2, generator=draw)
    log_spread = torch.tensor([0.3, -0.5])
    want = torch.zeros(3)
    for part, one in zip(guess[:, :14].split(list(SIZES), 1), hot, strict=True):
        want -= torch.distributions.Categorical(logits=part).log_prob(one.argmax(1))
    normal = torch.distributions.Normal(guess[:, 14:], log_spread.exp())
    want -= normal.log_prob(numbers).sum(1) + torch.log(torch.tensor(2 * torch.pi))
    got = misfit(guess, torch.cat([*hot, numbers], 1), log_spread)
    assert got.tolist() == pytest.approx(want.tolist(), rel=1e-5)


def test_a_gan_learns_who_comes(year, vectors):
    told = topic.by_vectors(vectors)
    short, longer = (topic.train_gan(year, told, pick, steps=k, seed=0) for k in (5, 400))
    judged = judge([Maker("short", short.make, short.device), longer], year, tables)
    assert judged["GAN"].pairs < 0.8 * judged["short"].pairs
    assert judged["GAN"].coverage > 0.5


def test_the_truth_is_near_itself_and_copies_are_found(year, vectors):
    truth = topic.true_buyers(year)
    nearest = topic.nearest_buyers(year, topic.by_vectors(vectors))
    judged = judge([truth, topic.all_buyers(year)], year, tables)
    assert judged[truth.name].alone < 0.05
    assert judged[truth.name].alone < judged["buyers of any home"].alone
    assert MADE >= 100
    found = novelty([truth, nearest], year, copies)
    assert abs(found[truth.name]) < 0.35
    assert found[nearest.name] == 1.0
    assert "1 means all" in repr(topic.novelty_table(found))


def test_tables_and_pictures_are_drawn(year):
    makers = [topic.true_buyers(year), topic.all_buyers(year)]
    judged = judge(makers, year, tables)
    assert "whole rows" in repr(topic.crowds_table(judged))
    assert "household" in repr(topic.attribute_table(judged))
    assert len(topic.distance_picture(judged).axes) == 2
    crowds = {maker.name: maker(topic.home(60, 230), 50, maker.draw(0)) for maker in makers}
    assert "Who clicks on" in topic.crowd_picture(topic.home(60, 230), crowds).get_suptitle()
    assert len(topic.first_picture(year).axes) == 2
    words = repr(topic.people_table("Some of them", year.people, 3)).split("\n")
    assert words[0] == "Some of them"
    assert len(words) == 5


def test_the_true_change_has_no_chance_in_it(year):
    plan = topic.home(75, 300, "centre")
    assert true_shift(year, plan, {}).abs().max() == 0
    moved = true_shift(year, plan, {"lift": 1.0})
    assert moved[COLUMNS.index("retired")] > 0.03
    for start, size in zip((0, 3, 6, 10), SIZES, strict=True):
        assert moved[start : start + size].sum() == pytest.approx(0, abs=1e-5)


def test_one_who_answers_by_the_truth_is_right(year):
    truth = topic.true_buyers(year)
    asked = ask_makers([truth, topic.all_buyers(year)], year, change)
    right, blind = asked[truth.name], asked["buyers of any home"]
    assert right.household < 3
    assert right.leading >= blind.leading
    assert right.reach > 0.95
    assert -0.5 < blind.extra < 0.1  # it foretells chance alone
    assert right.extra > 0.6
    assert "points" in repr(topic.asked_table(asked))


def test_popularity_is_ranked_by_a_made_public(year, vectors):
    found = popularity(topic.true_buyers(year), year, vectors)
    for name in found.guesses:
        assert -1 <= found.correlation(name) <= 1
    assert "rank correlation" in repr(topic.popularity_table(found))


def test_a_generator_speaks_of_years_and_thousands(year):
    generate = generator_of(topic.true_buyers(year), 50)
    told = generate(topic.home(60, 230))
    assert told.shape == (50, len(COLUMNS))
    assert 18 < told[:, -2].mean() < 92
    assert 10 < told[:, -1].mean() < 300
    one = People(year.people.rows[:1])
    assert readable(one)[0, : SIZES[0]].argmax() == one.category("household")
    assert len(COLUMNS) == sum(len(values) for values in CATEGORIES.values()) + 2


def test_two_crowds_of_one_home_share_no_luck(year):
    """The standard error that students compute is the true one: that of independent crowds."""
    truth = topic.true_buyers(year)
    plan = topic.home(60, 230)
    moves, wanted = [], 0.0
    for seed in range(60):
        generate = generator_of(truth, 200, seed=seed)
        first, then = generate(plan), generate(plan)
        moves.append(then.mean(0) - first.mean(0))
        wanted = wanted + (first.var(0) + then.var(0)) / 200 / 60
    ratio = torch.stack(moves).square().mean(0) / wanted
    assert ratio[wanted > 1e-4].mean() == pytest.approx(1, abs=0.25)


def test_a_function_that_eats_its_change_spoils_no_other_answer(year):
    def eats(generate, product, new):
        first = generate(product)
        while new:
            name, value = new.popitem()
            product[name] = value
        return generate(product).mean(0) - first.mean(0), torch.zeros(first.shape[1])

    truth, other = topic.true_buyers(year), topic.true_buyers(year)
    other = Maker("again", other.make, other.device)
    told = ask_makers([truth, other], year, eats)
    assert told["again"] == told[truth.name]
    assert told["again"].extra > 0.5


def test_clicks_nearby_leave_a_home_itself_out(year):
    counts = year.matrix.sum(0)
    places = year.homes.described()
    for k in (0, 7):
        order = (places - places[k]).square().sum(1).argsort()[1:6]
        want = counts[order].mean()
        assert clicks_nearby(year, year.homes)[k] == pytest.approx(want.item())


def test_strange_prices_are_drawn(year):
    makers = [topic.true_buyers(year)]
    found = strange_prices(makers, year, tables, homes=2)
    assert len(found.clicks) == len(FACTORS)
    assert found.clicks[-1] < found.clicks[2]
    assert len(strange_picture(found).axes) == 2


def test_energy_of_two_draws_of_one_law_is_small(year):
    truth = topic.true_buyers(year)
    a, b = (truth(topic.home(60, 230), 300, truth.draw(k)).rows for k in (0, 1))
    assert energy_distance(a, b) < 0.05


def test_the_explorer_draws(year):
    made = topic.what_if_explorer(year, topic.true_buyers(year), change)
    assert made._png
