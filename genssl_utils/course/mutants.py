"""Machine-made mutants of a reference answer: they measure whether its checks can fail.

A mutant is the answer with one operator swapped, one constant moved, one term, one `detach` or
one `dim` dropped. The checks should reject at least 95 % of those that change behaviour; the
rest is explained by name in the unit's `SURVIVORS`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from genssl_utils.course.source import Exercise

_SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_RENAMES = {
    "mean": "sum",
    "sum": "mean",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "softmax": "log_softmax",
    "log_softmax": "softmax",
    "exp": "log",
    "log": "exp",
    "clamp": "clamp_max",
}
_DROPPED_CALLS = {"detach", "clamp", "clone", "to", "double", "float", "exp", "log", "abs"}


@dataclass(frozen=True)
class Mutant:
    """One changed answer; `name` says what was changed."""

    name: str
    source: str

    def function(self, exercise: Exercise, namespace: dict[str, Any]) -> Callable:
        """The mutated answer, defined among the unit's own names."""
        scope = dict(namespace)
        exec(compile(self.source, f"<mutant {self.name}>", "exec"), scope)
        return scope[exercise.name]


def mutants(exercise: Exercise) -> list[Mutant]:
    """All mutants of an answer, each of another source than the answer, in a stable order."""
    tree = ast.parse(exercise.answer.source)
    unchanged, found = ast.unparse(tree), {}
    count = sum(1 for _ in ast.walk(tree))
    for index in range(count):
        for what, change in _changes(list(ast.walk(tree))[index]):
            mutated = copy.deepcopy(tree)
            target = list(ast.walk(mutated))[index]
            replacement = change(target)
            if replacement is not target:
                mutated = _Replace(target, replacement).visit(mutated)
            source = ast.unparse(ast.fix_missing_locations(mutated))
            if source != unchanged and source not in found:
                found[source] = Mutant(f"{exercise.name}: {what}", source)
    return list(found.values())


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self.replacement if node is self.target else super().visit(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    """What can be changed at one node: a description and an in-place or replacing change."""
    text = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in _SWAPS:
        yield f"swap operator in `{text}`", _set_operator
    if isinstance(node, ast.BinOp):
        yield f"keep the left of `{text}`", lambda n: n.left
        yield f"keep the right of `{text}`", lambda n: n.right
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
        yield f"swap comparison in `{text}`", _set_comparison
    if isinstance(node, ast.UnaryOp):
        yield f"drop the sign of `{text}`", lambda n: n.operand
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield f"move the constant {node.value}", _move_constant
    if isinstance(node, ast.Call):
        yield from _call_changes(node, text)
    if isinstance(node, ast.If):
        yield f"never `{ast.unparse(node.test)}`", _never
    if isinstance(node, ast.Raise):
        yield "pass instead of raise", lambda n: ast.Pass()


def _call_changes(node: ast.Call, text: str) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if method in _DROPPED_CALLS and not _is_module(node.func):
        yield f"drop .{method}() of `{text}`", lambda n: n.func.value
    elif method in _DROPPED_CALLS and node.args:
        yield f"drop {method} of `{text}`", lambda n: n.args[0]
    if method in _RENAMES:
        yield f"{method} becomes {_RENAMES[method]} in `{text}`", _rename
    for i, word in enumerate(node.keywords):
        yield f"drop {word.arg}= of `{text}`", lambda n, i=i: n.keywords.pop(i) and n
    if len(node.args) > 1:
        yield f"drop the last argument of `{text}`", lambda n: n.args.pop() and n


def _is_module(function: ast.Attribute) -> bool:
    return isinstance(function.value, ast.Name) and function.value.id in ("torch", "math", "F")


def _set_operator(node: ast.BinOp | ast.BoolOp) -> ast.AST:
    node.op = _SWAPS[type(node.op)]()
    return node


def _set_comparison(node: ast.Compare) -> ast.AST:
    node.ops[0] = _SWAPS[type(node.ops[0])]()
    return node


def _move_constant(node: ast.Constant) -> ast.AST:
    node.value = node.value + 1
    return node


def _rename(node: ast.Call) -> ast.AST:
    node.func.attr = _RENAMES[node.func.attr]
    return node


def _never(node: ast.If) -> ast.AST:
    node.test = ast.Constant(value=False)
    return node
