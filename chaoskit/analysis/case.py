"""What one subject explains: its root, in the form that is commonest, and all the harm that leads to it."""

from collections import Counter
from dataclasses import dataclass

from chaoskit.analysis.causes import Harm, Root


@dataclass(frozen=True, slots=True)
class Case:
    """All harm that one subject explains; `root` is the commonest form of the root."""

    root: Root
    harms: tuple[Harm, ...]
    arrivals: float
    total: float

    @property
    def seconds(self) -> list[int]:
        """The seconds in which arrivals were harmed, in order."""
        return sorted({harm.second for harm in self.harms})

    @property
    def stream(self) -> str:
        """The stream that was harmed most."""
        sums: Counter[str] = Counter()
        for harm in self.harms:
            sums[harm.stream] += round(harm.arrivals)
        return max(sorted(sums), key=lambda stream: sums[stream])
