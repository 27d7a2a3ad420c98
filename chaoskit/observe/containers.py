"""What containers use whose processes cannot be seen from here: the engine counts, in a virtual machine of its own."""

from collections.abc import Iterator, Mapping

from chaoskit import containers
from chaoskit.records import UsageSample


class ContainerReader:
    """Reads the usage of each source; `sources` maps a name (`gateway@east`) to its container's id. Calls block."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Connect; SetupFailed where no engine answers."""
        self._sources = dict(sources)
        self._engine = containers.connect()

    def read(self, t_s: float) -> Iterator[UsageSample]:
        """Yield a sample for each container that runs. Open files are not counted by engines, so they are 0.

        Raises:
            SetupFailed: the engine does not answer.
        """
        for source, container_id in self._sources.items():
            if (used := containers.usage(self._engine, container_id)) is not None:
                yield UsageSample(t_s, source, used.cpu_s, used.memory_bytes, 0, used.throttled_s)

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()
