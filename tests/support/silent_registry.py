"""A registry of images that takes every connection and says nothing, as one behind a firewall does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def silent_registry() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Its `host:port`, and what is set when somebody has asked it; whoever still waits at the end is hung up on."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await over.wait()
        writer.close()

    registry = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{registry.sockets[0].getsockname()[1]}", asked
    finally:
        over.set()
        registry.close()
