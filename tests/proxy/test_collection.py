import asyncio

import pytest

from chaoskit.proxy.collection import ProxyCollection
from chaoskit.proxy.payload import ProxyBody
from chaoskit.proxy.refusal import Refusal
from tests.support.toxics import make_toxic


def wanted(name: str, listen: str = "127.0.0.1:0", *, enabled: bool = True) -> ProxyBody:
    return ProxyBody(name=name, listen=listen, upstream="127.0.0.1:1", enabled=enabled)


async def test_proxies_come_by_name() -> None:
    proxies = ProxyCollection(seed=1)
    for name in ("b", "a", "c"):
        await proxies.create(wanted(name, enabled=False))
    assert [proxy.name for proxy in proxies.all()] == ["a", "b", "c"]


async def test_of_two_requests_for_one_name_one_wins() -> None:
    proxies = ProxyCollection(seed=1)
    both = await asyncio.gather(
        *(proxies.create(wanted("web", "localhost:0")) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in both) == ["Proxy", "Refusal"]
    proxies.close()


async def test_a_replaced_proxy_gives_its_port_to_the_new_one() -> None:
    proxies = ProxyCollection(seed=1)
    first = await proxies.create_or_replace(wanted("web"))
    first.add_toxic(make_toxic("latency"))
    changed = wanted("web", first.listen).model_copy(update={"upstream": "127.0.0.1:2"})
    second = await proxies.create_or_replace(changed)
    assert (second.listen, second.toxics, first.enabled) == (first.listen, [], False)
    assert await proxies.create_or_replace(changed) is second
    proxies.close()


async def test_removed_is_gone() -> None:
    proxies = ProxyCollection(seed=1)
    proxy = await proxies.create(wanted("web"))
    proxies.remove("web")
    assert not proxy.enabled
    with pytest.raises(Refusal, match="proxy not found"):
        proxies.get("web")
