import pytest

from chaoskit.load.answer import Answer, AnswerReader, ExchangeFailed
from tests.support.misbehaving_server import LAST_ANSWERS, OK, PLAIN_ANSWERS


def read(data: bytes, size: int, *, head_only: bool = False, ends: bool = False) -> tuple[AnswerReader, Answer | None]:
    reader = AnswerReader()
    reader.expect(head_only=head_only)
    for start in range(0, len(data), size):
        answer = reader.feed(data[start : start + size])
        if answer is not None:
            return reader, answer
    return reader, reader.end() if ends else None


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/ok", 200, b"ok"),
        ("/503", 503, b"busy"),
        ("/204", 204, b""),
        ("/304", 304, b""),
        ("/chunked", 200, b"abcde"),
        ("/continue", 200, b"ok"),
    ],
)
def test_an_answer_is_read_however_its_bytes_are_cut(path: str, status: int, body: bytes, size: int) -> None:
    reader, answer = read(PLAIN_ANSWERS[path], size)
    assert answer is not None
    assert (answer.status, answer.body, reader.keep_alive) == (status, body, True)


def test_headers_are_lower_case_and_joined() -> None:
    _, answer = read(OK, 100)
    assert answer is not None
    assert answer.headers == {"content-length": "2", "x-twice": "a, b"}


def test_headers_of_an_interim_answer_are_not_those_of_the_answer() -> None:
    _, answer = read(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 1000)
    assert answer is not None
    assert "link" not in answer.headers


@pytest.mark.parametrize("size", [1, 1000])
def test_the_answer_to_head_has_a_length_but_no_body(size: int) -> None:
    reader, answer = read(OK[: OK.index(b"ok")], size, head_only=True)
    assert answer is not None
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "2")
    reader.expect(head_only=False)
    following = reader.feed(OK)
    assert following is not None
    assert following.body == b"ok"


def test_one_reader_reads_answer_after_answer() -> None:
    reader = AnswerReader()
    for _ in range(3):
        reader.expect(head_only=False)
        answer = reader.feed(OK)
        assert answer is not None
        assert answer.body == b"ok"


def test_connection_close_is_noticed() -> None:
    reader, answer = read(LAST_ANSWERS["/close-header"], 1000)
    assert answer is not None
    assert not reader.keep_alive


def test_a_body_without_length_lasts_until_the_end() -> None:
    reader, answer = read(LAST_ANSWERS["/to-the-end"], 5, ends=True)
    assert answer is not None
    assert answer.body == b"until the end"
    assert not reader.keep_alive


@pytest.mark.parametrize("path", ["/close", "/cut", "/cut-head"])
def test_an_answer_that_is_cut_short_is_closed(path: str) -> None:
    with pytest.raises(ExchangeFailed, match="closed"):
        read(LAST_ANSWERS[path], 1000, ends=True)


@pytest.mark.parametrize("data", [PLAIN_ANSWERS["/garbage"], PLAIN_ANSWERS["/excess"]])
def test_what_is_no_answer_is_bad(data: bytes) -> None:
    with pytest.raises(ExchangeFailed, match="bad_answer"):
        read(data, 1000)


def answer_with(body: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *lines, b"", body])


@pytest.mark.parametrize(
    "following",
    [
        answer_with(b"one"),
        answer_with(b"two"),
        answer_with(b"four"),
        answer_with(b"two", b"X-New: yes"),
        PLAIN_ANSWERS["/503"],
        PLAIN_ANSWERS["/chunked"],
    ],
)
def test_an_answer_like_the_last_is_read_as_if_there_had_been_none(following: bytes) -> None:
    _, fresh = read(following, 1000)
    assert fresh is not None
    reader, first = read(answer_with(b"one"), 1000)
    assert first is not None
    for _ in range(2):
        reader.expect(head_only=False)
        answer = reader.feed(following)
        assert answer is not None
        assert (answer.status, answer.headers, answer.body) == (fresh.status, fresh.headers, fresh.body)
        assert reader.keep_alive
    assert first.body == b"one"


def test_what_looks_like_the_last_answer_but_is_the_answer_to_head_is_too_long() -> None:
    reader, _ = read(answer_with(b"one"), 1000)
    reader.expect(head_only=True)
    with pytest.raises(ExchangeFailed, match="bad_answer"):
        reader.feed(answer_with(b"one"))


_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"3;name=value\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"3\r\nabc\r\n0\r\nX-Checksum: 1\r\n\r\n", b"abc"),
    ],
    ids=["empty", "hexadecimal", "extension", "trailer"],
)
def test_chunked_bodies_leave_the_connection_fit_for_the_next_answer(chunks: bytes, body: bytes, size: int) -> None:
    reader, answer = read(_CHUNKED + chunks, size)
    assert answer is not None
    assert (answer.body, reader.keep_alive) == (body, True)
    reader.expect(head_only=False)
    following = reader.feed(OK)
    assert following is not None
    assert following.body == b"ok"


@pytest.mark.parametrize("chunks", [b"", b"5\r\nab", b"2\r\nab\r\n", b"2\r\nab\r\n0\r\n"])
def test_a_chunked_body_without_its_last_chunk_is_closed(chunks: bytes) -> None:
    with pytest.raises(ExchangeFailed, match="closed"):
        read(_CHUNKED + chunks, 100_000, ends=True)


def test_a_chunk_without_a_size_is_a_bad_answer() -> None:
    with pytest.raises(ExchangeFailed, match="bad_answer"):
        read(_CHUNKED + b"xyz\r\n", 100_000)
