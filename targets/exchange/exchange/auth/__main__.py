"""`python -m exchange.auth`: the store of sessions."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from service.arguments import component_parser, duration_s
from service.exposition import MetricsServer, ResourceCollector, registry_of

from exchange.auth.server import AuthServer, Slots
from exchange.auth.store import SessionStore


def _parse() -> argparse.Namespace:
    parser = component_parser("exchange.auth", __doc__, "where gateways connect")
    parser.add_argument("--data", type=Path, required=True, help="file of the sessions; made if missing")
    parser.add_argument("--slots", type=int, default=32, help="requests served at once")
    parser.add_argument("--queue-limit", type=int, default=1000, help="requests that may wait for a slot")
    parser.add_argument("--service-time", type=duration_s, default=0.001, help="time of one request")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = SessionStore(arguments.data)
    slots = Slots(arguments.slots, arguments.queue_limit, arguments.service_time)
    listener = await AuthServer(store, slots).start(arguments.host, arguments.port)
    metrics = MetricsServer(registry_of([ResourceCollector([slots])]), ready=lambda: True)
    scraped = await metrics.start(arguments.host, arguments.metrics_port)
    await stop.wait()
    for server in (listener, scraped):
        server.close()
    store.close()


def main() -> int:
    """Run until told to stop."""
    asyncio.run(_run(_parse()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
