"""`python -m exchange.engine`: the matching engine, its market maker and its write-behind."""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic

import uvloop
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from service.ages import Ages
from service.arguments import addresses, component_parser, duration_s
from service.exposition import MetricsServer, ResourceCollector, registry_of
from service.file_limit import allow_many_connections
from service.occupancy import Resource
from service.serving_loop import ServingLoop
from service.wall import wall_ms, wall_us

from exchange.arguments import FORCE_ORDER_FEEDS, OVERLOAD_RULES
from exchange.engine.circuit_breaker import BreakerCollector, CircuitBreaker, HaltRules
from exchange.engine.clearing import Clearing, ClearingCollector, Sources
from exchange.engine.collateral import Collateral, CollateralCollector, Holdings, open_holdings
from exchange.engine.conditional import ConditionalOrder
from exchange.engine.events import Events
from exchange.engine.feed import market_feed
from exchange.engine.force_orders import ForceOrderCollector, ForceOrders
from exchange.engine.ledger import Account, Ledger
from exchange.engine.liquidation import Rules
from exchange.engine.margin import COLLATERALS, Margin
from exchange.engine.market_maker import LEVELS_PER_STEP, NOTIONAL_PER_LEVEL_USDT, MarketMaker
from exchange.engine.market_risk import MarketRisk
from exchange.engine.matching import Exchange
from exchange.engine.server import EngineServer
from exchange.engine.withdrawal import Withdrawal
from exchange.engine.write_behind import RegionWriter
from exchange.oracle.asset import MODES, Asset, Pricing
from exchange.oracle.market import Depth
from exchange.venue import MONEY_UNITS_PER_USDT, SYMBOL_BY_NAME, SYMBOLS

FEED_INTERVAL_S = 0.1
QUOTE_EVERY_FEEDS = 3
WBETH_RATE = 1.08  # ETH for one WBETH, about that of October 2025


def _parse() -> argparse.Namespace:
    parser = component_parser("exchange.engine", __doc__, "where gateways connect")
    parser.add_argument("--positions", type=addresses, required=True, help="region=host:port,… of the databases")
    parser.add_argument("--service-time", type=duration_s, default=0.0001, help="time of one command")
    parser.add_argument("--queue-limit", type=int, default=2000, help="commands that may wait")
    parser.add_argument("--accounts", type=int, default=10_000, help="how many accounts there are")
    parser.add_argument("--seed", type=int, default=1, help="draws the opening positions")
    parser.add_argument("--overload", choices=OVERLOAD_RULES, default=OVERLOAD_RULES[0], help="what is shed last")
    parser.add_argument("--maker-depth", type=int, default=NOTIONAL_PER_LEVEL_USDT, help="USDT quoted at each price")
    parser.add_argument("--maker-patience", type=int, default=LEVELS_PER_STEP, help="levels it takes per 0.01 %%")
    parser.add_argument("--opening-leverage", type=int, default=0, help="highest of the accounts; 0: all hold 1 M USDT")
    parser.add_argument("--funded-accounts", type=int, default=0, help="how many hold 1 M USDT whatever the leverage")
    parser.add_argument("--maker-withdrawal", type=float, default=0.0, help="how strongly makers withdraw; 0: not")
    parser.add_argument("--collateral", choices=("none", *COLLATERALS), default="none", help="what accounts hold")
    parser.add_argument("--collateral-usdt", type=int, default=100_000, help="worth of what each account holds")
    parser.add_argument("--collateral-leverage", type=int, default=10, help="highest of the accounts' loans")
    parser.add_argument("--whale-usdt", type=int, default=60_000_000, help="worth of what account 0 holds")
    parser.add_argument("--oracle", choices=MODES, default=MODES[0], help="what the venue makes its price of")
    parser.add_argument("--oracle-window", type=duration_s, default=600.0, help="window of the average")
    parser.add_argument("--spot-depth", type=int, default=140_000_000, help="USDT of bids for each e-fold of price")
    parser.add_argument("--spot-recovery", type=duration_s, default=60.0, help="in which half of a fall is bought back")
    switch = ("off", "on")
    parser.add_argument("--liquidations", choices=switch, default="off", help="whether margins are enforced")
    parser.add_argument("--liquidation-fee", type=int, default=Rules().fee, help="per 10,000, into the fund")
    parser.add_argument("--liquidation-distance", type=int, default=Rules().distance, help="limit, per 10,000 of mark")
    parser.add_argument("--insurance-fund", type=int, default=1_000_000, help="what the fund begins with, in USDT")
    parser.add_argument("--adl", choices=switch, default="on", help="whether winners are deleveraged; else all pay")
    parser.add_argument("--force-order-feed", choices=FORCE_ORDER_FEEDS, default="latest", help="liquidations shown")
    parser.add_argument("--circuit-breaker", type=int, default=0, help="fall in per cent that halts trading; 0: none")
    parser.add_argument("--circuit-breaker-window", type=duration_s, default=300.0, help="within which it falls")
    parser.add_argument("--circuit-breaker-halt", type=duration_s, default=300.0, help="how long trading halts")
    parser.add_argument("--write-interval", type=duration_s, default=0.05, help="pause between write-behind batches")
    parser.add_argument("--write-batch", type=int, default=500, help="accounts written at once")
    return parser.parse_args()


