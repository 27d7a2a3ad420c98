"""What the embedded server's API adds to Toxiproxy's; everything else stands in the conformance suite."""

import json

from chaoskit import __version__
from chaoskit.proxy.api import TOXIPROXY_VERSION, Api
from chaoskit.proxy.collection import ProxyCollection
from chaoskit.proxy.http import Request, Response


async def call(api: Api, method: str, *path: str, body: bytes = b"") -> Response:
    return await api.handle(Request(method, path, {}, body))


async def test_version_says_who_answers() -> None:
    answer = await call(Api(ProxyCollection(1)), "GET", "version")
    assert json.loads(answer.body) == {"version": TOXIPROXY_VERSION, "server": f"chaoskit {__version__}"}


async def test_metrics_are_there_when_asked_for() -> None:
    api = Api(ProxyCollection(1), metrics=lambda: Response(200, b"figures"))
    assert (await call(api, "GET", "metrics")).body == b"figures"
    assert (await call(api, "POST", "metrics")).status == 405


async def test_a_proxy_cannot_be_called_something_unreachable() -> None:
    answer = await call(Api(ProxyCollection(1)), "POST", "proxies", body=b'{"name":"a/b","upstream":"x:1"}')
    assert answer.status == 400
