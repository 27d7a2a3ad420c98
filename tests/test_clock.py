"""A clock counts from its zero, and its zero can be moved for everybody."""

from chaoskit.clock import Clock, utc_now


def test_seconds_since_zero() -> None:
    reading = 100.0
    clock = Clock.starting_now(lambda: reading)
    reading = 101.5
    assert clock.now_s() == 1.5
    clock.restart(103.0)
    assert clock.now_s() == -1.5


def test_the_wall_clock_knows_its_zone() -> None:
    assert utc_now().tzinfo is not None
