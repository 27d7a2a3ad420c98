import pytest
from exchange.failures import Refusal
from exchange.gateway.limiter import OrderLimiter, WeightLimiter
from hypothesis import given
from hypothesis import strategies as st

CLIENT, OTHER = b"10.0.0.1", b"10.0.0.2"
MINUTE_S = 600_000.0


def refusal(limiter: WeightLimiter, client: bytes, weight: int, now_s: float) -> tuple[int, int]:
    with pytest.raises(Refusal) as refused:
        limiter.admit(client, weight, now_s)
    return refused.value.status, refused.value.code


def test_a_window_has_a_budget_per_client() -> None:
    limiter = WeightLimiter(10, 60.0, ban_after=100, ban_s=120.0)
    assert [limiter.admit(CLIENT, 5, MINUTE_S) for _ in range(2)] == [5, 10]
    assert refusal(limiter, CLIENT, 1, MINUTE_S + 59.9) == (429, -1003)
    assert limiter.admit(OTHER, 10, MINUTE_S + 59.9) == 10
    assert limiter.retry_after_s(CLIENT, MINUTE_S + 59.9) == 1
    assert limiter.admit(CLIENT, 10, MINUTE_S + 60) == 10


def test_those_who_go_on_are_banned_for_twice_as_long_each_time() -> None:
    limiter = WeightLimiter(1, 60.0, ban_after=2, ban_s=120.0)
    now_s = MINUTE_S
    for ban_s in (120, 240, 480):
        limiter.admit(CLIENT, 1, now_s)
        assert [refusal(limiter, CLIENT, 1, now_s)[0] for _ in range(4)] == [429, 429, 418, 418]
        assert limiter.retry_after_s(CLIENT, now_s) == ban_s + 1
        assert refusal(limiter, CLIENT, 1, now_s + ban_s - 1) == (418, -1003)
        now_s += ban_s
    assert limiter.resource.rejections == {"429": 6, "418": 9}


@given(st.lists(st.integers(1, 40), max_size=80), st.integers(1, 200))
def test_a_window_never_gives_more_than_its_budget(weights: list[int], budget: int) -> None:
    limiter = WeightLimiter(budget, 10.0, ban_after=10**6, ban_s=1.0)
    given_weight = 0
    for weight in weights:
        try:
            limiter.admit(CLIENT, weight, MINUTE_S)
        except Refusal:
            assert given_weight + weight > budget
        else:
            given_weight += weight
    assert given_weight <= budget
    # busy / (servers x T) over one window is the share of the budget that was used
    assert limiter.resource.busy.total_s(0.0) / (limiter.resource.servers * 10.0) == pytest.approx(
        given_weight / budget
    )


def test_orders_are_counted_by_account_in_two_windows() -> None:
    limiter = OrderLimiter(limit_10s=2, limit_1m=3)
    assert [limiter.admit(1, MINUTE_S) for _ in range(2)] == [(1, 1), (2, 2)]
    with pytest.raises(Refusal, match="current limit is 2 orders per TEN_SECONDS"):
        limiter.admit(1, MINUTE_S)
    assert limiter.admit(2, MINUTE_S) == (1, 1)
    assert limiter.admit(1, MINUTE_S + 10) == (1, 3)
    with pytest.raises(Refusal, match="current limit is 3 orders per MINUTE"):
        limiter.admit(1, MINUTE_S + 20)
    assert limiter.admit(1, MINUTE_S + 60) == (1, 1)


@pytest.mark.parametrize(("window_s", "interval"), [(1, b"1s"), (10, b"10s"), (60, b"1m"), (300, b"5m"), (90, b"90s")])
def test_the_header_names_the_window(window_s: float, interval: bytes) -> None:
    assert WeightLimiter(10, window_s, 5, 2.0).header == b"x-mbx-used-weight-" + interval
