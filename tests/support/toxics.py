"""Toxics for tests."""

from chaoskit.proxy.toxic import Direction, Toxic
from chaoskit.proxy.toxics import TOXIC_TYPES


def make_toxic(kind: str, name: str = "it", **attributes: int) -> Toxic:
    """A toxic upstream that strikes every connection."""
    toxic_type = TOXIC_TYPES[kind]
    return Toxic(name, toxic_type, Direction.UPSTREAM, 1.0, toxic_type.attributes.model_validate(attributes))
