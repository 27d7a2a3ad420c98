"""What observing costs beside a run: parsing, scraping, reading process trees, at the observer's own pace."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable

import pytest

from chaoskit.observe.exposition import parse
from chaoskit.observe.observer import CHILDREN_EVERY
from chaoskit.observe.scrape import Scraper
from chaoskit.observe.usage import UsageReader, read_host
from tests.observe.test_scrape import HEAD, saying, serving

LINES = 60
PROCESSES = 60
INSTANCES = 7
ROUNDS_PER_S = 2
PARSE_LIMIT_MS = 1.0
CORE_SHARE_LIMIT = 0.02
TEXT = "".join(f'resource_busy_seconds_total{{resource="pool_{line}"}} {line * 1.5}\n' for line in range(LINES))

pytestmark = pytest.mark.benchmark


def cpu_ms(work: Callable[[], object], rounds: int = 200) -> float:
    """CPU milliseconds of this process for one round of `work`."""
    started_s = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - started_s) / rounds * 1e3


async def scrape_cpu_ms(rounds: int = 200) -> float:
    """CPU milliseconds of one scrape; the server's share, in the same process, is in it."""
    body = TEXT.encode()
    answer = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    async with serving(saying(*[answer] * (rounds + 1))) as address:
        scraper = Scraper(address, "/metrics")
        await scraper.scrape()
        started_s = time.process_time()
        for _ in range(rounds):
            await scraper.scrape()
        scraper.close()
        return (time.process_time() - started_s) / rounds * 1e3


def test_observing_is_cheap(capsys: pytest.CaptureFixture[str]) -> None:
    children = [subprocess.Popen(["sleep", "60"]) for _ in range(PROCESSES)]
    try:
        reader = UsageReader({"tree": os.getpid()})
        reader.find_children()
        costs_ms = {
            f"parse {LINES} lines": cpu_ms(lambda: list(parse(TEXT))),
            "scrape": asyncio.run(scrape_cpu_ms()),
            f"read {PROCESSES} processes": cpu_ms(lambda: list(reader.read(0.0)), 50),
            "find children": cpu_ms(reader.find_children, 50),
            "read the host": cpu_ms(lambda: read_host(0.0), 50),
        }
    finally:
        for child in children:
            child.kill()
            child.wait()
    parsed, scraped, read, found, host = costs_ms.values()
    share = ROUNDS_PER_S * (INSTANCES * (parsed + scraped) + read + found / CHILDREN_EVERY + host) / 1e3
    with capsys.disabled():
        print("\n" + "\n".join(f"{name:>20} {cost:6.3f} ms of CPU" for name, cost in costs_ms.items()))  # noqa: T201
        print(f"{INSTANCES} instances, {ROUNDS_PER_S}/s: {share:.2%} of a core")  # noqa: T201
    assert parsed < PARSE_LIMIT_MS
    assert share < CORE_SHARE_LIMIT
