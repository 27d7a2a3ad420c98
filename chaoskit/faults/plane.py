"""The fault plane: applies and lifts a run's faults on time, proves the links clean, and writes the receipts."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.errors import FaultFailed, RestoreFailed, SetupFailed
from chaoskit.faults.catalogue import COMPONENT_KINDS, KINDS
from chaoskit.faults.contract import Active, ComponentFaultKind, FaultKind
from chaoskit.faults.control import Control
from chaoskit.faults.instance import ControlledInstance
from chaoskit.faults.lease import Lease
from chaoskit.faults.link import ProxiedLink
from chaoskit.faults.parameters import check
from chaoskit.faults.proof import Proof
from chaoskit.faults.server import ProxyServer
from chaoskit.faults.site import Context, InstanceSite, LinkSite, Site
from chaoskit.faults.toxiproxy import went_unanswered
from chaoskit.plan.model import Plan, PlannedFault
from chaoskit.records import FaultEvent, Record
from chaoskit.records.model import FaultStep

PROOF_BOUND_S: Final = 3.0
HEAL_PROOF_BOUND_S: Final = 10.0


class LinkAddresses(Protocol):
    """Where a link's proxy listens, and what it stands in front of."""

    @property
    def listen(self) -> Address:
        """Where clients of the link connect."""
        ...

    @property
    def upstream(self) -> Address:
        """Where the component behind the link listens."""
        ...

    @property
    def caveat(self) -> str:
        """Why probes do not meet all that the near end meets; empty where they do. It is in the link's receipts."""
        ...


@dataclass(slots=True)
class _Play:
    """One fault that is watched, and as long as `lifted_s` is None, applied."""

    fault: PlannedFault
    kind: FaultKind | ComponentFaultKind
    sites: tuple[Site, ...]
    applied_s: float | None = None
    lifted_s: float | None = None
    proofs: dict[str, Proof] = field(default_factory=dict)
    concluded: bool = False


