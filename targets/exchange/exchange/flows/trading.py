"""Ordinary trading: logging in, and one order an arrival."""

from functools import cache

from exchange.flows.client import Arrival, Client
from exchange.flows.signed import spread, trader_of
from exchange.venue import SYMBOLS, decimal_text

SPREAD_PER_10_000 = 20  # limit orders lie within 0.2 % of the opening price, on either side of it
LARGEST_LOTS = (4, 80, 160)  # by symbol: up to 240 USDT


def trade(client: Client, arrival: Arrival) -> None:
    """One account sends one order: half of them at the market, half with a limit near the opening price.

    An order that expires unfilled, because the book was empty, counts as failed.
    """
    response = trader_of(client, arrival).post("/fapi/v1/order", order_form(arrival.key))
    if response.status == 200 and b'"status":"EXPIRED"' in response.body:
        client.fail("order expired unfilled")


def login(client: Client, arrival: Arrival) -> None:
    """One account logs in, whether or not it has a session: `POST /sapi/v1/session`, signed."""
    trader_of(client, arrival).log_in()


def order_form(key: int) -> str:
    """The unsigned form of the order that `key` draws."""
    bits = spread(key)
    terms = _terms(bits)
    if bits & 0x20000:
        return f"{terms}&type=MARKET"
    symbol = SYMBOLS[bits % 3]
    offset = (bits >> 18) % (2 * SPREAD_PER_10_000 + 1) - SPREAD_PER_10_000
    ticks = symbol.opening_ticks * (10_000 + offset) // 10_000
    return f"{terms}&type=LIMIT&timeInForce=GTC&price={decimal_text(ticks, symbol.price_decimals)}"


def market_form(key: int) -> str:
    """The unsigned form of a market order that `key` draws."""
    return f"{_terms(spread(key))}&type=MARKET"


@cache
def smallest_lots(index: int) -> int:
    """Lots worth at least 10 USDT, above the venue's smallest notional."""
    symbol = SYMBOLS[index]
    return 10 * 10**8 // (symbol.opening_ticks * symbol.unit_value) + 1


def _terms(bits: int) -> str:
    symbol = SYMBOLS[bits % 3]
    lots = smallest_lots(symbol.index) + (bits >> 2) % LARGEST_LOTS[symbol.index]
    side = "BUY" if bits & 0x10000 else "SELL"
    return f"symbol={symbol.name}&side={side}&quantity={decimal_text(lots, symbol.quantity_decimals)}"
