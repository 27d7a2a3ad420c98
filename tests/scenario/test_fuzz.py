"""Whatever stands in a file, loading it ends in a scenario or in a list of problems, never in a traceback."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaoskit.errors import InvalidFile, Problem
from chaoskit.scenario import load, load_manifest
from chaoskit.scenario.document import parse

HERE = Path(__file__).parent
TARGETS = HERE / "targets"
SEEDS = [(HERE / "good" / name).read_text() for name in ("full.yaml", "external.yaml")]
MANIFEST = (TARGETS / "shop" / "target.yaml").read_text()
ODD = [
    "",
    "~",
    "5",
    "-1",
    "1e999",
    "'5'",
    "true",
    "[]",
    "{}",
    "[1, [2]]",
    "{a: {b: c}}",
    "x" * 300,
    "surge",
    "0s",
    "9h",
    "&a [*a]",
]
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(path: Path, content: bytes) -> None:
    """Load `content` as a scenario and as a manifest; a problem has a place in the file and is told in one line."""
    path.write_bytes(content)
    for problems in (problems_of(lambda: load(path, search=[TARGETS])), problems_of(lambda: load_manifest(path))):
        for problem in problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert 10 < len(problem.message) < 1000
            assert problem.message.isprintable()
            assert "pydantic" not in problem.message
            assert "Input should" not in problem.message


def problems_of(read: Callable[[], object]) -> Sequence[Problem]:
    """Return the problems that reading finds, at least one if it fails; none if it does not."""
    try:
        read()
    except InvalidFile as error:
        return error.problems or [Problem("", 0, 0, "")]
    return ()


@FUZZ
@given(content=st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    outcome(tmp_path / "any.yaml", content)


@FUZZ
@given(text=st.text(alphabet="abc:-[]{}&*!|>'\"#%@,? \n\t\\0123", max_size=200))
def test_any_text_of_yaml_signs(tmp_path: Path, text: str) -> None:
    outcome(tmp_path / "any.yaml", text.encode())


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("seed", [*SEEDS, MANIFEST], ids=["full", "external", "manifest"])
def test_a_good_file_with_a_value_replaced(tmp_path: Path, seed: str, data: st.DataObject) -> None:
    lines = seed.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    key, colon, value = lines[index].partition(":")
    choice = data.draw(st.sampled_from(["value", "key", "drop", "double", "cut"]))
    odd = data.draw(st.sampled_from(ODD))
    changed = {
        "value": [f"{key}: {odd}"],
        "key": [f"{odd}{colon}{value}"],
        "drop": [],
        "double": [lines[index]] * 2,
        "cut": [lines[index][: data.draw(st.integers(0, len(lines[index])))]],
    }[choice]
    outcome(tmp_path / "any.yaml", "\n".join([*lines[:index], *changed, *lines[index + 1 :]]).encode())


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(ODD) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ["target", "load", "phases", "faults", "objectives", "abort_when", "expect", "generator", "seed", "toxiproxy"]


@FUZZ
@given(key=st.sampled_from(KEYS), value=NESTED)
def test_any_value_under_any_key(tmp_path: Path, key: str, value: object) -> None:
    document, _ = parse(SEEDS[0], "seed")
    assert isinstance(document.data, dict)
    outcome(tmp_path / "any.yaml", flow_style({**document.data, key: value}).encode("utf-8", "replace"))


def flow_style(value: object) -> str:
    """Return `value` as YAML in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow_style(str(key))}: {flow_style(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow_style(item) for item in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return {"None": "~", "True": "true", "False": "false", "inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(
        str(value), str(value)
    )
