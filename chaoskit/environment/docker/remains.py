"""What runs have in an engine, found by its labels, whoever made it: containers, networks, volumes. All calls block."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import docker

from chaoskit import containers
from chaoskit.environment.docker.engine import unless_gone

Kind = Literal["container", "network", "volume"]
SWEEPS: Final = 3


@dataclass(frozen=True, slots=True)
class Remnant:
    """A container, network or volume of a run; `runner` says which process played it, as text."""

    kind: Kind
    id: str
    name: str
    run_id: str
    runner: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of run {self.run_id}"

    def remove(self, client: docker.DockerClient) -> None:
        """Take it away, killed where it runs; nothing happens where it is gone already."""
        if self.kind == "container":
            unless_gone(client.api.remove_container, self.id, force=True, v=True)
        elif self.kind == "network":
            unless_gone(client.api.remove_network, self.id)
        else:
            unless_gone(client.api.remove_volume, self.id)


def find(client: docker.DockerClient, run_id: str | None = None) -> list[Remnant]:
    """Return what there is of one run, or of all, in the order in which it can be removed."""
    wanted = {"label": containers.RUN_LABEL if run_id is None else f"{containers.RUN_LABEL}={run_id}"}
    listed: dict[Kind, list[dict[str, Any]]] = {
        "container": client.api.containers(all=True, filters=wanted),
        "network": client.api.networks(filters=wanted),
        "volume": client.api.volumes(filters=wanted)["Volumes"] or [],
    }
    return [_remnant(kind, one) for kind, found in listed.items() for one in found]


def remove_run(client: docker.DockerClient, run_id: str) -> None:
    """Remove all of one run; what the engine was still making when it was asked comes to light in a later sweep."""
    for _ in range(SWEEPS):
        found = find(client, run_id)
        for remnant in found:
            remnant.remove(client)
        if not found:
            return


def release_run(client: docker.DockerClient, run_id: str) -> None:
    """Let the paused containers of one run go on."""
    paused = {"label": f"{containers.RUN_LABEL}={run_id}", "status": "paused"}
    for one in client.api.containers(filters=paused):
        unless_gone(client.api.unpause, one["Id"])


def _remnant(kind: Kind, one: dict[str, Any]) -> Remnant:
    labels = one["Labels"]
    names = one["Names"] if kind == "container" else [one["Name"]]
    name = names[0].lstrip("/") if names else one["Id"]  # a container that is on its way out has no name any more
    return Remnant(
        kind, one.get("Id", name), name, labels[containers.RUN_LABEL], labels.get(containers.RUNNER_LABEL, "")
    )
