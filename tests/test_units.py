"""Quantities: what people write, and what they write wrongly."""

from collections.abc import Callable

import pytest

from chaoskit import units


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.parse_duration_s, "400us", 400e-6),
        (units.parse_duration_s, "40 ms", 0.04),
        (units.parse_duration_s, "1.5s", 1.5),
        (units.parse_duration_s, "2m", 120),
        (units.parse_duration_s, "2min", 120),
        (units.parse_duration_s, "1h", 3600),
        (units.parse_duration_s, 0, 0),
        (units.parse_rate_rps, "10/s", 10),
        (units.parse_rate_rps, "600/min", 10),
        (units.parse_size_bytes, "64KB", 64_000),
        (units.parse_size_bytes, "64KiB", 65_536),
        (units.parse_size_bytes, "1.5KB", 1500),
        (units.parse_ratio, "5%", 0.05),
        (units.parse_ratio, 0.5, 0.5),
    ],
)
def test_good_quantities(parse: Callable[[object], float], text: object, value: float) -> None:
    assert parse(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (units.parse_duration_s, "15"),
        (units.parse_duration_s, "15 parsecs"),
        (units.parse_duration_s, "-1s"),
        (units.parse_duration_s, None),
        (units.parse_duration_s, True),
        (units.parse_duration_s, "nan s"),
        (units.parse_rate_rps, "10"),
        (units.parse_rate_rps, "10/fortnight"),
        (units.parse_rate_rps, "-1/s"),
        (units.parse_size_bytes, "10"),
        (units.parse_size_bytes, "0.5B"),
        (units.parse_size_bytes, "-1KB"),
        (units.parse_ratio, "150%"),
        (units.parse_ratio, "5s"),
        (units.parse_ratio, []),
    ],
)
def test_bad_quantities_say_what_is_wrong(parse: Callable[[object], float], text: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.0004, "400us"), (0.04, "40ms"), (1.25, "1.25s"), (125, "2m 05s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(0.0343, "0.0343"), (12.53, "12.5"), (1370.2, "1,370"), (0, "0")])
def test_numbers_read_well(value: float, text: str) -> None:
    assert units.format_number(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 faults"), (1, "1 fault"), (1200, "1,200 faults")])
def test_one_is_not_many(count: int, text: str) -> None:
    assert units.plural(count, "fault") == text
