"""Events of the streams in the venue's JSON shapes: public trades and liquidations, and what an account is told."""

from exchange.engine.book import Order
from exchange.engine.conditional import ConditionalOrder
from exchange.engine.ledger import Account, Trade
from exchange.venue import SYMBOLS, decimal_text, money_text

LIQUIDATION_ID = "autoclose-"


def _price(symbol: int, ticks: int) -> str:
    return decimal_text(ticks, SYMBOLS[symbol].price_decimals)


def _quantity(symbol: int, lots: int) -> str:
    return decimal_text(lots, SYMBOLS[symbol].quantity_decimals)


def _average(symbol: int, value: int, lots: int) -> str:
    """`value` in ticks x lots over `lots`, cut to two digits beyond a tick; 0 where nothing was filled."""
    return decimal_text(value * 100 // lots, SYMBOLS[symbol].price_decimals + 2) if lots else "0"


def trade_event(trade: Trade, now_ms: int) -> dict[str, object]:
    """`<symbol>@trade`: one fill, seen from its taker."""
    return {
        "e": "trade",
        "E": now_ms,
        "T": trade.time_ms,
        "s": SYMBOLS[trade.symbol].name,
        "t": trade.trade_id,
        "p": _price(trade.symbol, trade.price),
        "q": _quantity(trade.symbol, trade.lots),
        "X": "MARKET",
        "m": not trade.buy,
    }


def aggregate_event(aggregate_id: int, trades: list[Trade], now_ms: int) -> dict[str, object]:
    """`<symbol>@aggTrade`: the fills of one taker at one price."""
    first, last = trades[0], trades[-1]
    return {
        "e": "aggTrade",
        "E": now_ms,
        "a": aggregate_id,
        "s": SYMBOLS[first.symbol].name,
        "p": _price(first.symbol, first.price),
        "q": _quantity(first.symbol, sum(trade.lots for trade in trades)),
        "f": first.trade_id,
        "l": last.trade_id,
        "T": last.time_ms,
        "m": not first.buy,
    }


def force_order_event(order: Order, now_ms: int) -> dict[str, object]:
    """`<symbol>@forceOrder`: a liquidation order, as far as the book took it."""
    filled = _quantity(order.symbol, order.filled)
    return {
        "e": "forceOrder",
        "E": now_ms,
        "o": {
            "s": SYMBOLS[order.symbol].name,
            "S": "BUY" if order.buy else "SELL",
            "o": "LIMIT",
            "f": "IOC",
            "q": _quantity(order.symbol, order.lots),
            "p": _price(order.symbol, order.price),
            "ap": _average(order.symbol, order.value, order.filled),
            "X": "FILLED" if order.filled == order.lots else "PARTIALLY_FILLED",
            "l": filled,
            "z": filled,
            "T": order.updated_ms,
        },
    }


def order_event(order: Order, now_ms: int) -> dict[str, object]:
    """`ORDER_TRADE_UPDATE` of an order that was accepted, cancelled or has expired: no fill."""
    status = order.status
    return _order_event(order, now_ms, {"x": status, "X": status, **_filled(order, order.filled, order.value)})


def fill_event(order: Order, trade: Trade, filled: int, value: int, profit: int) -> dict[str, object]:
    """`ORDER_TRADE_UPDATE` of one fill, after which `filled` lots worth `value` (ticks x lots) are done.

    `profit` is what it realised, in money units.
    """
    liquidated = order.client_id.startswith(LIQUIDATION_ID)
    return _order_event(
        order,
        trade.time_ms,
        {
            "x": "CALCULATED" if liquidated else "TRADE",
            "X": "FILLED" if filled == order.lots else "PARTIALLY_FILLED",
            **_filled(order, filled, value),
            "l": _quantity(order.symbol, trade.lots),
            "L": _price(order.symbol, trade.price),
            "N": "USDT",
            "n": money_text(trade.fee),
            "t": trade.trade_id,
            "m": trade.maker,
            "rp": money_text(profit),
        },
    )


def _filled(order: Order, filled: int, value: int) -> dict[str, object]:
    return {"z": _quantity(order.symbol, filled), "ap": _average(order.symbol, value, filled)}


def _order_event(order: Order, now_ms: int, change: dict[str, object]) -> dict[str, object]:
    kind = "LIQUIDATION" if order.client_id.startswith(LIQUIDATION_ID) else order.kind
    body: dict[str, object] = {
        "s": SYMBOLS[order.symbol].name,
        "c": order.client_id,
        "S": "BUY" if order.buy else "SELL",
        "o": kind,
        "f": order.time_in_force,
        "q": _quantity(order.symbol, order.lots),
        "p": _price(order.symbol, order.price),
        "sp": "0",
        "i": order.order_id,
        "l": "0",
        "L": "0",
        "T": now_ms,
        "t": 0,
        "m": False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.kind,
        "ps": "BOTH",
        "cp": False,
        "rp": "0",
        "pP": False,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": now_ms, "o": body | change}


def account_event(account: Account, symbols: set[int], marks: list[int], now_ms: int) -> dict[str, object]:
    """`ACCOUNT_UPDATE`: the wallet, and the positions in `symbols`, valued at `marks` (ticks)."""
    wallet = money_text(account.wallet)
    positions = []
    for symbol in sorted(symbols):
        position = account.positions[symbol]
        entry = _average(symbol, position.cost, position.lots)
        profit = (position.lots * marks[symbol] - position.cost) * SYMBOLS[symbol].unit_value
        positions.append(
            {
                "s": SYMBOLS[symbol].name,
                "pa": _quantity(symbol, position.lots),
                "ep": entry,
                "bep": entry,
                "up": money_text(profit),
                "mt": "cross",
                "iw": "0",
                "ps": "BOTH",
            }
        )
    balance = {"a": "USDT", "wb": wallet, "cw": wallet, "bc": "0"}
    update = {"m": "ORDER", "B": [balance], "P": positions}
    return {"e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms, "a": update}


def conditional_event(order: ConditionalOrder, now_ms: int) -> dict[str, object]:
    """`ALGO_UPDATE`: a conditional order has another status."""
    return {
        "e": "ALGO_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "o": {
            "caid": order.client_id,
            "aid": order.algo_id,
            "at": "CONDITIONAL",
            "o": order.kind,
            "s": SYMBOLS[order.symbol].name,
            "S": "BUY" if order.buy else "SELL",
            "ps": "BOTH",
            "f": order.time_in_force,
            "q": _quantity(order.symbol, order.lots),
            "X": order.status,
            "ai": str(order.order_id) if order.order_id else "",
            "tp": _price(order.symbol, order.trigger),
            "p": _price(order.symbol, order.price),
            "wt": "MARK_PRICE" if order.by_mark else "CONTRACT_PRICE",
            "cp": order.closes,
            "pP": False,
            "R": order.reduce_only,
            "tt": order.triggered_ms,
        },
    }
