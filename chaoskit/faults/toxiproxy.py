"""The one adapter over toxiproxy-python, the client of Toxiproxy's HTTP API.

The library's objects do the talking; this adds what it lacks: an address per instance, a bound on every call, PATCH
(updates), errors that say what happened, and a face for asyncio. Calls to one server are serialised.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import requests
import toxiproxy.api
import toxiproxy.proxy
import toxiproxy.server
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from chaoskit.address import Address
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import Toxic

CALL_BOUND_S: Final = 2.0
Body = Mapping[str, str | float | Mapping[str, int]]
Answer = TypeVar("Answer")
_SWAP: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class ProxyState:
    """A proxy as the server lists it; `toxics` are the names of those on it."""

    name: str
    listen: Address
    upstream: Address
    enabled: bool
    toxics: tuple[str, ...]


class _Consumer:
    """What toxiproxy-python calls `APIConsumer`, for one server: same methods, own address, bounded, honest."""

    def __init__(self, address: Address) -> None:
        self.host, self.port = address
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business between us and the server

    def get(self, url: str) -> requests.Response:
        return self._call("GET", url)

    def post(self, url: str, json: Body | None = None) -> requests.Response:
        return self._call("POST", url, json)

    def patch(self, url: str, json: Body) -> requests.Response:
        return self._call("PATCH", url, json)

    def delete(self, url: str) -> requests.Response:
        return self._call("DELETE", url)

    def _call(self, method: str, url: str, json: Body | None = None) -> requests.Response:
        try:
            response = self._session.request(method, f"http://{self._address}{url}", json=json, timeout=CALL_BOUND_S)
        except requests.RequestException as error:
            what = "did not answer within 2s" if isinstance(error, requests.Timeout) else "is not reachable"
            message = f"the Toxiproxy server at {self._address} {what} ({method} {url})"
            raise FaultFailed(message) from error
        try:
            toxiproxy.api.validate_response(response)
        except (InvalidToxic, ProxyExists, NotFound) as error:
            raise type(error)(_reason(response)) from None
        if not response.ok:
            message = f"the Toxiproxy server at {self._address} refused {method} {url}: {_reason(response)}"
            raise FaultFailed(message)
        return response


def _reason(response: requests.Response) -> str:
    try:
        return f"{response.json()['error']} (status {response.status_code})"
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code}"


class ToxiproxyClient:
    """The control of one Toxiproxy server, real or embedded. Safe to use from many tasks.

    Every method raises FaultFailed with a sentence, in at most a few seconds. `lifts_in_place` says that the server
    answers when a toxic is removed, whatever its clients do; Toxiproxy 2.12 does not, see `recreate`.
    """

    def __init__(self, address: Address, *, lifts_in_place: bool = False) -> None:
        self.address = address
        self.lifts_in_place = lifts_in_place
        self._consumer = _Consumer(address)
        self._library = toxiproxy.server.Toxiproxy()
        self._turn = asyncio.Lock()

    async def version(self) -> str:
        """Return the server's version."""
        return str(await self._ask("read the version", lambda: self._consumer.get("/version").json()["version"]))

    async def list(self) -> Mapping[str, ProxyState]:
        """Return all proxies of the server by name."""
        return await self._ask("list the proxies", self._list)

    async def find(self, name: str) -> ProxyState | None:
        """Return a proxy by name, None where the server has none of that name."""

        def call() -> ProxyState | None:
            proxy = self._library.get_proxy(name)
            return None if proxy is None else _state(proxy)

        return await self._ask(f"look up proxy {name}", call)

    async def create(self, name: str, listen: Address, upstream: Address, *, enabled: bool = True) -> None:
        """Create a proxy.

        Raises:
            FaultFailed: also where a proxy of that name exists, or something else listens on `listen`.
        """
        await self._ask(f"create proxy {name}", lambda: self._create(name, listen, upstream, enabled))

    async def delete(self, name: str) -> None:
        """Delete a proxy; its connections are closed. One that does not exist is as good as deleted."""
        await self._ask(f"delete proxy {name}", lambda: self._delete(name))

    async def recreate(self, name: str, listen: Address, upstream: Address, *, enabled: bool = True) -> None:
        """Delete a proxy and create it anew, without toxics: the one way to lift a toxic that never hangs.

        Toxiproxy 2.12 hangs when a toxic is removed while a client has stopped reading.
        """

        def call() -> None:
            self._delete(name)
            self._create(name, listen, upstream, enabled)

        await self._ask(f"re-create proxy {name}", call)

    async def add_toxic(self, proxy: str, name: str, toxic: Toxic) -> None:
        """Put a toxic, known as `name`, on a proxy."""
        body = {
            "name": name,
            "type": toxic.type,
            "stream": toxic.stream,
            "toxicity": toxic.toxicity,
            "attributes": dict(toxic.attributes),
        }
        await self._ask(f"add toxic {name} to proxy {proxy}", lambda: _handle(proxy).add_toxic(**body))

    async def remove_toxic(self, proxy: str, name: str) -> None:
        """Take a toxic from a proxy, whose connections stay: for servers with `lifts_in_place`."""
        await self._ask(f"remove toxic {name} of proxy {proxy}", lambda: _handle(proxy).destroy_toxic(name))

    async def set_enabled(self, proxy: str, enabled: bool) -> None:
        """Let a proxy listen, or stop it from listening and close its connections."""
        body: Body = {"enabled": enabled}
        what = f"{'enable' if enabled else 'disable'} proxy {proxy}"
        await self._ask(what, lambda: self._consumer.patch(f"/proxies/{proxy}", json=body))

    def _list(self) -> dict[str, ProxyState]:
        return {name: _state(proxy) for name, proxy in self._library.proxies().items()}

    def _create(self, name: str, listen: Address, upstream: Address, enabled: bool) -> None:
        self._library.create(upstream=str(upstream), name=name, listen=str(listen), enabled=enabled)

    def _delete(self, name: str) -> None:
        try:
            self._library.destroy(_handle(name))
        except NotFound:
            return

    async def _ask(self, what: str, call: Callable[[], Answer]) -> Answer:
        def run() -> Answer:
            with _speaking_through(self._consumer):
                return call()

        async with self._turn:
            try:
                return await asyncio.to_thread(run)
            except (NotFound, ProxyExists, InvalidToxic) as error:
                message = f"the Toxiproxy server at {self.address} could not {what}: {error}"
                raise FaultFailed(message) from error


