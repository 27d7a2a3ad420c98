"""TLS to a system that runs already: the name that it is known by, and whom to believe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedTls:
    """`server_name` goes into the handshake (SNI) and is what the certificate must be for.

    `authorities` are certificates (PEM) that are believed in place of the machine's own; with `verify` False anybody
    is believed.
    """

    server_name: str
    authorities: str | None = None
    verify: bool = True
