"""Reading spot orders: `/api/v3/order`, of which the venue here knows sales at the market."""

from exchange.failures import Refusal, missing
from exchange.gateway.call import Parameters, is_buy, units

DECIMALS = 8


def spot_terms(parameters: Parameters) -> tuple[str, int]:
    """The asset and how much of it (units of 1e-8) is sold; raises `Refusal` for what is malformed or not offered."""
    symbol = parameters.get(b"symbol", b"").decode("ascii", "replace")
    if not symbol:
        raise missing("symbol")
    if not symbol.endswith("USDT"):
        raise Refusal(400, -1121, "Invalid symbol.")
    if is_buy(parameters) or parameters.get(b"type") != b"MARKET":
        raise Refusal(400, -1116, "Invalid orderType.")
    quantity = units(parameters, b"quantity", DECIMALS)
    if quantity <= 0:
        raise Refusal(400, -1013, "Invalid quantity.")
    return symbol.removesuffix("USDT"), quantity
