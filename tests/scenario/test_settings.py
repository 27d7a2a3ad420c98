import pytest

from chaoskit.scenario.manifest import Setting
from chaoskit.scenario.settings import Scalar, parse_setting, setting_text, units

INTEGER = Setting(type="integer", default=1, minimum=1, maximum=10)
MICROSECONDS = Setting(type="duration", unit="us", default="0us")
SECONDS = Setting(type="duration", default="0s", minimum="10ms", maximum="1m")
SIZE = Setting(type="size", unit="MiB", default="1MiB")
RATE = Setting(type="rate", unit="/min", default="1/s")
PERCENT = Setting(type="ratio", unit="%", default="5%")
RATIO = Setting(type="ratio", default="5%")
NUMBER = Setting(type="number", default=1.5)
BOOLEAN = Setting(type="boolean", default=False)
CHOICE = Setting(type="choice", choices=["ip", "account"], default="ip")
TEXT = Setting(type="text", default="")


@pytest.mark.parametrize(
    ("setting", "raw", "value", "text"),
    [
        (INTEGER, 8, 8, "8"),
        (INTEGER, "8", 8, "8"),
        (MICROSECONDS, "400us", 400, "400us"),
        (MICROSECONDS, "1.5ms", 1500, "1500us"),
        (SECONDS, "400ms", 0.4, "0.4s"),
        (SIZE, "512KiB", 0.5, "0.5MiB"),
        (RATE, "2/s", 120, "120/min"),
        (PERCENT, "7%", 7, "7%"),
        (RATIO, "7%", 0.07, "0.07"),
        (NUMBER, "2.50", 2.5, "2.5"),
        (BOOLEAN, "true", True, "true"),
        (BOOLEAN, False, False, "false"),
        (CHOICE, "account", "account", "account"),
        (TEXT, 5, "5", "5"),
    ],
)
def test_values_come_in_the_unit_of_the_component(setting: Setting, raw: object, value: Scalar, text: str) -> None:
    found = parse_setting(setting, raw)
    assert found == value
    assert type(found) is type(value)
    assert setting_text(setting, found) == text


@pytest.mark.parametrize(
    ("setting", "raw", "words"),
    [
        (INTEGER, 0, "below the minimum of 1"),
        (INTEGER, 11, "above the maximum of 10"),
        (INTEGER, 1.5, "not a whole number"),
        (INTEGER, True, "not a whole number"),
        (INTEGER, None, "not a whole number"),
        (SECONDS, "1ms", "below the minimum of 10ms"),
        (SECONDS, "2m", "above the maximum of 1m"),
        (SECONDS, 5, "no unit of time"),
        (SIZE, "5", "no unit of size"),
        (PERCENT, "130%", "outside 0% to 100%"),
        (NUMBER, "inf", "not a number"),
        (NUMBER, "1" * 400, "not a number"),
        (BOOLEAN, "on", "neither true nor false"),
        (CHOICE, "moon", "among the choices ip, account"),
    ],
)
def test_wrong_values_are_refused(setting: Setting, raw: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_setting(setting, raw)


def test_types_without_units_have_none() -> None:
    assert units("integer") == ()
    assert "ms" in units("duration")
