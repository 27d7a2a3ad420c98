"""Proving that a link is clean: the server lists nothing on its proxy, and a probe goes through as it goes past."""

import asyncio
from dataclasses import dataclass
from typing import Final

from chaoskit.clock import Clock
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import Inquiry, Pair
from chaoskit.faults.link import ProxiedLink
from chaoskit.faults.toxiproxy import ToxiproxyClient
from chaoskit.faults.watch import ProbePair, WatchedLink

CLEAN_ADDED_MS: Final = 10.0
"""A clean link adds no more than this, or half of the answer's own time, in the best of a few tries."""
PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a link is clean; None where the component behind it does not answer past the proxy either."""

    clean: bool | None
    detail: str


async def prove_clean(link: ProxiedLink, client: ToxiproxyClient, clock: Clock, bound_s: float) -> Proof:
    """Try for up to `bound_s` to prove a link clean; at least once.

    Under load a probe may be slow for reasons of the component's own. The comparison with a probe past the proxy at
    the same moment takes that out, and one good pair is proof: no toxic lets a connection by that it should hit.
    """
    deadline_s = clock.now_s() + bound_s
    while True:
        proof = await _try_once(link, client, clock)
        if proof.clean or clock.now_s() >= deadline_s:
            return proof
        await asyncio.sleep(PAUSE_S)


async def _try_once(link: ProxiedLink, client: ToxiproxyClient, clock: Clock) -> Proof:
    try:
        state = await client.find(link.proxy)
    except FaultFailed as error:
        return Proof(False, str(error))
    if state is None:
        return Proof(False, "the server does not list its proxy")
    if state.toxics or not state.enabled:
        what = f"toxics {', '.join(state.toxics)}" if state.toxics else "a disabled proxy"
        return Proof(False, f"the server still lists {what}")
    watched = WatchedLink(link.link, link.listen, link.upstream, link.condition)
    return _weigh(await ProbePair(watched, Inquiry(), clock).run())


def _weigh(pair: Pair) -> Proof:
    through, direct = pair.through, pair.direct
    if direct.outcome != "ok":
        return Proof(None, f"no toxics; the component itself does not answer ({direct.outcome})")
    if through.outcome != "ok" or through.total_ms is None or direct.total_ms is None:
        return Proof(False, f"a probe through the proxy ended in {through.outcome}, past it in {direct.outcome}")
    added_ms = through.total_ms - direct.total_ms
    if added_ms > max(CLEAN_ADDED_MS, direct.total_ms / 2):
        return Proof(False, f"a probe through the proxy took {added_ms:.1f}ms longer than past it")
    return Proof(True, f"no toxics; answers in {through.total_ms:.1f}ms, past the proxy in {direct.total_ms:.1f}ms")
