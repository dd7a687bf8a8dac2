"""The tables and pictures of unit 04 have the truth that the unit says they have."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from genssl_utils.adversarial_debiasing import census, gallery, hiring, toy
from genssl_utils.adversarial_debiasing.persons import PERSONS, draw_persons

ROWS = 40_000


# ---- the toy of the paper


def test_the_toy_has_the_moments_of_the_paper():
    records = toy(ROWS)
    u, s = records.x.T
    assert torch.equal(s, records.s.float())
    for group in (0, 1):
        inside = u[records.s == group]
        assert float(inside.mean()) == pytest.approx(group, abs=0.06)  # 6 standard errors
        assert float(inside.var()) == pytest.approx(2, abs=0.12)
    # P(y = 1 | s) = Φ(s / √2): ½, and 0.7602
    assert float(records.y[records.s == 0].float().mean()) == pytest.approx(0.5, abs=0.02)
    assert float(records.y[records.s == 1].float().mean()) == pytest.approx(0.7602, abs=0.02)


def test_the_proxy_less_the_group_is_the_same_in_both_groups():
    records = toy(ROWS)
    fair = (records.x[:, 0] - records.x[:, 1]).numpy()
    at_1 = records.s.numpy() == 1
    assert ks_2samp(fair[at_1], fair[~at_1]).pvalue > 1e-6
    proxy = records.x[:, 0].numpy()
    assert ks_2samp(proxy[at_1], proxy[~at_1]).pvalue < 1e-6


# ---- the hiring records


def test_only_the_record_is_biased():
    records = hiring(ROWS)
    share = [
        [float(label[records.s == g].float().mean()) for g in (0, 1)]
        for label in (records.deserved, records.y)
    ]
    assert share[0] == pytest.approx([0.5, 0.5], abs=0.02)
    # merit + 0.3 luck has variance 1.34: P(above a bar of 1) = 0.1938
    assert share[1] == pytest.approx([0.1938, 0.5], abs=0.02)


def test_without_a_penalty_the_record_is_fair():
    records = hiring(ROWS, penalty=0.0)
    share = [float(records.y[records.s == g].float().mean()) for g in (0, 1)]
    assert share == pytest.approx([0.5, 0.5], abs=0.02)


def test_a_column_is_taken_out_and_no_other():
    records = hiring(50)
    less = records.without("group")
    assert less.names == records.names[:-1]
    assert torch.equal(less.x, records.x[:, :-1])
    assert torch.equal(records.without("effort").x[:, 1], records.x[:, 2])
    with pytest.raises(ValueError, match="no column 'age'"):
        records.without("age")


@pytest.mark.parametrize("make", [toy, hiring, gallery])
def test_a_seed_gives_one_table_and_another_seed_another(make):
    first, again, other = make(30, seed=4), make(30, seed=4), make(30, seed=5)
    assert torch.equal(first.x, again.x)
    assert not torch.equal(first.x, other.x)
    with pytest.raises(ValueError, match="at least 1"):
        make(0)


# ---- the census, through scikit-learn's own reader, on a small made table of the same format

KINDS = {
    "age": "numeric",
    "workclass": "{Private, State-gov, Never-worked}",
    "hours-per-week": "numeric",
    "sex": "{Female, Male}",
    "class": "{>50K, <=50K}",
}


def made_rows(rows: int = 240) -> list[list[str]]:
    """Entries as OpenML's file writes them; a missing one is a question mark."""
    draw = np.random.default_rng(0)
    made = []
    for _ in range(rows):
        man = draw.random() < 0.6
        work = "?" if draw.random() < 0.1 else str(draw.choice(["Private", "State-gov"]))
        label = ">50K" if draw.random() < (0.4 if man else 0.2) else "<=50K"
        sex = "Male" if man else "Female"
        made.append([str(draw.integers(17, 90)), work, str(draw.integers(1, 99)), sex, label])
    return made