class Engine:
    """The parts of the engine, put together."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.ledger = Ledger(
            arguments.accounts, arguments.seed, wall_us(), arguments.opening_leverage, arguments.funded_accounts
        )
        self.exchange = Exchange(self.ledger, self._touched, self._triggered)
        self.breaker: CircuitBreaker | None = None
        if arguments.circuit_breaker:
            window_s, halt_s = arguments.circuit_breaker_window, arguments.circuit_breaker_halt
            halts = HaltRules(arguments.circuit_breaker, int(1000 * window_s), int(1000 * halt_s))
            self.breaker = self.exchange.breaker = CircuitBreaker(halts)
        self.trigger_delay = Ages(
            "exchange_trigger_delay_seconds", "From the price that set a conditional order off to its order"
        )
        self.loop = ServingLoop("matching", arguments.service_time, arguments.queue_limit)
        exempting = arguments.overload == OVERLOAD_RULES[0]
        self.events = Events(self.exchange, lambda flush: asyncio.get_running_loop().call_soon(flush))
        self.force_orders = ForceOrders(arguments.force_order_feed)
        self.server = EngineServer(self.exchange, self.loop, arguments.accounts, self.events, exempting=exempting)
        self.makers = [
            MarketMaker(
                self.exchange,
                symbol.index,
                arguments.maker_depth,
                arguments.maker_patience,
                Withdrawal(arguments.maker_withdrawal),
            )
            for symbol in SYMBOLS
        ]
        self.write_behind = Resource("write_behind", len(arguments.positions))
        self.writers = [
            RegionWriter(region, place, self.ledger, self.write_behind) for region, place in arguments.positions.items()
        ]
        for writer in self.writers:
            writer.interval_s = arguments.write_interval
            writer.batch_limit = arguments.write_batch
        self._unsent: list[Account] = []  # liquidations that found the queue full, or trading halted
        self.collateral = None if arguments.collateral == "none" else _collateral(arguments, self.exchange)
        self.clearing: Clearing | None = None
        if arguments.liquidations == "on":
            rules = Rules(arguments.liquidation_fee, arguments.liquidation_distance, arguments.adl == "on")
            sources = Sources(collateral=self.collateral, desk=self.collateral)
            self.clearing = Clearing(self.exchange, rules, arguments.insurance_fund, self._liquidate, sources)
            self.clearing.liquidator.executed = self.force_orders.add
        margin = self.clearing.margin if self.clearing else Margin(self.exchange.marks)
        fund = self.clearing.fund.account if self.clearing else None
        self.exchange.offer(MarketRisk(self.exchange, margin, fund).operations)

    def _touched(self, account: int) -> None:
        committed_us = wall_us()
        self.ledger.accounts[account].updated_us = committed_us
        for writer in self.writers:
            writer.touch(account, committed_us)
        if self.exchange.observer is not None:
            self.events.touched(account)
        if self.clearing is not None:
            self.clearing.touched(account)

    def _liquidate(self, account: Account) -> None:
        """Queue the next step of an account's liquidation, after the command that calls for it."""
        asyncio.get_running_loop().call_soon(self._send_step, account)

    def _send_step(self, account: Account) -> None:
        if not self.loop.submit(partial(self._step, account), self.server.reserve):
            self._unsent.append(account)

    def _step(self, account: Account) -> None:
        if self.breaker is not None and self.breaker.is_halted(wall_ms()):
            self.breaker.turned_away["liquidation"] += 1
            self._unsent.append(account)
        elif self.clearing is not None and self.clearing.liquidator.step(account, wall_ms()):
            self._liquidate(account)

    def _clear(self) -> None:
        """Set the marks, and unless trading is halted queue what follows: liquidations turned away before, and what the
        fund sells."""
        if self.collateral is not None:
            self.loop.submit(self._refresh)
        if self.clearing is None:
            return
        self.clearing.turn(wall_ms())
        for order in self.force_orders.due(wall_ms()):
            self.events.liquidated(order)
        if self.breaker is not None and self.breaker.is_halted(wall_ms()):
            return
        unsent, self._unsent = self._unsent, []
        for account in unsent:
            self._send_step(account)
        if self.clearing.fund.account.held():
            self.loop.submit(self._unwind)

    def _refresh(self) -> None:
        if self.collateral is not None:
            self.collateral.refresh(wall_ms())

    def _unwind(self) -> None:
        if self.clearing is not None:
            self.clearing.liquidator.unwind(wall_ms())

    def _triggered(self, conditional: ConditionalOrder) -> None:
        """Queue its order like everybody's, after the command that set it off."""
        asyncio.get_running_loop().call_soon(self._send, conditional)

    def _send(self, conditional: ConditionalOrder) -> None:
        reserve = self.server.reserve if conditional.lowers_risk else 0
        set_off_s = monotonic()

        def fire() -> None:
            self.exchange.fire(conditional, wall_ms())
            self.trigger_delay.observe(monotonic() - set_off_s)

        if not self.loop.submit(fire, reserve) and conditional.status == "TRIGGERING":
            self.exchange.conditionals.end(conditional, "REJECTED", "shed", wall_ms())

    def ready(self) -> bool:
        """Whether every region's database holds the opening state."""
        return all(writer.filled for writer in self.writers)

    async def publish(self) -> None:
        """Send market data when it changed, and let the market maker renew its quotes."""
        sent: object = None
        turn = 0
        while True:
            self._clear()
            versions = [market.version for market in self.exchange.markets]
            if versions != sent or turn % 10 == 0:
                self.server.publish(market_feed(self.exchange, wall_ms()))
                sent = versions
            if turn % QUOTE_EVERY_FEEDS == 0:
                for maker in self.makers:
                    self.loop.submit(partial(_renew, maker))
            turn += 1
            await asyncio.sleep(FEED_INTERVAL_S)


