"""What the issuer pays for a unit: rate x the base asset, whatever any market says.

The venue's own remedy after 10 October 2025, announced four days before: indices of BNSOL and WBETH at the official
conversion rate.
"""

from collections.abc import Callable


class RedemptionRate:
    """`rate` units of the base asset for one unit; `base` is the base asset's price in USDT."""

    def __init__(self, rate: float, base: Callable[[], float]) -> None:
        self._rate = rate
        self._base = base

    def price(self, now_ms: int) -> float:  # noqa: ARG002 - the rate does not depend on the time
        """See `PriceSource`."""
        return self._rate * self._base()