def went_unanswered(error: FaultFailed) -> bool:
    """Return whether a call failed because the server did not answer: it hangs, or it is gone."""
    return isinstance(error.__cause__, requests.RequestException)


def _state(proxy: toxiproxy.proxy.Proxy) -> ProxyState:
    listen, upstream = Address.parse(proxy.listen), Address.parse(proxy.upstream)
    return ProxyState(proxy.name, listen, upstream, proxy.enabled, tuple(proxy.toxics()))


def _handle(name: str) -> toxiproxy.proxy.Proxy:
    """Return the library's object for a proxy that is known by name, without a call to look it up."""
    return toxiproxy.proxy.Proxy(name=name, upstream="", listen="", enabled=True)


@contextmanager
def _speaking_through(consumer: _Consumer) -> Iterator[None]:
    """Let the library speak to one server for the length of a call.

    toxiproxy-python keeps its address in a class that two of its modules look up by name, so that a second server
    would redirect the first. Under a lock, these names mean this server's own consumer; afterwards the library's.
    """
    with _SWAP:
        modules = (toxiproxy.server, toxiproxy.proxy)
        try:
            for module in modules:
                module.APIConsumer = consumer
            yield
        finally:
            for module in modules:
                module.APIConsumer = toxiproxy.api.APIConsumer
