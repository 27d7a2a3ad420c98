"""Command line values with units: a manifest's `2ms` and `1m` reach a component as they are written."""

import argparse
import re
from decimal import Decimal

_SECONDS = {"us": "1e-6", "ms": "1e-3", "s": "1", "m": "60", "h": "3600"}


def component_parser(name: str, about: str | None, port: str) -> argparse.ArgumentParser:
    """The parser of the component `name` with what all of them take: where to listen. `port` says for whom."""
    parser = argparse.ArgumentParser(prog=name, description=about)
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
