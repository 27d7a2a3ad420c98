from chaoskit.load.pool import Occupancy


def test_occupancy_is_the_time_that_all_spent_inside() -> None:
    inside = Occupancy()
    inside.enter(0)
    inside.enter(1_000_000)
    inside.leave(3_000_000)
    assert inside.total_s(4_000_000) == (3 - 1) + 4  # which of the two left makes no difference to the sum
    inside.leave(5_000_000)
    assert (inside.count, inside.entered, inside.total_s(9_000_000)) == (0, 2, 7.0)
