import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chaoskit.address import Address
from chaoskit.errors import FaultFailed, RestoreFailed, SetupFailed
from chaoskit.faults.lease import Lease
from chaoskit.faults.plane import FaultPlane
from chaoskit.faults.server import ProxyServer, start_server
from chaoskit.records import FaultEvent, Record
from tests.faults.support import Addresses, fault, free_address, link, plan_of, stage

LINK = "gateway->positions"
pytestmark = pytest.mark.asyncio(loop_scope="module")
WHOLE_LIFE = ["intent", "applied", "lifting", "lifted", "proven_clean"]


@pytest.fixture
def server(shared_server: ProxyServer) -> ProxyServer:
    return shared_server


async def test_a_fault_is_played_in_its_window_and_leaves_a_receipt(server: ProxyServer) -> None:
    slow = fault("latency", {"delay_s": 0.04, "jitter_s": 0.01}, window=(0.8, 2.2))
    async with stage(server, [link()], [slow]) as on:
        await on.plane.play()
        events = [record for record in on.records if isinstance(record, FaultEvent)]
        assert [event.step for event in events] == WHOLE_LIFE
        assert 0.8 <= events[0].t_s < 1.0
        assert 2.2 <= events[2].t_s < 2.4
        (receipt,) = on.receipts
        assert receipt.requested == "adds 40ms ± 10ms"
        assert receipt.effective
        assert receipt.clean_after
        assert {probe.link for probe in on.probes} == {LINK}


async def test_a_region_goes_down_on_all_its_links(server: ProxyServer) -> None:
    names = ("client->gateway@us-east-1", "gateway@us-east-1->engine")
    down = fault("region_down", {"mode": "blackhole"}, links=names, window=(0.3, 1.7))
    async with stage(server, [link(name) for name in names], [down]) as on:
        await on.plane.play()
        assert {receipt.place for receipt in on.receipts} == set(names)
        assert all(receipt.effective and receipt.clean_after for receipt in on.receipts)


async def test_overlapping_faults_on_one_link_are_told_apart(server: ProxyServer) -> None:
    slow = fault("latency", {"delay_s": 0.05}, window=(0.3, 2.8), id_="slow")
    down = fault("down", window=(1.6, 2.4), id_="down")
    async with stage(server, [link()], [slow, down]) as on:
        await on.plane.play()
        assert on.steps_of("slow") == on.steps_of("down") == WHOLE_LIFE
        receipts = {receipt.fault: receipt for receipt in on.receipts}
        assert receipts["slow"].effective is True
        assert receipts["down"].effective is None  # it was never alone on the link
        assert all(receipt.clean_after for receipt in receipts.values())


async def test_lifting_one_fault_leaves_the_other_in_place(server: ProxyServer) -> None:
    async with stage(server, [link()]) as on:
        await on.plane.inject(fault("latency", {"delay_s": 0.03}, id_="one"))
        await on.plane.inject(fault("latency", {"delay_s": 0.03}, id_="two"))
        await on.plane.lift("one")
        found = await server.client.find(LINK)
        assert found is not None
        assert found.toxics == ("two.latency.downstream",)
        assert [active.fault.id for active in on.plane.active] == ["two"]
        await on.plane.heal()
        assert on.plane.active == ()


async def test_the_intent_is_written_before_anything_is_done(server: ProxyServer) -> None:
    async with stage(server, [link()]) as on:

        def emit(record: Record) -> None:
            if isinstance(record, FaultEvent) and record.step == "intent":
                message = "disk full"
                raise OSError(message)

        plane = FaultPlane(plan_of([link()]), on.addresses, server, on.clock, emit)
        with pytest.raises(OSError, match="disk full"):
            await plane.inject(fault("down"))
        found = await server.client.find(LINK)
        assert found is not None
        assert found.enabled
        await plane.heal()


async def test_heal_lifts_and_proves_what_a_cancelled_play_left(server: ProxyServer) -> None:
    faults = [
        fault("region_down", {"mode": "reset"}, window=(0.2, 60.0), id_="reset"),
        fault("bandwidth", {"rate_bytes_per_s": 32000}, window=(0.3, 60.0), id_="narrow"),
    ]
    async with stage(server, [link()], faults) as on:
        playing = asyncio.create_task(on.plane.play())
        await on.happened(["intent", "applied"] * 2)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await on.plane.heal()
        await on.plane.heal()
        assert on.steps_of("reset") == on.steps_of("narrow") == WHOLE_LIFE
        assert [receipt.clean_after for receipt in on.receipts] == [True, True]
        assert not (await server.client.list())[LINK].toxics


async def test_heal_says_what_is_not_restored(server: ProxyServer) -> None:
    async with stage(server, [link()]) as on:
        await on.plane.inject(fault("latency", {"delay_s": 0.03}))
        await on.plane.lift("latency-1")
        await server.client.set_enabled(LINK, False)  # somebody else's hand
        async with _short_proof():
            with pytest.raises(RestoreFailed, match="link gateway->positions: the server still lists a disabled proxy"):
                await on.plane.heal()
        assert on.steps_of("latency-1")[-1] == "lifted"
        assert [receipt.clean_after for receipt in on.receipts] == [False]


