"""Root or victim: from arrivals that were harmed to what would have to change.

For each stream, entry and second in which more than `HARMED_RATIO` of the arrivals failed or came late:

1. A lost region, or a component without life, is the cause for the arrivals that enter there: however late they are
   sent, none is answered.
2. A load generator that has all its connections in use, none of them for longer than undisturbed, is the cause: it has
   too few. One that sends late is the cause too, unless the host that it runs on has no CPU left.
3. Otherwise start at the saturated resource furthest upstream, and follow what it is blocked on while that is
   saturated too (a resource), struck by a fault or slower than undisturbed (a link). Where nothing further is, that is
   the root.
4. A resource whose component is under an effective fault, or that is held by a link that is (or whose far end is, or
   that is slower without a fault), is the root only if it would not carry the offered load at its undisturbed demand;
   else what was struck is. What would carry the load and is full all the same runs on a processor that may not: a full
   one of its component, or of the host, is then the root. So it is where a link seems slower without a fault while who
   waits for it, or who answers, has no CPU (or with a fault that adds far less): an answer that lies unread counts as
   waited for.
5. Nothing saturated: an effective fault on the stream's path is the cause by itself; else none is known.

A fault explains only what follows it: arrivals that were not late yet when it was applied, and, where nothing shows how
it worked, only harm that was not there before it. A limiter is credited with what it refused, what is behind it with
the rest.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from chaoskit.analysis.observations import Observations
from chaoskit.analysis.streams import EntrySeries
from chaoskit.analysis.strikes import Strike, Strikes
from chaoskit.analysis.waits import SLOWER, added_s, wait
from chaoskit.analysis.windows import ResourceSeries
from chaoskit.plan.model import PlannedLink

HARMED_RATIO: Final = 0.01
CARRIES: Final = 0.97
"""A resource would carry a load that asks for less than this utilisation."""

MINOR_USE: Final = 0.02
"""A stream that comes by a resource this much less often than another does not come by at all."""

MINOR_SHARE: Final = 0.1
"""Waits that make up less of the time held than this are not followed."""

BEFORE_S: Final = 3
NEW_RATIO: Final = 0.5
"""Harm came with a fault when at least this part of it was not there in the seconds of load before the fault."""


@dataclass(frozen=True, slots=True)
class Root:
    """What to change: `subject` as in `Bottleneck.resource`; `held` are the victims from the symptom on, by kind.

    `fault` is at the root, or made it worse. `victim` is the resource on which a faulty link was felt, by id.
    `starved`: the processor has room for the load, and its component is kept from it.
    """

    subject: str
    kind: str
    held: tuple[str, ...] = ()
    fault: str | None = None
    victim: str | None = None
    starved: bool = False


@dataclass(frozen=True, slots=True)
class Harm:
    """Arrivals of one stream and entry in one second that one root explains; `root` None: no cause found."""

    stream: str
    entry: str
    second: int
    arrivals: float
    root: Root | None


def find_harm(seen: Observations) -> list[Harm]:
    """Attribute every harmed arrival of the run, in order of stream, entry and second."""
    found = []
    for entry in seen.entries:
        timeout_s = next(stream.timeout_s for stream in seen.plan.streams if stream.name == entry.stream)
        search = _Search(seen, entry)
        previous: Root | None = None
        for second in np.flatnonzero(entry.harmed > HARMED_RATIO * np.maximum(entry.offered, 1)).tolist():
            harms = search.at(second, math.ceil(min(timeout_s, 10.0)), previous)
            found += harms
            found_root = harms[-1].root
            if found_root is not None and found_root.subject != "generator.cpu":  # lag leaves no queue to drain
                previous = found_root
    return found


class _Search:
    """The search for one stream through one entry."""

    def __init__(self, seen: Observations, entry: EntrySeries) -> None:
        self._seen = seen
        self._entry = entry
        self._columns = _grow_alike(seen, entry.stream)
        links = [link for link in seen.plan.links if link.name == entry.entry]
        self._entry_links: list[PlannedLink] = links
        self._region = links[0].regions[0] if links and links[0].regions else None
        self._strikes = Strikes(seen.plan, seen.faults, seen.active)
        self._path = self._resources_on_path()

    def at(self, second: int, reach: int, previous: Root | None) -> list[Harm]:
        """Return who is to blame for `second`, looking up to `reach` seconds on (a call lives that long), then back."""
        harmed = float(self._entry.harmed[second])
        last = len(self._entry.offered) - 1
        refused = min(harmed, self._refused_by_limiter(second)) if self._limiter(second) else 0.0
        limiter = self._limiter(second)
        harms = [self._harm(second, refused, Root(limiter.kind_id, limiter.kind))] if limiter and refused else []
        if harmed - refused <= HARMED_RATIO * self._entry.offered[second] and harms:
            return harms
        for near in [*range(second, min(second + reach, last) + 1), second - 1, second - 2]:
            root = self._root(near, second) if near >= 0 else None
            if root is not None and self._may_follow(root, second):
                return [*harms, self._harm(second, harmed - refused, root)]
        draining = previous if self._still_draining(second) else None
        return [*harms, self._harm(second, harmed - refused, draining)]

    def _may_follow(self, root: Root, second: int) -> bool:
        """Return whether harm of `second` can come from the root's fault: those already late when it came cannot."""
        applied_s = self._applied_s(root.fault)
        return applied_s is None or applied_s < second + 1 + float(self._entry.late_s[second])

    def _applied_s(self, fault: str | None) -> float | None:
        return next((one.applied_s for one in self._seen.faults if one.id == fault), None)

    def _is_new(self, fault: str, second: int) -> bool:
        """Return whether most of the harm of `second` was not there just before `fault` could reach any arrival."""
        applied_s = self._applied_s(fault)
        if applied_s is None:
            return False
        offered, harmed = self._entry.offered, self._entry.harmed
        first = max(0, math.floor(applied_s - float(self._entry.late_s[math.floor(applied_s)])))
        before = [past for past in range(first) if offered[past] > 0][-BEFORE_S:]
        usual = float(harmed[before].sum() / offered[before].sum()) if before else 0.0
        asked = float(offered[second])
        return asked <= 0 or usual <= (1 - NEW_RATIO) * float(harmed[second]) / asked

    def _harm(self, second: int, arrivals: float, root: Root | None) -> Harm:
        return Harm(self._entry.stream, self._entry.entry, second, arrivals, root)

    def _resources_on_path(self) -> list[ResourceSeries]:
        """Return what this stream uses in its region, and what that waits for, the load generator included.

        Streams that grow nearly alike are hard to tell apart, and one may have got all: every stream uses something,
        so one that seems to use nothing of the target, or processors alone, may use all of it.
        """
        seen = self._seen
        near = [one for one in seen.series.values() if one.id in seen.demands and one.kind != "host"]
        near = [one for one in near if one.region in {None, self._region}]
        used = [one for one in near if self._uses(one)]
        return used if any(one.kind not in {"generator", "cpu"} for one in used) else near

    def _uses(self, one: ResourceSeries) -> bool:
        """Return whether this stream uses a resource, next to the one that uses it most; less is noise of the fit.

        Of a processor that was seen at work for a few ticks nobody can tell whose work it was: it may be anybody's.
        """
        demand = self._seen.demands[one.id]
        if one.kind == "cpu" and demand.rough:
            return True
        used = demand.visits if demand.visits.any() else demand.total_s
        return bool(used[self._columns].max() > MINOR_USE * used.max(initial=0.0))

    def _limiter(self, second: int) -> ResourceSeries | None:
        limiters = [one for one in self._path if one.kind == "limiter" and one.rejections[second] >= 1]
        return max(limiters, key=lambda one: (one.rejections[second], one.id), default=None)

    def _refused_by_limiter(self, second: int) -> float:
        """Return this stream's part of what the limiter refused around `second`."""
        limiter = self._limiter(second)
        if limiter is None:
            return 0.0
        entries = [entry for entry in self._seen.entries if entry.entry == self._entry.entry]
        harmed = sum(float(entry.harmed[second]) for entry in entries)
        rejections = float(limiter.rejections[max(0, second - 1) : second + 2].max())
        return rejections * float(self._entry.harmed[second]) / harmed if harmed else 0.0

    def _root(self, second: int, harmed_in: int) -> Root | None:
        """Return what was wrong in `second`, for arrivals that were harmed in `harmed_in` (or nothing was)."""
        lost = next((strike for link in self._entry_links if (strike := self._strikes.on_entry(link, second))), None)
        if lost is not None:
            return _struck_root(lost)
        generator = self._generator(second, harmed_in)
        if generator is not None:
            return generator
        full = [one for one in self._path if self._seen.saturated[one.id][second] and one.kind != "limiter"]
        full = [one for one in full if one.kind != "generator"]
        behind = {supplier.id for one in full for supplier in self._seen.topology.all_suppliers(one)}
        upstream = [one for one in full if one.id not in behind]
        if upstream:
            first = max(upstream, key=lambda one: (self._waited(one, second), one.id))
            root = self._follow(first, second, ())
            if root.victim is not None and self._seen.offered_utilization(root.victim, second) >= CARRIES:
                return root
            unforced = root.fault is None
            return self._processor(upstream, second) or (self._kept_from(root, second) if unforced else None) or root
        strike = self._strike_on_path(second)
        return _struck_root(strike) if strike is not None else self._host(second)

    def _waited(self, one: ResourceSeries, second: int) -> float:
        return float(one.wait_s[second] + one.queue_length[second] + one.rejections[second])

    def _follow(self, one: ResourceSeries, second: int, held: tuple[str, ...]) -> Root:
        """Go from a saturated resource to what it waits for, the longest wait first, until nothing further is wrong."""
        seen, busy_s = self._seen, float(one.busy_s[second])
        waits = sorted(((float(values[second]), on) for on, values in one.blocked_s.items()), reverse=True)
        followed = [on for waited_s, on in waits if waited_s >= MINOR_SHARE * busy_s]
        for on in followed:
            full = self._full_suppliers(one, on, second, (*held, one.kind_id))
            if full:
                worst = max(full, key=lambda s: (not _is_behind(seen, s, full), self._waited(s, second), s.id))
                return self._follow(worst, second, (*held, one.kind_id))
        carries = seen.offered_utilization(one.id, second) < CARRIES
        here = self._strikes.on_instances({one.instance}, second)
        made_worse: str | None = None
        for on in followed:
            links = seen.topology.reach(one, on)
            strike = self._strikes.on_links(links, self._region, second)
            waited = wait(seen, one, on, second)
            if carries and strike is not None:
                beyond = waited is not None and waited.is_beyond(added_s(seen, strike.fault))
                starved = self._starved(self._ends(one, links), second, (*held, one.kind_id)) if beyond else None
                return starved or _struck_root(strike, (*held, one.kind_id), one.id)
            free = bool(links) and here is None and one.kind != "generator"
            if carries and free and waited is not None and waited.slower:
                link = f"link:{links[0].kind}"
                starved = self._starved(self._ends(one, links), second, (*held, one.kind_id, link))
                return starved or Root(link, "link", (*held, one.kind_id), None, one.id)
            made_worse = made_worse or (strike.fault if strike else None)
        # What waits for a component that is gone may not hold anything meanwhile, and be full of those that wait.
        strike = here or self._strikes.on_links(seen.topology.path_links(one), self._region, second)
        if carries and strike is not None and strike.kind == "component":
            return _struck_root(strike, (*held, one.kind_id), one.id)
        made_worse = made_worse or (strike.fault if strike else None)
        return Root(one.kind_id, one.kind, held, made_worse, one.id)

    def _full_suppliers(self, one: ResourceSeries, on: str, second: int, held: tuple[str, ...]) -> list[ResourceSeries]:
        return [
            supplier
            for supplier in self._seen.topology.suppliers(one, on)
            if self._seen.saturated[supplier.id][max(0, second - 1) : second + 2].any()
            and supplier.kind_id not in held
            and supplier.region in {None, self._region}
        ]

    def _generator(self, second: int, harmed_in: int) -> Root | None:
        seen = self._seen
        own = [one for one in seen.series.values() if one.kind == "generator" and seen.saturated[one.id][second]]
        cpus = [one for one in own if one.kind_id == "generator.cpu"]
        if second == harmed_in and self._was_behind(second):
            host = next((h for near in (second, second - 1, second + 1) if (h := self._host(near)) is not None), None)
            if host is not None and not cpus:
                return host
            return Root("generator.cpu", "generator", victim=cpus[0].id if cpus else None)
        for one in own:
            waiting = any(seen.saturated[s.id][second] for s in seen.topology.all_suppliers(one))
            disturbed = waiting or self._strike_on_path(second)
            if one not in cpus and not disturbed and not self._held_longer(one, second):
                return Root(one.kind_id, "generator", victim=one.id)
        return None

    def _held_longer(self, one: ResourceSeries, second: int) -> bool:
        """Return whether a unit of `one` is held for longer than undisturbed: then what it waits for is to blame."""
        held_s = float(one.busy_s[second]) / max(float(one.completions[second]), 1.0)
        usual_s = self._usual_service_s(second)
        return usual_s > 0 and held_s > SLOWER * usual_s

    def _usual_service_s(self, second: int) -> float:
        """Return the mean service time that the arrivals of `second` (or the last before) would have at baseline."""
        seen = self._seen
        loaded = [past for past in range(second, -1, -1) if seen.arrivals.offered[past].any()]
        offered = seen.arrivals.offered[loaded[0] if loaded else second]
        known = offered * (seen.baseline_service_s > 0)
        return float(known @ seen.baseline_service_s / known.sum()) if known.any() else 0.0

    def _was_behind(self, second: int) -> bool:
        """Return whether a late generator explains most of the harm of `second`: as many were not sent in time."""
        late = self._entry.lag_s[second] > self._seen.plan.generator.max_lag_s and self._late_phase(second)
        return bool(late and self._entry.behind[second] >= self._entry.harmed[second] / 2)

    def _late_phase(self, second: int) -> bool:
        """Return whether lag is above its bound over the whole phase too: one late second is no late generator."""
        phases = [phase.name for phase in self._seen.plan.phases if phase.start_s <= second < phase.end_s]
        lags = [self._seen.phases[self._entry.stream][phase].lag_p99_s or 0.0 for phase in phases]
        return max(lags, default=0.0) > self._seen.plan.generator.max_lag_s

    def _host(self, second: int) -> Root | None:
        """Return the host where its CPU is full, unless it was full at baseline too: that is not what changed."""
        full = self._seen.saturated.get("host.cpu")
        if full is None or not 0 <= second < len(full) or not full[second]:
            return None
        return None if self._seen.host_was_full else Root("host.cpu", "host", victim="host.cpu")

    def _ends(self, one: ResourceSeries, links: list[PlannedLink]) -> list[str]:
        """Return the instances that wait on `links`, for load of this region, and that answer there."""
        near = [link for link in links if not link.regions or self._region in {None, *link.regions}]
        return list(dict.fromkeys([one.instance, *(link.destination for link in near)]))

    def _kept_from(self, root: Root, second: int) -> Root | None:
        """Return what keeps a resource full that would carry the load: no CPU, of the host or of its component."""
        one = self._seen.series.get(root.victim or "")
        if one is None or one.kind == "cpu":
            return self._host(second)
        return self._host(second) or self._starved([one.instance], second, (*root.held, root.subject))

    def _starved(self, instances: list[str], second: int, held: tuple[str, ...]) -> Root | None:
        """Return the processor that one of `instances` was kept from; None where none was.

        It is the host's where their own had room.
        """
        seen, near = self._seen, slice(max(0, second - 1), second + 2)
        for instance in instances:
            cpu = next((s for s in seen.series.values() if s.kind == "cpu" and s.instance == instance), None)
            full = cpu is not None and bool(seen.saturated[cpu.id][near].any())
            waits = seen.cpu_waits.get(instance)
            if not full and (waits is None or not waits.starved[second]):
                continue
            host = None if full else self._host(second)
            if host is not None:
                return replace(host, held=held)
            if cpu is not None and full:
                return Root(cpu.kind_id, "cpu", held, victim=cpu.id)
            return Root(f"{seen.plan.target}/{instance.partition('@')[0]}.cpu", "cpu", held, starved=True)
        return None

    def _overloaded(self, one: ResourceSeries, second: int) -> bool:
        """Return whether `one`, full in `second`, has been full without a pause since it was asked for too much."""
        full = self._seen.saturated[one.id]
        since = second
        while since > 0 and full[since - 1]:
            since -= 1
        return any(self._seen.offered_utilization(one.id, past) >= CARRIES for past in range(second, since - 1, -1))

    def _processor(self, full: list[ResourceSeries], second: int) -> Root | None:
        """Return a full processor of a component that does not carry the load: all that runs on it takes longer."""
        cpus = [one for one in full if one.kind == "cpu"]
        short = [one for one in cpus if self._overloaded(one, second)]
        if not short or self._strikes.on_instances({one.instance for one in short}, second) is not None:
            return None
        return Root(short[0].kind_id, short[0].kind, victim=short[0].id)

    def _strike_on_path(self, second: int) -> Strike | None:
        """Return what struck the way of this stream, the furthest link first."""
        seen = self._seen
        links = [*self._entry_links, *(link for one in self._path for link in seen.topology.path_links(one))]
        unmeasured = [link for entry in self._entry_links for link in seen.topology.unmeasured_links(entry)]
        for link in reversed(list(dict.fromkeys([*links, *unmeasured]))):
            strike = self._strikes.on_links([link], self._region, second)
            if strike is not None and self._is_new(strike.fault, second):
                return strike
        strike = self._strikes.on_instances({one.instance for one in self._path}, second)
        return strike if strike is not None and self._is_new(strike.fault, second) else None

    def _still_draining(self, second: int) -> bool:
        """Return whether any resource on the path still had a queue shortly before `second`."""
        return any(float(one.queue_length[max(0, second - 2) : second + 2].max(initial=0)) > 0 for one in self._path)


def _grow_alike(seen: Observations, stream: str) -> list[int]:
    """Return the columns of all streams with the multiples of `stream` in each phase: no fit can tell them apart."""
    phases = seen.plan.phases
    multiples = {name: tuple(phase.multiply.get(name, 1.0) for phase in phases) for name in seen.names}
    return [column for column, name in enumerate(seen.names) if multiples[name] == multiples[stream]]


def _struck_root(strike: Strike, held: tuple[str, ...] = (), victim: str | None = None) -> Root:
    return Root(strike.subject, strike.kind, held, strike.fault, victim)


def _is_behind(seen: Observations, one: ResourceSeries, others: list[ResourceSeries]) -> bool:
    return any(one in seen.topology.all_suppliers(other) for other in others if other.id != one.id)
