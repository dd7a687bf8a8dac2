"""What the library of unit 03 promises: its texts, its word lists, its translators."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from scipy.linalg import orthogonal_procrustes

from genssl_utils import unpaired_translation as topic
from genssl_utils.kit.training import cpu_threads
from genssl_utils.unpaired_translation.world import BEINGS, COLOURS, LANGUAGES, PEOPLE, THAI


def by_scipy(x, y):
    return torch.from_numpy(orthogonal_procrustes(x.numpy(), y.numpy())[0])


def corrected(s, k):
    near, far = s.sort(1).values[:, -k:].mean(1), s.sort(0).values[-k:].mean(0)
    return 2 * s - near[:, None] - far


def drop(tokens, p_drop, k, generator):
    return tokens[torch.rand(len(tokens), generator=generator) > p_drop]


def confuse(logits, language):
    return F.binary_cross_entropy_with_logits(logits, 1.0 - language)


def back(translate, corrupt, batch):
    return corrupt(translate(batch)), batch


@pytest.fixture(scope="module")
def texts():
    return topic.draw_texts(1500, held_out=60)


@pytest.fixture(scope="module")
def aligned(texts):
    with cpu_threads(1):
        vectors = [topic.word_vectors(side) for side in (texts.first, texts.second)]
        return topic.align(*vectors, by_scipy, corrected, restarts=64)


# ---- texts


@pytest.mark.parametrize("languages", [("english", "french"), ("english", "thai")])
def test_no_training_sentence_has_its_translation_anywhere(languages):
    texts = topic.draw_texts(300, languages=languages, held_out=50)
    way = dict(texts.paired)
    assert [way[s] for s in texts.first] == [pair[1] for pair in texts.paired]
    assert not set(way.values()) & set(texts.second)
    for held in (texts.validation, texts.test):
        assert not {pair[0] for pair in held} & set(texts.first)
        assert not {pair[1] for pair in held} & (set(texts.second) | set(way.values()))


def test_french_agrees_puts_colours_after_the_noun_and_says_de_where_it_should():
    said = [" ".join(s) for s in topic.draw_texts(2000).second]
    for told in said:
        for wrong in ("noires chats", "chats noires", "souris noirs", "ne attendent", "près les"):
            assert wrong not in told
        if "jamais" in told:
            assert told.split("jamais ")[1].split()[0] != "des"
        for word, after in pairwise(told.split()):
            if word in ("d'", "de"):
                assert (word == "d'") == (after[0] in "aeiouhéœ")
    assert any("souris noires" in s for s in said)
    assert any("de petites" in s for s in said)
    assert any("jamais d' " in s for s in said)
    assert any("mangent jamais de" in s for s in said)


def test_no_colour_is_said_of_people():
    texts = topic.draw_texts(3000)
    for sentence in texts.first:
        for i, word in enumerate(sentence):
            if word in {c[0] for c in COLOURS}:
                assert PEOPLE.isdisjoint(sentence[i + 1 : i + 2])
                if sentence[i - 1] == "are":
                    until = [w for w in sentence[:i] if w in PEOPLE | {b[0] for b in BEINGS}]
                    assert until[0] not in PEOPLE


def test_the_thai_list_is_whole_and_each_word_is_told():
    words = {w for s in topic.draw_texts(2000, languages=("thai", "english")).first for w in s}
    assert words <= set(THAI)
    assert len(words) >= 60
    assert all(sound.isascii() for sound, _ in THAI.values())
    assert all(right for right in topic.dictionary("thai", "english").values())


def test_texts_depend_on_the_seed_alone_and_mistakes_are_named():
    assert topic.draw_texts(20, seed=3) == topic.draw_texts(20, seed=3)
    assert topic.draw_texts(20, seed=3) != topic.draw_texts(20, seed=4)
    with pytest.raises(ValueError, match="at least one"):
        topic.draw_texts(0)
    with pytest.raises(ValueError, match="two of"):
        topic.draw_texts(5, languages=("english", "latin"))
    assert len(LANGUAGES) == 3


# ---- words


def test_vectors_keep_the_most_informative_axes(texts):
    vectors = topic.word_vectors(texts.first)
    assert len(vectors.words) == len(vectors.x) == len(vectors.often)
    assert torch.equal(vectors.often, vectors.often.sort(descending=True).values)
    sizes = vectors.x.norm(dim=0)
    assert torch.equal(sizes, sizes.sort(descending=True).values)
    lengths = vectors.unit(10).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(len(lengths)))


def test_the_picked_restart_has_the_best_criterion_and_the_turn_is_orthogonal(aligned):
    assert aligned.picked == int(aligned.criterion.argmax())
    torch.testing.assert_close(
        aligned.turn @ aligned.turn.T, torch.eye(len(aligned.turn)), atol=1e-4, rtol=0
    )
    right = topic.dictionary("english", "french")
    tried = topic.shares_tried(aligned, right)
    assert tried[aligned.picked] > tried.median() + 0.2
    assert topic.right_share(aligned, right) > 0.4


# ---- translations


def test_scores_of_known_translations():
    right = [("the", "cats", "eat", "some", "cakes")]
    assert topic.bleu(right, right) == pytest.approx(100)
    assert topic.bleu([("dogs",)], right) < 1
    assert topic.word_by_word({"a": "b"}, [("a", "c")]) == [("b", "c")]
    told = [("cakes", "some", "eat", "cats", "the")]
    assert topic.oracle_order(told, right) == right
    assert topic.oracle_order([("cats", "x", "the")], right) == [("the", "cats", "x")]


def test_a_language_model_puts_neighbours_right():
    text = [("the", "red", "cats", "eat"), ("the", "red", "dogs", "eat")] * 20
    language = topic.NextWord(text)
    assert topic.reordered([("the", "cats", "red", "eat")], language) == [text[0]]
    assert language.score(text[0]) > language.score(text[0][::-1])


def test_a_vocabulary_gives_back_what_it_was_given(texts):
    vocabulary = topic.Vocabulary(texts)
    for side, part in enumerate((texts.first, texts.second)):
        assert vocabulary.decode(vocabulary.encode(part[:50], side)) == part[:50]


@cpu_threads(1)
def test_pairs_teach_and_the_order_of_the_systems_holds(texts, aligned):
    vocabulary = topic.Vocabulary(texts)
    taught = topic.learn_from_pairs(texts, vocabulary, steps=150)
    forth, back_ = topic.both_ways(texts, taught.say)
    assert min(forth, back_) > 40
    lists = topic.lexicon_systems(texts, aligned)
    for way in (0, 1):
        assert lists["word by word"][way] <= lists["oracle reordering"][way]
    assert set(lists) | {"supervised", "iteration 1", "iteration 2", "iteration 3"} == set(
        topic.PAPER
    )


@cpu_threads(1)
def test_without_pairs_it_is_repeatable_and_hands_the_student_s_functions_what_they_expect(
    texts, aligned
):
    asked = []

    def watched(translate, corrupt, batch):
        asked.append(tuple(batch.shape))
        made = translate(batch[:7])
        assert made.shape == (7, batch.shape[1])
        return corrupt(made), batch[:7]

    runs = []
    for _ in range(2):
        _, seen = topic.learn_without_pairs(
            texts, topic.Vocabulary(texts), aligned, drop, confuse, watched,
            iterations=2, steps=4, watch=topic.watcher(texts),
        )  # fmt: skip
        runs.append(seen)
    assert runs[0] == runs[1]
    assert asked == [(1500, 14)] * 8
    assert topic.of_iteration(runs[0], 2)["steps"] == 8


def test_agreement_is_a_correlation():
    rows = [{"round trip": a, "forth": b, "back": b} for a, b in ((1, 2), (2, 4), (3, 6))]
    assert topic.agreement(rows) == pytest.approx(1)


def test_tables_and_pictures_say_what_they_show(texts, aligned):
    right = topic.dictionary("english", "french")
    assert "translation" in repr(topic.texts_table(texts))
    assert "mine" in repr(topic.alignment_table({"mine": aligned}, right, "whose"))
    assert "picked" in repr(topic.restart_picture(aligned, right))
    assert "66.0" in repr(topic.bleu_table({"x": (66.0, 1.0)}))
