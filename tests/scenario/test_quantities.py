import pytest
from pydantic import TypeAdapter, ValidationError

from chaoskit.scenario import quantities


def reader(kind: object) -> TypeAdapter[object]:
    """Return what reads a value of one of the annotated types."""
    return TypeAdapter(kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (quantities.Duration, "0s", 0.0),
        (quantities.Duration, "24h", 86_400.0),
        (quantities.Rate, "1000000/s", 1e6),
        (quantities.Size, "1KiB", 1024),
        (quantities.SizeOrNone, "0B", 0),
        (quantities.Bandwidth, "8KB/s", 8000.0),
        (quantities.Ratio, "0%", 0.0),
        (quantities.Toxicity, "1%", 0.01),
        (quantities.ToxicDelay, "1ms", 0.001),
        (quantities.Name, "us-east-1", "us-east-1"),
        (quantities.Url, "http://[::1]:80/", "http://[::1]:80/"),
    ],
)
def test_what_is_read(kind: object, text: str, value: object) -> None:
    assert reader(kind).validate_python(text) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (quantities.Duration, "25h"),
        (quantities.PositiveDuration, "0s"),
        (quantities.Duration, "9" * 400 + "s"),
        (quantities.Rate, "2000000/s"),
        (quantities.Size, "0B"),
        (quantities.Size, "9" * 400 + "GB"),
        (quantities.Bandwidth, "8kbit/s"),
        (quantities.Bandwidth, "8KB"),
        (quantities.Ratio, "101%"),
        (quantities.Toxicity, "0.5%"),
        (quantities.ToxicDelay, "900us"),
        (quantities.Name, "US"),
        (quantities.Name, "a" * 64),
        (quantities.Url, "ftp://127.0.0.1"),
        (quantities.PlainUrl, "https://127.0.0.1:8474"),
        (quantities.Url, "http://127.0.0.1/path"),
        (quantities.Url, "http://user@127.0.0.1"),
        (quantities.Url, "http://127.0.0.1:0"),
        (quantities.Url, "http://[::1"),
        (quantities.Duration, ["5s"]),
        (quantities.Name, 5),
    ],
)
def test_what_is_refused(kind: object, value: object) -> None:
    with pytest.raises(ValidationError):
        reader(kind).validate_python(value)