async def test_a_component_that_died_is_not_held_against_the_link(server: ProxyServer) -> None:
    plan = plan_of([link()])
    nobody = free_address()
    async with stage(server, [link("a->b")]) as on:
        plane = FaultPlane(plan, {LINK: Addresses(free_address(), nobody)}, server, on.clock, on.emit)
        await plane.create_links()
        await plane.inject(fault("latency", {"delay_s": 0.03}))
        async with _short_proof():
            await plane.heal()
        await plane.delete_links()
        assert [receipt.clean_after for receipt in on.receipts] == [None]


async def test_a_fault_that_cannot_be_applied_is_told_before_anything_starts(server: ProxyServer) -> None:
    async with stage(server, [link()]) as on:
        unfit = [fault("latency", {"delay_s": -1}), fault("gravity"), fault("down", links=("a->z",))]
        for one in unfit:
            with pytest.raises(FaultFailed, match=one.id):
                FaultPlane(plan_of([link()], [one]), on.addresses, server, on.clock, on.emit)
        assert on.steps == []


async def test_the_lease_covers_every_proxy(server: ProxyServer, tmp_path: Path) -> None:
    lease = await Lease.start(tmp_path / "lease.json")
    async with stage(server, [link("a->b")]) as on:
        addresses = {LINK: Addresses(free_address(), on.addresses["a->b"].upstream)}
        plane = FaultPlane(plan_of([link()]), addresses, server, on.clock, on.emit)
        await plane.create_links(lease)
        covered = json.loads(lease.file.read_text())
        assert covered["url"] == server.url
        assert [proxy["name"] for proxy in covered["proxies"]] == [LINK]
        await plane.delete_links()
    await lease.release()


async def test_a_proxy_that_resists_deletion_keeps_no_other_alive(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [link("a->b"), link("a->c")]
    async with stage(server, links) as on:
        first = on.plane._links["a->b"]
        delete = first.delete

        async def resist() -> None:
            message = "it resists"
            raise FaultFailed(message)

        monkeypatch.setattr(first, "delete", resist)
        with pytest.raises(RestoreFailed, match="link a->b: it resists"):
            await on.plane.delete_links()
        assert set(await server.client.list()) == {"a->b"}
        monkeypatch.setattr(first, "delete", delete)


async def test_a_port_that_is_taken_fails_the_set_up(server: ProxyServer) -> None:
    async with stage(server, [link()]) as on:
        taken = Addresses(on.addresses[LINK].upstream, on.addresses[LINK].upstream)
        plane = FaultPlane(plan_of([link("a->b")]), {"a->b": taken}, server, on.clock, on.emit)
        with pytest.raises(SetupFailed, match="link a->b has no proxy"):
            await plane.create_links()


async def test_a_client_that_stopped_reading_does_not_keep_a_fault_on(server: ProxyServer) -> None:
    """Toxiproxy 2.12 hangs when its toxics are changed under a stalled reader; the run must not."""
    async with stage(server, [link()]) as on, _stalled_reader(on.addresses[LINK].listen):
        async with asyncio.timeout(20):
            await on.plane.inject(fault("latency", {"delay_s": 0.05}))
            async with _stalled_reader(on.addresses[LINK].listen):
                await asyncio.sleep(1.5)
                await on.plane.heal()
        (receipt,) = on.receipts
        assert receipt.clean_after
        assert receipt.effective
        assert (await server.client.list())[LINK].toxics == ()


async def test_a_server_that_hangs_is_restarted_with_every_link_as_it_should_be(server: ProxyServer) -> None:
    links = [link(), link("client->gateway")]
    async with stage(server, links) as on:
        await on.plane.inject(fault("latency", {"delay_s": 0.03}, id_="stays", links=("client->gateway",)))
        await on.plane.inject(fault("latency", {"delay_s": 0.03}, id_="goes"))
        before = server.process_id
        assert before is not None
        os.kill(before, signal.SIGSTOP)
        async with asyncio.timeout(20):
            await on.plane.lift("goes")
        assert server.process_id != before
        listed = await server.client.list()
        assert {name: state.toxics for name, state in listed.items()} == {
            LINK: (),
            "client->gateway": ("stays.latency.downstream",),
        }
        await on.plane.heal()


async def test_a_hung_server_that_is_not_ours_is_told_and_healed_later(server: ProxyServer, tmp_path: Path) -> None:
    theirs = await start_server(plan_of(), prefer=server.url, log=tmp_path / "other.log")
    black = fault("timeout", window=(0.2, 1.4))
    async with stage(theirs, [link()], [black]) as on:
        playing = asyncio.create_task(on.plane.play())
        await on.happened(["intent", "applied"])
        assert server.process_id is not None
        os.kill(server.process_id, signal.SIGSTOP)
        await on.happened(["intent", "applied", "lifting", "failed"])
        with pytest.raises(RestoreFailed, match="not ours to restart"):
            await on.plane.lift("timeout-1")
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        os.kill(server.process_id, signal.SIGCONT)
        await on.plane.heal()
        assert on.steps_of("timeout-1")[-2:] == ["lifted", "proven_clean"]


@asynccontextmanager
async def _stalled_reader(address: Address) -> AsyncIterator[None]:
    """A client that asks for endless data and never reads it."""
    _, writer = await asyncio.open_connection(*address)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0.3)  # until every buffer on the way is full
    try:
        yield
    finally:
        writer.transport.abort()


@asynccontextmanager
async def _short_proof() -> AsyncIterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chaoskit.faults.plane.HEAL_PROOF_BOUND_S", 0.5)
        yield
