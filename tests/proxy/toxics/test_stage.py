import pytest

from chaoskit.errors import UsageError
from chaoskit.proxy.toxics import TOXIC_TYPES, Attributes, Stage, register


def test_the_seven_toxics_are_known() -> None:
    assert set(TOXIC_TYPES) == {
        "bandwidth",
        "latency",
        "limit_data",
        "reset_peer",
        "slicer",
        "slow_close",
        "timeout",
    }


def test_a_name_is_registered_once() -> None:
    with pytest.raises(UsageError, match="toxic type `latency` is registered twice"):
        register("latency", Attributes)(Stage)
    assert TOXIC_TYPES["latency"].stage is not Stage


@pytest.mark.parametrize("name", sorted(TOXIC_TYPES))
def test_every_attribute_has_a_range(name: str) -> None:
    for field in TOXIC_TYPES[name].attributes.model_fields.values():
        assert {type(bound).__name__ for bound in field.metadata} == {"Ge", "Le"}
