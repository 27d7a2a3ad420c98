"""The field types of scenarios and manifests: quantities with units, names, addresses; each with its JSON Schema."""

import re
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from chaoskit.address import Address
from chaoskit.units import (
    parse_bandwidth_bytes_per_s,
    parse_duration_s,
    parse_rate_rps,
    parse_ratio,
    parse_size_bytes,
)

MAX_DURATION_S: Final = 24 * 3600.0
MAX_RATE_RPS: Final = 1e6
MIN_MEMORY_BYTES: Final = 6 * 2**20
NAME_PATTERN: Final = r"^[a-z][a-z0-9_-]{0,62}$"
_NUMBER: Final = r"\d+(\.\d+)?"
_USER: Final = re.compile(r"[\w.-]+(:[\w.-]+)?")
_FOLDER: Final = re.compile(r"(/[\w.-]+)+")
_NAME: Final = re.compile(NAME_PATTERN)


def _bounded_duration_s(text: object) -> float:
    seconds = parse_duration_s(text)
    if seconds > MAX_DURATION_S:
        message = f"{text!r} is longer than 24h, the longest that is allowed"
        raise ValueError(message)
    return seconds


def _positive_duration_s(text: object) -> float:
    seconds = _bounded_duration_s(text)
    if seconds == 0:
        message = f"{text!r} is no time at all; write a duration above 0s"
        raise ValueError(message)
    return seconds


def _bounded_rate_rps(text: object) -> float:
    rate = parse_rate_rps(text)
    if rate > MAX_RATE_RPS:
        message = f"{text!r} is more than {MAX_RATE_RPS:,.0f}/s, the highest rate that is allowed"
        raise ValueError(message)
    return rate


def _memory_bytes(text: object) -> int:
    size = parse_size_bytes(text)
    if size < MIN_MEMORY_BYTES:
        message = f"{text!r} is less memory than a container can start in; write 6MiB or more"
        raise ValueError(message)
    return size


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        message = f"{text!r} is no user; write UID:GID like 65534:65534, or names that the image knows"
        raise ValueError(message)
    return text


def _folder(text: str) -> str:
    if not _FOLDER.fullmatch(text) or ".." in text.split("/"):
        message = f"{text!r} is no folder of a container; write its whole path, like /var/run"
        raise ValueError(message)
    return text


def _toxicity(text: object) -> float:
    ratio = parse_ratio(text)
    if ratio < 0.01:
        message = f"{text!r} touches too few connections to be shown; write a share of 1% or more"
        raise ValueError(message)
    return ratio


def _toxic_delay_s(text: object) -> float:
    seconds = _bounded_duration_s(text)
    if seconds < 0.001:
        message = f"{text!r} is finer than Toxiproxy can delay; write 1ms or more"
        raise ValueError(message)
    return seconds


def _positive(parse: Callable[[object], float], what: str) -> Callable[[object], float]:
    def check(text: object) -> float:
        value = parse(text)
        if value <= 0:
            message = f"{text!r} is zero; write {what} above 0"
            raise ValueError(message)
        return value

    return check


def check_name(name: str) -> str:
    """Return `name`, which must be lower case, begin with a letter and hold letters, digits, `-` and `_` only.

    Raises:
        ValueError: it is not such a name.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!r} is not a name; use up to 63 of a-z, 0-9, - and _, beginning with a letter"
        raise ValueError(message)
    return name


def check_url(url: str) -> str:
    """Return `url`, which must be scheme, host and perhaps a port: `http://127.0.0.1:8080`.

    Raises:
        ValueError: it is something else.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        message = f"{url!r} is not the URL of a server; write it like http://127.0.0.1:8080"
    elif parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        message = f"{url!r} is more than scheme, host and port; move the path into the request"
    else:
        return url
    raise ValueError(message)


