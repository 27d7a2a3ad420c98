"""How a container is made: what it may do, what it may use, where it may write, and who recognises it."""

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from docker.models.containers import Container

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.docker.networks import HOST_NAME, Network
from chaoskit.plan.model import PlannedContainer

VOLUME: Final = "/chaoskit"
WORKDIR: Final = f"{VOLUME}/work"
"""`{workdir}` in a container. It is on a volume: what is in it is still there when the container is started again."""
CPU_PERIOD_US: Final = 100_000
_NUMERIC_USER: Final = re.compile(r"(\d+)(?::(\d+))?")


@dataclass(frozen=True, slots=True)
class Making:
    """All that one container is made from. `addresses` are where its ports are published, by name.

    `host` is its address on its network; None leaves that to the engine.
    """

    name: str
    instance: str
    image: str
    planned: PlannedContainer
    command: Sequence[str]
    environment: Mapping[str, str]
    addresses: Mapping[str, Address]
    network: Network
    labels: dict[str, str]
    host: str | None = None


def make(engine: Engine, making: Making) -> Container:
    """Create the container, not started yet, with its volume; a blocking call."""
    owner = _NUMERIC_USER.fullmatch(making.planned.user)
    user_id, group_id = (int(owner[1]), int(owner[2] or 0)) if owner else (None, None)
    owned = "mode=1777" if user_id is None else f"uid={user_id},gid={group_id},mode=0700"
    engine.client.volumes.create(making.name, labels=making.labels)
    container = engine.client.containers.create(
        making.image,
        list(making.command) or None,
        name=making.name,
        labels=making.labels,
        environment=dict(making.environment),
        network=making.network.name,
        networking_config={making.network.name: engine.client.api.create_endpoint_config(ipv4_address=making.host)},
        extra_hosts={} if making.network.gateway else {HOST_NAME: "host-gateway"},
        ports={
            f"{making.planned.ports[name]}/tcp": (address.host, address.port)
            for name, address in making.addresses.items()
        },
        volumes={making.name: {"bind": VOLUME, "mode": "rw"}},
        tmpfs={"/tmp": "mode=1777", **dict.fromkeys(making.planned.writable, owned)},  # noqa: S108 - its own
        init=True,  # so that SIGTERM ends programs that do not handle it, and nothing stays a zombie
        restart_policy={"Name": "no"},
        **containers.confined(making.planned.user, making.planned.pids),
        **limits(making.planned.cpus, making.planned.memory_bytes),
    )
    container.put_archive(VOLUME, _workdir(user_id, group_id))
    return container


def limits(cpus: float | None, memory_bytes: int | None) -> dict[str, Any]:
    """Return the engine's words for a limit of so many cores and so much memory, None for none.

    Swap is not given out: what is over its memory limit is to be killed, not to crawl.
    """
    words: dict[str, Any] = {}
    if cpus is not None:
        words |= {"cpu_period": CPU_PERIOD_US, "cpu_quota": max(1000, round(cpus * CPU_PERIOD_US))}
    if memory_bytes is not None:
        words |= {"mem_limit": memory_bytes, "memswap_limit": memory_bytes}
    return words


def _workdir(user_id: int | None, group_id: int | None) -> bytes:
    """Return an archive with the folder, which its user owns; it is open to all where only the image knows the user."""
    archive = io.BytesIO()
    with tarfile.open(mode="w", fileobj=archive) as tar:
        folder = tarfile.TarInfo("work")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o777 if user_id is None else 0o700
        folder.uid, folder.gid = user_id or 0, group_id or 0
        tar.addfile(folder)
    return archive.getvalue()
