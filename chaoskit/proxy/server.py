"""The proxy server as a program: API up, configuration read, ready said, everything closed at the end."""

import asyncio
import gc
import resource
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaoskit.errors import SetupFailed, UsageError
from chaoskit.proxy import payload
from chaoskit.proxy.api import Api
from chaoskit.proxy.collection import ProxyCollection
from chaoskit.proxy.event_loop import new_event_loop
from chaoskit.proxy.http import ControlProtocol
from chaoskit.proxy.refusal import Refusal

_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Options:
    """What the server is told at its start.

    `port` 0 lets the kernel choose. `config` is a JSON file with the body of a `/populate` call. `seed` fixes
    jitter, slice sizes and which connections a toxicity strikes; None draws one.
    """

    host: str = "127.0.0.1"
    port: int = 8474
    config: Path | None = None
    seed: int | None = None
    proxy_metrics: bool = False
    runtime_metrics: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the control API listens, and the seed in force."""

    host: str
    port: int
    seed: int


def run(options: Options, announce: Callable[[Ready], None]) -> None:
    """Serve until SIGINT or SIGTERM. `announce` is called once, when the API answers.

    Raises UsageError when the configuration file is wrong and SetupFailed when an address cannot be had.
    """
    _allow_many_connections()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve_until_signal(options, announce))


async def serve(options: Options, announce: Callable[[Ready], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set; raises as `run` does. Timers are as fine as the running event loop's."""
    configured = _read_config(options.config) if options.config else []
    seed = secrets.randbits(63) if options.seed is None else options.seed
    proxies = ProxyCollection(seed)
    clients: set[ControlProtocol] = set()
    loop = asyncio.get_running_loop()
    api = _api(options, proxies)
    try:
        server = await loop.create_server(
            lambda: ControlProtocol(api.handle, clients), options.host, options.port, backlog=_BACKLOG
        )
    except (OSError, OverflowError) as error:
        raise SetupFailed(
            f"the control API cannot listen on {options.host}:{options.port} ({error}); "
            "choose another --port, or 0 for any free one"
        ) from error
    try:
        for wanted in configured:
            await proxies.create_or_replace(wanted)
        host, port = server.sockets[0].getsockname()[:2]
        announce(Ready(host, port, seed))
        # What lives until now lives for ever: the collector need not look at it again under load.
        gc.collect()
        gc.freeze()
        await stop.wait()
    except Refusal as refusal:
        raise SetupFailed(f"{options.config}: {refusal.message}") from refusal
    finally:
        server.close()
        for client in list(clients):
            client.close()
        proxies.close()
        gc.unfreeze()


async def _serve_until_signal(options: Options, announce: Callable[[Ready], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(options, announce, stop)


def _api(options: Options, proxies: ProxyCollection) -> Api:
    if not (options.proxy_metrics or options.runtime_metrics):
        return Api(proxies)
    from chaoskit.proxy.metrics import metrics

    return Api(proxies, metrics(proxies, of_proxies=options.proxy_metrics, of_runtime=options.runtime_metrics))


def _read_config(config: Path) -> list[payload.ProxyBody]:
    try:
        text = config.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{config}: cannot be read ({error.strerror}); name a JSON file with an array of proxies"
        ) from error
    try:
        return payload.new_proxies(text)
    except Refusal as refusal:
        raise UsageError(f"{config}: {refusal.message}") from refusal


def _allow_many_connections() -> None:
    """Each client takes two file descriptors: raise the soft limit to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
