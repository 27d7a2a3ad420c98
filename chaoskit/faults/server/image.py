"""The real Toxiproxy in a container: its published image on the network of this machine, with no rights of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import docker
from docker.errors import ImageNotFound, NotFound
from docker.models.containers import Container

from chaoskit import containers
from chaoskit.errors import RestoreFailed, SetupFailed
from chaoskit.faults.server.contract import IMAGE, LOOPBACK
from chaoskit.faults.server.own import STOP_BOUND_S, OwnServer

INSTANCE: Final = "toxiproxy"
ROOT: Final = "0:0"


class ImageServer(OwnServer):
    """A container of `IMAGE`, on this machine's network: its proxies listen wherever those of a process could."""

    kind = "image"
    name = f"the container of {IMAGE}"
    _engine: docker.DockerClient | None = None
    _container: Container | None = None
    _has_saved_log = False

    @property
    def process_id(self) -> int | None:
        """The server's process, where the engine's processes can be seen from here."""
        process_id = int(self._container.attrs["State"]["Pid"]) if self._container is not None else 0
        return process_id if process_id and _is_toxiproxy(process_id) else None

    async def stop(self) -> None:
        """Stop the container, keep its log, remove it."""
        self._ports.release_all()
        await asyncio.to_thread(self._remove, round(STOP_BOUND_S))
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    async def _begin(self, port: int) -> None:
        running = asyncio.create_task(asyncio.to_thread(self._run, port))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.gather(
                running, return_exceptions=True
            )  # only then is the container known, and can be removed
            raise

    async def _ended(self) -> int | None:
        return await asyncio.to_thread(self._status)

    async def _kill(self) -> None:
        await asyncio.to_thread(self._remove, 0)

    def _run(self, port: int) -> None:
        self._engine = self._engine or containers.connect()
        environment = self._launch.environment
        with containers.saying(f"no container of {IMAGE}"):
            self._container = self._engine.containers.create(
                IMAGE,
                [f"-host={LOOPBACK}", f"-port={port}"],
                environment={"LOG_LEVEL": environment.get("LOG_LEVEL", "warn")},
                labels=containers.labels(self.label, environment.get("CHAOSKIT_RUNNER", ""), INSTANCE),
                network_mode="host",
                **containers.confined(ROOT if self._launch.low_ports else containers.NOBODY),
                # the engine hands a right to root only, who has no other one
                cap_add=["NET_BIND_SERVICE"] if self._launch.low_ports else [],
            )
            self._has_saved_log = False
            self._container.start()

    def _status(self) -> int | None:
        if self._container is None:
            return None
        with containers.saying("the engine lost Toxiproxy's container"):
            self._container.reload()
        state = self._container.attrs["State"]
        if state["Running"]:
            return None
        self._save_log(self._container)
        return int(state["ExitCode"])

    def _remove(self, grace_s: int) -> None:
        if self._container is None:
            return
        saying = containers.saying(f"Toxiproxy's container {self._container.short_id} stays", RestoreFailed)
        with saying, contextlib.suppress(NotFound):  # somebody else may have removed it
            if grace_s:
                self._container.stop(timeout=grace_s)
            self._save_log(self._container)
            self._container.remove(v=True, force=True)
        self._container = None

    def _save_log(self, container: Container) -> None:
        if not self._has_saved_log:
            self._has_saved_log = True
            with self._launch.log.open("ab") as log:
                log.write(container.logs())


def present() -> bool:
    """Return whether the image is in an engine that shares this machine's network; nothing is fetched."""
    try:
        engine = containers.connect(containers.ANSWER_TIMEOUT_S)
    except SetupFailed:
        return False
    try:
        with containers.saying(IMAGE):
            engine.images.get(IMAGE)
            return containers.shares_network(engine)
    except SetupFailed:
        return False
    finally:
        engine.close()


async def fetch(say: Callable[[str], None]) -> None:
    """Make sure that the image is in the engine; `say` is told of a pull, which may take minutes.

    Raises:
        SetupFailed: no engine answers, it does not share this machine's network, or the image cannot be had.
    """
    if not await asyncio.to_thread(_is_there):
        say(f"pulling the image {IMAGE}")
        await containers.left_alone(_pull)


def _is_there() -> bool:
    engine = containers.connect()
    try:
        with containers.saying(f"the image {IMAGE} cannot be had"):
            if not containers.shares_network(engine):
                message = (
                    f"{IMAGE} needs a Docker engine that shares this machine's network, which this one does not; "
                    "install toxiproxy-server, or use the embedded server"
                )
                raise SetupFailed(message)
            try:
                engine.images.get(IMAGE)
            except ImageNotFound:
                return False
            return True
    finally:
        engine.close()


def _pull() -> None:
    engine = containers.connect()
    try:
        with containers.saying(f"the image {IMAGE} cannot be had"):
            engine.images.pull(IMAGE)
    finally:
        engine.close()


def _is_toxiproxy(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/comm").read_text().startswith("toxiproxy")
    except OSError:
        return False
