"""Collateral beside USDT: who holds it, what it is worth to the venue, and what is sold of it.

The venue's price is as old as the last `refresh`, which is work of the matching loop like any other: it ages when the
loop is behind.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.engine.ledger import Account, Ledger
from exchange.engine.margin import COLLATERAL_UNITS, COLLATERALS, SCALE, Margin
from exchange.failures import Refusal
from exchange.oracle.asset import Asset
from exchange.venue import MONEY_UNITS_PER_USDT


@dataclass(frozen=True, slots=True)
class Holdings:
    """What accounts open with: `usdt` worth of asset number `asset` each, bought with their own money and a loan.

    The leverage of each is drawn from 1 to `leverage`, and its wallet is the loan, below 0. Account 0, the whale, holds
    `whale_usdt` worth beside its wallet.
    """

    asset: int
    usdt: int
    leverage: int
    whale_usdt: int


@dataclass(slots=True)
class Tally:
    """Sold on the venue's own market in money units, and accounts whose liquidation only the price explains."""

    free: int = 0
    forced: int = 0
    solvent: int = 0
    free_worth: float = 0.0  # USDT, at the redemption value
    forced_worth: float = 0.0


class Collateral:
    """The assets of `COLLATERALS`, priced by `assets`; see `CollateralPrices`."""

    def __init__(self, assets: Sequence[Asset], ledger: Ledger) -> None:
        self.tally = Tally()
        self.refreshed_ms = 0
        self._assets = assets
        self._house = ledger.house
        self._prices = [round(asset.redemption() * MONEY_UNITS_PER_USDT) for asset in assets]

    def price(self, asset: int, now_ms: int) -> int:  # noqa: ARG002 - it is the last refresh that counts
        """See `CollateralPrices`."""
        return self._prices[asset]

    def refresh(self, now_ms: int) -> None:
        """Ask the price sources."""
        self._prices = [round(asset.price(now_ms) * MONEY_UNITS_PER_USDT) for asset in self._assets]
        self.refreshed_ms = now_ms

    def liquidate(self, account: Account, margin: Margin, now_ms: int) -> bool:
        """Sell all that an account in liquidation holds, at any price; returns whether it held any."""
        if not account.collateral:
            return False
        lost = sum(
            units * (round(self._assets[asset].redemption() * MONEY_UNITS_PER_USDT) - self._prices[asset])
            for asset, units in account.collateral.items()
        )
        self.tally.solvent += margin.cushion(account) + lost * SCALE // COLLATERAL_UNITS > 0
        for asset, units in list(account.collateral.items()):
            self.tally.forced += self._exchange(account, asset, units, now_ms)
            self.tally.forced_worth += self._worth(asset, units)
        return True

    def sell(self, now_ms: int, account: Account, name: str, units: int) -> dict[str, object]:
        """The command of a market order: [name of the asset, units of 1e-8]; the answer is in the venue's shape."""
        if name not in COLLATERALS:
            raise Refusal(400, -1121, "Invalid symbol.")
        asset = COLLATERALS.index(name)
        if account.liquidating or account.collateral.get(asset, 0) < units:
            raise Refusal(400, -2010, "Account has insufficient balance for requested action.")
        brought = self._exchange(account, asset, units, now_ms)
        self.tally.free += brought
        self.tally.free_worth += self._worth(asset, units)
        return {
            "symbol": f"{name}USDT",
            "status": "FILLED",
            "side": "SELL",
            "type": "MARKET",
            "executedQty": f"{units / COLLATERAL_UNITS:.8f}",
            "cummulativeQuoteQty": f"{brought / MONEY_UNITS_PER_USDT:.8f}",
            "transactTime": now_ms,
        }

    def own_price(self, asset: int, now_ms: int) -> float:
        """The price on the venue's own spot market, in USDT."""
        return self._assets[asset].own.price(now_ms)

    def _worth(self, asset: int, units: int) -> float:
        return self._assets[asset].redemption() * units / COLLATERAL_UNITS

    def _exchange(self, account: Account, asset: int, units: int, now_ms: int) -> int:
        """Hand `units` to the makers for what they pay; returns that, in money units."""
        brought = int(self._assets[asset].sell(units / COLLATERAL_UNITS, now_ms) * MONEY_UNITS_PER_USDT)
        left = account.collateral[asset] - units
        if left:
            account.collateral[asset] = left
        else:
            del account.collateral[asset]
        self._house.collateral[asset] = self._house.collateral.get(asset, 0) + units
        account.wallet += brought
        self._house.wallet -= brought
        return brought


def open_holdings(ledger: Ledger, holdings: Holdings, price: float, seed: int) -> None:
    """Give every account its collateral and its loan, at `price` USDT a unit."""
    randomness = random.Random(seed)
    for account in ledger.accounts:
        if account.house:
            continue
        worth = holdings.whale_usdt if account.number == 0 else holdings.usdt
        if not worth:
            continue
        account.collateral[holdings.asset] = round(worth / price * COLLATERAL_UNITS)
        if account.number:
            leverage = randomness.uniform(1, holdings.leverage)
            account.wallet = -round(worth * (1 - 1 / leverage)) * MONEY_UNITS_PER_USDT


class CollateralCollector(Collector):
    """What was sold, whose liquidation only the price explains, prices and how old they are."""

    def __init__(self, collateral: Collateral, now_ms: Callable[[], int]) -> None:
        self._collateral = collateral
        self._now_ms = now_ms

    def collect(self) -> Iterator[Metric]:
        """The families; values are in USDT."""
        now_ms, tally = self._now_ms(), self._collateral.tally
        sold = CounterMetricFamily("exchange_collateral_sold_usdt", "Collateral sold at the market", labels=["cause"])
        sold.add_metric(["own"], tally.free / MONEY_UNITS_PER_USDT)
        sold.add_metric(["liquidation"], tally.forced / MONEY_UNITS_PER_USDT)
        worth = CounterMetricFamily(
            "exchange_collateral_sold_worth_usdt", "The same at what the issuer redeems it for", labels=["cause"]
        )
        worth.add_metric(["own"], tally.free_worth)
        worth.add_metric(["liquidation"], tally.forced_worth)
        yield from (sold, worth)
        yield CounterMetricFamily(
            "exchange_liquidated_solvent_accounts", "Liquidated, and sound at the redemption value", value=tally.solvent
        )
        prices = GaugeMetricFamily(
            "exchange_collateral_price_usdt", "By source: the oracle, the own market", labels=["asset", "source"]
        )
        for asset, name in enumerate(COLLATERALS):
            prices.add_metric([name, "oracle"], self._collateral.price(asset, now_ms) / MONEY_UNITS_PER_USDT)
            prices.add_metric([name, "own"], self._collateral.own_price(asset, now_ms))
        yield prices
        age_s = max(0, now_ms - self._collateral.refreshed_ms) / 1e3 if self._collateral.refreshed_ms else 0.0
        yield GaugeMetricFamily("exchange_oracle_age_seconds", "Since the oracle was asked last", value=age_s)
