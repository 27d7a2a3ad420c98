import asyncio
import json
from pathlib import Path

import pytest

from chaoskit.errors import SetupFailed, UsageError
from chaoskit.proxy.server import Options, Ready, serve
from tests.support.sockets import listening, port_of


async def served(options: Options) -> Ready:
    """Start, wait for the announcement, stop."""
    stop = asyncio.Event()
    announced: list[Ready] = []

    def announce(ready: Ready) -> None:
        announced.append(ready)
        stop.set()

    await asyncio.wait_for(serve(options, announce, stop), 5)
    return announced[0]


async def test_port_zero_is_announced_as_what_it_became() -> None:
    ready = await served(Options(port=0, seed=5))
    assert ready.port > 0
    assert ready.seed == 5


async def test_without_a_seed_one_is_drawn() -> None:
    assert (await served(Options(port=0))).seed != (await served(Options(port=0))).seed


async def test_a_port_in_use_is_said() -> None:
    with listening() as taken, pytest.raises(SetupFailed, match="choose another --port"):
        await served(Options(port=port_of(taken)))


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, UsageError, "cannot be read"),
        ("{", UsageError, "not JSON"),
        ('[{"name": "a"}]', UsageError, "missing required field: upstream at proxy 1"),
        (
            '[{"name": "a", "upstream": "x:1", "listen": "no.such.host.invalid:1"}]',
            SetupFailed,
            "no such host",
        ),
    ],
)
async def test_a_wrong_configuration_is_said(
    tmp_path: Path, content: str | None, error: type[Exception], message: str
) -> None:
    config = tmp_path / "proxies.json"
    if content is not None:
        config.write_text(content)
    with pytest.raises(error, match=message) as caught:
        await served(Options(port=0, config=config))
    assert str(config) in str(caught.value)


async def test_the_configuration_is_in_force_when_ready(tmp_path: Path) -> None:
    config = tmp_path / "proxies.json"
    with listening() as taken:
        port = port_of(taken)
    config.write_text(json.dumps([{"name": "a", "upstream": "x:1", "listen": f"127.0.0.1:{port}"}]))
    stop = asyncio.Event()
    reached: list[bool] = []

    def announce(_ready: Ready) -> None:
        async def connect() -> None:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            reached.append(True)
            stop.set()

        tasks.append(asyncio.ensure_future(connect()))

    tasks: list[asyncio.Task[None]] = []
    await asyncio.wait_for(serve(Options(port=0, config=config), announce, stop), 5)
    assert reached == [True]
