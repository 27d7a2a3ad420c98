import asyncio

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.faults.contract import Inquiry
from chaoskit.faults.place import Condition
from chaoskit.faults.watch import Watch, WatchedLink
from chaoskit.records import ProbeSample
from tests.faults.support import link, serving, upstream
from tests.faults.upstreams import silent

QUICK = Inquiry(interval_s=0.02, bound_s=5.0)


class Staged:
    """A watch whose link changes as the test says."""

    def __init__(self, inquiry: Inquiry = QUICK) -> None:
        self.condition = Condition(0, frozenset())
        self.samples: list[ProbeSample] = []
        self.inquiry = inquiry
        self.clock = Clock.starting_now()
        self.arrived = asyncio.Event()

    async def see(self, watch: Watch, *faults: str, changing: bool = False) -> None:
        """Let three probes end while `faults` are active; of these the first may have begun before."""
        self.condition = Condition(self.condition.version + 1, frozenset(faults), changing)
        wanted = len(self.samples) + 3
        async with asyncio.timeout(5):
            while len(self.samples) < wanted:
                self.arrived.clear()
                await self.arrived.wait()

    def watch(self, listen: Address, behind: Address) -> Watch:
        watched = WatchedLink(link(), listen, behind, lambda: self.condition)
        return Watch(watched, self.inquiry, self.clock, self._emit)

    def _emit(self, sample: ProbeSample) -> None:
        self.samples.append(sample)
        self.arrived.set()


async def test_pairs_are_told_apart_by_what_was_active() -> None:
    staged = Staged()
    async with upstream("http") as address:
        watch = staged.watch(address, address)
        watch.start()
        watch.start()
        await staged.see(watch)
        applied_s = staged.clock.now_s()
        await staged.see(watch, "mine", changing=True)
        await staged.see(watch, "mine")
        await staged.see(watch, "mine", "other")
        await staged.see(watch, "other")
        await staged.see(watch)
        await watch.stop()
        await watch.stop()
    seen = watch.observations("mine", applied_s)
    for pairs in (seen.before, seen.during, seen.after):
        assert 2 <= len(pairs) <= 5
    assert len(seen.before) + len(seen.during) + len(seen.after) < len(staged.samples)


async def test_probes_in_flight_are_counted_as_the_silence_they_met() -> None:
    staged = Staged(Inquiry(interval_s=0.05, bound_s=30.0))
    async with serving(silent) as black, upstream("http") as healthy:
        watch = staged.watch(black, healthy)
        staged.condition = Condition(1, frozenset({"mine"}))
        watch.start()
        await asyncio.sleep(0.5)
        await asyncio.wait_for(watch.settle(), 5)
        await watch.stop()
    during = watch.observations("mine", 0.0).during
    assert during
    assert {pair.through.outcome for pair in during} == {"timeout"}
    assert {pair.direct.outcome for pair in during} == {"ok"}
    assert all(200 <= (pair.through.total_ms or 0) < 5000 for pair in during)
