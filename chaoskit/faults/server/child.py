"""What Toxiproxy servers have in common that are child processes of the run."""

import asyncio
from abc import abstractmethod

from chaoskit.errors import SetupFailed
from chaoskit.faults.server.own import STOP_BOUND_S, OwnServer


class ChildServer(OwnServer):
    """A server that is a process; what it prints goes to the launch's log."""

    _process: asyncio.subprocess.Process | None = None

    @property
    def process_id(self) -> int | None:
        """The server's process."""
        return self._process.pid if self._process is not None else None

    async def stop(self) -> None:
        """Ask the process to end, and end it by force where it does not."""
        self._ports.release_all()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_BOUND_S)
        except TimeoutError:
            await self._kill()

    @abstractmethod
    def _command(self, port: int) -> list[str]:
        """Return the command of a server with its API on `port`."""

    async def _begin(self, port: int) -> None:
        environment = {"LOG_LEVEL": "warn", **self._launch.environment}  # its default tells of every chunk that passes
        with self._launch.log.open("ab") as log:
            # a session of its own: Ctrl-C reaches the runner alone, which heals the links before the server goes
            command = self._command(port)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdout=log, stderr=log, env=environment, start_new_session=True
                )
            except OSError as error:  # of another architecture, or not to be executed
                message = f"{self.name} cannot be started: {error}; mend {command[0]}, or remove it"
                raise SetupFailed(message) from error

    async def _ended(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    async def _kill(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
