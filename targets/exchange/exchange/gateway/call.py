"""One request as the handlers see it, and the reading of its parameters."""

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from exchange.failures import Refusal, illegal, missing
from exchange.venue import MONEY_UNITS_PER_USDT, SYMBOL_BY_NAME, Symbol

MIN_NOTIONAL_USDT = 5
CLIENT_ID_LENGTH = 36
MONEY_DECIMALS = 8
LARGEST_TRANSFER_USDT = 10**9
TIMES_IN_FORCE = frozenset({"GTC", "IOC", "FOK", "GTX"})
CONDITIONAL = frozenset({b"STOP", b"STOP_MARKET", b"TAKE_PROFIT", b"TAKE_PROFIT_MARKET", b"TRAILING_STOP_MARKET"})

Parameters = dict[bytes, bytes]
OrderTerms = tuple[int, bool, str, int, int, str, str, bool]


@dataclass(slots=True)
class Call:
    """One admitted request: `account` is -1 for a public one; `stale_ms` is wall clock, `deadline_s` not."""

    parameters: Parameters
    deadline_s: float
    account: int = -1
    stale_ms: int = 0
    token: str = ""  # the session that it names
    blocked_s: float = 0.0  # time that its handler waited for the engine or the database
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def parse(payload: bytes) -> Parameters:
    """Form or query parameters by name; the last of several with one name counts."""
    if not payload:
        return {}
    found = {}
    for pair in payload.split(b"&"):
        name, _, value = pair.partition(b"=")
        if b"%" in value or b"+" in value:
            value = unquote_to_bytes(value.replace(b"+", b" "))
        found[name] = value
    return found


def symbol_of(parameters: Parameters) -> Symbol:
    """The symbol that the request names; raises `Refusal` -1102 or -1121."""
    name = parameters.get(b"symbol")
    if not name:
        raise missing("symbol")
    symbol = SYMBOL_BY_NAME.get(name.decode("ascii", "replace"))
    if symbol is None:
        raise Refusal(400, -1121, "Invalid symbol.")
    return symbol


def optional_symbol(parameters: Parameters) -> Symbol | None:
    """The symbol, or None where the request is about all of them."""
    return symbol_of(parameters) if b"symbol" in parameters else None


def whole_number(parameters: Parameters, name: bytes, default: int | None = None) -> int | None:
    """A whole number parameter; raises `Refusal` -1100 where it is none."""
    text = parameters.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise illegal(name.decode())
    return int(text)


def units(parameters: Parameters, name: bytes, decimals: int) -> int:
    """A decimal parameter as whole units of 10**-`decimals`; raises `Refusal` -1102, -1100 or -1111."""
    text = parameters.get(name)
    if not text:
        raise missing(name.decode())
    whole, _, part = text.partition(b".")
    extra = part[decimals:]
    digits = whole + part[:decimals].ljust(decimals, b"0")
    if not digits.isdigit() or (extra and not extra.isdigit()):
        raise illegal(name.decode())
    if extra.strip(b"0"):
        raise Refusal(400, -1111, "Precision is over the maximum defined for this asset.")
    return int(digits)


def order_reference(parameters: Parameters) -> tuple[int | None, str | None]:
    """The order id or the client's own id; raises `Refusal` -1102 where both are missing."""
    order_id = whole_number(parameters, b"orderId")
    client_id = parameters.get(b"origClientOrderId")
    if order_id is None and not client_id:
        raise missing("orderId")
    return order_id, client_id.decode("ascii", "replace") if client_id else None


def order_terms(parameters: Parameters) -> OrderTerms:
    """The terms of a new order, as the engine reads them; raises `Refusal` for what is malformed."""
    symbol = symbol_of(parameters)
    buy = is_buy(parameters)
    kind = parameters.get(b"type")
    if kind in CONDITIONAL:
        raise Refusal(
            400,
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    if kind not in (b"LIMIT", b"MARKET"):
        raise Refusal(400, -1116, "Invalid orderType.") if kind else missing("type")
    lots = lots_of(parameters, symbol)
    reduce_only = parameters.get(b"reduceOnly") == b"true"
    price, time_in_force = 0, "IOC"
    if kind == b"LIMIT":
        price, time_in_force = limit_of(parameters, symbol)
        notional = price * lots * symbol.unit_value
        if notional < MIN_NOTIONAL_USDT * MONEY_UNITS_PER_USDT and not reduce_only:
            smallest = f"{MIN_NOTIONAL_USDT} (unless you choose reduce only)"
            raise Refusal(400, -4164, f"Order's notional must be no smaller than {smallest}.")
    client_id = client_id_of(parameters, b"newClientOrderId")
    return symbol.index, buy, kind.decode(), price, lots, time_in_force, client_id, reduce_only


def transfer_amount(parameters: Parameters) -> int:
    """What a transfer into the wallet moves, in money units; raises `Refusal` for any other transfer, or of nothing."""
    for name, only in ((b"type", b"MAIN_UMFUTURE"), (b"asset", b"USDT")):
        if parameters.get(name) != only:
            raise illegal(name.decode()) if parameters.get(name) else missing(name.decode())
    amount = units(parameters, b"amount", MONEY_DECIMALS)
    if not 0 < amount <= LARGEST_TRANSFER_USDT * MONEY_UNITS_PER_USDT:
        raise Refusal(400, -9000, "user have no available amount")
    return amount


def is_buy(parameters: Parameters) -> bool:
    """Whether the side is BUY; raises `Refusal` -1102 or -1117."""
    side = parameters.get(b"side")
    if side not in (b"BUY", b"SELL"):
        raise Refusal(400, -1117, "Invalid side.") if side else missing("side")
    return side == b"BUY"


def lots_of(parameters: Parameters, symbol: Symbol) -> int:
    """The quantity in lots; raises `Refusal` as `units`, and -4003 where it is nothing."""
    lots = units(parameters, b"quantity", symbol.quantity_decimals)
    if lots <= 0:
        raise Refusal(400, -4003, "Quantity less than or equal to zero.")
    return lots


def limit_of(parameters: Parameters, symbol: Symbol) -> tuple[int, str]:
    """Price in ticks and time in force of a limit; raises `Refusal` as `units`, -1102, -1115 or -4013."""
    price = units(parameters, b"price", symbol.price_decimals)
    time_in_force = parameters.get(b"timeInForce", b"").decode("ascii", "replace")
    if not time_in_force:
        raise missing("timeInForce")
    if time_in_force not in TIMES_IN_FORCE:
        raise Refusal(400, -1115, "Invalid timeInForce.")
    if price <= 0:
        raise Refusal(400, -4013, "Price less than min price.")
    return price, time_in_force


def client_id_of(parameters: Parameters, name: bytes) -> str:
    """The client's own id for an order, empty where it has none; raises `Refusal` -4015."""
    client_id = parameters.get(name, b"").decode("ascii", "replace")
    if len(client_id) > CLIENT_ID_LENGTH:
        raise Refusal(400, -4015, f"Client order id length should not be more than {CLIENT_ID_LENGTH} chars.")
    return client_id
