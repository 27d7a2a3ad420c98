"""A toxic as the control API knows it: name, type, direction, share of connections, attributes."""

import enum
import hashlib
from dataclasses import dataclass
from random import Random

from chaoskit.proxy.toxics import Attributes, ToxicType


class Direction(enum.StrEnum):
    """Which way the data flows that a toxic disturbs."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True, slots=True)
class Lot:
    """What the fate of one connection is drawn from: run seed, proxy name, and its number there, from 1.

    Draws depend on nothing else but the toxic's name. So a connection that a toxic strikes stays struck when
    other toxics come and go, and a run with the same seed strikes the same connections.
    """

    seed: int
    proxy_name: str
    connection_number: int

    def share(self, toxic_name: str) -> float:
        """This connection's draw for a toxic, uniform in [0, 1)."""
        digest = hashlib.blake2b(self._key("toxicity", toxic_name), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53

    def random(self, toxic_name: str, direction: Direction) -> Random:
        """The generator of a toxic's own numbers (jitter, sizes) on one direction of this connection."""
        return Random(self._key(direction, toxic_name))

    def _key(self, purpose: str, toxic_name: str) -> bytes:
        return repr((self.seed, self.proxy_name, self.connection_number, purpose, toxic_name)).encode()


@dataclass(slots=True, eq=False)
class Toxic:
    """One toxic of one proxy. `toxicity` is the share of connections that it strikes, from 0 to 1."""

    name: str
    type: ToxicType
    direction: Direction
    toxicity: float
    attributes: Attributes

    def strikes(self, lot: Lot) -> bool:
        """Whether the connection with this lot is among the toxic's share."""
        return self.toxicity >= 1 or (self.toxicity > 0 and lot.share(self.name) < self.toxicity)

    def to_json(self) -> dict[str, object]:
        """The toxic as the API shows it; whole numbers without a fraction, as Toxiproxy writes them."""
        return {
            "attributes": self.attributes.model_dump(),
            "name": self.name,
            "type": self.type.name,
            "stream": self.direction.value,
            "toxicity": int(self.toxicity) if self.toxicity.is_integer() else self.toxicity,
        }