def _collateral(arguments: argparse.Namespace, exchange: Exchange) -> Collateral:
    """Open the markets of all assets, and give accounts what they hold."""
    depth = Depth(arguments.spot_depth, arguments.spot_recovery * 1e3, withdrawal=arguments.maker_withdrawal)
    pricing = Pricing(arguments.oracle, round(arguments.oracle_window * 1e3), depth)
    assets = [
        Asset(rate, base, pricing, arguments.seed + number) for number, (rate, base) in enumerate(_bases(exchange))
    ]
    number = COLLATERALS.index(arguments.collateral)
    holdings = Holdings(number, arguments.collateral_usdt, arguments.collateral_leverage, arguments.whale_usdt)
    open_holdings(exchange.ledger, holdings, assets[number].redemption(), arguments.seed)
    collateral = Collateral(assets, exchange.ledger)
    exchange.offer({"sell collateral": collateral.sell})
    return collateral


def _bases(exchange: Exchange) -> list[tuple[float, Callable[[], float]]]:
    """What redeems one unit of each asset: USDe one dollar, WBETH its ether and what that has earned since."""
    ether = SYMBOL_BY_NAME["ETHUSDT"]
    return [(1.0, lambda: 1.0), (WBETH_RATE, lambda: exchange.marks[ether.index] * float(ether.tick))]


def _renew(maker: MarketMaker) -> None:
    maker.refresh(wall_ms())


class EngineCollector(Collector):
    """Write-behind by region, trades, and how conditional orders ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """The families."""
        pending = GaugeMetricFamily(
            "exchange_write_behind_pending",
            "Accounts whose latest state is not in the database",
            labels=["to"],
        )
        lag = GaugeMetricFamily(
            "exchange_write_behind_lag_seconds", "Age of the oldest change not in the database", labels=["to"]
        )
        for writer in self._engine.writers:
            pending.add_metric([writer.region], writer.pending)
            lag.add_metric([writer.region], writer.lag_s())
        trades = CounterMetricFamily("exchange_trades", "Fills", labels=["symbol"])
        for symbol, market in zip(SYMBOLS, self._engine.exchange.markets, strict=True):
            trades.add_metric([symbol.name], market.trades)
        conditionals = CounterMetricFamily("exchange_conditional_orders", "How they ended", labels=["outcome"])
        for outcome, count in self._engine.exchange.conditionals.outcomes.items():
            conditionals.add_metric([outcome], count)
        deposits = CounterMetricFamily(
            "exchange_deposits_usdt",
            "Transferred into the wallets from outside",
            value=self._engine.ledger.deposits / MONEY_UNITS_PER_USDT,
        )
        yield from (pending, lag, trades, conditionals, deposits)


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = Engine(arguments)
    gc.collect()
    gc.freeze()  # ten thousand accounts live for ever; do not walk them at each collection
    collectors = [
        ResourceCollector([engine.loop.server, engine.loop.queue, engine.write_behind]),
        EngineCollector(engine),
        engine.trigger_delay,
        engine.exchange.intents,
    ]
    if engine.collateral is not None:
        collectors.append(CollateralCollector(engine.collateral, wall_ms))
    if engine.breaker is not None:
        collectors.append(BreakerCollector(engine.breaker))
    if engine.clearing is not None:
        collectors.append(ClearingCollector(engine.clearing, engine.exchange))
        collectors.append(ForceOrderCollector(engine.force_orders))
    registry = registry_of(collectors)
    listeners = [
        await MetricsServer(registry, engine.ready).start(arguments.host, arguments.metrics_port),
        await engine.server.start(arguments.host, arguments.port),
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(writer.run()) for writer in engine.writers]
        tasks.append(group.create_task(engine.publish()))
        await stop.wait()
        for task in tasks:
            task.cancel()
    for listener in listeners:
        listener.close()


def main() -> int:
    """Run until told to stop."""
    allow_many_connections()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvloop.run(_run(_parse()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
