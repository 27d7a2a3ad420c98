"""The lease: faults are lifted even if the runner is killed.

A small process of its own (`python -m chaoskit.faults.lease FILE`) holds one end of a pipe. The runner writes into FILE
which proxies it has made, and says goodbye over the pipe when it has healed them. A pipe that ends without a goodbye
means that the runner is dead: then every proxy is deleted and made anew, without toxics, the command that releases the
components (paused ones go on, limits are lifted) is run, and FILE says how that went.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chaoskit.address import Address
from chaoskit.errors import FaultFailed, SetupFailed

GOODBYE: Final = b"goodbye\n"
END_BOUND_S: Final = 3.0
RESTORE_BOUND_S: Final = 30.0
TRIES: Final = 3
CoveredProxy = tuple[str, Address, Address]


class Lease:
    """The runner's end: start it before the first proxy, `cover` the proxies, then `release` or `abandon`."""

    def __init__(self, file: Path, process: asyncio.subprocess.Process, release: Sequence[str] = ()) -> None:
        self.file = file
        self._process = process
        self._release = tuple(release)

    @classmethod
    async def start(
        cls, file: Path, environment: Mapping[str, str] | None = None, release: Sequence[str] = ()
    ) -> "Lease":
        """Start the lease's process; `file` is where the covered proxies are written.

        `release` is the driver's command that undoes component faults; none where there can be none.

        Raises:
            SetupFailed: the process cannot be started.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "chaoskit.faults.lease",
                str(file),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env=None if environment is None else dict(environment),
                start_new_session=True,  # Ctrl-C is for the runner
            )
        except OSError as error:
            message = f"the lease that lifts faults if the run is killed did not start: {error}"
            raise SetupFailed(message) from error
        return cls(file, process, release)

    @property
    def process_id(self) -> int:
        """The lease's process."""
        return self._process.pid

    def cover(self, url: str, proxies: Sequence[CoveredProxy]) -> None:
        """Put on disk which proxies (name, listen, upstream) of the server at `url` to restore."""
        rows = [{"name": name, "listen": str(listen), "upstream": str(upstream)} for name, listen, upstream in proxies]
        _write(self.file, {"url": url, "proxies": rows, "release": self._release})

    async def release(self) -> None:
        """Say goodbye: the links are healed. The process ends and the file goes; a second call changes nothing."""
        await self._end(GOODBYE, END_BOUND_S)
        self.file.unlink(missing_ok=True)

    async def abandon(self) -> None:
        """Go without a goodbye: links are left unhealed, and the process restores them; its file says how that went."""
        await self._end(b"", RESTORE_BOUND_S)

    async def _end(self, words: bytes, bound_s: float) -> None:
        if self._process.returncode is None and self._process.stdin is not None:
            try:
                self._process.stdin.write(words)
                self._process.stdin.close()
                await asyncio.wait_for(self._process.wait(), bound_s)
            except (TimeoutError, ConnectionError):
                self._process.kill()
                await self._process.wait()


async def restore(url: str, proxies: Sequence[Mapping[str, str]]) -> list[str]:
    """Delete and re-create proxies (`name`, `listen`, `upstream`); return what could not be restored."""
    from chaoskit.faults.toxiproxy import ToxiproxyClient

    parts = urlsplit(url)
    client = ToxiproxyClient(Address(parts.hostname or "", parts.port or 0))
    failures = []
    for proxy in proxies:
        for attempt in range(TRIES):
            try:
                await client.recreate(proxy["name"], Address.parse(proxy["listen"]), Address.parse(proxy["upstream"]))
                break
            except FaultFailed as error:
                if attempt == TRIES - 1:
                    failures.append(f"{proxy['name']}: {error}")
    return failures


def hold(file: Path) -> None:
    """Wait for the end of standard input; restore what `file` covers unless it ended with a goodbye."""
    if sys.stdin.buffer.read().endswith(GOODBYE) or not file.exists():
        return
    covered = json.loads(file.read_text())
    failures = [*asyncio.run(restore(covered["url"], covered["proxies"])), *_run(covered["release"])]
    _write(file, {**covered, "restored": not failures, "failures": failures})


def _run(command: Sequence[str]) -> list[str]:
    """Run the command that releases components; return what came in its way."""
    if not command:
        return []
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=RESTORE_BOUND_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"components: {error}"]
    return [] if done.returncode == 0 else [f"components: {done.stderr.strip()}"]


def _write(file: Path, content: Mapping[str, object]) -> None:
    beside = file.with_name(f"{file.name}.new")
    beside.write_text(json.dumps(content, indent=2) + "\n")
    beside.replace(file)


if __name__ == "__main__":
    hold(Path(sys.argv[1]))
