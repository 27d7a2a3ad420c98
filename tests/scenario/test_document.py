from pathlib import Path

import pytest

from chaoskit.scenario.document import MAX_DEPTH, MAX_FILE_BYTES, Mark, parse, read


def test_every_key_and_value_has_its_place() -> None:
    document, problems = parse("a: 1\nb:\n  - c: x\n  - {d: [1, 2]}\n", "file")
    assert problems == []
    assert document.data == {"a": 1, "b": [{"c": "x"}, {"d": [1, 2]}]}
    assert document.mark(("a",), key=True) == Mark(1, 1)
    assert document.mark(("a",)) == Mark(1, 4)
    assert document.mark(("b", 0, "c")) == Mark(3, 8)
    assert document.mark(("b", 1, "d", 1)) == Mark(4, 13)


def test_a_place_that_is_not_there_is_the_nearest_around_it() -> None:
    document, _ = parse("a: {b: 1}\n", "file")
    assert document.mark(("a", "nowhere", 3)) == document.mark(("a",)) == Mark(1, 4)
    assert document.at(("a", "nowhere", 3)) is None
    assert document.present(("a", "b", "c")) == ("a", "b")
    assert document.names("a") == ("b",)
    assert document.names("a", "b") == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2025-10-10", "2025-10-10"),
        ("10/s", "10/s"),
        ("5%", "5%"),
        ("~", None),
        ('"10"', "10"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    document, problems = parse(f"key: {text}\n", "file")
    assert problems == []
    assert document.data == {"key": value}


def test_a_message_is_one_printable_line() -> None:
    document, problems = parse('"a\\e[31m\\nb": 1\n"a\\e[31m\\nb": 2\n', "file")
    assert document.names() == ("a\x1b[31m\nb",)
    assert problems[0].message == "the key `a [31m b` stands here twice, first in line 1; keep one of them"
    assert document.problem((), "one\n\ttwo").message == "one two"


def test_aliases_are_written_out() -> None:
    document, problems = parse("a: &x {b: 1}\nc: *x\n", "file")
    assert problems == []
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize("text", ["[" * 5000, "a: &a [*a]", "{a: " * 5000, "- " * (MAX_DEPTH + 2) + "x"])
def test_deep_nesting_is_one_problem(text: str) -> None:
    document, problems = parse(text, "file")
    assert document.data is None
    assert len(problems) == 1
    assert "nested deeper" in problems[0].message


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"", (1, 1), "is empty"),
        (b"name: x\ntitle: \xff\xfe\n", (2, 8), "UTF-8"),
        (b"x" * (MAX_FILE_BYTES + 1), (1, 1), "larger than 128 KiB"),
        (b"a: \x00\n", (1, 4), "control character"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, place: tuple[int, int], words: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(content)
    document, problems = read(path)
    assert document.data is None
    assert [(problem.line, problem.column) for problem in problems] == [place]
    assert words in problems[0].message


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read(path)[0].data == {"a": 1}


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    _, problems = read(tmp_path)
    assert "cannot be read: is a directory" in problems[0].message
