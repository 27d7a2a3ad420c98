"""What every kind of fault in a scenario has."""

from collections.abc import Mapping
from typing import ClassVar, Final

from chaoskit.scenario.strict import Strict

_UNITS: Final = {
    "after": "s",
    "delay": "s",
    "jitter": "s",
    "limit": "bytes",
    "rate": "bytes_per_s",
    "size": "bytes",
    "variation": "bytes",
}
PLACES: Final = frozenset({"component", "link", "region", "regions"})
"""Keys that say where a fault strikes; all others are its parameters."""


class Fault(Strict):
    """What every kind has: its parameters for the plan and one line that tells a reader what it does."""

    kind: ClassVar[str]

    def parameters(self) -> Mapping[str, str | int | float | bool]:
        """Return the parameters in SI units, keyed with the unit (`delay_s`)."""
        return {
            f"{name}_{_UNITS[name]}" if name in _UNITS else name: value
            for name, value in self
            if name not in PLACES and value is not None
        }

    def title(self) -> str:
        """Return what the fault does in a few words: `latency 40ms ± 10ms on gateway->positions`."""
        return f"{self.kind.replace('_', ' ')}{self._amount()} {self._place()}"

    def own_length_s(self) -> float | None:
        """Return how long the fault lasts where its kind says that itself; None where its entry's `for` does."""
        return None

    def _amount(self) -> str:
        return ""

    def _place(self) -> str:
        return f"on {next(value for name, value in self if name in PLACES)}"
