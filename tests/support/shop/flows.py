"""What a customer of the shop does."""

from typing import Any


def buy(client: Any, arrival: Any) -> None:  # noqa: ANN401 - a target knows no types of chaoskit
    """Buy one thing."""
    client.request("POST", f"/buy?customer={arrival.key % 100}", {"content-type": "text/plain"}, b"one thing")
