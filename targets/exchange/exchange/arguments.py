"""What several components have a choice of, and the arguments of an autoscaler."""

import argparse

from service.arguments import duration_s

from exchange.autoscaler import KINDS, Rules

OVERLOAD_RULES = ("reduce_only_exempt", "all_alike")
"""What a full queue turns away last: what lowers a position's risk, or nothing (the venue until 23 October 2025)."""
TIMEOUT_FORMS = ("backend_timeout", "unknown_error")
"""What a client is told whose order was sent and not answered: -1007, or a 503 that names no code."""

FORCE_ORDER_FEEDS = ("latest", "largest", "all")
"""What the public feed shows of liquidations: of each symbol and second the latest or the largest, or all."""


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
