"""What a compose project has in the engine: networks for its links, its containers, and the removal of all of it."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import docker
from docker.errors import NotFound

from chaoskit import containers
from chaoskit.errors import RestoreFailed

STOP_TIMEOUT_S: Final = 10
_SWEEPS: Final = 3
_LOG_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Seen:
    """A container at one moment. `health` is empty where it has no health check."""

    id: str
    instance: str
    status: str
    health: str
    exit_code: int
    process_id: int | None
    restarts: bool
    address: str


class Engine:
    """One run's networks and containers. Blocking: call from a thread."""

    def __init__(self, run_id: str, runner: str) -> None:
        """Connect.

        Raises:
            SetupFailed: no engine answers.
        """
        self._client: docker.DockerClient = containers.connect()
        self._run_id = run_id
        self._runner = runner

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def make_network(self, name: str) -> str:
        """Make a network without a way out, and return the address of its gateway, which is this machine.

        Raises:
            SetupFailed: the engine does not make it.
        """
        with containers.saying(f"the network {name} for a link cannot be made"):
            network = self._client.networks.create(
                name, driver="bridge", internal=True, labels=containers.labels(self._run_id, self._runner)
            )
            network.reload()
            gateway = str(network.attrs["IPAM"]["Config"][0]["Gateway"])
        return gateway.partition("/")[0]

    def seen(self) -> dict[str, Seen]:
        """Return the run's containers by instance, as they are now."""
        with containers.saying("the engine does not say how the containers are"):
            found = self._client.containers.list(all=True, filters=self._filters, ignore_removed=True)
        return {one.labels.get(containers.INSTANCE_LABEL, one.name): _seen(one) for one in found}

    def log(self, container_id: str, lines: int | str = "all") -> bytes:
        """Return the last lines of a container's log."""
        with contextlib.suppress(NotFound), containers.saying("a log cannot be read"):
            return bytes(self._client.containers.get(container_id).logs(tail=lines))
        return b""

    def remove_all(self) -> None:
        """Stop and remove the run's containers with their anonymous volumes, its networks and named volumes.

        Raises:
            RestoreFailed: something stays.
        """
        with containers.saying("what the run made in the engine cannot be removed", RestoreFailed):
            for _ in range(_SWEEPS):  # what the engine was still making comes to light in the next one
                found = self._client.containers.list(all=True, filters=self._filters, ignore_removed=True)
                if found:
                    with ThreadPoolExecutor(8) as threads:
                        list(threads.map(_remove_container, found))
                others = [
                    *self._client.networks.list(filters=self._filters),
                    *self._client.volumes.list(filters=self._filters),
                ]
                for other in others:
                    with contextlib.suppress(NotFound):
                        other.remove()
                if not found and not others:
                    return

    @property
    def _filters(self) -> dict[str, str]:
        return {"label": f"{containers.RUN_LABEL}={self._run_id}"}


def _remove_container(container: Any) -> None:  # noqa: ANN401 - the SDK has no types
    with contextlib.suppress(NotFound):
        container.stop(timeout=STOP_TIMEOUT_S)
        container.remove(v=True, force=True)


def _seen(container: Any) -> Seen:  # noqa: ANN401 - the SDK has no types
    state = container.attrs["State"]
    policy = container.attrs["HostConfig"]["RestartPolicy"]["Name"]
    addresses = [one["IPAddress"] for one in container.attrs["NetworkSettings"]["Networks"].values()]
    return Seen(
        id=container.id,
        instance=container.labels.get(containers.INSTANCE_LABEL, container.name),
        status=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        process_id=state["Pid"] or None,
        restarts=policy in {"always", "on-failure", "unless-stopped"},
        address=next(filter(None, addresses), ""),
    )
