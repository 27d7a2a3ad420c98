"""Command line values with units: a manifest's `2ms` and `1m` reach a component as they are written."""

import argparse
import re
from decimal import Decimal

from exchange.autoscaler import KINDS, Rules

OVERLOAD_RULES = ("reduce_only_exempt", "all_alike")
"""What a full queue turns away last: what lowers a position's risk, or nothing (the venue until 23 October 2025)."""
TIMEOUT_FORMS = ("backend_timeout", "unknown_error")
"""What a client is told whose order was sent and not answered: -1007, or a 503 that names no code."""

FORCE_ORDER_FEEDS = ("latest", "largest", "all")
"""What the public feed shows of liquidations: of each symbol and second the latest or the largest, or all."""

_SECONDS = {"us": "1e-6", "ms": "1e-3", "s": "1", "m": "60", "h": "3600"}


def component_parser(name: str, about: str | None, port: str) -> argparse.ArgumentParser:
    """The parser of the component `exchange.NAME` with what all of them take: where to listen. `port` says for whom."""
    parser = argparse.ArgumentParser(prog=f"exchange.{name}", description=about)
    parser.add_argument("--port", type=int, required=True, help=port)
    parser.add_argument("--metrics-port", type=int, required=True, help="where /metrics and /ready are")
    parser.add_argument("--host", default="127.0.0.1", help="address that both bind (default: %(default)s)")
    return parser


def duration_s(text: str) -> float:
    """A duration such as `200us`, `2ms`, `1.5s`, `1m` or `0`, in seconds.

    Raises `argparse.ArgumentTypeError` where the number is negative or the unit is missing or unknown.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h)?", text)
    if match is None or (match[2] is None and float(match[1]) != 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration; write for example 200us, 2ms, 1.5s or 1m")
    return float(Decimal(match[1]) * Decimal(_SECONDS[match[2] or "s"]))


def addresses(text: str) -> dict[str, tuple[str, int]]:
    """A list `region=host:port,…` by region; a bare `host:port` has an empty region."""
    found: dict[str, tuple[str, int]] = {}
    for item in text.split(","):
        region, _, place = item.rpartition("=")
        if region in found:
            raise argparse.ArgumentTypeError(f"region {region!r} appears twice in {text!r}")
        found[region] = address(place)
    return found


def address(text: str) -> tuple[str, int]:
    """An address `host:port`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not host:port")
    return host, int(port)


def add_autoscaler(parser: argparse.ArgumentParser, most: int = 10) -> None:
    """Add the settings of an autoscaler that starts `most` replicas by default; `autoscaler_rules` reads them."""
    add = parser.add_argument
    add("--autoscaler", choices=KINDS, default=KINDS[0], help="what moves the number of replicas")
    add("--least-replicas", type=int, default=1, help="the autoscaler leaves no fewer")
    add("--most-replicas", type=int, default=most, help="the autoscaler starts no more")
    add("--target-utilization", type=int, default=50, help="per cent, that the autoscaler aims at")
    add("--sync-period", type=duration_s, default=15.0, help="between two looks of the autoscaler")
    add("--scale-down-after", type=duration_s, default=300.0, help="time without need of a replica until it leaves")
    add("--boot-delay", type=duration_s, default=60.0, help="from the order of a replica until it serves")


def autoscaler_rules(arguments: argparse.Namespace, warm_up_s: float = 0.0) -> Rules:
    """The rules that the arguments of `add_autoscaler` give; forecasts are for when a replica ordered now is warm."""
    return Rules(
        arguments.autoscaler,
        arguments.least_replicas,
        arguments.most_replicas,
        arguments.target_utilization / 100,
        arguments.sync_period,
        arguments.scale_down_after,
        arguments.boot_delay + warm_up_s,
    )
