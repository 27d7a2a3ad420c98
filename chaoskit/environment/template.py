"""Fills the templates of a manifest's commands and environment: `{ports.http}`, `{links.engine}`, `{settings.size}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chaoskit.address import Address
from chaoskit.environment.contract import Layout
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan, PlannedInstance, Scalar

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+(?:\.[\w-]+)?)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance runs, as it sees it itself: a process on this machine, or a container.

    `python` is the interpreter, `host` what to listen on, `workdir` a private folder, `ports` the numbers by name.
    """

    python: str
    host: str
    workdir: str
    ports: Mapping[str, int]


def values(instance: PlannedInstance, plan: Plan, layout: Layout, place: Place) -> Mapping[str, str]:
    """Return what each placeholder means for `instance`, which runs at `place`.

    `{ports.NAME}` is the bare port number, `{links.COMPONENT}` is HOST:PORT. Where an instance that exists once links
    to a component that exists per region, it is `region=HOST:PORT` for each region, joined by commas.
    """
    known = {
        "python": place.python,
        "host": place.host,
        "seed": str(plan.seed),
        "workdir": place.workdir,
        "region": instance.region or "",
    }
    for name, port in place.ports.items():
        known[f"ports.{name}"] = str(port)
    for name, value in instance.settings.items():
        known[f"settings.{name}"] = _text(value)
    for component, links in instance.links.items():
        ends = [(plan.link(link).destination, layout.links[link].near) for link in links]
        known[f"links.{component}"] = ",".join(_end(*end, named=instance.region is None) for end in ends)
    return known


def fill(template: str, known: Mapping[str, str], where: str) -> str:
    """Return `template` with each placeholder replaced; other braces (JSON, shell) stay as they are.

    Raises:
        SetupFailed: a placeholder is unknown.
    """

    def replacement(match: re.Match[str]) -> str:
        if match[1] not in known:
            message = f"{where} uses {match[0]}, which is unknown; known are {', '.join(sorted(known))}"
            raise SetupFailed(message)
        return known[match[1]]

    return _PLACEHOLDER.sub(replacement, template)


def _text(value: Scalar) -> str:
    """Write a setting as command lines expect it: `true`, and `2` for 2.0, which an integer option can read too."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _end(destination: str, address: Address, *, named: bool) -> str:
    """Write where a link leads, with the region before it where the far end has one and the near end has not."""
    region = destination.partition("@")[2]
    return f"{region}={address}" if named and region else str(address)
