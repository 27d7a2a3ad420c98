"""A mix of the venue's own USDT market and its market against the base asset: 20 % spot + 80 % pair x base.

As wBETH was valued before 10 October 2025 (20 % WBETH/USDT, 80 % WBETH/ETH x ETH; 0xTodd). Both are the venue's own.
"""

from collections.abc import Callable

from exchange.oracle.market import SpotMarket

OWN_WEIGHT = 0.2


class WeightedMix:
    """`own` in USDT, `pair` in units of the base asset, `base` the base asset's price in USDT."""

    def __init__(self, own: SpotMarket, pair: SpotMarket, base: Callable[[], float]) -> None:
        self._own = own
        self._pair = pair
        self._base = base

    def price(self, now_ms: int) -> float:
        """See `PriceSource`."""
        through_pair = self._pair.price(now_ms) * self._base()
        return OWN_WEIGHT * self._own.price(now_ms) + (1 - OWN_WEIGHT) * through_pair
