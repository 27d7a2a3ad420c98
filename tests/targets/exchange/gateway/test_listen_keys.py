import pytest
from exchange.failures import Refusal
from exchange.gateway.listen_keys import ListenKeys, listen_key


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_key_lives_on_from_its_latest_renewal() -> None:
    clock = Clock()
    keys = ListenKeys(60.0, clock)
    key = keys.open(7)
    assert len(key) == 64
    clock.now_s = 50
    keys.renew(7)
    assert keys.open(8) != key
    clock.now_s = 109
    assert keys.expired() == []
    clock.now_s = 110
    assert sorted(keys.expired()) == [7, 8]
    assert keys.expired() == []
    with pytest.raises(Refusal, match="does not exist"):
        keys.renew(7)


def test_a_closed_key_cannot_be_renewed() -> None:
    keys = ListenKeys(60.0)
    assert keys.open(7) == keys.open(7) == listen_key(7)
    keys.close(7)
    with pytest.raises(Refusal, match="does not exist"):
        keys.renew(7)


@pytest.mark.parametrize(
    ("key", "account"),
    [
        (listen_key(7), 7),
        (listen_key(100), None),
        (listen_key(7)[:-1] + "x", None),
        ("z" * 64, None),
        ("-000001f" + "0" * 56, None),
        ("", None),
    ],
)
def test_only_true_keys_name_an_account(key: str, account: int | None) -> None:
    keys = ListenKeys(60.0)
    assert keys.account_of(key, 100) == account
    if account is not None:
        keys.renew(account)  # another gateway may have made it: its life here has begun
