"""The price on the venue's own spot market: what a thin book says is what collateral is worth, at once."""

from exchange.oracle.market import SpotMarket


class InternalSpot:
    """The venue's own last price, as on 10 October 2025 for USDe."""

    def __init__(self, own: SpotMarket) -> None:
        self._own = own

    def price(self, now_ms: int) -> float:
        """See `PriceSource`."""
        return self._own.price(now_ms)
