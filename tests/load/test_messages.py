import pytest

from chaoskit.load.messages import Setup, decode_go, encode_go


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
