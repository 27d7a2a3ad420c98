"""Market makers who withdraw: the more a price has moved lately, the less they quote."""

import math

FLOOR = 0.02  # the depth that was left on 10 October 2025: books had lost 98 % of it (Kaiko)
HALF_LIFE_MS = 5_000


class Withdrawal:
    """Which share of its depth a maker still quotes: exp(-strength x v), never below `FLOOR`.

    v is the sum of |log returns|, each forgotten by half every `HALF_LIFE_MS`. With strength 100 a move of 1 % takes
    away 63 %; with 0 nobody withdraws.
    """

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._volatility = 0.0
        self._at_ms = 0

    def moved(self, log_return: float, now_ms: int) -> None:
        """The price has moved."""
        self._forget(now_ms)
        self._volatility += abs(log_return)

    def share(self, now_ms: int) -> float:
        """Return the share of the full depth that is quoted now, `FLOOR` … 1."""
        if not self._strength:
            return 1.0
        self._forget(now_ms)
        return max(FLOOR, math.exp(-self._strength * self._volatility))

    def _forget(self, now_ms: int) -> None:
        if now_ms > self._at_ms:
            self._volatility *= 0.5 ** ((now_ms - self._at_ms) / HALF_LIFE_MS)
            self._at_ms = now_ms
