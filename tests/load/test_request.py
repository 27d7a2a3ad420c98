from collections.abc import Mapping

import pytest

from chaoskit.load.request import PreparedRequest


@pytest.mark.parametrize(
    ("method", "headers", "body", "rest"),
    [
        ("GET", None, b"", b"\r\n"),
        ("GET", {"x-a": "1"}, b"", b"x-a: 1\r\n\r\n"),
        ("POST", None, b"", b"content-length: 0\r\n\r\n"),
        ("POST", {"x-a": "1"}, "é", b"x-a: 1\r\ncontent-length: 2\r\n\r\n\xc3\xa9"),
        ("DELETE", None, b"why", b"content-length: 3\r\n\r\nwhy"),
    ],
)
def test_bytes(method: str, headers: Mapping[str, str] | None, body: bytes | str, rest: bytes) -> None:
    prepared = PreparedRequest.build(method, "/a?b=c", headers, body)
    assert prepared.start == f"{method} /a?b=c HTTP/1.1\r\n".encode()
    assert prepared.rest == rest


@pytest.mark.parametrize(
    ("method", "idempotent", "head_only"),
    [("GET", True, False), ("HEAD", True, True), ("PUT", True, False), ("POST", False, False), ("PATCH", False, False)],
)
def test_what_may_be_sent_again(method: str, idempotent: bool, head_only: bool) -> None:
    prepared = PreparedRequest.build(method, "/")
    assert (prepared.idempotent, prepared.head_only) == (idempotent, head_only)


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/a b", {}),
        ("GET", "/a\r\nx: y", {}),
        ("GET /", "/", {}),
        ("GET", "/", {"x": "a\r\nevil: b"}),
        ("GET", "/", {"x\n": "a"}),
    ],
)
def test_a_request_that_would_become_another_one_is_refused(
    method: str, target: str, headers: Mapping[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"line break|escape spaces"):
        PreparedRequest.build(method, target, headers)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_headers_that_the_client_writes_itself_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="leave it out"):
        PreparedRequest.build("POST", "/", {name: "1"})


def test_a_request_may_name_its_own_host() -> None:
    prepared = PreparedRequest.build("GET", "/", {"x-a": "1", "HOST": "shop.example"})
    assert (prepared.host_line, prepared.rest) == (b"HOST: shop.example\r\n", b"x-a: 1\r\n\r\n")
    assert PreparedRequest.build("GET", "/").host_line == b""
