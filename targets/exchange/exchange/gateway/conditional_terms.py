"""Reading conditional orders: `/fapi/v1/algoOrder` with `algoType=CONDITIONAL`."""

from exchange.failures import Refusal, illegal, missing
from exchange.gateway.call import Parameters, client_id_of, is_buy, limit_of, lots_of, symbol_of, units, whole_number

AT_MARKET = frozenset({b"STOP_MARKET", b"TAKE_PROFIT_MARKET"})
AT_LIMIT = frozenset({b"STOP", b"TAKE_PROFIT"})
WORKING_TYPES = {b"CONTRACT_PRICE": False, b"MARK_PRICE": True}

# symbol, buy, kind, trigger, price, lots, time in force, client id, reduce only, closes, by mark
ConditionalTerms = tuple[int, bool, str, int, int, int, str, str, bool, bool, bool]


def conditional_terms(parameters: Parameters) -> ConditionalTerms:
    """The terms of a conditional order, as the engine reads them; raises `Refusal` for what is malformed."""
    if parameters.get(b"algoType") != b"CONDITIONAL":
        raise illegal("algoType") if parameters.get(b"algoType") else missing("algoType")
    symbol = symbol_of(parameters)
    kind = parameters.get(b"type", b"")
    if kind not in AT_MARKET | AT_LIMIT:
        raise Refusal(400, -1116, "Invalid orderType.") if kind else missing("type")
    trigger = units(parameters, b"triggerPrice", symbol.price_decimals)
    if trigger <= 0:
        raise Refusal(400, -4006, "Stop price less than zero.")
    closes = parameters.get(b"closePosition") == b"true"
    if closes and (kind in AT_LIMIT or b"quantity" in parameters):
        raise Refusal(400, -4136, "Target strategy invalid for this closePosition order.")
    working_type = parameters.get(b"workingType", b"CONTRACT_PRICE")
    if working_type not in WORKING_TYPES:
        raise illegal("workingType")
    price, time_in_force = limit_of(parameters, symbol) if kind in AT_LIMIT else (0, "GTC")
    return (
        symbol.index,
        is_buy(parameters),
        kind.decode(),
        trigger,
        price,
        0 if closes else lots_of(parameters, symbol),
        time_in_force,
        client_id_of(parameters, b"clientAlgoId"),
        parameters.get(b"reduceOnly") == b"true",
        closes,
        WORKING_TYPES[working_type],
    )


def conditional_reference(parameters: Parameters) -> tuple[int | None, str | None]:
    """The algo id or the client's own id; raises `Refusal` -1102 where both are missing."""
    algo_id = whole_number(parameters, b"algoId")
    client_id = parameters.get(b"clientAlgoId")
    if algo_id is None and not client_id:
        raise missing("algoId")
    return algo_id, client_id.decode("ascii", "replace") if client_id else None
