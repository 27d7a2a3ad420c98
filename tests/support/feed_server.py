"""A real WebSocket server on loopback that behaves and misbehaves by path."""

import asyncio
import http
import json
import ssl
import threading
import time

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from chaoskit.address import Address

CONFIRMATION = '{"result":null,"id":1}'
EVERY_S = 0.05


class FeedServer:
    """Serves feeds in a thread of its own. `subscribed` are what clients said first, `closes` their close codes."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self.subscribed: list[str] = []
        self.closes: list[int | None] = []
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait(10)

    def stop(self) -> None:
        """Close every connection and the server."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def _run(self, started: threading.Event) -> None:
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        server: Server
        async with serve(
            self._play, "127.0.0.1", 0, ssl=self._context, process_request=_refuse, ping_interval=0.2, ping_timeout=1
        ) as server:
            host, port = next(iter(server.sockets)).getsockname()[:2]
            self.address = Address(host, port)
            started.set()
            await self._stopping.wait()

    async def _play(self, client: ServerConnection) -> None:
        path = client.request.path if client.request is not None else "/"
        try:
            self.subscribed.append(str(await client.recv()))
            if path == "/unknown":
                await client.send('{"error":{"code":-32601,"message":"no such method"},"id":1}')
                await client.wait_closed()
                return
            await client.send(CONFIRMATION)
            if path == "/mute":
                await client.wait_closed()
            await getattr(self, f"_{path.strip('/').replace('-', '_')}", self._steady)(client)
        finally:
            self.closes.append(client.close_code)

    async def _steady(self, client: ServerConnection) -> None:
        while True:
            await client.send(_message())
            await asyncio.sleep(EVERY_S)

    async def _old(self, client: ServerConnection) -> None:
        while True:
            await client.send(_message(age_s=0.5))
            await asyncio.sleep(EVERY_S)

    async def _stalling(self, client: ServerConnection) -> None:
        """A second of messages, two of silence, then messages again."""
        for _ in range(round(1 / EVERY_S)):
            await client.send(_message())
            await asyncio.sleep(EVERY_S)
        await asyncio.sleep(2)
        await self._steady(client)

    async def _going_away(self, client: ServerConnection) -> None:
        await client.send(_message())
        await asyncio.sleep(0.3)
        await client.close(1001, "going away")

    async def _full(self, client: ServerConnection) -> None:
        await client.close(1013, "try again later")

    async def _cut(self, client: ServerConnection) -> None:
        await client.send(_message())
        await asyncio.sleep(0.3)
        client.transport.abort()

    async def _in_parts(self, client: ServerConnection) -> None:
        while True:
            whole = _message()
            await client.send([whole[:10], whole[10:20], whole[20:]])
            await asyncio.sleep(EVERY_S)


def _message(age_s: float = 0.0) -> str:
    return json.dumps({"e": "depthUpdate", "data": {"E": round((time.time() - age_s) * 1e3)}})


def _refuse(client: ServerConnection, request: Request) -> Response | None:
    if request.path == "/too-many":
        return client.respond(http.HTTPStatus.TOO_MANY_REQUESTS, "later\n")
    return None
