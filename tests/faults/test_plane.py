from chaoskit.faults.server import ProxyServer
from tests.faults.support import fault, link, stage


async def test_a_latency_is_played_in_its_window_and_leaves_a_receipt(server: ProxyServer) -> None:
    slow = fault("latency", {"delay_s": 0.04, "jitter_s": 0.01}, window=(1.5, 4.0))
    async with stage(server, [link()], [slow]) as on:
        await on.plane.play()
        assert [step for _, step in on.steps] == ["intent", "applied", "lifting", "lifted", "proven_clean"]
        (receipt,) = on.receipts
        assert receipt.requested == "adds 40ms ± 10ms"
        assert receipt.effective
        assert receipt.clean_after


async def test_a_region_goes_down_on_all_its_links(server: ProxyServer) -> None:
    names = ("client->gateway@us-east-1", "gateway@us-east-1->engine")
    down = fault("region_down", {"mode": "blackhole"}, links=names, window=(1.0, 3.0))
    async with stage(server, [link(name) for name in names], [down]) as on:
        await on.plane.play()
        assert {receipt.link for receipt in on.receipts} == set(names)
        assert all(receipt.effective and receipt.clean_after for receipt in on.receipts)