def check_plain_url(url: str) -> str:
    """Return `url`, which must be one without encryption.

    Raises:
        ValueError: it is something else.
    """
    if check_url(url).startswith("https:"):
        message = f"{url!r} is encrypted, and Toxiproxy's API is plain HTTP; write http://"
        raise ValueError(message)
    return url


def check_host_and_port(text: str) -> str:
    """Return `text`, which must be a host and a port: `127.0.0.1:5432`.

    Raises:
        ValueError: it is something else.
    """
    try:
        host, _ = Address.parse(text)
    except ValueError:
        host = ""
    if not host or any(sign in host for sign in "/@ "):
        message = f"{text!r} is not the address of a server; write it like 127.0.0.1:5432"
        raise ValueError(message)
    return text


def _plain(value: object) -> object:
    if not isinstance(value, str | int | float | bool):
        message = "one plain value belongs here: a number, a text with its unit, true or false"
        raise ValueError(message)
    return value


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": list(examples)})


Duration = Annotated[
    float, BeforeValidator(_bounded_duration_s), _text(rf"({_NUMBER} ?(us|ms|s|min|m|h)|0)", "15s", "40ms", "400us")
]
PositiveDuration = Annotated[
    float, BeforeValidator(_positive_duration_s), _text(rf"{_NUMBER} ?(us|ms|s|min|m|h)", "15s", "40ms", "400us")
]
Rate = Annotated[float, BeforeValidator(_bounded_rate_rps), _text(rf"{_NUMBER} ?/ ?(us|ms|s|min|m|h)", "10/s")]
Size = Annotated[
    int,
    BeforeValidator(_positive(parse_size_bytes, "a size")),
    _text(rf"{_NUMBER} ?([KMG]i?)?B", "512B", "64KB", "1MiB"),
]
Memory = Annotated[
    int,
    BeforeValidator(_memory_bytes),
    _text(rf"{_NUMBER} ?([KMG]i?)?B", "256MB", "1GiB"),
]
Cores = Annotated[float, Field(ge=0.01, le=1024), WithJsonSchema({"type": "number", "minimum": 0.01, "maximum": 1024})]
ContainerUser = Annotated[str, AfterValidator(_user), _text(_USER.pattern, "65534:65534", "postgres")]
ContainerFolder = Annotated[str, AfterValidator(_folder), _text(_FOLDER.pattern, "/var/run")]
Bandwidth = Annotated[
    float,
    BeforeValidator(_positive(parse_bandwidth_bytes_per_s, "a bandwidth")),
    _text(rf"{_NUMBER} ?([KMG]i?)?B/s", "64KB/s"),
]
Ratio = Annotated[
    float,
    BeforeValidator(parse_ratio),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"^{_NUMBER} ?%?$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
            "examples": ["5%", 0.05],
        }
    ),
]
SizeOrNone = Annotated[int, BeforeValidator(parse_size_bytes), _text(rf"{_NUMBER} ?([KMG]i?)?B", "16B")]
ToxicDelay = Annotated[float, BeforeValidator(_toxic_delay_s), _text(rf"{_NUMBER} ?(us|ms|s|min|m|h)", "40ms")]
Toxicity = Annotated[
    float,
    BeforeValidator(_toxicity),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"^{_NUMBER} ?%?$"},
                {"type": "number", "minimum": 0.01, "maximum": 1},
            ],
            "examples": ["30%", 0.3],
        }
    ),
]
Name = Annotated[str, AfterValidator(check_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
Plain = Annotated[
    str | int | float | bool,
    PlainValidator(_plain),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Url = Annotated[str, AfterValidator(check_url), _text(r"https?://[^/?#@]+/?", "http://127.0.0.1:8080")]
PlainUrl = Annotated[str, AfterValidator(check_plain_url), _text(r"http://[^/?#@]+/?", "http://127.0.0.1:8474")]
HostAndPort = Annotated[
    str, AfterValidator(check_host_and_port), _text(r"[^/?#@\s]+:\d+", "127.0.0.1:5432", "127.0.0.1:15432")
]