@pytest.fixture
def made(monkeypatch, tmp_path) -> list[list[str]]:
    """OpenML's answers about the made table: its search, its description, its columns, the file."""
    rows = made_rows()
    columns = [
        {
            "index": str(i),
            "name": name,
            "data_type": "numeric" if kind == "numeric" else "nominal",
            "is_target": str(name == "class").lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": str(sum(row[i] == "?" for row in rows)),
        }
        for i, (name, kind) in enumerate(KINDS.items())
    ]
    heads = [f"@ATTRIBUTE {name} {kind}" for name, kind in KINDS.items()]
    lines = ["@RELATION adult", *heads, "@DATA", *(",".join(row) for row in rows)]
    arff = "\n".join(lines).encode()
    about = {
        "id": "1590", "name": "adult", "version": "2", "format": "ARFF", "status": "active",
        "description": "made", "url": "https://api.openml.org/data/v1/download/1/adult.arff",
        "file_id": "1", "md5_checksum": hashlib.md5(arff).hexdigest(),
    }  # fmt: skip
    count = {"name": "NumberOfInstances", "value": str(len(rows))}
    answers = {
        "/data/list/": {"data": {"dataset": [{"did": 1590, "version": 2, "status": "active"}]}},
        "/data/features/": {"data_features": {"feature": columns}},
        "/data/qualities/": {"data_qualities": {"quality": [count]}},
        "/json/data/": {"data_set_description": about},
    }

    class Answer(io.BytesIO):
        def info(self) -> dict[str, str]:
            return {}

    def urlopen(request, *args, **kwargs):
        known = [v for part, v in answers.items() if part in request.full_url]
        return Answer(json.dumps(known[0]).encode() if known else arff)

    monkeypatch.setattr("sklearn.datasets._openml.urlopen", urlopen)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    return rows


def test_the_census_is_read_whole(made):
    train, test = census.people("full")
    assert len(train) + len(test) == len(made)
    assert len(test) == pytest.approx(len(made) / 3, abs=1)
    assert train.names == test.names
    assert train.names[-1] == "group"
    assert not any(name.startswith(("sex", "class")) for name in train.names)
    earns = int(train.y.sum() + test.y.sum())
    assert earns == sum(row[-1] == ">50K" for row in made)
    assert int(train.s.sum() + test.s.sum()) == sum(row[-2] == "Male" for row in made)
    assert torch.isfinite(train.x).all()
    assert torch.isfinite(test.x).all()


def test_the_census_is_standardised_by_its_training_rows(made):
    train, test = census.adult()
    age = train.names.index("age")
    assert float(train.x[:, age].mean()) == pytest.approx(0, abs=1e-5)
    assert float(train.x[:, age].std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert abs(float(test.x[:, age].mean())) > 1e-4
    # a missing entry is a category of its own, and each row has one category
    work = [i for i, name in enumerate(train.names) if name.startswith("workclass")]
    gone = train.names.index("workclass: missing")
    missing = float(train.x[:, gone].sum() + test.x[:, gone].sum())
    assert missing == sum(row[1] == "?" for row in made) > 0
    assert torch.equal(train.x[:, work].sum(1), torch.ones(len(train)))


def test_both_halves_of_the_census_have_the_same_groups(made):
    train, test = census.adult()
    for column in ("y", "s"):
        shares = [float(getattr(half, column).float().mean()) for half in (train, test)]
        assert shares[0] == pytest.approx(shares[1], abs=0.03)


# ---- the drawn persons


def drawn(who: int, nuisance: tuple[int, int, int]) -> torch.Tensor:
    """One picture, with the same place and grain whatever is drawn, (16, 16)."""
    draw = torch.Generator().manual_seed(0)
    return draw_persons(torch.tensor([who]), torch.tensor([nuisance]), draw)[0].view(16, 16)


@pytest.mark.parametrize("who", range(PERSONS))
def test_a_nuisance_changes_its_own_part_of_the_picture(who):
    plain = drawn(who, (0, 0, 0))
    striped, bearded, turned = (drawn(who, k) for k in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert torch.equal(striped[:4], plain[:4])  # clothes are no part of the head
    assert (striped - plain).abs().max() > 0.2
    assert torch.equal(bearded[9:], plain[9:])  # a beard ends above the waist
    assert (bearded - plain).abs().max() > 0.1
    middle = torch.arange(16.0)
    at = [
        float((p[:4].clamp(min=0) * middle).sum() / p[:4].clamp(min=0).sum())
        for p in (plain, turned)
    ]
    assert at[1] > at[0]  # the head leans to the right


def test_persons_differ_more_than_the_grain():
    pictures = torch.stack([drawn(who, (0, 0, 0)) for who in range(PERSONS)]).flatten(1)
    apart = torch.cdist(pictures, pictures) + 1e9 * torch.eye(PERSONS)
    assert float(apart.min()) > 0.3


def test_who_it_is_says_nothing_of_the_nuisances():
    shown = gallery(6000)
    for column in shown.nuisance.T:
        shares = [float(column[shown.who == who].float().mean()) for who in range(PERSONS)]
        assert shares == pytest.approx([0.5] * PERSONS, abs=0.14)  # 6 standard errors
