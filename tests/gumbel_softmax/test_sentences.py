"""The grammar is what it says, the measures see what is wrong, and the GAN learns."""

import math

import pytest
import torch
from torch import nn

from genssl_utils.gumbel_softmax.grammar import END, LENGTH, Grammar, measure, small_grammar
from genssl_utils.gumbel_softmax.sentences import (
    Reinforce,
    StraightThrough,
    Writer,
    make_discriminator,
    train_sentence_gan,
)
from genssl_utils.kit.metrics import variation_floor

LANGUAGE = small_grammar()
SINGULAR = ("cat", "dog", "bird")
VERBS = {"sees": "see", "likes": "like", "sleeps": "sleep", "sings": "sing"}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def straight_through(y):
    return nn.functional.one_hot(y.argmax(dim=1), y.shape[1]) - y.detach() + y


def gumbel_softmax(log_pi, tau, generator=None):
    noise = -torch.empty_like(log_pi).exponential_(generator=generator).log()
    return ((log_pi + noise) / tau).softmax(dim=1)


def multinomial(log_pi, generator=None):
    """Exact choices without any Gumbel noise: an oracle for gumbel_max."""
    return torch.multinomial(log_pi.exp(), 1, generator=generator)[:, 0]


def reinforce_loss(log_prob, reward, baseline=0.0):
    return -((reward - baseline).detach() * log_prob).mean()


ESTIMATORS = [
    StraightThrough(gumbel_softmax, straight_through),
    Reinforce(multinomial, reinforce_loss),
]


# --- the grammar ---------------------------------------------------------------------------------


def test_the_grammar_is_as_its_card_says():
    assert len(LANGUAGE.words) == len(set(LANGUAGE.words)) == 28
    assert LANGUAGE.sentences.shape == (384, LENGTH)
    assert len(LANGUAGE.sentences.unique(dim=0)) == 384
    assert LANGUAGE.words[0] == END
    lengths = (LANGUAGE.sentences != 0).sum(dim=1)
    assert lengths.unique().tolist() == [5, 7]
    assert LANGUAGE.probabilities.min() > 0
    assert math.isclose(LANGUAGE.probabilities.sum().item(), 1, abs_tol=1e-12)
    assert round(LANGUAGE.probabilities.max().item(), 3) == 0.012
    assert round(LANGUAGE.probabilities.min().item(), 4) == 0.0004


def test_every_sentence_is_valid_and_survives_reading_and_writing():
    assert torch.equal(LANGUAGE.locate(LANGUAGE.sentences), torch.arange(384))
    for row in LANGUAGE.sentences:
        assert torch.equal(LANGUAGE.encode(LANGUAGE.decode(row)), row)


def test_verbs_agree_with_their_subjects_also_past_a_nearer_noun():
    attracted = 0
    for row in LANGUAGE.sentences:
        words = LANGUAGE.decode(row).split()
        subject = next(w for w in words if w.rstrip("s") in SINGULAR)
        (verb,) = (w for w in words if w in VERBS or w in VERBS.values())
        assert (subject in SINGULAR) == (verb in VERBS)
        place = next((w for w in words if w in ("tree", "trees")), None)
        attracted += place is not None and (place == "tree") != (subject in SINGULAR)
    assert attracted == 96  # half of all sentences with a place


def test_breaking_agreement_is_never_valid():
    flip = VERBS | {plural: singular for singular, plural in VERBS.items()}
    flip |= {"a": "two", "two": "a"}
    broken = []
    for row in LANGUAGE.sentences:
        words = LANGUAGE.decode(row).split()
        for at, word in enumerate(words):
            if word in flip:
                broken.append(
                    LANGUAGE.encode(" ".join([*words[:at], flip[word], *words[at + 1 :]]))
                )
    assert len(broken) > 384
    assert (LANGUAGE.locate(torch.stack(broken)) == -1).all()


def test_text_after_the_end_is_not_valid():
    row = LANGUAGE.encode("the cat sees the mouse")
    row[-1] = LANGUAGE.words.index("today")
    assert LANGUAGE.locate(row[None]).item() == -1


def test_samples_follow_the_probabilities():
    n = 200_000
    counts = LANGUAGE.locate(LANGUAGE.sample(n, generator())).bincount(minlength=384)
    p = LANGUAGE.probabilities
    z = (counts - n * p) / (n * p * (1 - p)).sqrt()
    assert z.abs().max() < 6
    assert torch.equal(LANGUAGE.sample(5, generator(1)), LANGUAGE.sample(5, generator(1)))


def test_unknown_words_and_long_texts_are_refused():
    with pytest.raises(ValueError, match="'horse' is not in the vocabulary"):
        LANGUAGE.encode("the horse sleeps")
    with pytest.raises(ValueError, match="at most 8"):
        LANGUAGE.encode("the " * 9)


# --- the measures --------------------------------------------------------------------------------


def test_a_perfect_writer_is_at_the_floor():
    found = measure(LANGUAGE.sample(4000, generator()), LANGUAGE)
    assert found.valid == 1
    assert found.floor == variation_floor(LANGUAGE.probabilities, 4000)
    assert abs(found.distance - found.floor) < 0.02
    assert found.bigram_distance < 0.03
    assert found.coverage > 0.99


