"""Whole runs in containers: what is saved, and what is left, when all goes well and when the engine does not."""

from pathlib import Path

import docker
import pytest

from chaoskit import plan as planning
from chaoskit.analysis.result import Verdict
from chaoskit.environment import with_driver
from chaoskit.environment.docker import remains
from chaoskit.plan.model import Plan
from chaoskit.runner.live import NoWatcher, Snapshot
from chaoskit.runner.run import RunRequest, play
from chaoskit.runner.stop import Stop
from chaoskit.scenario import load
from tests.environment.docker.conftest import Relay

pytestmark = pytest.mark.docker
DAY = """\
version: 1
name: contained
target:
  use: {target}
  limits: {{front: {{cpus: 0.5, memory: 128MB}}}}
load: {{asking: {{request: {{path: /ready}}, rate: 40/s}}}}
phases: [baseline: {{for: 3s}}, surge: {{for: 2s, multiply: 2}}]
objectives: [errors < 50%]
"""


@pytest.fixture
def plan(target: Path, tmp_path: Path) -> Plan:
    day = tmp_path / "day.yaml"
    day.write_text(DAY.format(target=target))
    return with_driver(planning.build(load(day)), "docker")


async def test_a_run_is_observed_and_leaves_nothing(plan: Plan, tmp_path: Path, engine: docker.DockerClient) -> None:
    outcome = await play(RunRequest(plan, "", tmp_path / "reports", {}), NoWatcher(), Stop())
    assert outcome.restore_error is None
    assert outcome.result.provenance["engine"]["kind"] == "docker"
    assert outcome.result.provenance["images"]["front"]["digest"].startswith("sha256:")
    assert [(one.id, one.setting) for one in plan.resources] == [("tiny/front.cpu", "0.5")]
    usage = [one.cpu_s for one in outcome.history.usage if one.source == "front"]
    assert usage[-1] > usage[0] > 0
    assert (outcome.folder.logs / "front.log").exists()
    assert remains.find(engine, outcome.folder.run_id) == []


class Closing(NoWatcher):
    """Asks for the relay to be closed once the run has played for a while."""

    def __init__(self, relay: Relay, at_s: float) -> None:
        self._relay = relay
        self._at_s = at_s

    def update(self, snapshot: Snapshot) -> None:
        if snapshot.t_s >= self._at_s:
            self._relay.ask_to_close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's, where it cannot connect
async def test_an_engine_that_stops_ends_the_run_which_is_reported(
    plan: Plan, tmp_path: Path, relay: Relay, engine: docker.DockerClient
) -> None:
    outcome = await play(RunRequest(plan, "", tmp_path / "reports", {}), Closing(relay, 1.0), Stop())
    assert outcome.result.verdict is Verdict.ABORTED
    assert any("the Docker engine has stopped" in reason for reason in outcome.result.reasons)
    assert "`chaoskit clean` removes them" in str(outcome.restore_error)
    left = remains.find(engine, outcome.folder.run_id)
    assert left
    for remnant in left:
        remnant.remove(engine)
