"""What load does to the exchange: one function per kind of arrival, called in the load generator's process.

The functions are lean, because their time is taken from the generator: signatures start from a prepared HMAC
per account, and requests are put together from bytes. All choices come from `arrival.key`, so a run can be
repeated.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import cache
from time import time
from typing import Any, Protocol

from exchange.venue import SYMBOLS, api_key, api_secret, decimal_text

DEFAULT_ACCOUNTS = 10_000
SPREAD_PER_10_000 = 20  # limit orders lie within 0.2 % of the opening price, on either side of it
PANIC_LOTS = (10, 50)
WHALE_SLICE_USDT = 20_000
WHALE_PRICES = {"USDE": 1.0, "WBETH": 3240.0}  # at which a slice is counted
LARGEST_LOTS = (4, 80, 160)  # by symbol: up to 240 USDT


class Response(Protocol):
    """An HTTP response: `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client(Protocol):
    """What the load generator lends to a flow."""

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one request and wait for its response."""

    def fail(self, reason: str) -> None:
        """Count this arrival as failed for `reason`."""


class Arrival(Protocol):
    """One arrival of a stream: `key` is a seeded 32-bit number."""

    index: int
    key: int
    settings: Mapping[str, Any]


@cache
def _credentials(account: int) -> tuple[dict[str, str], dict[str, str], hmac.HMAC]:
    """Headers for a read and for an order, and the prepared HMAC of an account."""
    key = api_key(account)
    read = {"X-MBX-APIKEY": key}
    order = read | {"Content-Type": "application/x-www-form-urlencoded"}
    return read, order, hmac.new(api_secret(key).encode(), digestmod=hashlib.sha256)


def _sign(prepared: hmac.HMAC, payload: bytes) -> str:
    digest = prepared.copy()
    digest.update(payload)
    return digest.hexdigest()


def _account(arrival: Arrival) -> int:
    return arrival.key % int(arrival.settings.get("engine.accounts", DEFAULT_ACCOUNTS))


def positions(client: Client, arrival: Arrival) -> None:
    """One account asks for its positions: `GET /fapi/v3/positionRisk`, signed."""
    read, _, prepared = _credentials(_account(arrival))
    query = f"recvWindow=5000&timestamp={int(time() * 1000)}"
    signature = _sign(prepared, query.encode())
    client.request("GET", f"/fapi/v3/positionRisk?{query}&signature={signature}", read)


def trade(client: Client, arrival: Arrival) -> None:
    """One account sends one order: half of them at the market, half with a limit near the opening price.

    An order that expires unfilled, because the book was empty, counts as failed.
    """
    response = _order(client, _account(arrival), order_form(arrival.key))
    if response.status == 200 and b'"status":"EXPIRED"' in response.body:
        client.fail("order expired unfilled")


def _order(client: Client, account: int, terms: str, path: str = "/fapi/v1/order") -> Response:
    _, headers, prepared = _credentials(account)
    body = f"{terms}&recvWindow=5000&timestamp={int(time() * 1000)}".encode()
    return client.request("POST", path, headers, b"%s&signature=%s" % (body, _sign(prepared, body).encode()))


def panic(client: Client, arrival: Arrival) -> None:
    """One of the funded accounts sells BTC at the market, at any price: `POST /fapi/v1/order`, signed.

    Where nobody bids any more it expires unfilled. That is the market's answer, and no failure of the venue.
    """
    funded = int(arrival.settings.get("engine.funded_accounts", 0)) or DEFAULT_ACCOUNTS
    lots = PANIC_LOTS[0] + (arrival.key >> 16) % (PANIC_LOTS[1] - PANIC_LOTS[0] + 1)
    quantity = decimal_text(lots, SYMBOLS[0].quantity_decimals)
    _order(client, arrival.key % funded, f"symbol={SYMBOLS[0].name}&side=SELL&quantity={quantity}&type=MARKET")


def whale(client: Client, arrival: Arrival) -> None:
    """The whale (account 0) sells a slice of its collateral at the market: `POST /api/v3/order`, signed."""
    asset = str(arrival.settings.get("engine.collateral", "USDE"))
    quantity = WHALE_SLICE_USDT / WHALE_PRICES.get(asset, 1.0)
    _order(client, 0, f"symbol={asset}USDT&side=SELL&type=MARKET&quantity={quantity:.8f}", "/api/v3/order")


def order_form(key: int) -> str:
    """The unsigned form of the order that `key` draws."""
    bits = key * 0x9E3779B1 & 0xFFFFFFFF  # spread the key, so that account and terms are independent
    symbol = SYMBOLS[bits % 3]
    lots = _smallest_lots(symbol.index) + (bits >> 2) % LARGEST_LOTS[symbol.index]
    side = "BUY" if bits & 0x10000 else "SELL"
    terms = f"symbol={symbol.name}&side={side}&quantity={decimal_text(lots, symbol.quantity_decimals)}"
    if bits & 0x20000:
        return f"{terms}&type=MARKET"
    offset = (bits >> 18) % (2 * SPREAD_PER_10_000 + 1) - SPREAD_PER_10_000
    ticks = symbol.opening_ticks * (10_000 + offset) // 10_000
    return f"{terms}&type=LIMIT&timeInForce=GTC&price={decimal_text(ticks, symbol.price_decimals)}"


@cache
def _smallest_lots(index: int) -> int:
    """Lots worth at least 10 USDT, above the venue's smallest notional."""
    symbol = SYMBOLS[index]
    return 10 * 10**8 // (symbol.opening_ticks * symbol.unit_value) + 1
