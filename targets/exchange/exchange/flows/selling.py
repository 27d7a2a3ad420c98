"""Those who sell at the market, whatever it costs: a crowd in fear, and one whale."""

from exchange.flows.client import Arrival, Client
from exchange.flows.signed import DEFAULT_ACCOUNTS, Trader, logs_in
from exchange.venue import SYMBOLS, decimal_text

PANIC_LOTS = (10, 50)
WHALE_SLICE_USDT = 20_000
WHALE_PRICES = {"USDE": 1.0, "WBETH": 3240.0}  # at which a slice is counted


def panic(client: Client, arrival: Arrival) -> None:
    """One of the funded accounts sells BTC at the market, at any price: `POST /fapi/v1/order`, signed.

    Where nobody bids any more it expires unfilled. That is the market's answer, and no failure of the venue.
    """
    funded = int(arrival.settings.get("engine.funded_accounts", 0)) or DEFAULT_ACCOUNTS
    lots = PANIC_LOTS[0] + (arrival.key >> 16) % (PANIC_LOTS[1] - PANIC_LOTS[0] + 1)
    quantity = decimal_text(lots, SYMBOLS[0].quantity_decimals)
    seller = Trader(client, arrival.key % funded, logs_in=logs_in(arrival))
    seller.post("/fapi/v1/order", f"symbol={SYMBOLS[0].name}&side=SELL&quantity={quantity}&type=MARKET")


def whale(client: Client, arrival: Arrival) -> None:
    """The whale (account 0) sells a slice of its collateral at the market: `POST /api/v3/order`, signed."""
    asset = str(arrival.settings.get("engine.collateral", "USDE"))
    quantity = WHALE_SLICE_USDT / WHALE_PRICES.get(asset, 1.0)
    seller = Trader(client, 0, logs_in=logs_in(arrival))
    seller.post("/api/v3/order", f"symbol={asset}USDT&side=SELL&type=MARKET&quantity={quantity:.8f}")
