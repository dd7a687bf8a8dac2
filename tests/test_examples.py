"""The examples of docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import genssl_utils

MODULES = [
    found.name
    for found in pkgutil.walk_packages(genssl_utils.__path__, "genssl_utils.")
    if not found.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    with_examples = [
        one
        for name in MODULES
        for one in finder.find(importlib.import_module(name))
        if one.examples
    ]
    assert len(with_examples) > 50
