import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.faults.server import ProxyServer, start_server
from tests.faults.support import free_address, plan_of


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_server_is_ready_when_it_is_handed_over_and_gone_when_stopped(server: ProxyServer) -> None:
    process_id = server.process_id
    assert process_id is not None
    assert is_alive(process_id)
    assert server.version == await server.client.version()
    assert server.described() == {"kind": server.kind, "version": server.version, "why": "asked for"}
    await server.stop()
    await server.stop()
    assert not is_alive(process_id)
    with pytest.raises(FaultFailed, match="is not reachable"):
        await server.client.version()


async def test_a_server_that_hangs_is_restarted_at_its_address(server: ProxyServer) -> None:
    await server.client.create("web", free_address(), free_address())
    before, url = server.process_id, server.url
    assert before is not None
    os.kill(before, signal.SIGSTOP)
    with pytest.raises(FaultFailed, match="did not answer within 2s"):
        await server.client.list()
    await server.restart()
    assert not is_alive(before)
    assert (server.url, server.process_id != before) == (url, True)
    assert await server.client.list() == {}


async def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "toxiproxy-server"
    program.write_text("#!/bin/sh\necho no room at the inn >&2\nexit 3\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with pytest.raises(SetupFailed, match=r"toxiproxy-server ended at once with status 3; the end of .*: no room at"):
        async with asyncio.timeout(8):
            await start_server(plan_of(), prefer="real", log=tmp_path / "proxy.log", environment=environment)


def is_free(port: int) -> bool:
    """Whether a server that shares its port with nobody could have it."""
    with socket.socket() as stranger:
        try:
            stranger.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def test_a_bring_up_that_is_cancelled_leaves_no_server_and_its_port_which_was_held(tmp_path: Path) -> None:
    program, told = tmp_path / "toxiproxy-server", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho $$ "$@" > {told}.new; mv {told}.new {told}\nexec sleep 60\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    starting = asyncio.create_task(
        start_server(plan_of(), prefer="real", log=tmp_path / "proxy.log", environment=environment)
    )
    async with asyncio.timeout(8):
        while not told.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        process_id, *arguments = told.read_text().split()
        port = int(arguments[arguments.index("-port") + 1])
        assert not is_free(port)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert not is_alive(int(process_id))
    assert is_free(port)
