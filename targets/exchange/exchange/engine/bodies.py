"""Orders, trades and market data in the venue's JSON shapes (Binance USD-M futures)."""

from exchange.engine.book import Order
from exchange.engine.conditional import ConditionalOrder
from exchange.engine.ledger import Trade
from exchange.venue import SYMBOLS, decimal_text, money_text

_PRICE_DECIMALS = tuple(symbol.price_decimals for symbol in SYMBOLS)
_QUANTITY_DECIMALS = tuple(symbol.quantity_decimals for symbol in SYMBOLS)
_UNIT_VALUES = tuple(symbol.unit_value for symbol in SYMBOLS)
_NAMES = tuple(symbol.name for symbol in SYMBOLS)


def order_body(order: Order) -> dict[str, object]:
    """An order as `POST`, `GET` and `DELETE /fapi/v1/order` show it."""
    price_decimals = _PRICE_DECIMALS[order.symbol]
    quantity_decimals = _QUANTITY_DECIMALS[order.symbol]
    # The average is cut, not rounded, to two digits beyond a tick.
    average = decimal_text(order.value * 100 // order.filled, price_decimals + 2) if order.filled else "0"
    return {
        "orderId": order.order_id,
        "symbol": _NAMES[order.symbol],
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": decimal_text(order.price, price_decimals),
        "avgPrice": average,
        "origQty": decimal_text(order.lots, quantity_decimals),
        "executedQty": decimal_text(order.filled, quantity_decimals),
        "cumQuote": money_text(order.value * _UNIT_VALUES[order.symbol]),
        "timeInForce": order.time_in_force,
        "type": order.kind,
        "origType": order.kind,
        "side": "BUY" if order.buy else "SELL",
        "positionSide": "BOTH",
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def conditional_body(order: ConditionalOrder) -> dict[str, object]:
    """A conditional order as `POST` and `GET /fapi/v1/algoOrder` show it."""
    price_decimals = _PRICE_DECIMALS[order.symbol]
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": order.kind,
        "symbol": _NAMES[order.symbol],
        "side": "BUY" if order.buy else "SELL",
        "positionSide": "BOTH",
        "timeInForce": order.time_in_force,
        "quantity": decimal_text(order.lots, _QUANTITY_DECIMALS[order.symbol]),
        "algoStatus": order.status,
        "triggerPrice": decimal_text(order.trigger, price_decimals),
        "price": decimal_text(order.price, price_decimals),
        "workingType": "MARK_PRICE" if order.by_mark else "CONTRACT_PRICE",
        "closePosition": order.closes,
        "reduceOnly": order.reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
    }


def trade_body(trade: Trade) -> dict[str, object]:
    """A fill as `GET /fapi/v1/userTrades` shows it."""
    return {
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "symbol": _NAMES[trade.symbol],
        "side": "BUY" if trade.buy else "SELL",
        "positionSide": "BOTH",
        "price": decimal_text(trade.price, _PRICE_DECIMALS[trade.symbol]),
        "qty": decimal_text(trade.lots, _QUANTITY_DECIMALS[trade.symbol]),
        "quoteQty": money_text(trade.price * trade.lots * _UNIT_VALUES[trade.symbol]),
        "commission": money_text(trade.fee),
        "commissionAsset": "USDT",
        "maker": trade.maker,
        "buyer": trade.buy,
        "time": trade.time_ms,
    }


def levels_body(symbol: int, levels: list[tuple[int, int]]) -> list[list[str]]:
    """Book levels as pairs of decimal strings, price and quantity."""
    price_decimals = _PRICE_DECIMALS[symbol]
    quantity_decimals = _QUANTITY_DECIMALS[symbol]
    return [[decimal_text(price, price_decimals), decimal_text(lots, quantity_decimals)] for price, lots in levels]
