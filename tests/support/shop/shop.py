"""A shop with a pool of tills and resource metrics, for tests: a stand-in for a user's own system."""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Tills:
    """A pool on a virtual clock: a till is free at max(now, free) + service time."""

    def __init__(self, count: int, service_s: float) -> None:
        self.service_s = service_s
        self.free_s = [0.0] * count
        self.busy: list[tuple[float, float]] = []
        self.busy_s = 0.0
        self.arrivals = 0
        self.completions = 0

    async def serve(self) -> None:
        self.arrivals += 1
        now_s = time.monotonic()
        till = min(range(len(self.free_s)), key=self.free_s.__getitem__)
        start_s = max(now_s, self.free_s[till])
        self.free_s[till] = end_s = start_s + self.service_s
        self.busy.append((start_s, end_s))
        await asyncio.sleep(end_s - now_s)
        self.completions += 1

    def busy_until_now_s(self) -> float:
        now_s = time.monotonic()
        self.busy_s += sum(end_s - start_s for start_s, end_s in self.busy if end_s <= now_s)
        self.busy = [(start_s, end_s) for start_s, end_s in self.busy if end_s > now_s]
        return self.busy_s + sum(max(0.0, now_s - start_s) for start_s, _ in self.busy)

    def metrics(self) -> str:
        return (
            f'resource_servers{{resource="tills"}} {len(self.free_s)}\n'
            f'resource_busy_seconds_total{{resource="tills"}} {self.busy_until_now_s()}\n'
            f'resource_arrivals_total{{resource="tills"}} {self.arrivals}\n'
            f'resource_completions_total{{resource="tills"}} {self.completions}\n'
            f'resource_queue_length{{resource="tills"}} {max(0, self.arrivals - self.completions - len(self.free_s))}\n'
        )


class Shop:
    def __init__(self, options: argparse.Namespace) -> None:
        self.tills = Tills(options.tills, options.service_ms / 1000)
        self.accidents = [
            (options.freeze_after_s, lambda: time.sleep(1.0)),
            (options.crash_after_s, lambda: os._exit(9)),
        ]
        self.opened = False
        self.keeps_bytes = options.keeps_bytes
        self.kept: list[bytes] = []

    def open(self) -> None:
        self.opened = True
        for after_s, accident in self.accidents:
            if after_s:
                asyncio.get_running_loop().call_later(after_s, accident)

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        body = b"ok"
        if scope["path"] == "/metrics":
            body = self.tills.metrics().encode()
        elif scope["path"] == "/buy":
            if not self.opened:
                self.open()
            await receive()
            self.kept.append(b"x" * self.keeps_bytes)
            await self.tills.serve()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tills", type=int, required=True)
    parser.add_argument("--service-ms", type=float, required=True)
    parser.add_argument("--keeps-bytes", type=int, default=0)
    parser.add_argument("--freeze-after-s", type=float, default=0)
    parser.add_argument("--crash-after-s", type=float, default=0)
    options = parser.parse_args()
    uvicorn.run(Shop(options), host="127.0.0.1", port=options.port, lifespan="off", access_log=False, log_level="error")


if __name__ == "__main__":
    main()
