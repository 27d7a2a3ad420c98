"""Which Toxiproxy server a run uses, and why.

In this order: the scenario's URL, `toxiproxy-server` on PATH, its image where a Docker engine has it already, the
embedded server. The environment variable CHAOSKIT_TOXIPROXY asks for one of them.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.faults.server import image
from chaoskit.faults.server.contract import IMAGE, PROGRAM, Kind, Launch, ProxyServer
from chaoskit.faults.server.embedded import EmbeddedServer
from chaoskit.faults.server.installed import InstalledServer
from chaoskit.faults.server.remote import RemoteServer
from chaoskit.plan.model import Plan

CHOICE_VARIABLE: Final = "CHAOSKIT_TOXIPROXY"
FIRST_HIGH_PORT: Final = 1024


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of server, why it is that one, and for `url` where it runs."""

    kind: Kind
    why: str
    url: str = ""


def choose(url: str | None = None, prefer: str = "auto", environment: Mapping[str, str] | None = None) -> Choice:
    """Return which server is to be used; `url` is the scenario's, `prefer` is `auto`, a kind or a URL.

    Asks the Docker engine where it has to, for two seconds at most; starts and fetches nothing.

    Raises:
        SetupFailed: there is no such server.
    """
    variables = os.environ if environment is None else environment
    asked = variables.get(CHOICE_VARIABLE)
    wanted = asked or prefer
    by_whom = f"{CHOICE_VARIABLE} asks for it" if asked else "asked for"
    on_path = shutil.which(PROGRAM, path=variables.get("PATH")) is not None
    if "://" in wanted:
        return Choice("url", by_whom, wanted)
    match wanted:
        case "auto":
            return _first_of(url, on_path=on_path)
        case "real" if not on_path:
            message = f"{PROGRAM} is not on PATH; install it, or use the embedded server"
            raise SetupFailed(message)
        case "real" | "image" | "embedded":
            return Choice(wanted, by_whom)
        case _:
            message = f"{wanted!r} is no Toxiproxy server to use; say auto, real, image, embedded or a URL"
            raise SetupFailed(message)


async def start_server(
    plan: Plan,
    *,
    prefer: str = "auto",
    log: Path,
    environment: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ProxyServer:
    """Start, or connect to, the Toxiproxy server of a run, as `choose` says. What it prints goes to the file `log`.

    An image that was asked for is pulled where the engine lacks it, and `say` is told so.

    Raises:
        SetupFailed: there is no such server, or it does not come up.
    """
    variables = dict(os.environ if environment is None else environment)
    choice = await asyncio.to_thread(choose, plan.toxiproxy_url, prefer, variables)
    launch = Launch(log, variables, plan.seed, _has_low_port(plan))
    server: ProxyServer
    match choice.kind:
        case "url":
            server = RemoteServer(choice.why, launch, choice.url)
        case "real":
            server = InstalledServer(choice.why, launch)
        case "image":
            await image.fetch(say)
            server = image.ImageServer(choice.why, launch)
        case "embedded":
            server = EmbeddedServer(choice.why, launch)
    await server.start()
    return server


def _has_low_port(plan: Plan) -> bool:
    """Return whether a proxy may have to listen below 1024: where the plan says, or on its far end's own number."""
    wanted = [Address.parse(link.listen).port for link in plan.links if link.listen]
    called = {link.destination for link in plan.links if plan.compose and link.source != "client"}
    for instance in plan.instances:
        if instance.name in called and instance.container:
            wanted += instance.container.ports.values()
    return any(0 < port < FIRST_HIGH_PORT for port in wanted)


def _first_of(url: str | None, *, on_path: bool) -> Choice:
    if url:
        return Choice("url", "the scenario names it", url)
    if on_path:
        return Choice("real", f"{PROGRAM} is on PATH")
    if image.present():
        return Choice("image", f"no {PROGRAM} on PATH, and the Docker engine has {IMAGE}")
    return Choice("embedded", f"neither {PROGRAM} on PATH nor its image in a Docker engine")
