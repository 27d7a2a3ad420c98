"""The margin engine put together: marks, the watch over margins, the fund, and the liquidator. Synchronous, no I/O."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.engine.collateral import Collateral
from exchange.engine.insurance import InsuranceFund
from exchange.engine.ledger import Account
from exchange.engine.liquidation import Liquidator, Rules
from exchange.engine.margin import CollateralPrices, Margin
from exchange.engine.margin_watch import MarginWatch
from exchange.engine.mark_price import Index, MarkPrices
from exchange.engine.matching import Exchange
from exchange.venue import MONEY_UNITS_PER_USDT

HOLDERS_PER_TURN = 1_000


@dataclass(frozen=True, slots=True)
class Sources:
    """Where prices come from: the contracts' index (None: the venue's own book) and what collateral is worth.

    `desk` is where the collateral of those in liquidation is sold; None: the fund takes it over.
    """

    index: Index | None = None
    collateral: CollateralPrices | None = None
    desk: Collateral | None = None


class Clearing:
    """Watches every account from now on; `due` is called with each that must be liquidated by `liquidator.step`.

    The exchange's `touched` must reach `touched`, and `turn` must be called again and again.
    """

    def __init__(
        self,
        exchange: Exchange,
        rules: Rules,
        fund_usdt: int,
        due: Callable[[Account], None],
        sources: Sources | None = None,
    ) -> None:
        sources = sources or Sources()
        self._accounts = exchange.ledger.accounts
        self.margin = Margin(exchange.marks, sources.collateral)
        self.margin.revalue(0)
        self.fund = InsuranceFund(exchange.ledger, self.margin, fund_usdt)
        self._watch = MarginWatch(self.margin, exchange.marks, self._accounts, due)
        self.liquidator = Liquidator(exchange, self.margin, self._watch, self.fund, rules, sources.desk)
        self._marks = MarkPrices(exchange, sources.index)
        exchange.marks_follow_trades = False
        for account in self._accounts:
            self._watch.examine(account)

    def touched(self, number: int) -> None:
        """An account's wallet or positions have changed."""
        self._watch.examine(self._accounts[number])

    def turn(self, now_ms: int) -> None:
        """Set the marks and look at those whom that concerns."""
        for symbol in self._marks.update(now_ms):
            self._watch.moved(symbol)
        self._watch.revalued(changed=self.margin.revalue(now_ms), limit=HOLDERS_PER_TURN)


class ClearingCollector(Collector):
    """What liquidations came to, the fund, who was deleveraged, and beside it what was sold of free will."""

    def __init__(self, clearing: Clearing, exchange: Exchange) -> None:
        self._clearing = clearing
        self._exchange = exchange

    def collect(self) -> Iterator[Metric]:
        """The families; values are in USDT."""
        tally, deleveraging = self._clearing.liquidator.tally, self._clearing.liquidator.deleveraging
        counts = (
            ("exchange_liquidated_accounts", "Accounts whose liquidation has begun", tally.accounts),
            ("exchange_spared_accounts", "Accounts that were sound again before their turn came", tally.spared),
            ("exchange_forced_orders", "Liquidation orders sent into the books", tally.orders),
            ("exchange_taken_over_accounts", "Accounts that the insurance fund took over", tally.taken_over),
            ("exchange_deleveraged_positions", "Closes of winners' positions (ADL)", deleveraging.closes),
        )
        for name, title, count in counts:
            yield CounterMetricFamily(name, title, value=count)
        values = (
            ("exchange_liquidation_fees_usdt", "Liquidation fees into the fund", tally.fees),
            ("exchange_fund_unwound_usdt", "What the fund has traded away of what it took over", tally.unwound),
            ("exchange_deleveraged_usdt", "Value of winners' positions closed (ADL)", deleveraging.value),
            ("exchange_socialised_loss_usdt", "Losses taken from the profits of all", self._clearing.fund.socialised),
        )
        for name, title, value in values:
            yield CounterMetricFamily(name, title, value=value / MONEY_UNITS_PER_USDT)
        taken = CounterMetricFamily("exchange_taken_usdt", "Value taken from the books", labels=["side", "cause"])
        for side, buy, forced in (("SELL", False, tally.sold), ("BUY", True, tally.bought)):
            own = self._exchange.taken[buy] - forced
            taken.add_metric([side, "liquidation"], forced / MONEY_UNITS_PER_USDT)
            taken.add_metric([side, "own"], own / MONEY_UNITS_PER_USDT)
        yield taken
        balance = self._clearing.fund.equity / MONEY_UNITS_PER_USDT
        yield GaugeMetricFamily("exchange_insurance_fund_usdt", "What the insurance fund is worth", value=balance)
