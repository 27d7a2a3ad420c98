import pytest
from hypothesis import given
from hypothesis import strategies as st
from service.occupancy import Occupancy, Resource


def test_unfinished_holders_count_up_to_now() -> None:
    busy = Occupancy()
    busy.enter(10.0)
    busy.enter(11.0)
    assert busy.total_s(12.0) == pytest.approx(3.0)
    busy.leave(10.0, 12.0)
    assert busy.total_s(13.0) == pytest.approx(4.0)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100)), max_size=50))
def test_the_total_is_the_sum_of_the_holding_times(holds: list[tuple[float, float]]) -> None:
    busy = Occupancy()
    for start_s, _ in holds:
        busy.enter(start_s)
    for start_s, length_s in holds:
        busy.leave(start_s, start_s + length_s)
    assert busy.holders == 0
    assert busy.total_s(2e6) == pytest.approx(sum(length for _, length in holds), abs=1e-6)


def test_one_supplier_has_one_account() -> None:
    resource = Resource("workers", 4)
    assert resource.blocked_on("db_pool") is resource.blocked_on("db_pool")
