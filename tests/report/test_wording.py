import pytest

from chaoskit.report import wording
from tests.support.sample_result import point


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0s"), (0.04, "40ms"), (0.9996, "1s"), (1.25, "1.25s"), (125.0, "2m 05s")]
)
def test_durations(value: float | None, text: str) -> None:
    assert wording.duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0%"),
        (0.00004, "<0.1%"),
        (0.01, "1%"),
        (0.331, "33.1%"),
        (0.99995, ">99.9%"),
        (1.0, "100%"),
    ],
)
def test_ratios_never_round_to_nothing_or_everything(value: float | None, text: str) -> None:
    assert wording.ratio(value) == text


@pytest.mark.parametrize(
    ("share", "words", "short"),
    [
        (None, "–", "–"),
        (0.0, "the baseline already", "0%"),
        (0.034, "3.4% of the surge", "3.4%"),
        (0.344, "34% of the surge", "34.4%"),
        (2.07, "2.07 times the surge", "2.07 times"),
    ],
)
def test_surge_shares(share: float | None, words: str, short: str) -> None:
    assert (wording.surge(share), wording.surge_share(share)) == (words, short)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0"), (0.344, "0.344"), (12.0, "12"), (99.96, "100"), (1234.5, "1,234")]
)
def test_numbers(value: float | None, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.25, "s", "250ms"),
        (0.331, "ratio", "33.1%"),
        (1162.0, "/s", "1,162/s"),
        (3.0, "orders", "3 orders"),
        (None, "s", "–"),
    ],
)
def test_quantities_by_unit(value: float | None, unit: str, text: str) -> None:
    assert wording.quantity(value, unit) == text


def test_multiples_by_stream() -> None:
    assert wording.multiples(point(0.34)) == "positions ×341, quotes ×4.06, trading ×34.7"


@pytest.mark.parametrize(
    ("resource", "short", "without"),
    [
        ("exchange/gateway@us-east-1.db_pool", "gateway@us-east-1.db_pool", "exchange/gateway.db_pool"),
        ("exchange/engine.matching", "engine.matching", "exchange/engine.matching"),
        ("generator/worker@0.cpu", "generator/worker@0.cpu", "generator/worker.cpu"),
        ("host.cpu", "host.cpu", "host.cpu"),
    ],
)
def test_resource_names(resource: str, short: str, without: str) -> None:
    assert wording.short_resource(resource) == short
    assert wording.without_region(resource) == without


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.5, "50%"), (1.013, "100%")])
def test_no_utilisation_is_beyond_everything(value: float | None, text: str) -> None:
    assert wording.utilization(value) == text
