"""One child process of the process driver: spawned in a session of its own, logged to a file, stopped by deadline."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chaoskit.environment.contract import Death
from chaoskit.environment.log import tail
from chaoskit.errors import SetupFailed

TERMINATE_TIMEOUT_S: Final = 10.0  # a database writes its cache out first; SIGKILL would leave its shared memory
KILL_TIMEOUT_S: Final = 3.0


class Child:
    """A child process and its log. Its own session makes it a process group, so that its children can be signalled."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.stopping = False
        self._process = process

    @classmethod
    async def spawn(
        cls, name: str, command: Sequence[str], *, environment: Mapping[str, str], directory: Path, log: Path
    ) -> "Child":
        """Start the process with nothing on its standard input and both outputs appended to `log`.

        Raises:
            SetupFailed: the program or the directory does not exist or cannot be used.
        """
        with log.open("ab") as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=directory,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                message = f"{name} cannot be started: {error}; its command is `{' '.join(command)}` in {directory}"
                raise SetupFailed(message) from error
        return cls(name, process, log)

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative where a signal did it; None while it lives."""
        return self._process.returncode

    @property
    def process_id(self) -> int:
        """The process id, which is its process group's id too."""
        return self._process.pid

    async def ended(self) -> Death:
        """Wait until the process has ended, and say how."""
        return Death(self.name, await self._process.wait(), tail(self.log))

    async def stop(self) -> bool:
        """Send the group SIGTERM, after a deadline SIGKILL; return whether the process itself has ended."""
        self.stopping = True
        for number, timeout_s in ((signal.SIGTERM, TERMINATE_TIMEOUT_S), (signal.SIGKILL, KILL_TIMEOUT_S)):
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process_id, number)
                    os.killpg(self.process_id, signal.SIGCONT)  # a paused process heeds SIGTERM only once it goes on
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), timeout_s)
        return self._process.returncode is not None
