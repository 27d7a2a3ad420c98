from pathlib import Path

from chaoskit.environment.log import TAIL_BYTES, TAIL_LINES, quoted, tail


def test_the_tail_of_a_log_is_its_last_lines_that_say_something(tmp_path: Path) -> None:
    log = tmp_path / "front.log"
    assert tail(log) == ()
    log.write_bytes(b"x" * TAIL_BYTES + b"\n\xff torn\n\n" + b"".join(b"line %d\n" % one for one in range(4)))
    assert tail(log)[-5:] == ("\ufffd torn", "line 0", "line 1", "line 2", "line 3")
    log.write_text("line\n" * 100)
    assert len(tail(log)) == TAIL_LINES


def test_a_sentence_quotes_the_log_or_says_that_there_is_none() -> None:
    assert quoted(("one", "two")) == "its last log lines:\n  one\n  two"
    assert quoted(()) == "it logged nothing"
