"""What a system that runs already calls itself: upstreams, each re-pointed by one line of its own configuration."""

from collections.abc import Iterator, Mapping

from pydantic import Field

from chaoskit.scenario.document import Finding, Location
from chaoskit.scenario.manifest import PortProtocol, Protocol
from chaoskit.scenario.quantities import HostAndPort
from chaoskit.scenario.strict import Strict

SYSTEM = "system"
"""The near end of the links to upstreams: `system->database`."""


class Upstream(Strict):
    """Something that the system calls, in front of which a proxy listens while a run plays."""

    upstream: HostAndPort = Field(examples=["127.0.0.1:5432"])
    """Where it is."""
    listen: HostAndPort = Field(examples=["127.0.0.1:15432"])
    """Where the proxy listens: put this into the system's own configuration."""
    protocol: PortProtocol = Protocol(name="tcp")


def check_upstreams(upstreams: Mapping[str, Upstream]) -> Iterator[Finding]:
    """Yield upstreams that stand in each other's way; whether their hosts are safe is checked as for URLs."""
    taken: dict[str, str] = {}
    for name, one in upstreams.items():
        here: Location = ("target", "upstreams", name, "listen")
        if one.listen == one.upstream:
            yield Finding(here, f"the proxy cannot listen where {name} itself does; choose another port")
        elif one.listen in taken:
            yield Finding(
                here, f"the proxy of {taken[one.listen]} listens at {one.listen} already; choose another port"
            )
        taken.setdefault(one.listen, name)
