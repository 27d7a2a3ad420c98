"""The JSON Schema is kept as a golden file; `pytest --update-golden` writes it again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chaoskit.scenario import list_scenarios, schema, target_schema
from chaoskit.scenario.document import read

HERE = Path(__file__).parent
GOOD = [*sorted((HERE / "good").glob("*.yaml")), *(listed.path for listed in list_scenarios())]
CORPUS = sorted((HERE / "corpus").glob("*.yaml"))
UNSEEN_BY_A_SCHEMA = {
    "code-missing",
    "double-key",
    "driver-compose",
    "driver-external",
    "duration-huge",
    "duration-zero",
    "expect-unknown",
    "fault-jitter",
    "fault-link",
    "finding-names",
    "flow-unknown",
    "hosts",
    "limits-external",
    "limits-names",
    "locustfile-without-users",
    "messages-without-subscribers",
    "not-a-number",
    "objective-names",
    "phase-twice",
    "ratio-forms",
    "regions-same",
    "settings",
    "stream-names",
    "subscribe-bounds",
    "target-no-file",
    "target-placement",
    "target-unknown",
    "too-many-arrivals",
    "upstreams",
    "upstreams-use",
}


def _dump(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


@pytest.mark.parametrize(("name", "content"), [("scenario", schema()), ("target", target_schema())])
def test_the_golden_schema_is_fresh(golden: Callable[[str, str], None], name: str, content: dict[str, Any]) -> None:
    golden(f"{name}.schema.json", _dump(content))
    jsonschema.Draft202012Validator.check_schema(content)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_scenarios_fulfil_the_schema(path: Path) -> None:
    jsonschema.Draft202012Validator(schema()).validate(read(path)[0].data)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_bad_scenarios_break_the_schema_unless_it_cannot_see_why(path: Path) -> None:
    valid = jsonschema.Draft202012Validator(schema()).is_valid(read(path)[0].data)
    assert valid == (path.stem in UNSEEN_BY_A_SCHEMA)


def test_the_test_target_fulfils_the_schema() -> None:
    path = HERE / "targets" / "shop" / "target.yaml"
    jsonschema.Draft202012Validator(target_schema()).validate(read(path)[0].data)
