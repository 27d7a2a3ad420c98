"""Every bad file of the corpus, with all the problems that are expected of it, word for word.

After a change of words, run `python tests/scenario/test_corpus.py` to write the `.expected` files again, and read the
difference before you commit it.
"""

from collections.abc import Callable
from dataclasses import replace
from os.path import relpath
from pathlib import Path

import pytest

from chaoskit.errors import InvalidFile
from chaoskit.scenario import load, load_manifest

CORPUS = Path(__file__).parent / "corpus"
TARGETS = Path(__file__).parent / "targets"
SCENARIOS = sorted(CORPUS.glob("*.yaml"))
MANIFESTS = sorted((CORPUS / "manifests").glob("*.yaml"))


def problems_of(path: Path) -> str:
    """Return the problems of a bad file, one a line, with paths seen from the corpus."""
    read: Callable[[], object] = lambda: load_manifest(path)  # noqa: E731 - two ways to read, one call
    if path.parent == CORPUS:
        read = lambda: load(path, search=[TARGETS])  # noqa: E731
    try:
        read()
    except InvalidFile as error:
        seen = [replace(problem, file=relpath(problem.file, path.parent)) for problem in error.problems]
        return "".join(f"{problem}\n" for problem in seen)
    return "no problem\n"


def test_corpus_is_large() -> None:
    assert len(SCENARIOS) >= 40
    assert len(MANIFESTS) >= 10


@pytest.mark.parametrize("path", [*SCENARIOS, *MANIFESTS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_problems_are_the_expected_ones(path: Path) -> None:
    assert problems_of(path) == path.with_suffix(".expected").read_text()


if __name__ == "__main__":
    for bad in [*SCENARIOS, *MANIFESTS]:
        bad.with_suffix(".expected").write_text(problems_of(bad))
