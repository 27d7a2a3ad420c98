"""Waits until an instance answers: an HTTP 2xx on its readiness path, or a TCP connect."""

import asyncio
import time
from typing import Final

import httpx

from chaoskit.address import Address

POLL_INTERVAL_S: Final = 0.05
ANSWER_TIMEOUT_S: Final = 2.0


async def wait_until_ready(
    address: Address, path: str | None, timeout_s: float, *, stays_open_s: float = 0.0, known_as: str = ""
) -> None:
    """Return as soon as `address` answers; the caller watches for an early death beside it.

    A connect counts only if it has not been closed after `stays_open_s`: what publishes a container's port accepts for
    it before it listens, and then hangs up.

    Raises:
        TimeoutError: it did not within `timeout_s`; the message says what it answered last, and calls it what it is
            `known_as` where the address itself means nothing to people.
    """
    deadline_s = time.monotonic() + timeout_s
    last = "no answer"
    async with httpx.AsyncClient(trust_env=False) as client:
        while (left_s := deadline_s - time.monotonic()) > 0:
            patience_s = min(left_s, ANSWER_TIMEOUT_S)
            last = await (
                _connect(address, patience_s, stays_open_s) if path is None else _get(client, address, path, patience_s)
            )
            if not last:
                return
            await asyncio.sleep(min(POLL_INTERVAL_S, left_s))
    what = f"{known_as or address} does not accept connections"
    if path is not None:
        what = f"{path} of {known_as} is not ready" if known_as else f"http://{address}{path} is not ready"
    message = f"{what} after {timeout_s:g}s ({last})"
    raise TimeoutError(message)


async def _connect(address: Address, patience_s: float, stays_open_s: float) -> str:
    """Return what stands in the way of a connection; empty when nothing does."""
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection(*address)
    except OSError as error:  # TimeoutError is one of them
        return str(error) or "timeout"
    try:
        async with asyncio.timeout(stays_open_s):
            return "" if await reader.read(1) else "it hangs up at once"
    except TimeoutError:
        return ""
    except OSError as error:
        return str(error)
    finally:
        writer.close()


async def _get(client: httpx.AsyncClient, address: Address, path: str, patience_s: float) -> str:
    """Return what stands in the way of a 2xx; empty when nothing does."""
    try:
        answer = await client.get(f"http://{address}{path}", timeout=patience_s)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return "" if answer.is_success else f"status {answer.status_code}"
