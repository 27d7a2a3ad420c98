"""A small discrete-event simulator: stations with servers and bounded queues, limiters, processes as generators.

A process is a generator. It yields a float to let that many seconds pass, or a `Station` to ask for one of its servers;
the station answers True (granted, at once or after a wait) or False (its queue is full). Every counter is an exact
integral over simulated time, so a scrape at any moment gives a true utilisation.
"""

import heapq
from collections import deque
from collections.abc import Callable, Generator
from itertools import count
from typing import Union

from chaoskit.records import ResourceSample

Process = Generator[Union[float, "Station"], bool | None, None]


class Simulation:
    """The event list: `now` in seconds, processes and timers in order of time, ties in order of arrival."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Process | Callable[[], None], bool | None]] = []
        self._tickets = count()

    def at(self, t_s: float, what: Process | Callable[[], None], answer: bool | None = None) -> None:
        """Go on with the process `what` (handing it `answer`; None starts it), or call it, at `t_s`."""
        heapq.heappush(self._events, (t_s, next(self._tickets), what, answer))

    def run_until(self, end_s: float) -> None:
        """Play every event up to `end_s`."""
        while self._events and self._events[0][0] <= end_s:
            self.now, _, what, answer = heapq.heappop(self._events)
            if isinstance(what, Generator):
                self._advance(what, answer)
            else:
                what()
        self.now = end_s

    def _advance(self, process: Process, answer: bool | None) -> None:
        try:
            wanted = process.send(answer)
        except StopIteration:
            return
        self._grant(process, wanted)

    def _grant(self, process: Process, wanted: "float | Station") -> None:
        if isinstance(wanted, Station):
            granted = wanted.ask(process)
            if granted is not None:
                self.at(self.now, process, granted)
        else:
            self.at(self.now + wanted, process)


class Station:
    """`servers` alike, one queue in order of arrival with `queue_limit` places (None: no limit)."""

    def __init__(self, simulation: Simulation, name: str, servers: int, queue_limit: int | None = None) -> None:
        self.name = name
        self.servers = servers
        self.queue_limit = queue_limit
        self.queue: deque[Process] = deque()
        self.in_use = 0
        self.arrivals = 0
        self.completions = 0
        self.rejected = 0
        self.abandoned = 0
        self._busy_s = 0.0
        self._wait_s = 0.0
        self._blocked_s: dict[str, float] = {}
        self._blocked: dict[str, int] = {}
        self._since_s = 0.0
        self._simulation = simulation

    def ask(self, process: Process) -> bool | None:
        """Grant a server (True), refuse (False), or queue `process` and answer later (None)."""
        self._accrue()
        self.arrivals += 1
        if self.in_use < self.servers:
            self.in_use += 1
            return True
        if self.queue_limit is not None and len(self.queue) >= self.queue_limit:
            self.rejected += 1
            return False
        self.queue.append(process)
        return None

    def release(self) -> None:
        """Give a server back; the first in the queue gets it."""
        self.completions += 1
        self._pass_on()

    def abandon(self) -> None:
        """Give a server back unused: whoever asked for it is gone."""
        self.abandoned += 1
        self._pass_on()

    def _pass_on(self) -> None:
        self._accrue()
        if self.queue:
            self._simulation.at(self._simulation.now, self.queue.popleft(), True)
        else:
            self.in_use -= 1

    def enlarge(self, servers: int) -> None:
        """Have `servers` more from now on; the first in the queue get them."""
        self._accrue()
        self.servers += servers
        self.in_use += servers
        for _ in range(servers):
            self._pass_on()

    def block(self, on: str) -> None:
        """One of the held servers starts to wait for `on`."""
        self._accrue()
        self._blocked[on] = self._blocked.get(on, 0) + 1

    def unblock(self, on: str) -> None:
        """One of the held servers has what it waited for."""
        self._accrue()
        self._blocked[on] -= 1

    def sample(self, t_s: float) -> ResourceSample:
        """Return the counters as a scrape at `t_s` (now) would read them."""
        self._accrue()
        return ResourceSample(
            t_s=t_s,
            resource=self.name,
            servers=self.servers,
            busy_s=self._busy_s,
            blocked_s=dict(self._blocked_s),
            arrivals=self.arrivals,
            completions=self.completions,
            rejections={
                reason: count
                for reason, count in (("queue full", self.rejected), ("abandoned", self.abandoned))
                if count
            },
            wait_s=self._wait_s,
            queue_length=len(self.queue),
            queue_limit=self.queue_limit,
        )

    def _accrue(self) -> None:
        passed_s = self._simulation.now - self._since_s
        if passed_s:
            self._busy_s += self.in_use * passed_s
            self._wait_s += len(self.queue) * passed_s
            for on, waiting in self._blocked.items():
                self._blocked_s[on] = self._blocked_s.get(on, 0.0) + waiting * passed_s
            self._since_s = self._simulation.now


class Limiter:
    """`tokens` per window of one second, fixed windows. An admitted request holds its token for one window, so busy
    seconds over `tokens` seconds is the share of the budget that is used."""

    def __init__(self, name: str, tokens: int) -> None:
        self.name = name
        self.tokens = tokens
        self.admitted = 0
        self.rejected = 0
        self._window = -1
        self._left = tokens

    def admit(self, now_s: float) -> bool:
        """Take one token, if the window has one left."""
        if int(now_s) != self._window:
            self._window, self._left = int(now_s), self.tokens
        if self._left == 0:
            self.rejected += 1
            return False
        self._left -= 1
        self.admitted += 1
        return True

    def sample(self, t_s: float) -> ResourceSample:
        """Return the counters as a scrape at `t_s` (now) would read them."""
        return ResourceSample(
            t_s=t_s,
            resource=self.name,
            servers=self.tokens,
            busy_s=float(self.admitted),
            arrivals=self.admitted + self.rejected,
            completions=self.admitted,
            rejections={"429": self.rejected} if self.rejected else {},
        )
