"""What every price source of collateral offers."""

from typing import Protocol


class PriceSource(Protocol):
    """A price of one asset over time. Asked with instants that never go back."""

    def price(self, now_ms: int) -> float:
        """USDT for one whole unit at wall-clock `now_ms`, above 0."""
