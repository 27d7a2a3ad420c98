"""One fault in one place: applied, watched, lifted, proven clean, and told in a receipt."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from chaoskit.clock import Clock
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import ComponentFaultKind, FaultKind, Judgement
from chaoskit.faults.instance import ControlledInstance
from chaoskit.faults.instance_watch import InstanceWatch
from chaoskit.faults.link import ProxiedLink
from chaoskit.faults.proof import Proof, prove_clean
from chaoskit.faults.toxiproxy import ToxiproxyClient
from chaoskit.faults.watch import Watch, WatchedLink
from chaoskit.plan.model import PlannedFault
from chaoskit.records import Receipt, Record


class Site(Protocol):
    """One fault in one place. `quiet` is set while no fault is active in the place.

    `apply` and `lift` raise FaultFailed where the server or the driver does not do it.
    """

    name: str
    quiet: asyncio.Event

    def watch(self) -> None:
        """Begin to watch; a second call changes nothing."""
        ...

    async def apply(self) -> None:
        """Bring the fault about."""
        ...

    async def lift(self) -> None:
        """Take the fault away."""
        ...

    async def prove(self, bound_s: float) -> Proof:
        """Try for up to `bound_s` to prove that the place is as it was before any fault."""
        ...

    async def conclude(self, applied_s: float, *, clean: bool | None) -> Receipt:
        """Stop watching and say what the fault did."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What every site of a run shares; `emit` must have a record on disk when it returns."""

    client: ToxiproxyClient
    clock: Clock
    emit: Callable[[Record], None]


class LinkSite:
    """A fault on a link, watched by pairs of probes."""

    def __init__(self, fault: PlannedFault, kind: FaultKind, link: ProxiedLink, context: Context) -> None:
        self.name = link.link.name
        self.quiet = link.quiet
        self._fault = fault
        self._kind = kind
        self._link = link
        self._context = context
        watched = WatchedLink(link.link, link.listen, link.upstream, link.condition)
        self._watch = Watch(watched, kind.inquiry(fault), context.clock, context.emit)

    def watch(self) -> None:
        """Begin to probe."""
        self._watch.start()

    async def apply(self) -> None:
        """Bring the fault to the link's proxy."""
        await self._link.apply(self._fault.id, self._kind.action(self._fault))

    async def lift(self) -> None:
        """Take the fault from the link's proxy, once the probes that meet it have been counted."""
        await self._watch.settle()
        await self._link.lift(self._fault.id)

    async def prove(self, bound_s: float) -> Proof:
        """Prove the link clean."""
        return await prove_clean(self._link, self._context.client, self._context.clock, bound_s)

    async def conclude(self, applied_s: float, *, clean: bool | None) -> Receipt:
        """Judge the probes."""
        await self._watch.stop()
        seen = self._watch.observations(self._fault.id, applied_s)
        judgement = self._kind.judge(self._fault, seen)
        if self._link.caveat:
            judgement = replace(judgement, delivered=f"{judgement.delivered}; {self._link.caveat}")
        return _receipt(self.name, self._fault, self._kind, judgement, clean, len(seen.during))


class InstanceSite:
    """A fault on an instance, watched by looks; clean again when it is alive and answers on each of its `links`."""

    def __init__(
        self,
        fault: PlannedFault,
        kind: ComponentFaultKind,
        instance: ControlledInstance,
        links: Sequence[ProxiedLink],
        context: Context,
    ) -> None:
        self.name = instance.name
        self.quiet = instance.quiet
        self._fault = fault
        self._kind = kind
        self._instance = instance
        self._links = links
        self._context = context
        self._watch = InstanceWatch(instance, context.clock, context.emit)
        self._back_s: float | None = None

    def watch(self) -> None:
        """Begin to look."""
        self._watch.start()

    async def apply(self) -> None:
        """Bring the fault to the instance, and look at once: a restart without delay leaves no time for it later."""
        await self._instance.apply(self._fault.id, self._kind.action(self._fault))
        await self._watch.look()

    async def lift(self) -> None:
        """Look once more, take the fault from the instance, and wait until it is ready where it had ended."""
        await self._watch.look()
        begun_s = self._context.clock.now_s()
        await self._instance.lift(self._fault.id)
        self._back_s = self._context.clock.now_s() - begun_s

    async def prove(self, bound_s: float) -> Proof:
        """Prove that the instance is alive and that every link to it is clean and answered."""
        await self._watch.look()
        try:
            vitals = await self._instance.control.vitals(self.name)
        except FaultFailed as error:
            return Proof(False, str(error))
        if vitals.state == "exited" and self._instance.should_live:
            return Proof(None, f"it has ended by itself (exit code {vitals.exit_code})")
        if vitals.state != "running":
            return Proof(False, f"it is {vitals.state.replace('_', ' ')}")
        client, clock = self._context.client, self._context.clock
        disturbed_no_more = [link for link in self._links if link.quiet.is_set()]
        proofs = await asyncio.gather(*(prove_clean(link, client, clock, bound_s) for link in disturbed_no_more))
        details = [f"{link.link.name}: {proof.detail}" for link, proof in zip(disturbed_no_more, proofs, strict=True)]
        alive = f"running with {vitals.processes} process{'' if vitals.processes == 1 else 'es'}"
        return Proof(all(proof.clean for proof in proofs), "; ".join([alive, *details]))

    async def conclude(self, applied_s: float, *, clean: bool | None) -> Receipt:
        """Judge the looks."""
        await self._watch.stop()
        seen = self._watch.observations(self._fault.id, applied_s, self._back_s)
        return _receipt(
            self.name, self._fault, self._kind, self._kind.judge(self._fault, seen), clean, len(seen.during)
        )


def _receipt(
    place: str,
    fault: PlannedFault,
    kind: FaultKind | ComponentFaultKind,
    judgement: Judgement,
    clean: bool | None,
    probes: int,
) -> Receipt:
    requested = kind.describe(fault)
    return Receipt(
        fault=fault.id, place=place, requested=requested, clean_after=clean, probes=probes, **asdict(judgement)
    )
