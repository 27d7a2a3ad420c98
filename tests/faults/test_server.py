import asyncio
import os
from pathlib import Path

import pytest

from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.faults.server import ProxyServer, start_server
from tests.faults.support import plan_of


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_server_is_ready_when_it_is_handed_over_and_gone_when_stopped(server: ProxyServer) -> None:
    assert server.process_id is not None
    assert server.version == await server.client.version()
    await server.stop()
    await server.stop()
    assert not is_alive(server.process_id)
    with pytest.raises(FaultFailed, match="is not reachable"):
        await server.client.version()


async def test_a_restart_keeps_the_address(server: ProxyServer) -> None:
    before, url = server.process_id, server.url
    await server.restart()
    assert (server.url, server.process_id != before) == (url, True)
    assert await server.client.list() == {}


async def test_a_server_by_url_is_used_and_left_running(server: ProxyServer, tmp_path: Path) -> None:
    theirs = await start_server(plan_of(toxiproxy_url=server.url), log=tmp_path / "other.log", environment={})
    assert (theirs.kind, theirs.version, theirs.process_id) == ("url", server.version, None)
    await theirs.stop()
    with pytest.raises(FaultFailed, match="not ours to restart"):
        await theirs.restart()
    assert await server.client.list() == {}


async def test_the_environment_overrides_the_choice(server: ProxyServer, tmp_path: Path) -> None:
    variables = {"CHAOSKIT_TOXIPROXY": server.url, "CHAOSKIT_RUN": "run-7"}
    theirs = await start_server(plan_of(), prefer="embedded", log=tmp_path / "other.log", environment=variables)
    assert (theirs.kind, theirs.label) == ("url", "run-7")


@pytest.mark.parametrize(
    ("prefer", "said"),
    [
        ("magic", "'magic' is no Toxiproxy server to use"),
        ("real", "toxiproxy-server is not on PATH"),
        ("ftp://127.0.0.1", "is not the URL of a Toxiproxy server"),
        ("http://127.0.0.1:9", "no Toxiproxy server: the Toxiproxy server at 127.0.0.1:9 is not reachable"),
    ],
)
async def test_a_server_that_cannot_be_had_fails_the_set_up(prefer: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SetupFailed) as caught:
        await start_server(plan_of(), prefer=prefer, log=tmp_path / "proxy.log", environment={"PATH": ""})
    assert said in str(caught.value)


async def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "toxiproxy-server"
    program.write_text("#!/bin/sh\necho no room at the inn >&2\nexit 3\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with pytest.raises(SetupFailed, match=r"ended at once with status 3; the end of .*: no room at the inn"):
        async with asyncio.timeout(8):
            await start_server(plan_of(), prefer="real", log=tmp_path / "proxy.log", environment=environment)


async def test_a_bring_up_that_is_cancelled_leaves_no_server(tmp_path: Path) -> None:
    program, pid_file = tmp_path / "toxiproxy-server", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {pid_file}.new; mv {pid_file}.new {pid_file}\nexec sleep 60\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    starting = asyncio.create_task(
        start_server(plan_of(), prefer="real", log=tmp_path / "proxy.log", environment=environment)
    )
    async with asyncio.timeout(8):
        while not pid_file.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert not is_alive(int(pid_file.read_text()))
