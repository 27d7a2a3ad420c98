"""The tree in the docstring of `chaoskit.errors` is the tree of the classes."""

import re
from collections.abc import Iterator

import pytest

from chaoskit import errors
from chaoskit.cli.exit_codes import ExitCode, of_error


def tree(kind: type[errors.ChaoskitError]) -> Iterator[type[errors.ChaoskitError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


def test_every_error_stands_in_the_drawn_tree() -> None:
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in tree(errors.ChaoskitError) if not re.search(rf"\b{kind.__name__}\b", drawn)] == []


@pytest.mark.parametrize("kind", [kind for kind in tree(errors.ChaoskitError) if kind is not errors.ChaoskitError])
def test_every_error_has_an_exit_code_of_its_own_kind(kind: type[errors.ChaoskitError]) -> None:
    error = errors.InvalidFile([]) if kind is errors.InvalidFile else kind("a sentence")
    assert of_error(error) is not ExitCode.INTERNAL_ERROR
