"""Market makers: they take their old quotes back and quote the best prices of both sides again."""

import json

from exchange.flows.client import Arrival, Client
from exchange.flows.signed import Trader, logs_in, spread
from exchange.flows.trading import smallest_lots
from exchange.venue import SYMBOLS, decimal_text

MAKERS = 20  # accounts 0 … 19 are makers
SIZE = 20  # a quote is so many times as large as the smallest order


def maker(client: Client, arrival: Arrival) -> None:
    """One of a few accounts replaces its quotes in one symbol: it cancels what is open and joins both best prices.

    Quotes are post-only (`GTX`); a quote that was filled before it could be cancelled is no failure, but the venue
    says so with an error (-2011), which counts.
    """
    trader = Trader(client, arrival.key % MAKERS, logs_in=logs_in(arrival))
    symbol = SYMBOLS[spread(arrival.key) % 3]
    reply = trader.get("/fapi/v1/openOrders", f"symbol={symbol.name}")
    if reply.status == 200:
        for order in json.loads(reply.body):
            trader.delete("/fapi/v1/order", f"symbol={symbol.name}&orderId={order['orderId']}")
    book = json.loads(client.request("GET", f"/fapi/v1/depth?symbol={symbol.name}&limit=5").body)
    lots = decimal_text(smallest_lots(symbol.index) * SIZE, symbol.quantity_decimals)
    for side, levels in (("BUY", book.get("bids")), ("SELL", book.get("asks"))):
        if levels:
            terms = f"symbol={symbol.name}&side={side}&type=LIMIT&timeInForce=GTX&quantity={lots}&price={levels[0][0]}"
            trader.post("/fapi/v1/order", terms)
