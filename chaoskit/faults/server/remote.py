"""A Toxiproxy server that runs already, known by its URL. It is somebody else's: neither stopped nor restarted."""

from typing import Final
from urllib.parse import urlsplit

from chaoskit.address import Address
from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.faults.server.contract import Launch, ProxyServer
from chaoskit.faults.toxiproxy import ToxiproxyClient

DEFAULT_PORT: Final = 8474
"""Where Toxiproxy listens if not told otherwise."""


class RemoteServer(ProxyServer):
    """The server at `url`."""

    kind = "url"
    is_ours = False

    def __init__(self, why: str, launch: Launch, url: str) -> None:
        super().__init__(why, launch)
        self._at = _address_of(url)

    async def start(self) -> None:
        """Make sure that the server answers there as Toxiproxy does."""
        self._client = ToxiproxyClient(self._at)
        try:
            self.version = await self._client.version()
        except FaultFailed as error:
            message = f"no Toxiproxy server: {error}. Start it, or leave the URL out to have one started"
            raise SetupFailed(message) from error

    async def restart(self) -> None:
        """Refuse."""
        message = f"the Toxiproxy server at {self.url} hangs and is not ours to restart; restart it by hand"
        raise FaultFailed(message)

    async def stop(self) -> None:
        """Leave it running."""


def _address_of(url: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port beyond 65535, a bracket left open
        host = None
    if not host or parts.scheme != "http":
        message = f"{url!r} is not the URL of a Toxiproxy server; write it like http://127.0.0.1:{DEFAULT_PORT}"
        raise SetupFailed(message)
    return Address(host, port or DEFAULT_PORT)
