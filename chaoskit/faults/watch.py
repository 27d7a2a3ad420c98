"""Watching one link for one fault: pairs of probes at a low rate, each with the faults that were active meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.faults.contract import Inquiry, Observations, Pair
from chaoskit.faults.place import Condition
from chaoskit.faults.probe import LinkProbe
from chaoskit.plan.model import PlannedLink
from chaoskit.records import ProbeSample

SHORTEST_SILENCE_MS: Final = 200.0
"""A probe that is cut short after less than this has not waited long enough to prove silence; it is dropped."""


@dataclass(frozen=True, slots=True)
class WatchedLink:
    """Where a link is probed: through its proxy (`listen`) and past it (`upstream`), and how to read its state."""

    link: PlannedLink
    listen: Address
    upstream: Address
    condition: Callable[[], Condition]


@dataclass(frozen=True, slots=True)
class _Seen:
    pair: Pair
    faults: frozenset[str]


class ProbePair:
    """Two probes of one link at one moment: through the proxy and past it."""

    def __init__(self, watched: WatchedLink, inquiry: Inquiry, clock: Clock) -> None:
        link = watched.link
        self._through = LinkProbe(link, watched.listen, inquiry, clock)
        self._direct = LinkProbe(link, watched.upstream, inquiry, clock)
        self.was_cut = False

    async def run(self) -> Pair:
        """Probe both ways at once and return what happened."""
        through, direct = await asyncio.gather(self._through.run(), self._direct.run())
        return Pair(through, direct)

    def cut(self) -> None:
        """End both probes now."""
        self.was_cut = True
        self._through.cut()
        self._direct.cut()


class Watch:
    """Probes a link every `inquiry.interval_s` from `start` to `stop`; `emit` gets each sample through the proxy."""

    def __init__(
        self, watched: WatchedLink, inquiry: Inquiry, clock: Clock, emit: Callable[[ProbeSample], None]
    ) -> None:
        self.watched = watched
        self._inquiry = inquiry
        self._clock = clock
        self._emit = emit
        self._seen: list[_Seen] = []
        self._probing: dict[asyncio.Task[None], ProbePair] = {}
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to probe; a second call changes nothing."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._probe_on(), name=f"watch {self.watched.link.name}")

    async def settle(self) -> None:
        """End the probes in flight, so that those that met silence are counted before the link changes."""
        for pair in self._probing.values():
            pair.cut()
        await asyncio.gather(*self._probing)

    async def stop(self) -> None:
        """Stop probing; what was seen is kept."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self.settle()

    def observations(self, fault: str, applied_s: float) -> Observations:
        """Return the pairs seen before, during and after `fault` while no other fault was active on the link."""
        quiet = [seen.pair for seen in self._seen if not seen.faults]
        return Observations(
            before=tuple(pair for pair in quiet if pair.through.t_s < applied_s),
            during=tuple(seen.pair for seen in self._seen if seen.faults == {fault}),
            after=tuple(pair for pair in quiet if pair.through.t_s >= applied_s),
        )

    async def _probe_on(self) -> None:
        while True:
            pair = ProbePair(self.watched, self._inquiry, self._clock)
            task = asyncio.create_task(self._record(pair))
            self._probing[task] = pair
            task.add_done_callback(self._probing.pop)
            await asyncio.sleep(self._inquiry.interval_s)

    async def _record(self, pair: ProbePair) -> None:
        at_start = self.watched.condition()
        seen = await pair.run()
        cut = pair.was_cut and seen.through.outcome == "timeout"
        if cut and (seen.through.total_ms or 0.0) < SHORTEST_SILENCE_MS:
            return
        self._emit(seen.through)
        if not at_start.changing and self.watched.condition() == at_start:
            self._seen.append(_Seen(seen, at_start.faults))
