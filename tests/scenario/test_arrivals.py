"""`arrivals` as a word and as a mapping."""

import pytest
from pydantic import ValidationError

from chaoskit.scenario.model import Stream


def stream(arrivals: object) -> Stream:
    return Stream.model_validate({"request": {"path": "/"}, "rate": "1/s", "arrivals": arrivals})


def test_a_word_is_the_kind() -> None:
    assert stream("poisson").arrivals.kind == "poisson"
    assert Stream.model_validate({"request": {"path": "/"}, "rate": "1/s"}).arrivals.kind == "constant"


def test_bursts_say_what_an_arrival_sets_off() -> None:
    arrivals = stream({"kind": "hawkes", "branching": "60%", "decay": "500ms"}).arrivals
    assert (arrivals.kind, arrivals.branching, arrivals.decay) == ("hawkes", 0.6, 0.5)


@pytest.mark.parametrize(
    ("arrivals", "sentence"),
    [
        ("uniform", "must be one of constant, poisson, or a mapping with `kind`"),
        ("hawkes", "must be one of constant, poisson, or a mapping with `kind`"),
        ({"kind": "hawkes"}, "`kind: hawkes` needs `branching: 60%`"),
        ({"kind": "poisson", "decay": "1s"}, "`branching` and `decay` go with `kind: hawkes`"),
        ({"kind": "hawkes", "branching": "100%", "decay": "1s"}, "bursts have to end"),
        ({"kind": "hawkes", "branching": "50%", "decay": "0s"}, "no time at all"),
        ({"kind": "tape"}, "`kind: tape` needs `file: day.csv`"),
        ({"kind": "poisson", "file": "day.csv"}, "`file`, `stream` and `speed` go with `kind: tape`"),
    ],
)
def test_what_makes_no_sense_is_refused(arrivals: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        stream(arrivals)
    assert sentence in str(caught.value)


def test_a_tape_needs_no_rate_and_goes_with_no_locustfile() -> None:
    tape = {"kind": "tape", "file": "day.csv"}
    assert Stream.model_validate({"request": {"path": "/"}, "arrivals": tape}).rate is None
    with pytest.raises(ValidationError, match="follow no tape"):
        Stream.model_validate({"locustfile": "l.py", "users": 5, "arrivals": tape})
