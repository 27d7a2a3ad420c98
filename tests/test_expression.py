"""Expressions over metrics: how they are read, what they come to, what is wrong with others."""

import pytest

from chaoskit.expression import NotMeasured, Reading, evaluate, parse, readings

VALUES = {"a_total": 12.0, "b_total": 4.0, "zero_total": 0.0, 'a_total{s="x, (y)"}': 7.0}


def read(reading: Reading) -> float:
    return VALUES[reading.selector]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("increase(a_total)", 12),
        ("increase(a_total) / increase(b_total)", 3),
        ("increase(a_total) - increase(b_total) - 1", 7),
        ("increase(a_total) / increase(b_total) / 3", 1),
        ("increase(b_total) + 2 * increase(a_total)", 28),
        ("(increase(b_total) + 2) * last(a_total)", 72),
        ("increase( a_total ) * 0.5", 6),
        ('max(a_total{s="x, (y)"})', 7),
        ("increase(a_total)\n  / increase(b_total)\n", 3),
        ("0 / increase(b_total)", 0),
    ],
)
def test_what_it_comes_to(text: str, value: float) -> None:
    assert evaluate(parse(text), read) == value


def test_readings_from_left_to_right() -> None:
    found = list(readings(parse('p99(age{region=~"us|eu"}) / (first(a_total) + 1)')))
    assert found == [Reading("p99", 'age{region=~"us|eu"}'), Reading("first", "a_total")]


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(NotMeasured, match=r"increase\(zero_total\) was 0"):
        evaluate(parse("increase(a_total) / increase(zero_total)"), read)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not understood at its end"),
        ("increase(a_total) /", "not understood at its end"),
        ("increase(a_total) increase(b_total)", "not understood at 'increase"),
        ("(increase(a_total)", "not understood at its end"),
        ("increase(a_total))", r"not understood at '\)'"),
        ("rate(a_total)", "'rate' is no function of metrics; use one of increase, first"),
        ("increase(rate(a_total))", "not understood at 'increase"),
        ("increase(a_total[5m])", "not understood"),
        ("a_total", "not understood at 'a_total'"),
        ("3 / 4", "reads no metric"),
        ("increase(a_total) ** 2", "not understood"),
        ("__import__('os')", "not understood"),
        ('max(a{s=~"("})', "not a regular expression"),
        ("(" * 100 + "max(a)" + ")" * 100, "not understood"),
    ],
)
def test_what_is_wrong_is_told(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse(text)
