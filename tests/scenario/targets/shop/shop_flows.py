"""Flows of the test target; only their names matter here."""


def buy(client: object, arrival: object) -> None:
    """Buy one thing."""


def browse(client: object, arrival: object) -> None:
    """Look at the prices."""
