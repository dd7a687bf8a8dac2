"""The copies of the gradebook: one a day of grading, for a week, and nobody else's file goes."""

from __future__ import annotations

import sqlite3

import pytest

from genssl_utils.course.grade import backup
from genssl_utils.course.grade.backup import KEPT, keep_copy


@pytest.fixture
def book(tmp_path):
    """A gradebook with one number in it."""
    path = tmp_path / "gradebook.db"
    with sqlite3.connect(path) as db:
        db.execute("create table t (x)")
        db.execute("insert into t values (1)")
    db.close()
    return path


def number(path):
    with sqlite3.connect(path) as db:
        ((found,),) = db.execute("select x from t").fetchall()
    db.close()
    return found


def test_a_day_has_one_copy_of_how_the_gradebook_was_before(book, tmp_path):
    copy = keep_copy(tmp_path, f"sqlite:///{book}")
    with sqlite3.connect(book) as db:
        db.execute("update t set x = 2")
    db.close()
    assert keep_copy(tmp_path, f"sqlite:///{book}") == copy
    assert (number(copy), number(book)) == (1, 2)


def test_a_week_is_kept_and_files_of_others_stay(book, tmp_path):
    folder = tmp_path / "grading"
    folder.mkdir()
    old = [folder / f"gradebook-2020-01-{day:02}.db" for day in range(1, 11)]
    others = [folder / "gradebook-0.db", folder / "gradebook-before-the-exam.db"]
    for path in (*old, *others):
        path.write_text("")
    copy = keep_copy(tmp_path, f"sqlite:///{book}")
    assert set(folder.glob("*.db")) == {copy, *old[-(KEPT - 1) :], *others}


def test_what_cannot_be_copied_is_left_to_the_recorder(book, tmp_path):
    assert keep_copy(tmp_path, "postgresql://somewhere/gradebook") is None
    assert keep_copy(tmp_path, f"sqlite:///{tmp_path / 'none.db'}") is None
    book.write_bytes(b"no database at all" * 100)
    assert keep_copy(tmp_path, f"sqlite:///{book}") is None
    assert not list((tmp_path / backup.FOLDER).iterdir())
