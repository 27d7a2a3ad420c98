import pytest

from chaoskit.load.messages import Setup, TakeOver, decode_go, encode_go
from chaoskit.plan.share import Share


def test_setup_and_go_survive_the_pipe() -> None:
    setup = Setup("/plan.json", 1, 2, {"client->web": "127.0.0.1:80"})
    assert Setup.decode(setup.encode()) == setup
    assert decode_go(encode_go(12345.678901)) == 12345.678901


@pytest.mark.parametrize("line", [b"[]", b'{"type": "stop"}', b"{"])
def test_what_is_no_release_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected a release|unexpected end"):
        decode_go(line)


@pytest.mark.parametrize("line", [b"{}", b'{"plan": "x", "more": 1}', b"[]"])
def test_what_is_no_setup_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a setup"):
        Setup.decode(line)


def test_a_take_over_survives_the_pipe() -> None:
    order = TakeOver([Share(3, 6, 1_250_000), Share(0, 12, 1_250_000)], 1, 2)
    assert TakeOver.decode(order.encode()) == order
    with pytest.raises(ValueError, match="expected a take-over"):
        TakeOver.decode(encode_go(1.0))
