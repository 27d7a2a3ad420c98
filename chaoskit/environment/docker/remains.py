"""What a run has in an engine, found by its labels, whoever made it: containers, networks, volumes."""

from dataclasses import dataclass
from typing import Any

import docker

from chaoskit import containers
from chaoskit.environment.docker.engine import unless_gone


@dataclass(frozen=True, slots=True)
class Remnant:
    """A container, network or volume of a run; `runner` says which process played it, as text."""

    kind: str
    name: str
    run_id: str
    runner: str
    thing: Any

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of run {self.run_id}"

    def remove(self) -> None:
        """Take it away, killed where it runs; nothing happens where it is gone already."""
        if self.kind == "container":
            unless_gone(self.thing.remove, force=True, v=True)
        else:
            unless_gone(self.thing.remove)


def find(client: docker.DockerClient, run_id: str | None = None) -> list[Remnant]:
    """Return what there is of one run, or of all, in the order in which it can be removed."""
    wanted = {"label": containers.RUN_LABEL if run_id is None else f"{containers.RUN_LABEL}={run_id}"}
    found = [
        ("container", one, one.labels) for one in client.containers.list(all=True, filters=wanted, ignore_removed=True)
    ]
    found += [("network", one, one.attrs.get("Labels")) for one in client.networks.list(filters=wanted)]
    found += [("volume", one, one.attrs.get("Labels")) for one in client.volumes.list(filters=wanted)]
    return [
        Remnant(kind, one.name, labels[containers.RUN_LABEL], labels.get(containers.RUNNER_LABEL, ""), one)
        for kind, one, labels in found
    ]
