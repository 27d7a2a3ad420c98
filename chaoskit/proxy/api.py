"""The control API: Toxiproxy's calls, codes and bodies, over a collection of proxies."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from chaoskit import __version__
from chaoskit.proxy import payload
from chaoskit.proxy.collection import ProxyCollection
from chaoskit.proxy.http import JSON, Request, Response, plain_error
from chaoskit.proxy.proxy import Proxy
from chaoskit.proxy.refusal import Refusal

TOXIPROXY_VERSION = "2.12.0"
"""The version whose API this is; clients look at it to decide what they may ask."""

Call = Callable[[Request], Awaitable[Response]]


class Api:
    """Answers requests. `metrics` answers `/metrics`; None means that there is no such call."""

    def __init__(self, proxies: ProxyCollection, metrics: Callable[[], Response] | None = None) -> None:
        self._proxies = proxies
        self._metrics = metrics

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        calls = self._calls(request.path)
        if calls is None:
            return plain_error(404, "404 page not found")
        call = calls.get(request.method)
        if call is None:
            return Response(405)
        if request.headers.get("user-agent", "").startswith("Mozilla/"):
            # A web page must not be able to drive the proxy of whoever looks at it.
            return plain_error(403, "User agent not allowed")
        try:
            return await call(request)
        except Refusal as refusal:
            return plain_error(refusal.status, _refusal_text(refusal))

    def _calls(self, path: tuple[str, ...]) -> dict[str, Call] | None:
        """The calls of a path by HTTP method; None when there is no such path."""
        if not all(path):
            return None
        match path:
            case ("version",):
                return {"GET": self._version}
            case ("reset",):
                return {"POST": self._reset}
            case ("populate",):
                return {"POST": self._populate}
            case ("metrics",) if self._metrics:
                return {"GET": self._show_metrics, "HEAD": self._show_metrics}
            case ("proxies",):
                return {"GET": self._list_proxies, "POST": self._create_proxy}
            case ("proxies", _):
                update = self._update_proxy
                return {
                    "GET": self._show_proxy,
                    "PATCH": update,
                    "POST": update,
                    "DELETE": self._delete_proxy,
                }
            case ("proxies", _, "toxics"):
                return {"GET": self._list_toxics, "POST": self._create_toxic}
            case ("proxies", _, "toxics", _):
                update = self._update_toxic
                return {
                    "GET": self._show_toxic,
                    "PATCH": update,
                    "POST": update,
                    "DELETE": self._delete_toxic,
                }
            case _:
                return None

    async def _version(self, _request: Request) -> Response:
        text = f'{{"version": "{TOXIPROXY_VERSION}", "server": "chaoskit {__version__}"}}\n'
        return Response(200, text.encode(), "application/json;charset=utf-8")

    async def _reset(self, _request: Request) -> Response:
        await self._proxies.reset()
        return Response(204)

    async def _show_metrics(self, _request: Request) -> Response:
        assert self._metrics
        return self._metrics()

    async def _populate(self, request: Request) -> Response:
        done: list[Proxy] = []
        try:
            for wanted in payload.new_proxies(request.body):
                done.append(await self._proxies.create_or_replace(wanted))  # noqa: PERF401 - what is done must show
        except Refusal as refusal:
            answer = {"error": refusal.message, "status": refusal.status, "proxies": _shown(done)}
            return _json(answer, refusal.status)
        return _json({"proxies": _shown(done)}, 201)

    async def _list_proxies(self, _request: Request) -> Response:
        return _json({proxy.name: _show(proxy) for proxy in self._proxies.all()})

    async def _create_proxy(self, request: Request) -> Response:
        return _json(_show(await self._proxies.create(payload.new_proxy(request.body))), 201)

    async def _show_proxy(self, request: Request) -> Response:
        return _json(_show(self._proxy(request)))

    async def _update_proxy(self, request: Request) -> Response:
        proxy = self._proxy(request)
        changes = payload.proxy_changes(request.body, proxy.name)
        await proxy.update(
            listen=changes.listen or proxy.listen,
            upstream=changes.upstream or proxy.upstream,
            enabled=proxy.enabled if changes.enabled is None else changes.enabled,
        )
        return _json(_show(proxy))

    async def _delete_proxy(self, request: Request) -> Response:
        self._proxies.remove(request.path[1])
        return Response(204)

    async def _list_toxics(self, request: Request) -> Response:
        return _json([toxic.to_json() for toxic in self._proxy(request).toxics])

    async def _create_toxic(self, request: Request) -> Response:
        proxy = self._proxy(request)
        toxic = payload.new_toxic(request.body, taken={toxic.name: toxic for toxic in proxy.toxics})
        proxy.add_toxic(toxic)
        return _json(toxic.to_json())

    async def _show_toxic(self, request: Request) -> Response:
        return _json(self._proxy(request).find_toxic(request.path[3]).to_json())

    async def _update_toxic(self, request: Request) -> Response:
        proxy = self._proxy(request)
        toxic = proxy.find_toxic(request.path[3])
        toxic.attributes, toxic.toxicity = payload.toxic_changes(request.body, toxic)
        proxy.apply_toxics()
        return _json(toxic.to_json())

    async def _delete_toxic(self, request: Request) -> Response:
        self._proxy(request).remove_toxic(request.path[3])
        return Response(204)

    def _proxy(self, request: Request) -> Proxy:
        return self._proxies.get(request.path[1])


def _show(proxy: Proxy) -> dict[str, object]:
    return {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.enabled,
        "Logger": {},  # Toxiproxy shows this by mistake; strict clients have come to expect it
        "toxics": [toxic.to_json() for toxic in proxy.toxics],
    }


def _shown(proxies: Sequence[Proxy]) -> list[dict[str, object]] | None:
    return [_show(proxy) for proxy in proxies] or None


def _json(value: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON
    return Response(status, orjson.dumps(value), JSON)


def _refusal_text(refusal: Refusal) -> str:
    return orjson.dumps({"error": refusal.message, "status": refusal.status}).decode()
