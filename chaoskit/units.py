"""Quantities as people write them (`400us`, `10/s`, `64KB`, `5%`), converted once, here, to SI floats."""

import math
import re
from collections.abc import Mapping
from typing import Final

SECONDS: Final[Mapping[str, float]] = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "m": 60.0,
    "h": 3600.0,
}
BYTES: Final[Mapping[str, int]] = {
    "B": 1,
    "KB": 1000,
    "KiB": 1024,
    "MB": 1000**2,
    "MiB": 1024**2,
    "GB": 1000**3,
    "GiB": 1024**3,
}
_QUANTITY: Final = re.compile(r"(?P<number>[+-]?\d+(?:\.\d+)?)\s*(?P<unit>\D*)")


def _split(text: object, what: str, example: str) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(str(text).strip()) if isinstance(text, str | int | float) else None
    if match is None or isinstance(text, bool):
        message = f"{text!r} is not {what}; write it like {example}"
        raise ValueError(message)
    number = float(match["number"])
    if not math.isfinite(number):
        message = f"{str(text)[:20]}… is too large a number; write {what} like {example}"
        raise ValueError(message)
    return number, match["unit"].strip()


def parse_duration_s(text: object) -> float:
    """Return the seconds in `400us`, `40ms`, `15s`, `2m`, `2min` or `1h`.

    Raises:
        ValueError: no number, no unit, an unknown unit, or a negative duration.
    """
    number, unit = _split(text, "a duration", "15s, 40ms or 400us")
    if number == 0 and not unit:
        return 0.0
    if unit not in SECONDS:
        message = f"{text!r} has no unit of time that is known; write it like 15s, 40ms or 400us"
        raise ValueError(message)
    if number < 0:
        message = f"{text!r} is negative; a duration is 0s or more"
        raise ValueError(message)
    return number * SECONDS[unit]


def parse_rate_rps(text: object) -> float:
    """Return the events per second in `10/s`, `600/min` or `36000/h`.

    Raises:
        ValueError: no number, no `/unit`, or a negative rate.
    """
    number, unit = _split(text, "a rate", "10/s")
    if not unit.startswith("/") or unit[1:].strip() not in SECONDS:
        message = f"{text!r} is not a rate; write it like 10/s or 600/min"
        raise ValueError(message)
    if number < 0:
        message = f"{text!r} is negative; a rate is 0/s or more"
        raise ValueError(message)
    return number / SECONDS[unit[1:].strip()]


def parse_size_bytes(text: object) -> int:
    """Return the bytes in `512B`, `64KB` (1000), `64KiB` (1024), … up to `GB` and `GiB`.

    Raises:
        ValueError: no number, no unit, an unknown unit, a negative size or a part of a byte.
    """
    number, unit = _split(text, "a size", "512B or 64KB")
    if unit not in BYTES:
        message = f"{text!r} has no unit of size that is known; write it like 512B, 64KB or 1MiB"
        raise ValueError(message)
    size = number * BYTES[unit]
    if size < 0 or not size.is_integer():
        message = f"{text!r} is not a whole number of bytes from 0 up"
        raise ValueError(message)
    return int(size)


def parse_bandwidth_bytes_per_s(text: object) -> float:
    """Return the bytes per second in `64KB/s`, `512B/s` or `1MiB/s`.

    Raises:
        ValueError: no number, no size unit with `/s`, or a negative bandwidth.
    """
    number, unit = _split(text, "a bandwidth", "64KB/s")
    size, slash, per = unit.partition("/")
    if size.strip() not in BYTES or not slash or per.strip() != "s":
        message = f"{text!r} is not a bandwidth in bytes per second; write it like 64KB/s or 1MiB/s"
        raise ValueError(message)
    if number < 0:
        message = f"{text!r} is negative; a bandwidth is 0B/s or more"
        raise ValueError(message)
    return number * BYTES[size.strip()]


def parse_ratio(text: object) -> float:
    """Return the ratio in `5%` or a bare number from 0 to 1.

    Raises:
        ValueError: no number, a unit other than `%`, or a value outside 0 … 1.
    """
    number, unit = _split(text, "a share", "5% or 0.05")
    if unit not in {"", "%"}:
        message = f"{text!r} is not a share; write it like 5% or 0.05"
        raise ValueError(message)
    ratio = number / 100 if unit else number
    if not 0 <= ratio <= 1:
        message = f"{text!r} is outside 0% to 100%"
        raise ValueError(message)
    return ratio


def format_duration(seconds: float) -> str:
    """Return a duration as a person would write it, three significant digits: `40ms`, `1.25s`, `2m 05s`."""
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}m {rest:02d}s"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size * 0.9995:  # so that 999.6ms is 1s and never 1e+03ms
            return f"{seconds / size:.3g}{unit}"
    return "0s" if seconds == 0 else f"{seconds * 1e6:.3g}us"


def format_size(size_bytes: float) -> str:
    """Return a size as a person would write it, three significant digits, decimal units: `512B`, `64KB`, `1.05MB`."""
    for unit in ("GB", "MB", "KB"):
        if size_bytes >= BYTES[unit]:
            return f"{size_bytes / BYTES[unit]:.3g}{unit}"
    return f"{size_bytes:.3g}B"


def plural(count: int, noun: str) -> str:
    """Return `1 check`, `3 checks`, `1,000 checks`; for nouns whose plural is an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_number(value: float) -> str:
    """Return three significant digits of a small number and all whole ones of a large one: `0.034`, `12.5`, `1,370`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
