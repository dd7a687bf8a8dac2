"""The grammar's tags are right, each view sees what it says, and the views help the tagger."""

import itertools
import re

import pytest
import torch
from torch.nn import functional as F

from genssl_utils.consistency_training.cross_view import (
    cross_view_loss,
    measure,
    sight_table,
    tagging_table,
    train_tagger,
    view_table,
)
from genssl_utils.consistency_training.tag_grammar import (
    NO_TAG,
    TAGS,
    decode,
    possible_tags,
    tag_task,
)
from genssl_utils.consistency_training.tagger import VIEWS, CrossViewTagger

TASK = tag_task()
PARTS = {"labelled": TASK.labelled, "validation": TASK.validation, "test": TASK.test}


def kl_consistency(teacher_logits, student_logits):
    target = teacher_logits.detach().softmax(-1)
    return F.kl_div(student_logits.log_softmax(-1), target, reduction="batchmean")


@pytest.fixture(name="tagger")
def fresh_tagger():
    torch.manual_seed(0)
    return CrossViewTagger(len(TASK.vocabulary)).double().eval()


@pytest.fixture(scope="module", name="trained")
def trained_taggers():
    return [
        train_tagger(TASK, learn, steps=120, device="cpu", picture=False)
        for learn in (None, kl_consistency)
    ]


# --- the grammar ---------------------------------------------------------------------------------

# The same language written a second time, as a regular expression over words: (the folk's tag is
# given by the place in the sentence, so each way to cut a sentence into these parts is a reading).
THING = r"(?:D N|D J N|T F|U)"
PLACE = rf"P {THING}"
REST = rf"(?:{THING}|{PLACE}|R|{THING} R|{THING} {PLACE}|U V {THING})"
SENTENCE = re.compile(rf"D (?:J )?N (?:{PLACE} )?X V {REST}|(?:W|T F|T F {PLACE}) (?:X )?V {REST}")
LETTERS = {"D": "DET", "T": "DET", "N": "NOUN", "F": "NOUN", "J": "ADJ", "U": "PRON", "W": "PRON",
           "P": "ADP", "R": "ADV", "V": "VERB", "X": "AUX"}  # fmt: skip


def letters(word):
    """What a word can be, from its possible tags and a few lists."""
    special = {"the": "DT", "every": "D", "her": "DU", "they": "W", "we": "W"}
    if word in special:
        return special[word]
    of_tag = {"NOUN": "N", "PRON": "U", "ADJ": "J", "ADV": "R", "VERB": "V", "AUX": "X", "ADP": "P"}
    tags = possible_tags()[word]
    return "JF" if tags == ("ADJ", "NOUN") else "".join(of_tag[tag] for tag in tags)


def readings(sentence):
    """Every row of tags that the regular expression allows, by trying all."""
    for choice in itertools.product(*map(letters, sentence)):
        if SENTENCE.fullmatch(" ".join(choice)):
            yield tuple(LETTERS[letter] for letter in choice)


@pytest.mark.parametrize("part", PARTS)
def test_a_second_parser_finds_the_same_tags_and_no_others(part):
    for words, tags in zip(*PARTS[part], strict=True):
        assert set(readings(decode(words, TASK.vocabulary))) == {tuple(decode(tags, TAGS))}


def test_the_card_is_right():
    words = possible_tags()
    everything = torch.cat([TASK.unlabelled, *(part.words for part in PARTS.values())])
    assert (len(words), sum(len(tags) > 1 for tags in words.values())) == (93, 35)
    assert TASK.ambiguous.sum() == 35
    lengths = (everything != 0).sum(dim=1)
    assert lengths.min() >= 3
    assert lengths.max() <= everything.shape[1] == 16
    for words, tags in PARTS.values():
        assert torch.equal(words == 0, tags == NO_TAG)


def test_no_sentence_is_in_two_parts():
    everything = torch.cat([TASK.unlabelled, *(part.words for part in PARTS.values())])
    assert len(everything) == len(everything.unique(dim=0)) == 30 + 600 + 200 + 500


def test_the_words_kept_out_are_in_every_part_but_the_labelled_one():
    assert not TASK.unseen[TASK.labelled.words].any()
    out = TASK.unseen.nonzero()[:, 0]
    assert torch.isin(out, TASK.unlabelled).all()
    assert torch.isin(out, TASK.test.words).float().mean() > 0.9
    assert (TASK.unseen & TASK.ambiguous).sum() >= 10


def test_the_tag_of_most_ambiguous_words_is_not_known_without_context():
    words, tags = TASK.test
    for word in ("guard", "old", "her"):
        found = tags[words == TASK.vocabulary.index(word)]
        assert found.bincount().max() / len(found) < 0.9


def test_the_seed_alone_decides():
    again, other = tag_task(), tag_task(seed=1)
    assert torch.equal(again.test.words, TASK.test.words)
    assert not torch.equal(other.unseen, TASK.unseen)


def test_a_part_needs_a_sentence():
    with pytest.raises(ValueError, match="at least one"):
        tag_task(0)


# --- what each view sees -------------------------------------------------------------------------

LENGTH = 9
SEES = {
    "full": lambda t: range(LENGTH),
    "forward": lambda t: range(t + 1),
    "backward": lambda t: range(t, LENGTH),
    "future": lambda t: range(t),
    "past": lambda t: range(t + 1, LENGTH),
}


