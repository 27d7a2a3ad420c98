"""Values of a component's settings: read by type, checked against the range, turned into the component's unit."""

from collections.abc import Callable, Mapping
from typing import Final

from chaoskit.scenario.manifest import Setting
from chaoskit.units import BYTES, SECONDS, parse_duration_s, parse_rate_rps, parse_ratio, parse_size_bytes

Scalar = str | int | float | bool

_UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "duration": SECONDS,
    "size": {unit: float(size) for unit, size in BYTES.items()},
    "rate": {f"/{unit}": 1 / seconds for unit, seconds in SECONDS.items()},
    "ratio": {"%": 0.01},
}
_PARSERS: Final[Mapping[str, Callable[[object], float]]] = {
    "duration": parse_duration_s,
    "size": parse_size_bytes,
    "rate": parse_rate_rps,
    "ratio": parse_ratio,
}
_DEFAULT_UNIT: Final = {"duration": "s", "size": "B", "rate": "/s"}


def units(kind: str) -> tuple[str, ...]:
    """Return the units that a setting of this type may be handed over in; empty where the type has none."""
    return tuple(_UNITS.get(kind, ()))


def parse_setting(setting: Setting, raw: object) -> Scalar:
    """Return the value in the setting's own unit (`400us` with unit `ms` is 0.4), inside its range.

    Raises:
        ValueError: the value is of another type, has a wrong unit or lies outside minimum … maximum.
    """
    value = _parse(setting, raw)
    for bound, outside in ((setting.minimum, "below"), (setting.maximum, "above")):
        if bound is None or isinstance(value, str):
            continue
        limit = _parse(setting, bound)
        assert not isinstance(limit, str)
        if (value < limit) if outside == "below" else (value > limit):
            message = f"{raw!r} is {outside} the {'minimum' if outside == 'below' else 'maximum'} of {bound}"
            raise ValueError(message)
    return value


def setting_text(setting: Setting, value: Scalar) -> str:
    """Return a parsed value as a person would write it: `8`, `0.4ms`, `true`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}{setting.unit or _DEFAULT_UNIT.get(setting.type, '')}"


def _parse(setting: Setting, raw: object) -> Scalar:
    if setting.type in _PARSERS:
        si = _PARSERS[setting.type](raw)
        size = _UNITS[setting.type].get(setting.unit or _DEFAULT_UNIT.get(setting.type, ""), 1.0)
        return _tidy(si / size)
    if setting.type == "integer":
        return _integer(raw)
    if setting.type == "number":
        return _number(raw)
    if setting.type == "boolean":
        return _boolean(raw)
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if setting.type == "choice" and text not in (setting.choices or ()):
        message = f"{raw!r} is not among the choices {', '.join(setting.choices or ())}"
        raise ValueError(message)
    return text


def _integer(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        message = f"{raw!r} is not a whole number"
        raise ValueError(message)
    try:
        return int(raw)
    except ValueError as error:
        message = f"{raw!r} is not a whole number"
        raise ValueError(message) from error


def _number(raw: object) -> float:
    try:
        number = None if isinstance(raw, bool) or not isinstance(raw, int | float | str) else float(raw)
    except (ValueError, OverflowError):
        number = None
    if number is None or not abs(number) < float("inf"):
        message = f"{raw!r} is not a number"
        raise ValueError(message)
    return _tidy(number)


def _boolean(raw: object) -> bool:
    if str(raw).lower() not in {"true", "false"}:
        message = f"{raw!r} is neither true nor false"
        raise ValueError(message)
    return str(raw).lower() == "true"


def _tidy(number: float) -> float:
    """Round away what floating point adds (0.0004 / 1e-6 is 400 and not 399.99…), and drop an empty fraction."""
    rounded = float(f"{number:.12g}")
    return int(rounded) if rounded.is_integer() else rounded
