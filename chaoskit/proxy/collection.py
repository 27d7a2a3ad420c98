"""All proxies of a server, by name."""

from chaoskit.proxy.payload import ProxyBody
from chaoskit.proxy.proxy import Proxy
from chaoskit.proxy.refusal import Refusal


class ProxyCollection:
    """Creates, finds and removes proxies. `seed` decides jitter and which connections a toxicity strikes."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._proxies: dict[str, Proxy] = {}

    def all(self) -> list[Proxy]:
        """Every proxy, by name."""
        return [self._proxies[name] for name in sorted(self._proxies)]

    def get(self, name: str) -> Proxy:
        """The proxy with that name. Raises Refusal (404)."""
        try:
            return self._proxies[name]
        except KeyError:
            raise Refusal(404, "proxy not found") from None

    async def create(self, wanted: ProxyBody) -> Proxy:
        """Create a proxy. Raises Refusal: 409 when the name is taken, 500 when it cannot listen."""
        proxy = self._new(wanted)
        self._refuse_taken(proxy.name)
        if wanted.enabled:
            await proxy.start()
            if proxy.name in self._proxies:  # another request was quicker while a host name was looked up
                proxy.stop()
        self._refuse_taken(proxy.name)
        self._proxies[proxy.name] = proxy
        return proxy

    async def create_or_replace(self, wanted: ProxyBody) -> Proxy:
        """As `/populate` has it: an equal proxy stays as it is, with its toxics; another is replaced."""
        proxy = self._new(wanted)
        existing = self._proxies.get(proxy.name)
        if existing:
            if not await existing.would_change(listen=proxy.listen, upstream=proxy.upstream):
                return existing
            # Its port may be the new one's. If that cannot listen, this one stays, disabled, as in Toxiproxy.
            await existing.update(listen=existing.listen, upstream=existing.upstream, enabled=False)
        if wanted.enabled:
            await proxy.start()
        overtaken = self._proxies.get(proxy.name)  # another request may have been quicker
        if overtaken:
            overtaken.stop()
        self._proxies[proxy.name] = proxy
        return proxy

    def remove(self, name: str) -> None:
        """Stop a proxy and forget it. Raises Refusal (404)."""
        self.get(name).stop()
        del self._proxies[name]

    async def reset(self) -> None:
        """Enable every proxy and lift every toxic. Raises Refusal (500) at the first that cannot listen."""
        for proxy in self.all():
            await proxy.start()
            proxy.remove_all_toxics()

    def close(self) -> None:
        """Stop every proxy."""
        for proxy in self.all():
            proxy.stop()

    def _new(self, wanted: ProxyBody) -> Proxy:
        return Proxy(wanted.name or "", wanted.listen or "", wanted.upstream or "", self._seed)

    def _refuse_taken(self, name: str) -> None:
        if name in self._proxies:
            raise Refusal(409, "proxy already exists")
