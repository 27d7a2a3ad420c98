"""One instance of a component and the faults that are active on it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from chaoskit.faults.contract import InstanceAction, Life
from chaoskit.faults.control import Control
from chaoskit.faults.place import Place

_GRAVITY: Final[tuple[Life, ...]] = ("running", "paused", "stopped", "killed")
_ENDED: Final = frozenset({"stopped", "killed"})


class ControlledInstance(Place[InstanceAction]):
    """Keeps an instance as its active faults together want it: the gravest on its life, the tightest of its limits."""

    def __init__(self, name: str, control: Control) -> None:
        super().__init__()
        self.name = name
        self.control = control
        self._present = InstanceAction()

    @property
    def should_live(self) -> bool:
        """Whether no fault has ended it, so that it has died by itself if it is dead."""
        return self._present.life not in _ENDED

    async def apply(self, fault: str, action: InstanceAction) -> None:
        """Add a fault to those active.

        Raises:
            FaultFailed: the driver cannot do it.
        """
        async with self._change():
            self._actions[fault] = action
            self.quiet.clear()
            await self._bring_about()

    async def lift(self, fault: str) -> None:
        """Take a fault from those active; one that it had ended is started again, and awaited until it is ready.

        Raises:
            FaultFailed: the driver cannot do it; the fault counts as lifted, and another call tries again.
        """
        async with self._change():
            self._actions.pop(fault, None)
            await self._bring_about()
            if not self._actions:
                self.quiet.set()

    async def _bring_about(self) -> None:
        wanted, present = joined(self._actions.values()), self._present
        fell = present.memory_bytes is not None and wanted.memory_bytes is None and await self._fell_to_its_limit()
        if (wanted.cores, wanted.memory_bytes) != (present.cores, present.memory_bytes):
            await self.control.limit(self.name, wanted.cores, wanted.memory_bytes)
            self._present = replace(wanted, life=present.life)
        if wanted.life in _ENDED:
            await self._end(wanted.life)
        else:
            await self._live(wanted.life, again=fell)

    async def _end(self, how: Life) -> None:
        if self._present.life in _ENDED:
            return
        if self._present.life == "paused":
            await self.control.resume(self.name)
        await self.control.halt(self.name, gently=how == "stopped")
        self._now(how)

    async def _live(self, how: Life, *, again: bool) -> None:
        if again or self._present.life in _ENDED:
            self._now("stopped")  # and so it stays, should the next line fail
            await self.control.start_again(self.name)
            self._now("running")
        if how == self._present.life:
            return
        if how == "paused":
            self._now(how)  # or not all of it; a resume does no harm
            await self.control.pause(self.name)
        else:
            await self.control.resume(self.name)
            self._now(how)

    async def _fell_to_its_limit(self) -> bool:
        return (await self.control.vitals(self.name)).state == "oom_killed"

    def _now(self, life: Life) -> None:
        self._present = replace(self._present, life=life)


def joined(actions: Iterable[InstanceAction]) -> InstanceAction:
    """Return what several faults on one instance come to."""
    life: Life = "running"
    cores: list[float] = []
    sizes: list[int] = []
    for action in actions:
        life = max(life, action.life, key=_GRAVITY.index)
        cores += [] if action.cores is None else [action.cores]
        sizes += [] if action.memory_bytes is None else [action.memory_bytes]
    return InstanceAction(life, min(cores, default=None), min(sizes, default=None))
