"""Numbers as people read them: one spelling of every quantity for the page, the summary and the JUnit file."""

from collections.abc import Mapping

from chaoskit.analysis.prediction import describe_share
from chaoskit.analysis.result import CauseStep, SaturationPoint
from chaoskit.units import format_duration, format_number

ABSENT = "–"


def duration(seconds: float | None) -> str:
    """Return seconds as `40ms` or `1.25s`; a dash where there is no measurement."""
    return ABSENT if seconds is None else format_duration(seconds)


def moment(t_s: float | None) -> str:
    """Return a time on the run's axis as `34.2s`; a dash where it did not come to pass."""
    return ABSENT if t_s is None else f"{t_s:.1f}s"


def number(value: float | None) -> str:
    """Return a number with at most three significant digits, thousands apart: `0.034`, `12.5`, `1,000`."""
    return ABSENT if value is None else format_number(value)


def rate(per_s: float | None) -> str:
    """Return a rate as `1,000/s`."""
    return ABSENT if per_s is None else f"{number(per_s)}/s"


def ratio(value: float | None) -> str:
    """Return a ratio (0 … 1) in percent; what is nearly but not quite nothing or everything never rounds to it."""
    if value is None:
        return ABSENT
    percent = value * 100
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.1f}%".replace(".0%", "%")


def utilization(value: float | None) -> str:
    """Return a utilisation in percent, 100% at most: what a window's rounding adds beyond means nothing."""
    return ratio(None if value is None else min(value, 1.0))


def multiple(value: float) -> str:
    """Return a multiple of the baseline rate: `×35`."""
    return f"×{number(value)}"


def quantity(value: float | None, unit: str) -> str:
    """Return a measurement in the unit of an objective: `s`, `ratio`, `/s`, or any other word set behind it."""
    if value is None:
        return ABSENT
    if unit == "s":
        return duration(value)
    if unit == "ratio":
        return ratio(value)
    if unit == "x":
        return multiple(value)
    if unit in {"/s", "rps", "per_s"}:
        return rate(value)
    return f"{number(value)} {unit}".strip()


def surge(share: float | None) -> str:
    """Return a surge share in words: `44% of the surge`, `2.1 times the surge`."""
    return ABSENT if share is None else describe_share(share)


def surge_share(share: float | None) -> str:
    """Return a surge share where there is little room: `44%`, `2.1 times`."""
    if share is None:
        return ABSENT
    return f"{number(share)} times" if share > 1.005 else f"{number(100 * share)}%"


def step(cause: CauseStep) -> str:
    """Return one step of a cause chain with its subject: `gateway.db_pool: full, and what it waits for is not`."""
    name = short_resource(cause.subject)
    return cause.statement if cause.statement.startswith(name) else f"{name}: {cause.statement}"


def multiples(point: SaturationPoint) -> str:
    """Return the load at which something gives way, by stream: `trading ×35, positions ×341`."""
    return ", ".join(f"{stream} {multiple(value)}" for stream, value in sorted(point.multiples.items()))


def pairs(mapping: Mapping[str, object]) -> str:
    """Return a small mapping on one line, sorted by its keys: `delay_s 0.04, jitter_s 0.01`."""
    return ", ".join(f"{key} {value}" for key, value in sorted(mapping.items()))


def short_resource(resource: str) -> str:
    """Return a resource id without its target: `exchange/gateway@us-east-1.db_pool` as `gateway@us-east-1.db_pool`.

    The load generator's own resources keep its name.
    """
    return resource if resource.startswith("generator/") else resource.rpartition("/")[2]


def without_region(resource: str) -> str:
    """Return a resource id without its region: `exchange/gateway@us-east-1.db_pool` as `exchange/gateway.db_pool`."""
    instance, dot, name = resource.rpartition(".")
    return instance.partition("@")[0] + dot + name
