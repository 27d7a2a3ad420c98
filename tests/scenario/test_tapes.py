"""Streams that follow a tape, in a scenario."""

from pathlib import Path

import pytest

from chaoskit.errors import InvalidFile
from chaoskit.scenario import Loaded, load

DAY = """\
version: 1
name: day
target: {external: {web: "http://127.0.0.1:8080"}}
load:
  trading: {request: {path: /}, arrivals: {kind: tape, file: day.csv}}
phases:
  - warmup: {for: 1s}
  - baseline: {for: 2s}
  - surge: {for: 2s}
objectives: [errors < 1%]
"""
TAPE = "time,stream,count\n" + "".join(f"{second},trading,{count}\n" for second, count in enumerate([1, 2, 4, 9, 9]))


def loaded(folder: Path, text: str = DAY, tape: str | None = TAPE) -> Loaded:
    if tape is not None:
        (folder / "day.csv").write_text(tape)
    (folder / "day.yaml").write_text(text)
    return load(folder / "day.yaml")


def test_a_tape_is_read_beside_its_scenario(tmp_path: Path) -> None:
    assert loaded(tmp_path).tapes["trading"].counts == (1, 2, 4, 9, 9)


def test_it_may_be_longer_quicker_and_of_another_name(tmp_path: Path) -> None:
    text = DAY.replace("file: day.csv", "file: day.csv, stream: orders, speed: 60")
    tape = loaded(tmp_path, text, "time,stream,count\n0,orders,600\n300,orders,6000\n").tapes["trading"]
    assert list(tape.rates()) == [(0, 5, 2), (5, 10, 20)]


@pytest.mark.parametrize(
    ("old", "new", "tape", "said"),
    [
        ("", "", None, "day.yaml:5:62: there is no file 'day.csv' next to the scenario; check the path"),
        ("for: 2s}\n  - surge", "for: 9s}\n  - surge", TAPE, "day.csv lasts 5s at this speed, the phases 12s; shorten"),
        ("  trading:", "  trade:", TAPE, "day.csv has no arrivals of 'trade'; did you mean `trading`?; `stream:` says"),
        ("surge: {for: 2s}", "surge: {for: 2s, multiply: 5}", TAPE, "the tape of 'trading' says itself how its load"),
        ("surge: {for: 2s}", "surge: {for: 2s, multiply: {trading: 5}}", TAPE, "day.yaml:9:42: the tape of 'trading'"),
        (
            "",
            "",
            TAPE.replace("1,trading,2\n2,trading,4", "1,trading,0\n2,trading,0"),
            "day.csv has not one arrival of it in the baseline",
        ),
        (
            "",
            "",
            TAPE.replace("9", "99999999"),
            "day.yaml:4:1: the tapes have 200,000,005 arrivals in the phases, and 50,000,000 is the",
        ),
        ("arrivals: {kind", "rate: 0/s, arrivals: {kind", TAPE, "or leave out a `rate` that thins it so much"),
        ("arrivals: {kind", "rate: 1000000/s, arrivals: {kind", TAPE.replace("9", "90"), "62,333,333 arrivals in the"),
        ("day.csv", f"{'x' * 300}.csv", TAPE, "there is no file 'xxx"),
        ("", "", TAPE.replace(",4", ",four"), "day.csv:4:3: count is 'four' and must be a whole number, 0 or more"),
    ],
)
def test_what_does_not_fit_is_a_sentence(tmp_path: Path, old: str, new: str, tape: str | None, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        loaded(tmp_path, DAY.replace(old, new) if old else DAY, tape)
    assert said in "\n".join(map(str, caught.value.problems))


def test_problems_of_tape_and_scenario_come_together(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as caught:
        loaded(tmp_path, DAY.replace("errors < 1%", "errors < 1% in serge"), TAPE.replace(",4", ",four"))
    assert [Path(problem.file).name for problem in caught.value.problems] == ["day.csv", "day.yaml"]
