from pathlib import Path

import pytest

from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.faults.server import ProxyServer, start_server
from tests.faults.support import plan_of


async def test_a_server_by_url_is_used_and_left_running(server: ProxyServer, tmp_path: Path) -> None:
    theirs = await start_server(plan_of(toxiproxy_url=server.url), log=tmp_path / "other.log", environment={})
    assert theirs.described() == {"kind": "url", "version": server.version, "why": "the scenario names it"}
    assert (theirs.is_ours, theirs.process_id) == (False, None)
    await theirs.stop()
    with pytest.raises(FaultFailed, match="not ours to restart"):
        await theirs.restart()
    assert await server.client.list() == {}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://127.0.0.1", "is not the URL of a Toxiproxy server"),
        ("http://127.0.0.1:99999", "is not the URL of a Toxiproxy server"),
        ("http://[::1", "is not the URL of a Toxiproxy server"),
        ("http://127.0.0.1:9", "no Toxiproxy server: the Toxiproxy server at 127.0.0.1:9 is not reachable"),
    ],
)
async def test_a_url_without_a_server_fails_the_set_up(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SetupFailed) as caught:
        await start_server(plan_of(), prefer=url, log=tmp_path / "proxy.log", environment={})
    assert said in str(caught.value)
