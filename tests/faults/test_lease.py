import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from chaoskit.faults.contract import Toxic
from chaoskit.faults.lease import Lease
from chaoskit.faults.server import ProxyServer
from tests.faults.support import free_address, upstream

NAME = "run-1.gateway->positions"
RUNNER = """
import asyncio, sys
from pathlib import Path
from chaoskit.address import Address
from chaoskit.faults.lease import Lease

async def main(file, url, name, listen, upstream):
    lease = await Lease.start(Path(file))
    lease.cover(url, [(name, Address.parse(listen), Address.parse(upstream))])
    print(lease.process_id, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_killed_runner_leaves_clean_links(server: ProxyServer, tmp_path: Path) -> None:
    file, listen = tmp_path / "lease.json", free_address()
    async with upstream("http") as behind:
        await server.client.create(NAME, listen, behind)
        runner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUNNER, str(file), server.url, NAME, str(listen), str(behind),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert runner.stdout is not None
        lease_id = int(await runner.stdout.readline())
        await server.client.add_toxic(NAME, "black", Toxic("timeout", {"timeout": 0}))
        await server.client.set_enabled(NAME, False)
        runner.send_signal(signal.SIGKILL)
        await runner.wait()
        await _ended(lease_id)
        found = await server.client.find(NAME)
        assert found is not None
        assert (found.enabled, found.toxics) == (True, ())
        assert json.loads(file.read_text())["restored"] is True


async def test_a_lease_that_is_released_touches_nothing(server: ProxyServer, tmp_path: Path) -> None:
    file, listen = tmp_path / "lease.json", free_address()
    await server.client.create(NAME, listen, free_address())
    lease = await Lease.start(file)
    lease.cover(server.url, [(NAME, listen, free_address())])
    await server.client.add_toxic(NAME, "slow", Toxic("latency", {"latency": 1}))
    await lease.release()
    await lease.release()
    assert not file.exists()
    assert (await server.client.list())[NAME].toxics == ("slow",)


async def test_a_lease_that_is_abandoned_restores_what_it_covers(server: ProxyServer, tmp_path: Path) -> None:
    file, listen, behind = tmp_path / "lease.json", free_address(), free_address()
    await server.client.create(NAME, listen, behind)
    lease = await Lease.start(file)
    lease.cover(server.url, [(NAME, listen, behind)])
    await server.client.add_toxic(NAME, "slow", Toxic("latency", {"latency": 1}))
    await lease.abandon()
    assert json.loads(file.read_text())["restored"] is True
    assert (await server.client.list())[NAME].toxics == ()
    await lease.release()
    assert not file.exists()


@pytest.mark.parametrize(("exit_code", "restored"), [(0, True), (3, False)])
async def test_an_abandoned_lease_releases_the_components(
    server: ProxyServer, tmp_path: Path, exit_code: int, restored: bool
) -> None:
    note = tmp_path / "released"
    release = ["/bin/sh", "-c", f"echo yes > {note}; echo no such engine >&2; exit {exit_code}"]
    lease = await Lease.start(tmp_path / "lease.json", release=release)
    lease.cover(server.url, [])
    await lease.abandon()
    assert note.read_text() == "yes\n"
    outcome = json.loads((tmp_path / "lease.json").read_text())
    assert outcome["restored"] is restored
    assert outcome["failures"] == ([] if restored else ["components: no such engine"])


async def test_a_server_that_is_gone_too_is_written_down(server: ProxyServer, tmp_path: Path) -> None:
    file = tmp_path / "lease.json"
    lease = await Lease.start(file)
    lease.cover(server.url, [(NAME, free_address(), free_address())])
    await server.stop()
    assert lease._process.stdin is not None
    lease._process.stdin.close()
    await lease._process.wait()
    outcome = json.loads(file.read_text())
    assert outcome["restored"] is False
    assert "is not reachable" in outcome["failures"][0]
    await lease.release()


async def _ended(process_id: int) -> None:
    """Wait for the end of a process that is not our child."""
    handle = os.pidfd_open(process_id)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 15)
    finally:
        loop.remove_reader(handle)
        os.close(handle)
