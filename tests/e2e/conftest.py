"""Whole runs on the built-in exchange, for tests that judge what the toolkit says of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from chaoskit import plan as planning
from chaoskit.runner.live import NoWatcher
from chaoskit.runner.run import Outcome, RunRequest, play
from chaoskit.runner.stop import Stop
from chaoskit.scenario import load

Day = dict[str, Any]

TRIES = 3
DISTURBED = {"gate", "generator lag", "generator cpu", "generator loop", "host cpu"}
"""Checks that fail where the machine is busy with something else: the run says itself that it proves nothing."""


def day(settings: Mapping[str, object] | None = None, **changes: Any) -> Day:  # noqa: ANN401 - any YAML
    """Return a short surge on the exchange: trading 10 → 200 a second, positions 4 → 400."""
    scenario: Day = {
        "version": 1,
        "name": "planted",
        "seed": 11,
        "steady_tolerance": "80%",
        "target": {"use": "exchange", "regions": ["us-east-1"], "settings": dict(settings or {})},
        "load": {
            "trading": {"flow": "trade", "rate": "10/s"},
            "positions": {"flow": "positions", "rate": "4/s"},
        },
        "phases": [
            {"warmup": {"for": "1s"}},
            {"baseline": {"for": "5s"}},
            {"surge": {"for": "8s", "ramp": "2s", "multiply": {"trading": 20, "positions": 100}}},
        ],
    }
    return scenario | changes


@pytest.fixture
def played(tmp_path: Path) -> Callable[[Day], Any]:
    """Play a scenario and return its outcome; a play that the machine disturbed is played again, twice at most."""

    async def run(scenario: Day) -> Outcome:
        file = tmp_path / f"{scenario['name']}.yaml"
        YAML().dump(scenario, file)
        plan = planning.build(load(file))
        for _ in range(TRIES):
            request = RunRequest(plan, file.read_text(), tmp_path / "reports", {})
            outcome = await play(request, NoWatcher(), Stop())
            if not any(check.name in DISTURBED and not check.ok for check in outcome.result.validity):
                break
        return outcome

    return run
