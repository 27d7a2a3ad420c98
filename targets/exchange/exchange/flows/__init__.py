"""What load does to the exchange: one function per kind of arrival, called in the load generator's process.

The functions are lean, because their time is taken from the generator: signatures start from a prepared HMAC
per account, and requests are put together from bytes. All choices come from `arrival.key`, so a run can be
repeated.
"""

from exchange.flows.bots import correct_bot, naive_bot
from exchange.flows.holding import fear, margin_top_up, positions, stop_loss
from exchange.flows.making import maker
from exchange.flows.selling import panic, whale
from exchange.flows.trading import login, trade

__all__ = [
    "correct_bot",
    "fear",
    "login",
    "maker",
    "margin_top_up",
    "naive_bot",
    "panic",
    "positions",
    "stop_loss",
    "trade",
    "whale",
]
