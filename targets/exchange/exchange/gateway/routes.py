"""Which endpoint costs how much weight and who handles it: the subset of the venue that its clients need."""

from collections.abc import Callable

from exchange.gateway.application import Route
from exchange.gateway.call import Parameters
from exchange.gateway.feeds import Feeds
from exchange.gateway.market import Market
from exchange.gateway.risk import Risk
from exchange.gateway.sessions import Sessions
from exchange.gateway.trading import Trading


def _flat(weight: int) -> Callable[[Parameters], int]:
    return lambda _parameters: weight


def _by_symbol(with_symbol: int, without: int) -> Callable[[Parameters], int]:
    return lambda parameters: with_symbol if b"symbol" in parameters else without


def _depth(parameters: Parameters) -> int:
    limit = int(parameters.get(b"limit", b"500")) if parameters.get(b"limit", b"500").isdigit() else 500
    return next((weight for bound, weight in ((50, 2), (100, 5), (500, 10)) if limit <= bound), 20)


def session_routes(sessions: Sessions) -> dict[tuple[str, str], Route]:
    """What a gateway has beside the others where it asks for sessions."""
    return {
        ("POST", "/sapi/v1/session"): Route(sessions.open, _flat(1), signed=True, session=False),
        ("PUT", "/sapi/v1/session"): Route(sessions.renew, _flat(1), signed=True, session=False),
    }


def routes(market: Market, trading: Trading, feeds: Feeds) -> dict[tuple[str, str], Route]:
    """The routing table, by method and path. New orders have weight 0: the venue counts them by account."""
    risk = Risk(trading)
    return {
        ("GET", "/fapi/v1/ping"): Route(market.ping, _flat(1)),
        ("GET", "/fapi/v1/time"): Route(market.time, _flat(1)),
        ("GET", "/fapi/v1/exchangeInfo"): Route(market.exchange_info, _flat(1)),
        ("GET", "/fapi/v1/depth"): Route(market.depth, _depth),
        ("GET", "/fapi/v1/ticker/24hr"): Route(market.ticker, _by_symbol(1, 40)),
        ("GET", "/fapi/v1/premiumIndex"): Route(market.premium_index, _by_symbol(1, 10)),
        ("GET", "/fapi/v1/fundingRate"): Route(market.funding_rates, _flat(0)),
        ("GET", "/fapi/v1/openInterest"): Route(risk.open_interest, _flat(1)),
        ("GET", "/fapi/v1/insuranceBalance"): Route(risk.insurance_balance, _flat(1)),
        ("GET", "/fapi/v1/leverageBracket"): Route(risk.leverage_brackets, _flat(1), signed=True),
        ("POST", "/fapi/v1/leverage"): Route(risk.set_leverage, _flat(1), signed=True),
        ("GET", "/fapi/v1/forceOrders"): Route(risk.force_orders, _by_symbol(20, 50), signed=True),
        ("GET", "/fapi/v1/adlQuantile"): Route(risk.adl_quantiles, _flat(5), signed=True),
        ("POST", "/fapi/v1/listenKey"): Route(feeds.open_key, _flat(1), keyed=True),
        ("PUT", "/fapi/v1/listenKey"): Route(feeds.renew_key, _flat(1), keyed=True),
        ("DELETE", "/fapi/v1/listenKey"): Route(feeds.close_key, _flat(1), keyed=True),
        ("POST", "/fapi/v1/order"): Route(trading.place, _flat(0), signed=True, order=True),
        ("POST", "/api/v3/order"): Route(trading.sell_collateral, _flat(0), signed=True, order=True),
        ("DELETE", "/fapi/v1/order"): Route(trading.cancel, _flat(1), signed=True, shed_last=True),
        ("GET", "/fapi/v1/order"): Route(trading.query, _flat(1), signed=True),
        ("GET", "/fapi/v1/openOrders"): Route(trading.open_orders, _by_symbol(1, 40), signed=True),
        ("POST", "/fapi/v1/algoOrder"): Route(trading.place_conditional, _flat(0), signed=True, order=True),
        ("DELETE", "/fapi/v1/algoOrder"): Route(trading.cancel_conditional, _flat(1), signed=True, shed_last=True),
        ("GET", "/fapi/v1/algoOrder"): Route(trading.query_conditional, _flat(1), signed=True),
        ("GET", "/fapi/v1/openAlgoOrders"): Route(trading.open_conditionals, _by_symbol(1, 40), signed=True),
        ("GET", "/fapi/v1/userTrades"): Route(trading.trades, _flat(5), signed=True),
        ("POST", "/sapi/v1/asset/transfer"): Route(trading.transfer, _flat(1), signed=True),
        ("GET", "/fapi/v3/account"): Route(trading.balance, _flat(5), signed=True),
        ("GET", "/fapi/v3/positionRisk"): Route(trading.positions, _flat(5), signed=True),
    }
