"""When and how soon a request is sent again: budget, back-off and Retry-After. Nothing here waits or sends."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from chaoskit.load.request import PreparedRequest
from chaoskit.plan.clients import PlannedRetries

HEDGE_RESERVE: Final = 10
_NOT_CARRIED_OUT: Final = frozenset({"refused", "unreachable", "connect_timeout"})
_MOST_DOUBLINGS: Final = 32


class Budget:
    """A token bucket: each request pays in `ratio` of a token, each further attempt takes one out.

    In any stretch of time the further attempts are at most `reserve` + `ratio` x requests. That is the retry budget
    of Finagle (`RetryBudget`, percentCanRetry) with a full bucket in place of its minimum per second; unlike Finagle's
    it never saves up more than `reserve`, so that a long quiet baseline does not pay for a storm.
    """

    def __init__(self, ratio: float, reserve: int) -> None:
        self._ratio = ratio
        self._reserve = float(reserve)
        self._tokens = float(reserve)

    def pay_in(self) -> None:
        """Note a request."""
        self._tokens = min(self._reserve, self._tokens + self._ratio)

    def take(self) -> bool:
        """Take the token of one further attempt; False where there is none."""
        if self._tokens < 1.0 - 1e-9:  # five fifths make one
            return False
        self._tokens -= 1.0
        return True


class Backoff:
    """Pauses that double from `base_s` up to `longest_s`.

    With `random_source` each is drawn evenly from zero to its length: "full jitter" of M. Brooker, "Exponential Backoff
    And Jitter", AWS Architecture Blog 2015: sleep = random_between(0, min(cap, base * 2 ** attempt)).
    """

    def __init__(self, base_s: float, longest_s: float, random_source: random.Random | None) -> None:
        self._base_s = base_s
        self._longest_s = longest_s
        self._random = random_source

    def pause_s(self, retry: int) -> float:
        """Return the pause in seconds before the retry of this number (0 is the first)."""
        length_s = min(self._longest_s, self._base_s * 2 ** min(retry, _MOST_DOUBLINGS))
        return length_s if self._random is None else self._random.uniform(0.0, length_s)


class Conditions:
    """Which failures of which requests are tried again.

    A request that never reached a server is sent again whatever its method; one that may have been carried out only
    where its method is named (RFC 9110 §9.2.2).
    """

    def __init__(self, on: Sequence[str], methods: Sequence[str]) -> None:
        self._on = frozenset(on)
        self._methods = first_words(methods)

    def hold(self, prepared: PreparedRequest, reason: str) -> bool:
        """Return whether `prepared`, which failed for `reason` (`reset`, `status 503`), is sent again."""
        if not self.names(reason):
            return False
        return reason in _NOT_CARRIED_OUT or prepared.start.startswith(self._methods)

    def names(self, reason: str) -> bool:
        """Return whether a failure for `reason` is one to be tried again, of some request."""
        kind = "timeout" if reason.endswith("timeout") else reason
        return kind in self._on or (kind.startswith("status ") and f"{kind[:8]}xx" in self._on)


def first_words(methods: Sequence[str]) -> tuple[bytes, ...]:
    """Return what requests of `methods` begin with."""
    return tuple(f"{method} ".encode() for method in methods)


def conditions_of(planned: PlannedRetries) -> Conditions:
    """Return the conditions under which a stream's requests are sent again."""
    return Conditions(planned.on, planned.methods)


def backoff_of(planned: PlannedRetries, worker: int) -> Backoff:
    """Return the pauses of a stream in load process `worker`; each process draws its own."""
    drawn = random.Random(f"{planned.seed}/{worker}") if planned.jitter == "full" else None
    return Backoff(planned.backoff_s, planned.backoff_max_s, drawn)


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number of them, or a date (RFC 9110 §10.2.3).

    A date is seen from `now` (the wall clock, UTC); one that is past is 0. None where there is no such header, or it
    cannot be understood.
    """
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:  # "-0000", which says that it is UTC without a place
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
