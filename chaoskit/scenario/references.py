"""What a scenario must fulfil beyond the shape of its keys: names exist, windows fit, hosts are safe."""

import ipaddress
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chaoskit.address import Address
from chaoskit.metric import OF_MESSAGES
from chaoskit.scenario.code import missing_function, missing_user
from chaoskit.scenario.component_faults import ComponentFault
from chaoskit.scenario.document import Finding, Location
from chaoskit.scenario.fault import Fault
from chaoskit.scenario.faults import FaultEntry, LinkFault, Partition, RegionDown
from chaoskit.scenario.files import is_file
from chaoskit.scenario.manifest import Manifest
from chaoskit.scenario.model import ALL_STREAMS, Scenario, Stream
from chaoskit.scenario.objectives import RESERVED, Statement
from chaoskit.scenario.problems import did_you_mean
from chaoskit.scenario.settings import parse_setting
from chaoskit.scenario.topology import Topology
from chaoskit.scenario.upstreams import check_upstreams
from chaoskit.trust import tls_context
from chaoskit.units import format_duration

MAX_ARRIVALS: Final = 50_000_000
PRIVATE_NETWORKS: Final = tuple(
    ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""The private networks of RFC 1918 and RFC 4193."""

OTHER_SUSPECTS: Final = ("none", "host.cpu", "generator.cpu", "generator.connections")
"""What `expect` may name besides parts of the target, spelt as the analysis calls its findings."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the file declares under its keys, also where a declaration itself has a problem.

    None where that cannot be read, under a misspelt key for one: then nothing can be said of what refers to it.
    """

    phases: tuple[str, ...] | None
    streams: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class References:
    """The checks of one scenario against itself and its target; `topology` is None where the target has problems."""

    scenario: Scenario
    names: Names
    folder: Path
    manifest: Manifest | None
    topology: Topology | None
    allow_targets: Collection[str]

    @property
    def _target_is_unknown(self) -> bool:
        return self.manifest is None and self.scenario.target.external is None

    def check(self) -> Iterator[Finding]:
        """Yield everything that refers to nothing, does not fit or is not safe."""
        yield from self._check_target()
        yield from self._check_load()
        yield from self._check_phases()
        for index, entry in enumerate(self.scenario.faults):
            yield from self._check_fault(("faults", index), entry)
        for index, statement in enumerate(self.scenario.objectives):
            yield from self._check_statement(("objectives", index), statement)
        for index, statement in enumerate(self.scenario.abort_when):
            yield from self._check_statement(("abort_when", index), statement)
        yield from self._check_expectation()

    def _check_target(self) -> Iterator[Finding]:
        target = self.scenario.target
        for name, url in (target.external or {}).items():
            yield from self._check_url(("target", "external", name), url)
        yield from self._check_upstreams()
        yield from self._check_authorities()
        if self.scenario.toxiproxy is not None:
            yield from self._check_url(("toxiproxy",), self.scenario.toxiproxy)
        if len(set(target.regions)) < len(target.regions):
            yield Finding(("target", "regions"), "a region stands here twice; keep one of them")
        if target.external is not None:
            for key, names in (("placement", target.placement), ("settings", target.settings)):
                for name in names:
                    message = f"a target that runs already has no {key} to change here; leave it out"
                    yield Finding(("target", key, name), message, key=True)
        elif self.manifest is not None:
            if self.topology is not None:
                yield from self._check_placement(("target", "placement"), self.manifest, self.topology)
            for name, raw in target.settings.items():
                yield from self._check_setting(("target", "settings", name), self.manifest, raw)
        yield from self._check_limits()
        if self.manifest is not None and target.driver != "auto":
            yield from self._check_driver(composed=self.manifest.compose is not None)

    def _check_authorities(self) -> Iterator[Finding]:
        file = self.scenario.target.tls.authorities
        if file is None:
            return
        try:
            tls_context((self.folder / file).read_text(encoding="ascii"), verify=True)
        except OSError as error:  # what OpenSSL complains of is one, too
            reason = (error.strerror or "it is no PEM file").lower()
            yield Finding(("target", "tls", "authorities"), f"{file!r} cannot be read: {reason}; name a PEM file")
        except ValueError:
            yield Finding(("target", "tls", "authorities"), f"{file!r} holds no certificates; name a PEM file")

    def _check_upstreams(self) -> Iterator[Finding]:
        upstreams = self.scenario.target.upstreams
        for name, one in upstreams.items():
            here: Location = ("target", "upstreams", name)
            yield from self._check_host((*here, "upstream"), Address.parse(one.upstream).host)
            if not is_safe(Address.parse(one.listen).host):
                message = (
                    "a proxy there opens the upstream to others; write 127.0.0.1, or this machine's private address"
                )
                yield Finding((*here, "listen"), message)
        yield from check_upstreams(upstreams)

    def _check_driver(self, *, composed: bool) -> Iterator[Finding]:
        driver = self.scenario.target.driver
        if composed and driver != "compose":
            message = f"a target with a compose file is not played with the driver {driver}; leave `driver` out"
            yield Finding(("target", "driver"), message)
        if not composed and driver == "compose":
            message = "`driver: compose` needs a target with a `compose` file; write one into its target.yaml"
            yield Finding(("target", "driver"), message)

    def _check_limits(self) -> Iterator[Finding]:
        components = self.manifest.components if self.manifest else {}
        for name in self.scenario.target.limits:
            here: Location = ("target", "limits", name)
            if self.scenario.target.external is not None:
                message = "a target that runs already cannot be limited from here; leave it out"
                yield Finding(here, message, key=True)
            elif self.manifest is not None and name not in components:
                message = f"the target has no component `{name}`{did_you_mean(name, components)}"
                yield Finding(here, message, key=True)
            elif self.manifest is not None and not self.manifest.compose and components[name].container is None:
                message = f"`{name}` has no `container` in its manifest, and only containers are limited; leave it out"
                yield Finding(here, message, key=True)

    def _check_url(self, here: Location, url: str) -> Iterator[Finding]:
        yield from self._check_host(here, urlsplit(url).hostname or "")

    def _check_host(self, here: Location, host: str) -> Iterator[Finding]:
        if not is_safe(host) and host not in self.allow_targets:
            message = f"the host {host} is neither loopback nor private, and load could harm it"
            yield Finding(here, f"{message}; if it is yours to test, pass --allow-target {host}")

    def _check_setting(self, here: Location, manifest: Manifest, raw: object) -> Iterator[Finding]:
        known = manifest.setting_models()
        name = str(here[-1])
        if name not in known:
            yield Finding(
                here, f"the setting `{name}` is not declared by the target{did_you_mean(name, known)}", key=True
            )
            return
        try:
            parse_setting(known[name], raw)
        except ValueError as error:
            yield Finding(here, f"`{name}`: {error}")

    def _check_load(self) -> Iterator[Finding]:
        for name, stream in self.scenario.load.items():
            here: Location = ("load", name)
            if name in RESERVED:
                yield Finding(
                    here, f"`{name}` is a word of objectives and cannot name a stream; choose another", key=True
                )
            if stream.flow is not None:
                yield from self._check_flow((*here, "flow"), stream.flow)
            yield from self._check_code(here, stream)
        arrivals = sum(self._arrivals(name) for name in self.scenario.load)
        if arrivals > MAX_ARRIVALS:
            message = (
                f"the whole load is {arrivals:,.0f} arrivals, and {MAX_ARRIVALS:,} is the most; lower rates or times"
            )
            yield Finding(("load",), message, key=True)

    def _arrivals(self, stream: str) -> float:
        rate = self.scenario.load[stream].rate or 0.0
        return sum(rate * self.scenario.multiple(phase, stream) * phase.body.length for phase in self.scenario.phases)

    def _check_flow(self, here: Location, flow: str) -> Iterator[Finding]:
        if self.topology is None:
            return
        if self.scenario.target.external is not None:
            yield Finding(
                here, "a target given by URLs has no flows; write a `request`, `subscribe`, `python` or `locustfile`"
            )
        elif self.manifest is not None and flow not in self.manifest.flows:
            yield Finding(here, f"the target has no flow {flow!r}{did_you_mean(flow, self.manifest.flows)}")

    def _check_code(self, here: Location, stream: Stream) -> Iterator[Finding]:
        if stream.locustfile is not None:
            wrong: str | None = f"there is no file {stream.locustfile!r} next to the scenario; check the path"
            if is_file(file_path := self.folder / stream.locustfile):
                wrong = missing_user(file_path)
            if wrong is not None:
                yield Finding((*here, "locustfile"), wrong)
        if stream.python is not None:
            file, colon, function = stream.python.rpartition(":")
            missing: str | None = f"{stream.python!r} is not a function; write it like `flows.py:buy`"
            if colon and file.endswith(".py") and function.isidentifier():
                missing = missing_function(self.folder / file, function)
            if missing is not None:
                yield Finding((*here, "python"), missing)

    def _check_phases(self) -> Iterator[Finding]:
        seen: set[str] = set()
        for index, phase in enumerate(self.scenario.phases):
            here: Location = ("phases", index, phase.name)
            if phase.name in seen:
                yield Finding(here, f"the phase `{phase.name}` is declared above already; rename one of them", key=True)
            seen.add(phase.name)
            for stream in phase.body.multiply:
                if self.names.streams is not None and stream not in (ALL_STREAMS, *self.names.streams):
                    message = f"`{stream}` is no stream of `load`{did_you_mean(stream, self.names.streams)}"
                    yield Finding((*here, "multiply", stream), message, key=True)

    def _check_fault(self, here: Location, entry: FaultEntry) -> Iterator[Finding]:
        yield from self._check_place((*here, entry.fault.kind), entry.fault)
        if self.names.phases is not None and entry.during not in self.names.phases:
            message = f"there is no phase {entry.during!r}{did_you_mean(entry.during, self.names.phases)}"
            yield Finding((*here, "during"), message)
        phase = next((phase for phase in self.scenario.phases if phase.name == entry.during), None)
        if phase is None:
            return
        length = phase.body.length
        if entry.at >= length:
            message = f"the fault begins {format_duration(entry.at)} into a phase of {format_duration(length)}"
            yield Finding((*here, "at"), f"{message}; let it begin earlier")
        elif entry.lasts_s is not None and entry.at + entry.lasts_s > length + 1e-9:
            over = format_duration(entry.at + entry.lasts_s - length)
            key = "at" if entry.length is None else "for"
            yield Finding((*here, key), f"the fault ends {over} after its phase; make it shorter or begin earlier")

    def _check_place(self, here: Location, fault: Fault) -> Iterator[Finding]:
        """Yield where a fault would strike nothing."""
        topology = self.topology
        if topology is None:
            return
        if isinstance(fault, LinkFault) and not topology.links(fault.link):
            message = f"the target has no link {fault.link!r}{did_you_mean(fault.link, topology.link_names)}"
            yield Finding((*here, "link"), message)
        if isinstance(fault, ComponentFault) and not topology.instances_of(fault.component):
            message = f"the target has no component {fault.component!r}"
            mend = did_you_mean(fault.component, topology.component_names)
            if not topology.instances:
                mend = "; what runs already cannot be touched, only its links: name a `link`"
            yield Finding((*here, "component"), message + mend)
        if isinstance(fault, RegionDown):
            yield from self._check_regions((*here, "region"), (fault.region,), topology)
            if fault.region in topology.regions and not topology.links_of_region(fault.region):
                yield Finding((*here, "region"), f"no link has an end in {fault.region}; name links instead")
        if isinstance(fault, Partition):
            unknown = list(self._check_regions((*here, "regions"), fault.regions, topology))
            yield from unknown
            if not unknown and not topology.links_between(fault.regions):
                message = f"no link runs between {' and '.join(fault.regions)}, so there is nothing to cut"
                mend = "place a component that exists once in one of them (`target: {placement: {NAME: REGION}}`)"
                yield Finding((*here, "regions"), f"{message}; {mend}")

    def _check_regions(self, here: Location, regions: Iterable[str], topology: Topology) -> Iterator[Finding]:
        for region in regions:
            if region not in topology.regions:
                message = f"the target has no region {region!r}{did_you_mean(region, topology.regions)}"
                yield Finding(here, message)

    def _check_placement(self, here: Location, manifest: Manifest, topology: Topology) -> Iterator[Finding]:
        for name, region in self.scenario.target.placement.items():
            if name not in manifest.components:
                message = f"the target has no component {name!r}{did_you_mean(name, manifest.components)}"
                yield Finding((*here, name), message, key=True)
            elif manifest.components[name].per == "region":
                yield Finding((*here, name), f"{name} stands in every region already; leave it out", key=True)
            else:
                yield from self._check_regions((*here, name), (region,), topology)

    def _check_statement(self, here: Location, statement: Statement) -> Iterator[Finding]:
        said = (("stream", statement.stream, self.names.streams), ("phase", statement.phase, self.names.phases))
        for what, name, known in said:
            if name is not None and known is not None and name not in known:
                yield Finding(here, f"there is no {what} {name!r}{did_you_mean(name, known)}")
                return
        yield from self._check_messages(here, statement)
        declared = self.manifest.findings if self.manifest is not None else {}
        if statement.finding is not None and statement.finding not in declared and not self._target_is_unknown:
            message = f"the target declares no finding {statement.finding!r}"
            yield Finding(here, message + did_you_mean(statement.finding, declared))

    def _check_messages(self, here: Location, statement: Statement) -> Iterator[Finding]:
        """Yield where a bound on messages speaks of streams that get none, or that do not tell what is bounded."""
        if statement.metric not in OF_MESSAGES:
            return
        load = self.scenario.load
        named = [load[name] for name in load if statement.stream in {name, None}]
        listening = [stream.subscribe for stream in named if stream.subscribe is not None]
        what = statement.metric.removesuffix("_quantile")
        whose = statement.stream or "no stream"
        if named and not listening:
            has = "has" if statement.stream is None else "has no"
            message = f"`{what}` is of subscriptions, and {whose} {has} `subscribe`; name a stream that has"
            yield Finding(here, message)
        elif what == "age" and listening and not any(wanted.age for wanted in listening):
            message = "no message says when it was made; write `age: {field: E}` into `subscribe`"
            yield Finding(here, message)

    def _check_expectation(self) -> Iterator[Finding]:
        if self.scenario.expect is None or self.topology is None:
            return
        expected = self.scenario.expect.bottleneck
        known = [
            *self.topology.resources,
            *(f"link:{name}" for name in self.topology.link_names),
            *(f"region:{region}" for region in self.topology.regions),
            *(f"component:{name}" for name in self.topology.component_names),
            *OTHER_SUSPECTS,
        ]
        shorter = {name.partition(mark)[2] for name in known for mark in ("/", ":")}
        if expected not in shorter.union(known):
            message = f"{expected!r} is nothing that this target can run out of{did_you_mean(expected, known)}"
            yield Finding(("expect", "bottleneck"), message)


def is_safe(host: str) -> bool:
    """Return whether `host` is surely this machine or in a private network; names other than localhost are not.

    Link-local addresses are no private network: 169.254.169.254 is where clouds serve credentials.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or any(address in network for network in PRIVATE_NETWORKS)
