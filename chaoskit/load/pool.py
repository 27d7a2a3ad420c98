"""The connections of one load process to one entry, and the arrivals that wait for one of them."""

import socket
from collections import defaultdict, deque

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.load.arrival import Arrival
from chaoskit.load.connection import Connection
from chaoskit.load.tls import TlsConnection
from chaoskit.plan.tls import PlannedTls


class Occupancy:
    """How many are inside, and the microseconds that all who ever were inside spent there together."""

    __slots__ = ("_sum_us", "count", "entered")

    def __init__(self) -> None:
        self.count = 0
        self.entered = 0
        self._sum_us = 0

    def enter(self, now_us: int) -> None:
        """Count one in."""
        self.count += 1
        self.entered += 1
        self._sum_us -= now_us

    def leave(self, now_us: int) -> None:
        """Count one out, whoever it is: the sum is the same."""
        self.count -= 1
        self._sum_us += now_us

    def total_s(self, now_us: int) -> float:
        """Return the seconds spent inside until now, by those who left and those who are still there."""
        return (self._sum_us + self.count * now_us) / 1e6


class Pool:
    """At most `limit` connections to one entry. An arrival holds one from its dispatch to its end.

    `host` is what the entry is called in requests, where that is not its address; with `tls` connections are encrypted.
    `places` is what `limit` is in the plan; the limit itself falls to 0 when the run ends.
    `busy` are all connections in use, `kept` those of them that outlast their arrival (subscriptions).
    `name` is the entry's link (`client->gateway@us-east-1`), `kind` the link's kind. Idle connections are used last
    in, first out, so that few stay warm.

    Raises:
        SetupFailed: the address cannot be looked up.
    """

    def __init__(
        self, name: str, kind: str, address: Address, limit: int, host: str | None = None, tls: PlannedTls | None = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.places = limit
        self.limit = limit
        self.url = f"{'https' if tls else 'http'}://{address}"
        self.host_line = f"host: {host or address}\r\n".encode()
        self._tls = tls
        self.busy = Occupancy()
        self.kept = Occupancy()
        self.waiting = Occupancy()
        self.idle: list[Connection] = []
        self._backlogs: defaultdict[str, deque[Arrival]] = defaultdict(deque)
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except OSError as error:
            message = f"the entry {name} at {address} cannot be looked up: {error}"
            raise SetupFailed(message) from error
        self._family, self._address = found[0][0], found[0][4]

    @property
    def is_full(self) -> bool:
        """Whether every connection that the pool may hold is in use."""
        return self.busy.count >= self.limit

    @property
    def open_connections(self) -> int:
        """How many connections are in use or idle (some of those in use may still be connecting)."""
        return self.busy.count + sum(connection.is_open for connection in self.idle)

    def idle_connection(self) -> Connection | None:
        """Return a connection that is open and idle, None where there is none."""
        while self.idle:
            connection = self.idle.pop()
            if connection.is_open:
                return connection
        return None

    def connection(self) -> Connection:
        """Return a connection that is yet to be connected."""
        return Connection() if self._tls is None else TlsConnection(self._tls)

    def connect(self, connection: Connection) -> None:
        """Connect `connection` to the entry; errors as `Connection.connect`."""
        connection.connect(self._family, self._address)

    def push(self, arrival: Arrival, now_us: int) -> None:
        """Put an arrival that finds no connection into the backlog."""
        arrival.waited_us = -now_us  # until it is popped
        self._backlogs[arrival.stream.name].append(arrival)
        self.waiting.enter(now_us)

    def pop(self, now_us: int) -> Arrival | None:
        """Take the arrival out of the backlog that was meant to start first; None where it is empty."""
        if not self.waiting.count:
            return None
        backlogs = self._backlogs.values()
        if len(backlogs) > 1:
            backlog = min((kept for kept in backlogs if kept), key=_first_us)
        else:
            (backlog,) = backlogs
        self.waiting.leave(now_us)
        arrival = backlog.popleft()
        arrival.waited_us += now_us
        return arrival

    def pop_expired(self, now_us: int) -> list[Arrival]:
        """Take all arrivals out of the backlog whose time is over."""
        expired: list[Arrival] = []
        for backlog in self._backlogs.values():
            while backlog and backlog[0].deadline_us <= now_us:
                expired.append(backlog.popleft())
                self.waiting.leave(now_us)
        return expired

    def pop_all(self, now_us: int) -> list[Arrival]:
        """Take every arrival out of the backlog, first meant first."""
        taken: list[Arrival] = []
        while (arrival := self.pop(now_us)) is not None:
            taken.append(arrival)
        return taken


def _first_us(backlog: deque[Arrival]) -> int:
    return backlog[0].intended_us
