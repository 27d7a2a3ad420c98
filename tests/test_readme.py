"""What the README shows is valid, and says the exit codes that there are."""

import re
import textwrap
from pathlib import Path

import pytest

from chaoskit import plan as planning
from chaoskit.cli.exit_codes import ExitCode
from chaoskit.scenario import load
from chaoskit.scenario.faults import KINDS

README = (Path(__file__).parents[1] / "README.md").read_text()
SCENARIOS = [
    textwrap.dedent(block)
    for block in re.findall(r"^ *```yaml\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
    if "version: 1" in block and "load:" in block
]
LOCUSTFILE = (
    "from locust import HttpUser, task\n\n\nclass Shopper(HttpUser):\n    @task\n    def look(self):\n        pass\n"
)


def test_the_readme_shows_scenarios() -> None:
    assert len(SCENARIOS) >= 2


@pytest.mark.parametrize("text", SCENARIOS, ids=lambda text: str(re.findall(r"^name: (\S+)", text, re.MULTILINE)[0]))
def test_every_scenario_of_the_readme_can_be_planned(text: str, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    (tmp_path / "day.yaml").write_text(text)
    plan = planning.build(load(tmp_path / "day.yaml"))
    assert plan.objectives


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_listed(kind: str) -> None:
    (section,) = re.findall(r"^## Faults\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    assert f"`{kind}`" in section


@pytest.mark.parametrize("code", list(ExitCode), ids=lambda code: code.name)
def test_every_exit_code_is_explained(code: ExitCode) -> None:
    assert re.search(rf"^\| {code.value} \| {code.name[:3].lower()}", README, re.MULTILINE | re.IGNORECASE)
