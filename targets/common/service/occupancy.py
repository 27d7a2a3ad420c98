"""What a resource counts while it works: how long its servers were held, and by whom it was kept waiting.

Plain attributes, one event loop, no locks: the hot path pays a few additions. Work that is still going on is
included whenever the totals are read, so a scrape twice a second sees the true utilisation.
"""

from collections import Counter

__all__ = ["Occupancy", "Resource"]


class Occupancy:
    """Time integral of the number of holders: the sum of their holding times, unfinished ones included."""

    __slots__ = ("_closed_s", "_start_sum_s", "holders")

    def __init__(self) -> None:
        self.holders = 0
        self._closed_s = 0.0
        self._start_sum_s = 0.0

    def enter(self, at_s: float) -> None:
        """A holder came at monotonic time `at_s`."""
        self.holders += 1
        self._start_sum_s += at_s

    def leave(self, entered_s: float, at_s: float) -> None:
        """The holder that came at `entered_s` left at `at_s`."""
        self.holders -= 1
        self._start_sum_s = self._start_sum_s - entered_s if self.holders else 0.0
        self._closed_s += at_s - entered_s

    def add(self, held_s: float) -> None:
        """Count `held_s` server-seconds at once."""
        self._closed_s += held_s

    def total_s(self, now_s: float) -> float:
        """Server-seconds held up to monotonic time `now_s`."""
        return self._closed_s + max(0.0, self.holders * now_s - self._start_sum_s)


class Resource:
    """The counters of one resource that can run out; `name` is local to its component.

    `servers` is how many can be held at once; `queue_limit` how many may wait (None: no bound, or no queue).
    """

    def __init__(self, name: str, servers: float, queue_limit: int | None = None) -> None:
        self.name = name
        self.servers = servers
        self.queue_limit = queue_limit
        self.busy = Occupancy()
        self.waiting = Occupancy()
        self.blocked: dict[str, Occupancy] = {}
        self.arrivals = 0
        self.completions = 0
        self.rejections: Counter[str] = Counter()

    def blocked_on(self, supplier: str) -> Occupancy:
        """The part of busy time that waited on `supplier`: a resource beside this one, or a link `a->b`."""
        return self.blocked.setdefault(supplier, Occupancy())

    def settle(self, now_s: float) -> None:
        """Bring lazily kept counters up to `now_s`; called before each scrape. Nothing to do by default."""
