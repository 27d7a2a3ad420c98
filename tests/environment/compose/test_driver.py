"""The compose driver on a real engine."""

import os
from contextlib import AsyncExitStack
from pathlib import Path

import docker
import httpx
import pytest

from chaoskit.clock import Clock
from chaoskit.environment import Workspace
from chaoskit.environment.compose import ComposeDriver
from chaoskit.errors import SetupFailed, UsageError
from chaoskit.plan.model import PlannedFault
from chaoskit.runner.recorder import Discard
from chaoskit.runner.stage import bring_up_target
from tests.environment.compose.conftest import everything_of, plan_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
DOWN = PlannedFault("down", "down", "", {}, ("front->store",), None, None, "surge", 0.0, 1.0)


async def status_of(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url, timeout=10)).status_code


class Quiet:
    def stage(self, sentence: str) -> None: ...

    def update(self, snapshot: object) -> None: ...


async def test_a_link_is_re_pointed_and_a_fault_on_it_takes(
    bazaar: Path, tmp_path: Path, engine: docker.DockerClient
) -> None:
    run_id = os.urandom(4).hex()
    logs = tmp_path / "logs"
    logs.mkdir()
    async with AsyncExitStack() as undo:
        target = await bring_up_target(plan_of(bazaar), run_id, logs, Discard(Clock.starting_now()), Quiet(), undo)
        assert set(target.driver.instances) == {"front", "store"}
        entry = f"http://{target.layout.links['client->front'].listen}/"
        assert await status_of(entry) == 200
        await target.faults.inject(DOWN)
        assert await status_of(entry) == 502
        await target.faults.heal()
        assert await status_of(entry) == 200
        assert (
            len(everything_of(engine, run_id)) == 5
        )  # two containers, a network of the file's and one of the link's, a volume
    assert everything_of(engine, run_id) == []
    assert (logs / "front.log").exists()


async def test_a_service_that_dies_at_start_says_why(bazaar: Path, workspace: Workspace) -> None:
    (bazaar / "store.py").write_text("raise SystemExit('no licence found')")
    driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"(?s)store did not come up: it exited with 1.*no licence found"):
        await driver.start()


async def test_a_file_that_compose_refuses_is_a_sentence(bazaar: Path, workspace: Workspace) -> None:
    plan = plan_of(bazaar)
    (bazaar / "docker-compose.yaml").write_text("services: {store: {imag: x}}\n")
    with pytest.raises(UsageError, match=r"docker-compose.yaml is no valid compose file: .*imag"):
        await ComposeDriver(plan, workspace, workspace.folder / "logs", print).prepare()
