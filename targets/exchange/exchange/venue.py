"""What the venue trades and who may trade: symbols, accounts and their credentials.

All amounts inside the exchange are whole numbers: prices in ticks, quantities in lots, money in units of 1e-8
USDT, so that nothing is lost to rounding and conservation can be checked to the last unit.
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

MONEY_UNITS_PER_USDT = 10**8
LEVERAGE = 20
OPENING_WALLET_USDT = 1_000_000
KEY_PREFIX = "account-"


@dataclass(frozen=True)  # no slots: the cached properties need a place
class Symbol:
    """One perpetual contract. `tick` and `lot` are decimal strings, as the venue prints them."""

    index: int
    name: str
    base: str
    tick: str
    lot: str
    opening_price: str

    @cached_property
    def price_decimals(self) -> int:
        """Digits after the point in a price."""
        return -int(Decimal(self.tick).normalize().as_tuple().exponent)

    @cached_property
    def quantity_decimals(self) -> int:
        """Digits after the point in a quantity."""
        return -int(Decimal(self.lot).normalize().as_tuple().exponent)

    @cached_property
    def opening_ticks(self) -> int:
        """The price at which the book opens, in ticks."""
        return int(Decimal(self.opening_price) / Decimal(self.tick))

    @cached_property
    def unit_value(self) -> int:
        """Money units (1e-8 USDT) that one lot costs per tick of price."""
        return int(Decimal(self.tick) * Decimal(self.lot) * MONEY_UNITS_PER_USDT)


SYMBOLS = (
    Symbol(0, "BTCUSDT", "BTC", "0.1", "0.001", "60000"),
    Symbol(1, "ETHUSDT", "ETH", "0.01", "0.001", "3000"),
    Symbol(2, "SOLUSDT", "SOL", "0.01", "0.01", "150"),
)
SYMBOL_BY_NAME = {symbol.name: symbol for symbol in SYMBOLS}


def decimal_text(units: int, decimals: int) -> str:
    """`units` of 10**-`decimals` as a plain decimal string: `decimal_text(1500, 3)` is `1.500`."""
    if not decimals:
        return str(units)
    digits = str(units).zfill(decimals + (2 if units < 0 else 1))
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def money_text(units: int) -> str:
    """Money units of 1e-8 USDT as the venue prints USDT."""
    return decimal_text(units, 8)


def api_key(account: int) -> str:
    """The API key of an account: `account-000042` for account 42."""
    return f"{KEY_PREFIX}{account:06d}"


def api_secret(key: str) -> str:
    """The secret that belongs to `key`: hex SHA-256 of `chaoskit-exchange:` + key.

    Anyone can compute it, so that load generators need no registry of credentials; it guards nothing of
    value.
    """
    return hashlib.sha256(f"chaoskit-exchange:{key}".encode()).hexdigest()


def account_of(key: bytes, accounts: int) -> int | None:
    """The account number that an API key names, or None where the key is malformed or beyond `accounts`."""
    number = key.removeprefix(KEY_PREFIX.encode())
    if len(number) == len(key) or len(number) < 6 or not number.isdigit():
        return None
    account = int(number)
    return account if account < accounts and api_key(account).encode() == key else None
