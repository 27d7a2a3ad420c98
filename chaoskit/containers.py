"""The Docker engine: reached as the `docker` command reaches it, its errors as sentences, and the labels of a run.

Everything that a run makes in an engine (containers, networks, volumes) carries `labels`, so that `chaoskit clean`
finds what a killed run left, and only that. Images carry `IMAGE_LABEL` alone: they stay, as the cache of the next
run.
"""

import asyncio
import contextlib
import os
import platform
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Literal

import docker
import requests
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig
from docker.utils import kwargs_from_env, parse_host
from urllib3.exceptions import HTTPError

from chaoskit.errors import ChaoskitError, SetupFailed

RUN_LABEL: Final = "chaoskit.run"
RUNNER_LABEL: Final = "chaoskit.runner"
INSTANCE_LABEL: Final = "chaoskit.instance"
IMAGE_LABEL: Final = "chaoskit.image"
TOXIPROXY_IMAGE: Final = "ghcr.io/shopify/toxiproxy:2.12.0"

NOBODY: Final = "65534:65534"
LOG_BYTES: Final = "16m"
CALL_TIMEOUT_S: Final = 60.0
ANSWER_TIMEOUT_S: Final = 2.0


def labels(run_id: str, runner: str, instance: str = "") -> dict[str, str]:
    """Return the labels of something that belongs to a run; `runner` says which process plays it."""
    named = {INSTANCE_LABEL: instance} if instance else {}
    return {RUN_LABEL: run_id, RUNNER_LABEL: runner, **named}


def confined(user: str, pids: int = 512) -> dict[str, Any]:
    """Return how each container of a run is made: little that it may do, few processes, and a log that ends."""
    return {
        "user": user,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": pids,
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": LOG_BYTES, "max-file": "1"}),
    }


def connect(timeout_s: float = CALL_TIMEOUT_S) -> docker.DockerClient:
    """Return a client of the engine that `docker` would use here; close it after use.

    Raises:
        SetupFailed: none answers.
    """
    with saying("no Docker engine answers"):
        endpoint = _endpoint()
        _knock(endpoint["base_url"])
        client = docker.DockerClient(**endpoint, timeout=timeout_s)
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        return client


def environment() -> dict[str, str]:
    """Return what programs need in their environment to use the same engine; empty where they find it by a key, too.

    Raises:
        SetupFailed: the docker context in use does not exist.
    """
    with saying("no Docker engine is known"):
        endpoint = _endpoint()
        return {} if "tls" in endpoint else {"DOCKER_HOST": endpoint["base_url"]}


def _endpoint() -> dict[str, Any]:
    """Return where the engine is, as arguments of a client: DOCKER_HOST says it, else the docker context in use."""
    found: dict[str, Any] = kwargs_from_env()
    if "base_url" not in found:
        name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
        context = ContextAPI.get_context(name)
        if context is None:
            message = f"there is no docker context {name!r} (`docker context ls` lists them)"
            raise DockerException(message)
        found |= {"base_url": context.Host} | ({"tls": context.TLSConfig} if context.TLSConfig else {})
    return found


def _knock(host: str) -> None:
    """Raise OSError where nobody listens on the engine's socket; the SDK would leave its end of it open."""
    scheme, _, path = parse_host(host).partition("://")
    if scheme == "http+unix":
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(path)


def answers() -> bool:
    """Return whether an engine answers."""
    try:
        connect(ANSWER_TIMEOUT_S).close()
    except SetupFailed:
        return False
    return True


def version() -> str:
    """Return the engine's version.

    Raises:
        SetupFailed: none answers.
    """
    engine = connect(ANSWER_TIMEOUT_S)
    try:
        with saying("the Docker engine does not tell its version"):
            return str(engine.version()["Version"])
    finally:
        engine.close()


@contextlib.contextmanager
def saying(what: str, error: type[ChaoskitError] = SetupFailed) -> Iterator[None]:
    """Turn what the engine, or the way to it, complains of into `error`: `what: the engine's own words`."""
    try:
        yield
    except (DockerException, requests.RequestException, HTTPError, OSError) as raised:
        message = f"{what}: {reason(raised)}"
        raise error(message) from raised


async def left_alone(pull: Callable[[], None]) -> None:
    """Call `pull` in a thread of its own. Whoever is cancelled leaves it alone; it ends with the process at the latest.

    The engine begins its answer once the registry has said something, and until then nothing can cut the answer off:
    whoever waited for that would wait for half a minute where a registry is silent.
    """
    pulled: Future[None] = Future()
    pulled.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel what the thread sets

    def run() -> None:
        try:
            pull()
        except BaseException as error:  # noqa: BLE001 - the waiter raises it
            pulled.set_exception(error)
        else:
            pulled.set_result(None)

    threading.Thread(target=run, name="pull of an image", daemon=True).start()
    await asyncio.wrap_future(pulled)


def reason(raised: Exception) -> str:
    """Return the engine's own words for an error, without the URL and the status line around them."""
    if isinstance(raised, APIError) and raised.explanation:
        return str(raised.explanation)
    if isinstance(raised, requests.ConnectionError | requests.Timeout):
        return "it does not answer"
    if isinstance(raised, HTTPError):
        return "it went away in the middle of its answer"
    if isinstance(raised, OSError) and raised.strerror:
        return raised.strerror.lower()
    return " ".join(str(raised).split())


Place = Literal["here", "virtual machine", "elsewhere"]


def place(engine: docker.DockerClient) -> Place:
    """Return where the engine's network is: on this machine, in a virtual machine of this one, or out of reach.

    An address of the `host` network is one of this machine only if it is `here`. A virtual machine (Docker Desktop, or
    what runs containers on other systems than Linux) leads its containers to this machine by a name. The network of an
    engine without root, or on another host, is `elsewhere`: its addresses may be those of others here.
    """
    facts = engine.info()
    if any("rootless" in option for option in facts.get("SecurityOptions") or ()):
        return "elsewhere"
    if facts.get("Name") == socket.gethostname():
        return "here"
    contained = facts.get("OperatingSystem") == "Docker Desktop" or platform.system() != "Linux"
    return "virtual machine" if contained else "elsewhere"


def shares_network(engine: docker.DockerClient) -> bool:
    """Return whether the engine's `host` network is that of this machine."""
    return place(engine) == "here"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses: CPU seconds since its start, memory that could not be dropped, processes and threads.

    `throttled_s` is how long its CPU limit kept it from running, since its start.
    """

    cpu_s: float
    memory_bytes: int
    tasks: int
    throttled_s: float = 0.0


def usage(engine: docker.DockerClient, container_id: str) -> Usage | None:
    """Return what the engine counts for a container at this moment; None where it does not run.

    Raises:
        SetupFailed: the engine does not tell.
    """
    with saying("the Docker engine does not tell what a container uses"):
        try:
            counted: Mapping[str, Any] = engine.api.stats(container_id, stream=False, one_shot=True)
        except NotFound:
            return None
    memory = counted.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats", {})
    cached = details.get("total_inactive_file", details.get("inactive_file", 0))  # cgroups of version 1, and of 2
    return Usage(
        counted["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        max(0, int(memory["usage"]) - int(cached)),
        int((counted.get("pids_stats") or {}).get("current", 0)),
        (counted["cpu_stats"].get("throttling_data") or {}).get("throttled_time", 0) / 1e9,
    )
