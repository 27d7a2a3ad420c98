import pytest

from chaoskit.load.routing import AWAY_US, router_for


@pytest.mark.parametrize(
    ("routing", "chosen"), [("round_robin", [0, 1, 2, 0]), ("pinned", [1, 1, 0, 2]), ("failover", [1, 1, 0, 2])]
)
def test_where_arrivals_go_while_all_is_well(routing: str, chosen: list[int]) -> None:
    router = router_for(routing, 3)  # type: ignore[arg-type]
    assert [router.choose(index, key, 0) for index, key in enumerate([1, 4, 3, 2])] == chosen


def test_after_a_failure_clients_stay_away_until_one_of_them_tries_again() -> None:
    router = router_for("failover", 2)
    assert router.failed(0, now_us=100) == 1
    assert [router.choose(n, 0, 100 + AWAY_US - 1) for n in range(3)] == [1, 1, 1]
    assert [router.choose(n, 0, 100 + AWAY_US) for n in range(3)] == [0, 1, 1]  # one tries, the others wait
    router.answered(0)
    assert [router.choose(n, 0, 100 + AWAY_US + 1) for n in range(3)] == [0, 0, 0]


def test_where_every_entry_fails_clients_go_home() -> None:
    router = router_for("failover", 2)
    router.failed(0, now_us=0)
    router.failed(1, now_us=0)
    assert router.choose(0, 1, 10) == 1


def test_one_entry_has_nowhere_to_fail_over_to() -> None:
    assert not router_for("failover", 1).fails_over
