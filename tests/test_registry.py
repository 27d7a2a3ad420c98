"""A registry keeps names unique."""

import pytest

from chaoskit.registry import Registry


def test_items_are_found_by_name() -> None:
    registry: Registry[int] = Registry("number")
    assert registry.register("one", 1) == 1
    assert (dict(registry), len(registry), registry["one"]) == ({"one": 1}, 1, 1)


def test_a_double_name_is_an_error() -> None:
    registry: Registry[int] = Registry("number")
    registry.register("one", 1)
    with pytest.raises(ValueError, match="two numbers are registered as 'one'"):
        registry.register("one", 2)
