"""What is shown of a student's work without saying whose it is."""

from __future__ import annotations

import ast
import hmac
import re
from collections.abc import Iterable

BLANK = "…"
"""Stands where a text of the student's own was."""

_HARMLESS = re.compile(r"[a-z0-9_,.:;=<>+*/%-]{0,20}")
_OF_A_FILE = re.compile(
    r"^.*(?= is (?:a link|a hard link|no regular file|not a regular file|not a folder|larger than))"
)


def labels(students: Iterable[str], secret: bytes) -> dict[str, str]:
    """A label for each student, in an order that nobody can tell without the course's secret.

    Example:
        >>> sorted(labels(["ada", "ben"], b"secret").values())
        ['s01', 's02']
    """

    def place(student: str) -> str:
        return hmac.new(secret, f"report {student}".encode(), "sha256").hexdigest()

    ordered = sorted(students, key=place)
    width = max(2, len(str(len(ordered))))
    return {student: f"s{number:0{width}}" for number, student in enumerate(ordered, 1)}


def without_names(reason: str, student: str) -> str:
    """A line about a submission without the names of its files and folders.

    Example:
        >>> without_names("the notebook was called ada.ipynb", "ada")
        'the notebook was called something else'
        >>> without_names("ada is a link, and links are not followed", "ada")
        'what was handed in is a link, and links are not followed'
    """
    text = re.sub(r"(?<=was called ).*", "something else", reason, flags=re.S)
    text = _OF_A_FILE.sub("what was handed in", text)
    return _mention(student).sub("the student", text) if len(student) > 2 else text


def names_one_of(text: str, author: str, students: Iterable[str]) -> bool:
    """Whether a text mentions a student by the id, or its author by a part of it.

    Example:
        >>> names_one_of("def lovelace_loss(x): ...", "ada.lovelace", ["ben"])
        True
    """
    parts = [part for part in re.split(r"[\W_\d]+", author) if len(part) > 3]
    return any(_mention(name).search(text) for name in (*students, author, *parts))


def _mention(student: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(student)}(?![^\W_])", re.I)


def bare(source: str) -> str:
    """Code without comments, docstrings and texts, in which a name may stand.

    Short texts in small letters stay, since code may need them ("mean", "ij,jk->ik").

    Raises:
        SyntaxError: it is no Python.

    Example:
        >>> print(bare("def f(x):  # by Ada\\n    print('Ada')\\n    return x.to('cpu')"))
        def f(x):
            print('…')
            return x.to('cpu')
    """
    try:
        tree = _Bare().visit(ast.parse(source))
        return ast.unparse(ast.fix_missing_locations(tree))
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError("it cannot be read") from error


class _Bare(ast.NodeTransformer):
    """Blanks texts, and drops those that stand alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | bytes)
        return ast.Pass() if alone else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and not _HARMLESS.fullmatch(node.value):
            return ast.Constant(BLANK)
        return ast.Constant(b"") if isinstance(node.value, bytes) else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and len(body) > 1:
            node.body = [s for s in body if not isinstance(s, ast.Pass)] or [ast.Pass()]
        return node
