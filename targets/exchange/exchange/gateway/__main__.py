"""`python -m exchange.gateway`: one region's gateway."""

import argparse
import asyncio
import gc
import logging
import sys
from typing import cast

import uvicorn
import uvloop
from service.arguments import address, component_parser, duration_s
from service.exposition import MetricsServer, ResourceCollector, registry_of
from service.file_limit import allow_many_connections
from service.waiting_line import ControlledDelay, WaitingLine
from service.workers import Workers

from exchange.arguments import OVERLOAD_RULES, TIMEOUT_FORMS, add_autoscaler, autoscaler_rules
from exchange.gateway.application import Application, Limits, Manners
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.feeds import FeedCollector, FeedLimits, Feeds
from exchange.gateway.fleet import Fleet
from exchange.gateway.limiter import OrderLimiter, WeightLimiter
from exchange.gateway.link_metrics import LinkCollector
from exchange.gateway.market import Market
from exchange.gateway.pool import Pool
from exchange.gateway.routes import routes, session_routes
from exchange.gateway.sessions import AUTH_LINK, CACHES, Sessions
from exchange.gateway.stream_connection import ServerState, StreamConnection
from exchange.gateway.trading import Trading
from exchange.replicas import Replicas


def _parse() -> argparse.Namespace:
    parser = component_parser("exchange.gateway", __doc__, "where clients connect")
    add = parser.add_argument
    add("--engine", type=address, required=True, help="host:port of the engine")
    add("--positions", type=address, required=True, help="host:port of the region's database")
    add("--workers", type=int, default=64, help="requests handled at once")
    add("--worker-queue", type=int, default=256, help="requests that may wait for a worker")
    add("--service-time", type=duration_s, default=0.0002, help="a worker's own time for one request")
    add("--db-pool", type=int, default=16, help="connections to the database")
    add("--backend-timeout", type=duration_s, default=2.0, help="bound on every request")
    add("--overload", choices=OVERLOAD_RULES, default=OVERLOAD_RULES[0], help="what is shed last")
    add("--timeout-form", choices=TIMEOUT_FORMS, default=TIMEOUT_FORMS[0], help="what an unanswered order is told")
    add("--rate-limit", type=int, default=6_000_000, help="weight per window and client")
    add("--rate-limit-window", type=duration_s, default=60.0, help="length of a window")
    add("--rate-limit-by", choices=("ip", "account"), default="ip", help="what a client is")
    add("--order-limit-10s", type=int, default=1_000_000, help="new orders per account and 10 s")
    add("--order-limit-1m", type=int, default=6_000_000, help="new orders per account and minute")
    add("--ban-after", type=int, default=20, help="refusals within a window that lead to a ban")
    add("--ban-time", type=duration_s, default=120.0, help="length of the first ban")
    add("--stream-connections", type=int, default=10_000, help="WebSocket connections at once")
    add("--stream-buffer", type=int, default=1_000_000, help="bytes that one of them may be behind")
    add("--listen-key-life", type=duration_s, default=3600.0, help="life of a listen key that is not renewed")
    add("--shedding", choices=("off", "codel"), default="off", help="how long requests wait for a worker")
    add("--replicas", type=int, default=1, help="replicas that serve from the start")
    add("--warm-up", type=duration_s, default=30.0, help="until a new replica is as fast as the others")
    add_autoscaler(parser)
    add("--login", choices=("off", "one_store", "two_stores"), default="off", help="whether a session is asked for")
    add("--auth", type=address, help="host:port of the store of sessions")
    add("--auth-standby", type=address, help="host:port of the second one")
    add("--session-ttl", type=duration_s, default=600.0, help="how long a session lasts")
    add("--session-cache", choices=CACHES, default=CACHES[0], help="which sessions the gateway vouches for itself")
    return parser.parse_args()