def test_collapse_is_fully_valid_and_covers_nothing():
    found = measure(LANGUAGE.sentences[:1].repeat(1000, 1), LANGUAGE)
    p = LANGUAGE.probabilities[0].item()
    assert found.valid == 1
    assert found.coverage == pytest.approx(p)
    assert found.effective == pytest.approx(1)
    assert found.distance == pytest.approx(1 - p)


def test_what_is_no_sentence_is_at_distance_one():
    found = measure(torch.zeros(50, LENGTH, dtype=torch.int64), LANGUAGE)
    assert (found.valid, found.coverage) == (0, 0)
    assert found.distance == pytest.approx(1)
    assert found.bigram_distance > 0.5


def test_the_distance_of_a_mixture_grows_with_its_share_of_nonsense():
    good = LANGUAGE.sample(20_000, generator())
    for share in (0.25, 0.5):
        bad = good.clone()
        bad[: int(share * len(bad)), 0] = 0  # no sentence begins with its end
        found = measure(bad, LANGUAGE)
        assert found.valid == pytest.approx(1 - share)
        assert share <= found.distance < share + found.floor


# --- the writer and its estimators ---------------------------------------------------------------


def test_the_writers_probabilities_add_up_over_all_texts():
    """A language of two words and a writer at its start: all 2^8 texts, each found by force."""
    torch.manual_seed(0)
    writer = Writer(2, hidden=3).double()
    texts = torch.cartesian_prod(*[torch.arange(2)] * LENGTH)  # (256, 8)
    rows = iter(nn.functional.one_hot(texts, 2).double().unbind(dim=1))
    words, log_prob = writer(len(texts), lambda log_pi: next(rows))
    assert torch.equal(words.argmax(dim=2), texts)
    assert math.isclose(log_prob.exp().sum().item(), 1, rel_tol=1e-12)


def test_straight_through_gradients_reach_the_first_word_and_reinforce_only_log_prob():
    torch.manual_seed(0)
    writer, discriminator = Writer(28), make_discriminator(28)
    for estimator in ESTIMATORS:
        words, log_prob = writer(16, lambda log_pi, e=estimator: e.choose(log_pi, generator()))
        assert words.requires_grad == isinstance(estimator, StraightThrough)
        writer.zero_grad()
        estimator.loss(discriminator(words)[:, 0], log_prob).backward()
        assert all(p.grad.abs().sum() > 0 for p in writer.parameters())


def test_the_reward_is_log_sigma_of_the_score_less_the_batch_mean():
    seen = {}

    def spy(log_prob, reward, baseline=0.0):
        seen.update(reward=reward, baseline=baseline)
        return reinforce_loss(log_prob, reward, baseline)

    scores = torch.tensor([0.0, 2.0, -1.0], requires_grad=True)
    log_prob = torch.zeros(3, requires_grad=True)
    Reinforce(multinomial, spy).loss(scores, log_prob).backward()
    assert torch.allclose(seen["reward"], scores.sigmoid().log())
    assert seen["baseline"] == pytest.approx(seen["reward"].mean().item())
    assert scores.grad is None
    Reinforce(multinomial, spy, baseline=False).loss(scores, log_prob)
    assert seen["baseline"] == 0


def test_words_that_are_not_one_hot_are_named():
    soft = StraightThrough(gumbel_softmax, lambda y: y)
    with pytest.raises(ValueError, match=r"not one-hot.*straight_through"):
        train_sentence_gan(soft, steps=4, batch=8, device="cpu")


def test_an_unfinished_exercise_stops_the_experiment_with_its_own_words():
    def unfinished(*_, **__):
        raise NotImplementedError("Finish gumbel_max first.")

    with pytest.raises(NotImplementedError, match="gumbel_max"):
        train_sentence_gan(Reinforce(unfinished, reinforce_loss), steps=4, device="cpu")


@pytest.mark.parametrize("bad", [{"steps": 3}, {"batch": 1}, {"samples": 0}, {"penalty": -1.0}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(ValueError, match="steps ≥ 4"):
        train_sentence_gan(ESTIMATORS[0], **bad)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_a_training_repeats_and_tells_how_it_went(estimator):
    def train():
        return train_sentence_gan(estimator, steps=40, batch=16, samples=500, device="cpu")

    state = torch.get_rng_state()
    first, again = train(), train()
    assert torch.equal(torch.get_rng_state(), state)  # the seeds of others are left alone
    assert first.history == again.history
    assert first.measures == again.measures
    assert list(first.examples) == [0, 10, 40]
    assert first.history.series.keys() == {"discriminator", "writer", "valid", "coverage"}
    assert first.name == estimator.name


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
def test_a_short_training_already_learns_pairs_of_words(estimator):
    short = train_sentence_gan(estimator, steps=200, batch=64, samples=1000, device="cpu")
    random = measure(torch.randint(28, (1000, LENGTH), generator=generator()), LANGUAGE)
    assert random.bigram_distance > 0.85
    assert short.measures.bigram_distance < 0.75


def test_any_list_of_sentences_makes_a_grammar():
    tiny = Grammar(
        (END, "yes"), torch.tensor([[1] + [0] * 7, [1, 1] + [0] * 6]), torch.tensor([0.5, 0.5])
    )
    assert tiny.locate(torch.tensor([[1, 1] + [0] * 6, [0] * 8])).tolist() == [1, -1]
