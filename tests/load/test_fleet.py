"""What master and workers say to each other, and how their clocks are compared."""

import random
import socket

import pytest

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.load.fleet import (
    CLOCK_SAMPLES,
    MasterSetup,
    Offset,
    check_free,
    decode_gone,
    decode_listening,
    encode_gone,
    encode_listening,
    numbered,
    sampled,
    split_number,
)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("ahead_s", [-86_400.0, -0.01, 0.0, 3.5])
def test_the_offset_is_within_the_error_that_it_states(seed: int, ahead_s: float) -> None:
    draw = random.Random(seed)
    now_s = [1000.0]

    def ask() -> tuple[float, float, float]:
        sent_s = now_s[0]
        there_s = sent_s + draw.expovariate(1000)  # the way there is unlike the way back
        now_s[0] = there_s + draw.expovariate(200)
        return sent_s, there_s + ahead_s, now_s[0]

    offset = sampled(ask)
    assert abs(offset.ahead_s - ahead_s) <= offset.error_s + 1e-9
    assert offset.error_s < 0.003


def test_the_quickest_answer_is_believed() -> None:
    asked = iter([(0.0, 5.0, 1.0), (2.0, 5.05, 2.1), (3.0, 9.0, 5.0)])
    offset = Offset.measured(asked)
    assert (round(offset.ahead_s, 6), round(offset.error_s, 6)) == (3.0, 0.05)
    assert CLOCK_SAMPLES >= 10


def test_lines_survive_the_relay() -> None:
    setup = MasterSetup("/plan.json", 3, {"client->web": "127.0.0.1:80"}, "127.0.0.1", 0, web="127.0.0.1:8089")
    assert MasterSetup.decode(setup.encode()) == setup
    assert decode_listening(encode_listening(5557)) == 5557
    assert numbered(12, b'{"a":1}\n{"b":2}\n') == b'12 {"a":1}\n12 {"b":2}\n'
    assert split_number(b'12 {"b": 2}\n') == (12, b'{"b": 2}\n')
    assert decode_gone(encode_gone("left")) == "left"
    assert decode_gone(b'{"type":"sample"}\n') is None


@pytest.mark.parametrize("line", [b"", b"{}\n", b'{"type":"ready"}\n'])
def test_a_master_that_says_something_else_is_not_understood(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected where the master listens"):
        decode_listening(line)


def test_an_address_that_is_taken_or_not_ours_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = Address(*taken.getsockname())
        with pytest.raises(SetupFailed, match=f"cannot listen at {at}: Address already in use; choose another"):
            check_free(at)
    with pytest.raises(SetupFailed, match=r"cannot listen at 203\.0\.113\.77:5557: Cannot"):
        check_free(Address("203.0.113.77", 5557))
    check_free(Address("127.0.0.1", 0))