@pytest.mark.parametrize("view", SEES)
def test_a_view_depends_on_the_words_it_sees_and_on_no_other(tagger, view):
    words = torch.randint(1, len(TASK.vocabulary), (1, LENGTH))
    before = tagger(words, (view,))[view]
    for changed in range(LENGTH):
        other = words.clone()
        other[0, changed] = words[0, changed] % (len(TASK.vocabulary) - 1) + 1
        moved = (tagger(other, (view,))[view] != before).any(dim=2)[0]
        assert moved.tolist() == [changed in SEES[view](t) for t in range(LENGTH)]


@pytest.mark.parametrize("view", SEES)
def test_filling_up_and_company_change_nothing(tagger, view):
    lengths = [3, 7, 9, 1]
    rows = [torch.randint(1, len(TASK.vocabulary), (n,)) for n in lengths]
    batch = torch.zeros(len(rows), 12, dtype=torch.int64)
    for i, row in enumerate(rows):
        batch[i, : len(row)] = row
    together = tagger(batch, (view,))[view]
    for i, row in enumerate(rows):
        alone = tagger(row[None], (view,))[view][0]
        torch.testing.assert_close(together[i, : len(row)], alone, rtol=1e-10, atol=1e-12)


def test_an_unknown_view_is_told(tagger):
    with pytest.raises(ValueError, match="no view 'side'"):
        tagger(TASK.test.words[:2], ("side",))


# --- the loss ------------------------------------------------------------------------------------


def test_the_loss_is_the_sum_over_views_of_the_mean_over_words():
    torch.manual_seed(0)
    tagger = CrossViewTagger(len(TASK.vocabulary), dropout=0.0, word_dropout=0.0)
    words = TASK.unlabelled[:5]
    scores = tagger(words, ("full", *VIEWS))
    places = (words != 0).nonzero().tolist()
    terms = [
        kl_consistency(scores["full"][i, t][None], scores[view][i, t][None])
        for view in VIEWS
        for i, t in places
    ]
    expected = torch.stack(terms).sum() / len(places)
    torch.testing.assert_close(cross_view_loss(tagger, words, kl_consistency), expected)


def test_no_gradient_reaches_what_only_the_teacher_uses():
    tagger = CrossViewTagger(len(TASK.vocabulary))

    def leaky(teacher, student):  # an answer that forgets to detach
        assert not teacher.requires_grad
        difference = teacher.log_softmax(1) - student.log_softmax(1)
        return (teacher.softmax(1) * difference).sum(1).mean()

    cross_view_loss(tagger, TASK.unlabelled[:5], leaky).backward()
    for name, parameter in tagger.named_parameters():
        teacher_alone = name.startswith(("primary", "second"))
        assert (parameter.grad is None) == teacher_alone, name
        assert teacher_alone or parameter.grad.abs().sum() > 0, name


# --- training ------------------------------------------------------------------------------------


def test_cross_view_training_beats_labels_alone(trained):
    labels, crossed = trained
    assert labels.views.keys() == {"full"}
    assert crossed.views.keys() == {"full", *VIEWS}
    assert crossed.accuracy > labels.accuracy > 0.7
    assert crossed.unseen > labels.unseen + 0.05
    assert crossed.views["forward"] > crossed.views["future"] + 0.05
    assert crossed.views["backward"] > crossed.views["past"] + 0.05


def test_the_same_seed_gives_the_same_tagger(trained):
    again = train_tagger(TASK, steps=120, device="cpu", picture=False)
    assert again.accuracy == trained[0].accuracy
    assert again.history.series == trained[0].history.series


def test_measures_count_each_word_once(trained):
    tagger = trained[0].model.eval()
    right, ambiguous = [], []
    for words, tags in zip(*TASK.validation, strict=True):
        said = tagger(words[None])["full"][0].argmax(dim=1)
        for word, tag, answer in zip(words.tolist(), tags.tolist(), said.tolist(), strict=True):
            if tag != NO_TAG:
                right.append(tag == answer)
                if TASK.ambiguous[word]:
                    ambiguous.append(tag == answer)
    found = measure(tagger, TASK.validation, TASK)
    assert found["full"] == pytest.approx(sum(right) / len(right))
    assert found["ambiguous"] == pytest.approx(sum(ambiguous) / len(ambiguous))


def test_the_tables_say_what_was_measured(trained):
    assert f"{trained[1].unseen:.3g}" in repr(tagging_table(trained))
    assert [row["view"] for row in view_table(trained[1]).rows] == ["full", *VIEWS]


def test_the_sight_table_hides_what_a_view_does_not_see(trained):
    rows = {row["view"]: row for row in sight_table("the old guard the boat", "guard").rows}
    sentence = ["the", "old", "guard", "the", "boat"]
    for view, row in rows.items():
        sees = {"full": range(5), "forward": range(3), "backward": range(2, 5), "future": range(2),
                "past": range(3, 5)}[view]  # fmt: skip
        shown = [row[str(i + 1)].removesuffix("?") for i in range(5)]
        hidden = ["" if i == 2 else "░" for i in range(5)]
        assert shown == [w if i in sees else hidden[i] for i, w in enumerate(sentence)]
    answers = sight_table("the old guard the boat", "guard", trained[0]).rows
    assert [bool(row["answers"]) for row in answers] == [True, False, False, False, False]
    assert answers[0]["answers"].split()[0] in TAGS


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [("the old guard", "boat", "not a word of"), ("the odd guard", "guard", "of the grammar")],
)
def test_a_word_that_is_not_there_is_told(trained, text, word, message):
    with pytest.raises(ValueError, match=message):
        sight_table(text, word, trained[0])