class Gateway:
    """The parts of a gateway, put together."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        replicas = arguments.replicas
        line = ControlledDelay() if arguments.shedding == "codel" else WaitingLine()
        self.workers = Workers(arguments.workers * replicas, arguments.worker_queue, arguments.service_time, line)
        self.pool = Pool(arguments.positions, arguments.db_pool * replicas, arguments.backend_timeout)
        self.replicas: Replicas | None = None
        if arguments.autoscaler != "off":
            fleet = Fleet(self.workers, self.pool, replicas, arguments.warm_up)
            rules = autoscaler_rules(arguments, arguments.warm_up)
            self.replicas = Replicas(fleet, rules, replicas, arguments.boot_delay)
        self.limiter = WeightLimiter(
            arguments.rate_limit, arguments.rate_limit_window, arguments.ban_after, arguments.ban_time
        )
        self.market = Market(_rate_limits(arguments))
        self.engine = EngineLink(arguments.engine, arguments.backend_timeout)
        limits = FeedLimits(arguments.stream_connections, arguments.stream_buffer, arguments.listen_key_life)
        self.feeds = Feeds(self.market, self.engine, limits)
        self.engine.on_feed, self.engine.on_event = self.feeds.update, self.feeds.event
        self.trading = Trading(self.workers, self.pool, self.engine, self.market)
        self.stores = _stores(arguments)
        sessions = None
        if self.stores:
            waited = self.workers.blocked_on(AUTH_LINK)
            sessions = Sessions(self.stores, arguments.session_ttl, arguments.session_cache, waited)
        orders = OrderLimiter(arguments.order_limit_10s, arguments.order_limit_1m)
        self.application = Application(
            routes(self.market, self.trading, self.feeds) | (session_routes(sessions) if sessions else {}),
            Limits(self.limiter, orders, by_account=arguments.rate_limit_by == "account"),
            self.workers,
            self.engine,
            Manners(
                arguments.backend_timeout,
                exempting=arguments.overload == OVERLOAD_RULES[0],
                tells_nothing=arguments.timeout_form != TIMEOUT_FORMS[0],
            ),
            sessions,
        )

    def ready(self) -> bool:
        """Whether the engine has greeted, market data came and the database can be asked."""
        greeted = self.engine.connected and self.engine.accounts > 0 and self.market.known
        return greeted and self.pool.open > 0 and all(store.connected for store in self.stores)

    def _stream_connection(self, server_state: ServerState, **_server: object) -> StreamConnection:
        """Take over a connection that asks for WebSocket."""
        return StreamConnection(self.feeds, server_state)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        arguments = self._arguments
        self.pool.start()
        tasks = [asyncio.create_task(link.run()) for link in (self.engine, *self.stores)]
        tasks.append(asyncio.create_task(self.feeds.run()))
        collectors = [
            ResourceCollector([self.limiter.resource, self.workers, self.pool]),
            self.trading.staleness,
            LinkCollector(self.pool, self.engine),
            FeedCollector(self.feeds),
        ]
        if self.replicas is not None:
            tasks.append(asyncio.create_task(self.replicas.run()))
            collectors.append(self.replicas)
        registry = registry_of(collectors)
        listener = await MetricsServer(registry, self.ready).start(arguments.host, arguments.metrics_port)
        gc.collect()
        gc.freeze()
        server = uvicorn.Server(
            uvicorn.Config(
                self.application,
                host=arguments.host,
                port=arguments.port,
                http="httptools",
                ws=cast("type[asyncio.Protocol]", self._stream_connection),
                lifespan="off",
                interface="asgi3",
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                backlog=4096,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=3,
            )
        )
        try:
            await server.serve()
        finally:
            listener.close()
            for task in tasks:
                task.cancel()
            await self.pool.close()


def _stores(arguments: argparse.Namespace) -> list[EngineLink]:
    """Links to the stores of sessions, which speak as the engine does; none where nobody has to log in."""
    if arguments.login == "off":
        return []
    given = [arguments.auth] if arguments.login == "one_store" else [arguments.auth, arguments.auth_standby]
    if None in given:
        raise SystemExit(
            f"--login={arguments.login} needs the addresses of {len(given)} stores: --auth, --auth-standby"
        )
    return [EngineLink(place, arguments.backend_timeout) for place in given]


def _rate_limits(arguments: argparse.Namespace) -> list[dict[str, object]]:
    return [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "SECOND" if arguments.rate_limit_window < 60 else "MINUTE",
            "intervalNum": int(arguments.rate_limit_window / (1 if arguments.rate_limit_window < 60 else 60)),
            "limit": arguments.rate_limit,
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": arguments.order_limit_10s,
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": arguments.order_limit_1m,
        },
    ]


def main() -> int:
    """Run until told to stop."""
    allow_many_connections()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvloop.run(Gateway(_parse()).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
