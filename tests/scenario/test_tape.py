"""Recorded days: what is read, and what is said of a file that cannot be."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaoskit.scenario.tape import Tape, lacks, read_tapes


def read(folder: Path, text: str) -> dict[str, Tape]:
    tapes, problems = read_tapes(written(folder, text))
    assert problems == []
    return dict(tapes)


def written(folder: Path, text: str) -> Path:
    file = folder / "day.csv"
    file.write_text(text)
    return file


def test_streams_share_the_times_and_lack_what_was_not_recorded(tmp_path: Path) -> None:
    tapes = read(tmp_path, "time,stream,count\n10,orders,5\n10,queries,7\n12,queries,3\n13,orders,2\n13,orders,1\n")
    assert tapes == {
        "orders": Tape((0, 2, 3, 4), (5, 0, 3)),
        "queries": Tape((0, 2, 3, 4), (7, 3, 0)),
    }


def test_columns_come_in_any_order_beside_others_and_times_may_be_dates(tmp_path: Path) -> None:
    text = """\ufeffCount, Host ,Stream,Time
3,web-1,orders,2025-10-10T20:50:00Z

4,"web-2, spare",orders,2025-10-10T20:51:00+00:00
"""
    assert read(tmp_path, text) == {"orders": Tape((0, 60, 120), (3, 4))}


def test_one_time_lasts_a_second(tmp_path: Path) -> None:
    assert read(tmp_path, "time,stream,count\n7.5,orders,9\n") == {"orders": Tape((0, 1), (9,))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "day.csv:1:1: the tape is empty; write a line `time,stream,count`"),
        ("time,stream,count\n", "day.csv:1:1: the tape is empty"),
        (
            "time;stream;count\n1;a;2\n",
            "the tape lacks the column time and stream and count; it has 'time;stream;count':",
        ),
        ("time,stream\n", "lacks the column count; it has 'time, stream': begin it with a line `time,stream,count`"),
        ("time,stream,count\n1,a\n", "day.csv:2:1: the line has 2 cells, fewer than the head; fill it up"),
        ("time,stream,count\nsoon,a,1\n", "day.csv:2:1: time is 'soon'; write seconds like 12.5, or 2025-10-10T"),
        ("time,stream,count\nnan,a,1\n", "day.csv:2:1: time is 'nan'"),
        ("time,stream,count\n1_0,a,1\n", "day.csv:2:1: time is '1_0'"),
        ("time,stream,count\n-1e308,a,1\n", "day.csv:2:1: time is '-1e308', too much for seconds"),
        ("time,stream,count\n1760129400000,a,1\n", "too much for seconds; milliseconds are divided by 1000 first"),
        (
            "time,stream,count\n1,a,1\n2025-10-10,a,1\n",
            "day.csv:3:1: time is '2025-10-10', and lines above have seconds",
        ),
        ("time,stream,count\n2025-10-10,a,1\n1e10,a,1\n", "day.csv:3:1: time is '1e10', and lines above have dates"),
        ("count,time,stream,count\n1,1,a,1\n", "day.csv:1:1: the tape has two columns count; keep one"),
        ("time,stream,count\n1,,1\n", "day.csv:2:2: stream is empty; name one"),
        ("time,stream,count\n1,a\x07,1\n", "day.csv:2:2: stream is 'a\\x07' and must be plain text"),
        (f"time,stream,count\n1,a,{'9' * 5000}\n", "…' and must be at most 1,000,000,000,000; check the column"),
        ("time,stream,count\n1,a,-1\n", "day.csv:2:3: count is '-1' and must be a whole number, 0 or more"),
        ("time,stream,count\n1,a,1.5\n", "day.csv:2:3: count is '1.5'"),
        ("time,stream,count\n2,a,1\n1,a,1\n", "day.csv:3:1: time goes back to 1; sort the lines by time"),
        ('time,stream,count\n1,"a,1\n', "day.csv:2:1: the line is no CSV: unexpected end of data; mend its quotes"),
    ],
)
def test_a_file_that_cannot_be_played_is_a_sentence_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    tapes, problems = read_tapes(written(tmp_path, text))
    assert tapes == {}
    assert len(problems) == 1
    assert said in str(problems[0])


def test_all_problems_come_at_once_up_to_a_page(tmp_path: Path) -> None:
    _, problems = read_tapes(written(tmp_path, "time,stream,count\nsoon,a,1\n1,a,x\n"))
    assert [problem.line for problem in problems] == [2, 3]
    _, many = read_tapes(written(tmp_path, "time,stream,count\n" + "x,a,1\n" * 1000))
    assert len(many) == 20


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_is_no_text_or_not_there_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "day.csv"
    if content is not None:
        file.write_bytes(content)
    _, (problem,) = read_tapes(file)
    assert ("UTF-8" if content else "cannot be read") in problem.message


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process can be set on POSIX only")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_date_without_a_zone_is_the_same_time_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    with monkeypatch.context() as here:
        here.setenv("TZ", zone)
        time.tzset()
        tape = read(tmp_path, "time,stream,count\n2025-10-26T00:30:00,a,1\n2025-10-26T03:30:00Z,a,2\n")["a"]
    time.tzset()
    assert tape.edges_s == (0, 3 * 3600, 6 * 3600), "clocks in Berlin went back in between"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(["time,stream,count", "count;time", ""]) | st.text(max_size=60),
    rows=st.lists(st.tuples(*[st.sampled_from(["0", "1.5", "-2", "9" * 400, "1e308", "a", '"', "2025-10-10"])] * 3)),
    rest=st.text(max_size=60),
)
def test_whatever_stands_in_the_file_it_is_a_tape_or_a_list_of_sentences(
    tmp_path: Path, head: str, rows: list[tuple[str, str, str]], rest: str
) -> None:
    file = tmp_path / "day.csv"
    file.write_text("\n".join([head, *map(",".join, rows), rest]), encoding="utf-8", errors="replace")
    tapes, problems = read_tapes(file)
    assert bool(tapes) != bool(problems)
    for problem in problems:
        assert problem.message.isprintable()
        assert len(problem.message) < 250
    for tape in tapes.values():
        assert np.isfinite([rate for _, _, rate in tape.rates()]).all()


def test_speed_and_means() -> None:
    tape = Tape((0, 10, 20), (100, 300))
    assert list(tape.at_speed(10).rates()) == [(0, 1, 10), (1, 2, 30)]
    assert (tape.mean_rps(0, 20), tape.mean_rps(5, 15), tape.mean_rps(15, 40)) == (20, 20, 6)


def test_a_stream_that_the_tape_lacks_gets_the_nearest_one() -> None:
    tapes = {"orders": Tape((0, 1), (1,))}
    assert lacks("orders", tapes, "day.csv") is None
    assert lacks("order", tapes, "day.csv") == "day.csv has no arrivals of 'order'; did you mean `orders`?"


def test_a_tape_of_a_thousand_streams_does_not_list_them_all() -> None:
    said = lacks("trading", {f"{number:03}": Tape((0, 1), (1,)) for number in range(1000)}, "day.csv")
    assert said is not None
    assert said.endswith(", 028, 029 and 970 more")
