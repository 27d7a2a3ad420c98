"""A gateway as a fleet of replicas behind one balancer: each brings its worker slots and its database connections."""

from service.occupancy import Resource
from service.workers import Replica, Workers

from exchange.gateway.pool import Pool


class Fleet:
    """The replicas of a gateway; `workers` and `pool` begin with those of `serving` of them.

    A replica that joins is cold: its own work takes longer, and less so until it is warm after `warm_up_s`. Its
    database connections are opened when it joins, and may be more than the database takes.
    """

    def __init__(self, workers: Workers, pool: Pool, serving: int, warm_up_s: float) -> None:
        self._workers = workers
        self._pool = pool
        self._slots = int(workers.servers) // serving
        self._connections = int(pool.servers) // serving
        self._warm_up_s = warm_up_s
        self.resource: Resource = workers
        self._replicas = workers.split(serving)

    def join(self, now_s: float) -> None:
        """One more replica, cold, that serves from now on."""
        replica = Replica(self._slots, now_s, self._warm_up_s)
        self._replicas.append(replica)
        self._workers.join(replica, now_s)
        self._pool.grow(self._connections)

    def leave(self, now_s: float) -> None:  # noqa: ARG002 - a tier's signature
        """The newest replica takes no more requests, and ends those that it has."""
        self._workers.leave(self._replicas.pop())
        self._pool.shrink(self._connections)
