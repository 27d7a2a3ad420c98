"""Collateral on loans: whom a price brings down, what their sales do to it, and that nothing is lost on the way."""

from collections import deque

import orjson
import pytest
from exchange.engine.clearing import Clearing, Sources
from exchange.engine.collateral import Collateral, CollateralCollector, Holdings, open_holdings
from exchange.engine.invariants import broken
from exchange.engine.ledger import Account, Ledger
from exchange.engine.liquidation import Rules
from exchange.engine.margin import COLLATERAL_UNITS, COLLATERALS
from exchange.engine.matching import Exchange
from exchange.oracle.asset import Asset, Pricing
from exchange.oracle.market import Depth
from exchange.venue import MONEY_UNITS_PER_USDT

ACCOUNTS = 2_000
WHALE_USDT = 60_000_000
SLICES = 300


class Night:
    """A venue whose accounts hold a billion USDT worth of USDe on loans, and a whale; `due` waits to be liquidated."""

    def __init__(self, mode: str) -> None:
        self.ledger = Ledger(ACCOUNTS, 1)
        self.exchange = Exchange(self.ledger, self._touched)
        pricing = Pricing(mode, 600_000, Depth(140_000_000))
        assets = [Asset(1.0, lambda: 1.0, pricing, 1), Asset(1.08, lambda: 3000.0, pricing, 2)]
        open_holdings(self.ledger, Holdings(0, 500_000, 10, WHALE_USDT), 1.0, seed=1)
        self.desk = Collateral(assets, self.ledger)
        self.exchange.offer({"sell collateral": self.desk.sell})
        self.due: deque[Account] = deque()
        self.clearing: Clearing | None = None
        sources = Sources(collateral=self.desk, desk=self.desk)
        self.clearing = Clearing(self.exchange, Rules(), 10_000_000, self.due.append, sources)
        self.total = self.ledger.total()
        self.units = self._units()

    def _touched(self, number: int) -> None:
        if self.clearing is not None:
            self.clearing.touched(number)

    def _units(self) -> int:
        return sum(account.collateral.get(0, 0) for account in self.ledger.accounts)

    def sell(self, account: int, usdt: int, now_ms: int) -> dict[str, object]:
        command = ["sell collateral", account, "USDE", usdt * COLLATERAL_UNITS]
        said: dict[str, object] = orjson.loads(self.exchange.execute(command, now_ms)[1])
        return said

    def go_on(self, now_ms: int) -> None:
        """A tenth of a second: the price is asked, all are looked at, and those who are due take a step."""
        assert self.clearing is not None
        self.desk.refresh(now_ms)
        self.clearing.turn(now_ms)
        for _ in range(len(self.due)):
            account = self.due.popleft()
            if self.clearing.liquidator.step(account, now_ms):
                self.due.append(account)

    def check(self) -> None:
        assert broken(self.exchange, self.total) == []
        assert self._units() == self.units


def night(mode: str) -> Night:
    """The whale sells for ten seconds, and ten more pass."""
    one = Night(mode)
    for turn in range(200):
        now_ms = turn * 100
        if turn < 100:
            for _ in range(SLICES // 100):
                assert one.sell(0, WHALE_USDT // SLICES, now_ms)["status"] == "FILLED"
        one.go_on(now_ms)
    one.check()
    return one


def amplification(one: Night) -> float:
    return one.desk.tally.forced_worth / one.desk.tally.free_worth


def test_a_thin_book_as_the_oracle_sells_more_than_ten_times_what_was_sold_first() -> None:
    one = night("internal_spot")
    assert one.desk.tally.free_worth == pytest.approx(WHALE_USDT)
    assert amplification(one) > 10
    assert one.desk.tally.solvent > 0.9 * ACCOUNTS  # what they held redeemed for more than they owed, all the time


@pytest.mark.parametrize("mode", ["venue_median", "twap", "redemption_rate"])
def test_other_prices_hardly_sell_any(mode: str) -> None:
    one = night(mode)
    assert one.desk.tally.free_worth == pytest.approx(WHALE_USDT)
    assert amplification(one) < 1.2
    assert one.desk.tally.solvent == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sell collateral", 5, "USDE", 600_000 * COLLATERAL_UNITS], -2010),
        (["sell collateral", 5, "DOGE", 1], -1121),
        (["sell collateral", 5, "WBETH", 1], -2010),
    ],
)
def test_what_nobody_has_cannot_be_sold(command: list[object], code: int) -> None:
    one = Night("internal_spot")
    status, body = one.exchange.execute(command, 0)
    assert (status, orjson.loads(body)["code"]) == (400, code)
    one.check()


def test_a_sale_brings_what_the_market_pays() -> None:
    one = Night("internal_spot")
    wallet = one.ledger.accounts[5].wallet
    said = one.sell(5, 100_000, 0)
    brought = one.ledger.accounts[5].wallet - wallet
    assert brought / MONEY_UNITS_PER_USDT == pytest.approx(float(str(said["cummulativeQuoteQty"])))
    assert 99_000 * MONEY_UNITS_PER_USDT < brought < 100_000 * MONEY_UNITS_PER_USDT
    one.check()


def test_loans_are_drawn_and_the_whale_has_none() -> None:
    one = Night("internal_spot")
    assert one.ledger.accounts[0].wallet > 0
    loans = [-account.wallet / (500_000 * MONEY_UNITS_PER_USDT) for account in one.ledger.accounts[1:ACCOUNTS]]
    assert 0 <= min(loans) < 0.1
    assert 0.88 < max(loans) <= 0.9
    assert not one.due  # all are sound at the opening


def test_the_price_is_as_old_as_the_last_look() -> None:
    one = Night("internal_spot")
    one.desk.refresh(1_000)
    before = one.desk.price(0, 1_000)
    one.sell(0, 50_000_000, 1_000)
    assert one.desk.price(0, 5_000) == before
    families = {family.name: family for family in CollateralCollector(one.desk, lambda: 5_000).collect()}
    assert families["exchange_oracle_age_seconds"].samples[0].value == 4.0
    prices = {tuple(s.labels.values()): s.value for s in families["exchange_collateral_price_usdt"].samples}
    assert prices["USDE", "oracle"] == pytest.approx(1.0)
    assert prices["USDE", "own"] < 0.75
    assert {asset for asset, _ in prices} == set(COLLATERALS)