class FaultPlane:
    """Plays the faults of one plan on its links and, through `control`, on its instances.

    `emit` must have a record on disk when it returns: the intent of a fault is there before the fault is. Use from
    one task: `create_links`, `play` (or `inject` and `lift`), then on every way out `heal`. Making one raises
    FaultFailed if a fault of the plan has parameters or places that do not fit, before anything is touched.
    """

    margin_s: float = 3.0
    """How long a place is watched before and after a fault."""

    def __init__(
        self,
        plan: Plan,
        links: Mapping[str, LinkAddresses],
        server: ProxyServer,
        clock: Clock,
        emit: Callable[[Record], None],
        control: Control | None = None,
    ) -> None:
        self._plan = plan
        self._server = server
        self._clock = clock
        self._emit = emit
        self._control = control
        self._instances: dict[str, ControlledInstance] = {}
        prefix = f"{server.label}." if server.label else ""
        self._links = {
            link.name: ProxiedLink(
                link,
                links[link.name].listen,
                links[link.name].upstream,
                server.client,
                f"{prefix}{link.name}",
                links[link.name].caveat,
            )
            for link in plan.links
        }
        self._plays: dict[str, _Play] = {}
        self._restarting = asyncio.Lock()
        self._restarts = 0
        for fault in plan.faults:
            self._check(fault)

    @property
    def active(self) -> tuple[Active, ...]:
        """The faults that are applied at this moment."""
        return tuple(
            Active(play.fault, play.applied_s, tuple(site.name for site in play.sites))
            for play in self._plays.values()
            if play.applied_s is not None and play.lifted_s is None
        )

    async def create_links(self, lease: Lease | None = None) -> None:
        """Create the proxies of all links, covered by `lease`.

        Raises:
            SetupFailed: one cannot be created.
        """
        if lease is not None:
            lease.cover(self._server.url, [(link.proxy, link.listen, link.upstream) for link in self._links.values()])
        for name, link in self._links.items():
            try:
                await link.create()
            except FaultFailed as error:
                message = f"link {name} has no proxy: {error}"
                raise SetupFailed(message) from error

    async def delete_links(self) -> None:
        """Delete the proxies of all links; for a server that outlives the run.

        Raises:
            RestoreFailed: some could not be deleted; all were tried.
        """
        outcomes = await asyncio.gather(*(link.delete() for link in self._links.values()), return_exceptions=True)
        failures = []
        for name, outcome in zip(self._links, outcomes, strict=True):
            if isinstance(outcome, FaultFailed):
                failures.append(f"link {name}: {outcome}")
            elif outcome is not None:
                raise outcome
        if failures:
            message = f"proxies left on {self._server.url}: {'; '.join(failures)}"
            raise RestoreFailed(message)

    async def play(self) -> None:
        """Play every fault of the plan in its window, and return when the last receipt is written.

        A fault that could not be lifted is noted as failed and left to `heal`, which tries again.

        Raises:
            FaultFailed: a fault could not be applied; the others are left as they are, for `heal`.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for fault in self._plan.faults:
                    group.create_task(self._play(fault), name=f"fault {fault.id}")
        except* FaultFailed as failures:
            first: BaseException = failures
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from None

    async def inject(self, fault: PlannedFault) -> None:
        """Apply a fault now, whatever its window says; it stays until `lift` or `heal`.

        Raises:
            FaultFailed: it cannot be applied.
        """
        play = self._watch(fault)
        self._note(fault, "intent", f"{play.kind.describe(fault)}: {', '.join(site.name for site in play.sites)}")
        play.applied_s = self._clock.now_s()
        try:
            await self._on_sites(play, lambda site: site.apply())
        except FaultFailed as error:
            self._note(fault, "failed", str(error))
            raise
        self._note(fault, "applied", f"in {(self._clock.now_s() - play.applied_s) * 1000:.1f}ms")

    async def lift(self, fault_id: str) -> None:
        """Lift a fault now: open connections of its links are closed by that, instances that it ended start again.

        Raises:
            RestoreFailed: it cannot be lifted.
        """
        play = self._plays[fault_id]
        self._note(play.fault, "lifting")
        begun_s = self._clock.now_s()
        try:
            await self._on_sites(play, lambda site: site.lift())
        except FaultFailed as error:
            self._note(play.fault, "failed", str(error))
            message = f"fault {fault_id} could not be lifted: {error}"
            raise RestoreFailed(message) from error
        play.lifted_s = self._clock.now_s()
        took_ms = (play.lifted_s - begun_s) * 1000
        closed = "; connections of its links were closed" if play.fault.links else ""
        self._note(play.fault, "lifted", f"in {took_ms:.1f}ms{closed}")

    async def heal(self) -> None:
        """Lift whatever is applied, prove every place that was touched clean, and write the receipts still owed.

        A `play` that still runs has to be cancelled first. Calling it again is harmless, and tries again what failed.

        Raises:
            RestoreFailed: a link could not be brought back, or does not work as it does past the proxy; an instance is
                not alive, or does not answer.
        """
        failures: list[str] = []
        owed = [play for play in self._plays.values() if play.applied_s is not None]
        for play in owed:
            if play.lifted_s is None:
                try:
                    await self.lift(play.fault.id)
                except RestoreFailed as error:
                    failures.append(str(error))
        await asyncio.gather(*(self._prove(play, HEAL_PROOF_BOUND_S) for play in owed))
        for play in owed:
            what = "link" if play.fault.links else "instance"
            dirty = [(name, proof.detail) for name, proof in play.proofs.items() if proof.clean is False]
            failures += [f"{what} {name}: {detail}" for name, detail in dirty]
        for play in list(self._plays.values()):
            await self._conclude(play)
        if failures:
            message = f"not restored: {'; '.join(dict.fromkeys(failures))}"
            raise RestoreFailed(message)

    async def _play(self, fault: PlannedFault) -> None:
        await self._until(fault.start_s - self.margin_s)
        play = self._watch(fault)
        await self._until(fault.start_s)
        await self.inject(fault)
        await self._until(fault.end_s)
        with suppress(RestoreFailed):  # it is on record, and `heal` tries again
            await self.lift(fault.id)
        await asyncio.gather(*(site.quiet.wait() for site in play.sites))
        await self._prove(play, PROOF_BOUND_S)
        await self._until(fault.end_s + self.margin_s)
        if all(proof.clean is not False for proof in play.proofs.values()):
            await self._conclude(play)  # else `heal` tries again

    def _check(self, fault: PlannedFault) -> None:
        """Raise FaultFailed where the fault's kind, parameters or places do not fit."""
        kind = KINDS.get(fault.kind) or COMPONENT_KINDS.get(fault.kind)
        if kind is None:
            known = ", ".join([*KINDS, *COMPONENT_KINDS])
            raise FaultFailed(f"fault {fault.id}: {fault.kind!r} is no kind of fault; known are {known}")
        check(fault, kind.parameters)
        instances = {instance.name for instance in self._plan.instances}
        wanted, present = (fault.links, self._links) if fault.kind in KINDS else (fault.instances, instances)
        unknown = [name for name in wanted if name not in present]
        if unknown or not wanted:
            noun = "link" if fault.kind in KINDS else "instance"
            what = f"{', '.join(unknown)}, which this run does not have" if unknown else f"no {noun} at all"
            raise FaultFailed(f"fault {fault.id} is to hit {what}")
        if fault.kind in COMPONENT_KINDS and self._control is None:
            raise FaultFailed(f"fault {fault.id} needs a component that chaoskit has started, and here it runs already")

    def _watch(self, fault: PlannedFault) -> _Play:
        if fault.id in self._plays:
            return self._plays[fault.id]
        self._check(fault)
        context = Context(self._server.client, self._clock, self._emit)
        sites: list[Site]
        kind: FaultKind | ComponentFaultKind
        if fault.kind in KINDS:
            kind = link_kind = KINDS[fault.kind]
            sites = [LinkSite(fault, link_kind, self._links[name], context) for name in fault.links]
        else:
            kind = component_kind = COMPONENT_KINDS[fault.kind]
            sites = [
                InstanceSite(fault, component_kind, self._instance(name), self._links_to(name), context)
                for name in fault.instances
            ]
        for site in sites:
            site.watch()
        play = self._plays[fault.id] = _Play(fault, kind, tuple(sites))
        return play

    def _instance(self, name: str) -> ControlledInstance:
        if name not in self._instances:
            assert self._control is not None
            self._instances[name] = ControlledInstance(name, self._control)
        return self._instances[name]

    def _links_to(self, instance: str) -> list[ProxiedLink]:
        return [link for link in self._links.values() if link.link.destination == instance]

    async def _on_sites(self, play: _Play, change: Callable[[Site], Coroutine[None, None, None]]) -> None:
        """Change all places of a fault; where the server hangs, restart it with every link as it should be."""
        restarts = self._restarts
        outcomes = await asyncio.gather(*(change(site) for site in play.sites), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if not failures:
            return
        if not any(isinstance(failure, FaultFailed) and went_unanswered(failure) for failure in failures):
            raise failures[0]
        async with self._restarting:
            if self._restarts == restarts:
                try:
                    await self._server.restart()
                except (SetupFailed, RestoreFailed) as error:
                    message = f"the Toxiproxy server hung and did not come back: {error}"
                    raise FaultFailed(message) from error
                self._restarts += 1
            for link in self._links.values():
                await link.rebuild()

    async def _prove(self, play: _Play, bound_s: float) -> None:
        async def prove(site: Site) -> None:
            play.proofs[site.name] = await site.prove(bound_s)

        open_ = [site for site in play.sites if site.name not in play.proofs or not play.proofs[site.name].clean]
        await asyncio.gather(*(prove(site) for site in open_))
        if open_ and all(proof.clean for proof in play.proofs.values()):
            details = [f"{name}: {proof.detail}" for name, proof in play.proofs.items()]
            self._note(play.fault, "proven_clean", "; ".join(details))

    async def _conclude(self, play: _Play) -> None:
        """Stop watching; write the receipts of a fault that was applied. Once only."""
        if play.concluded:
            return
        play.concluded = True
        for site in play.sites:
            clean = play.proofs[site.name].clean if site.name in play.proofs else None
            receipt = await site.conclude(play.applied_s or 0.0, clean=clean)
            if play.applied_s is not None:
                self._emit(receipt)

    async def _until(self, moment_s: float) -> None:
        await asyncio.sleep(max(0.0, moment_s - self._clock.now_s()))

    def _note(self, fault: PlannedFault, step: FaultStep, detail: str = "") -> None:
        self._emit(FaultEvent(self._clock.now_s(), fault.id, step, detail))
