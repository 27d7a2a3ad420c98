"""Which entry an arrival goes to, where a target has several (one per region)."""

from typing import Final, Protocol

from chaoskit.plan.model import Routing

AWAY_US: Final = 1_000_000  # how long clients stay away from an entry that failed them, before one of them tries again


class Router(Protocol):
    """Chooses entries by position (0 … entries - 1)."""

    fails_over: bool

    def choose(self, index: int, key: int, now_us: int) -> int:
        """Return the entry for the arrival of this index and key."""

    def failed(self, entry: int, now_us: int) -> int:
        """Note that `entry` failed and return the one to try next."""

    def answered(self, entry: int) -> None:
        """Note that `entry` answered."""


class _Fixed:
    """An arrival stays with its entry: by turns (`round_robin`) or by its key (`pinned`)."""

    fails_over = False

    def __init__(self, entries: int, *, pinned: bool) -> None:
        self._entries = entries
        self._pinned = pinned

    def choose(self, index: int, key: int, now_us: int) -> int:  # noqa: ARG002 - as Router asks
        return (key if self._pinned else index) % self._entries

    def failed(self, entry: int, now_us: int) -> int:  # noqa: ARG002 - as Router asks
        return entry

    def answered(self, entry: int) -> None:
        """Note nothing."""


class _Failover:
    """Pinned home first; an entry that failed is left alone for `AWAY_US`, then one arrival tries it."""

    fails_over = True

    def __init__(self, entries: int) -> None:
        self._away_until_us: list[int | None] = [None] * entries

    def choose(self, index: int, key: int, now_us: int) -> int:  # noqa: ARG002 - as Router asks
        entries = len(self._away_until_us)
        home = key % entries
        for step in range(entries):
            entry = (home + step) % entries
            until_us = self._away_until_us[entry]
            if until_us is None:
                return entry
            if now_us >= until_us:
                self._away_until_us[entry] = now_us + AWAY_US  # the others wait for what this one finds
                return entry
        return home

    def failed(self, entry: int, now_us: int) -> int:
        self._away_until_us[entry] = now_us + AWAY_US
        return (entry + 1) % len(self._away_until_us)

    def answered(self, entry: int) -> None:
        self._away_until_us[entry] = None


def router_for(routing: Routing, entries: int) -> Router:
    """Return the router of a stream's `routing` over so many `entries` (1 or more)."""
    if routing == "failover" and entries > 1:
        return _Failover(entries)
    return _Fixed(entries, pinned=routing != "round_robin")
