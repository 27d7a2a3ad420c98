"""The `docker compose` command (or `docker-compose`): found, and run under a project name of the run's own."""

import asyncio
import contextlib
import io
import json
import os
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from chaoskit import containers
from chaoskit.errors import SetupFailed, UsageError

PLUGIN: Final = ("docker", "compose")
STANDALONE: Final = ("docker-compose",)
STOP_TIMEOUT_S: Final = 5.0
VERSION_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 60.0
_LAST_WORDS: Final = 8


async def find_command() -> tuple[str, ...]:
    """Return the words that call compose here: the plugin of `docker`, else `docker-compose`.

    Raises:
        SetupFailed: there is neither.
    """
    if shutil.which(PLUGIN[0]):
        with contextlib.suppress(OSError):
            asked = await asyncio.create_subprocess_exec(
                *PLUGIN, "version", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )
            try:
                async with asyncio.timeout(VERSION_TIMEOUT_S):
                    if await asked.wait() == 0:
                        return PLUGIN
            finally:
                await _end(asked)
    if shutil.which(STANDALONE[0]):
        return STANDALONE
    message = "neither `docker compose` nor `docker-compose` is here, which a compose target needs; install one of them"
    raise SetupFailed(message)


class ComposeCommand:
    """Compose on some files under one project name; what it says goes to `log`, and its last words into errors."""

    def __init__(self, words: Sequence[str], project: str, files: Sequence[str], profiles: Sequence[str]) -> None:
        self._words = tuple(words)
        self._project = project
        self._files = tuple(files)
        self._profiles = tuple(profiles)
        self._folder = Path(files[0]).parent

    async def resolve(self) -> dict[str, Any]:
        """Return the files as one, with variables filled in, paths absolute and other files drawn in.

        Raises:
            UsageError: compose refuses them; its words say where.
            SetupFailed: it does not answer in time.
        """
        form = ("--format", "json") if self._words == PLUGIN else ()
        status, said, complaint = await self._call(self._files, READ_TIMEOUT_S, "config", *form)
        if status:
            message = (
                f"{', '.join(self._files)} is no valid compose file: {_last_words(complaint) or _last_words(said)}"
            )
            raise UsageError(message)
        resolved = json.loads(said) if form else _read_yaml_1_1(said)
        if not isinstance(resolved, dict) or not isinstance(resolved.get("services"), dict):
            raise UsageError(f"{', '.join(self._files)} has no services; name a compose file that has")
        return resolved

    async def run(self, file: Path, log: Path, timeout_s: float, *arguments: str) -> None:
        """Run one of compose's commands on `file`, a resolved one; when cancelled, compose is stopped first.

        Raises:
            SetupFailed: it fails, or has not ended after `timeout_s`; the sentence quotes the end of what it said.
        """
        status, said, complaint = await self._call([str(file)], timeout_s, *arguments)
        with log.open("a", encoding="utf-8") as output:
            output.write(f"$ {' '.join((*self._words, *arguments))}\n{said}{complaint}")
        if status:
            what = " ".join((*self._words, *arguments))
            raise SetupFailed(f"`{what}` failed: {_last_words(complaint) or _last_words(said) or f'status {status}'}")

    async def _call(self, files: Sequence[str], timeout_s: float, *arguments: str) -> tuple[int, str, str]:
        options = ["--project-name", self._project, "--project-directory", str(self._folder), "--ansi", "never"]
        for file in files:
            options += ["--file", file]
        for profile in self._profiles:
            options += ["--profile", profile]
        process = await asyncio.create_subprocess_exec(
            *self._words,
            *options,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._folder,
            env={
                **os.environ,
                **containers.environment(),
                "COMPOSE_PARALLEL_LIMIT": os.environ.get("COMPOSE_PARALLEL_LIMIT", "4"),
            },
            start_new_session=True,  # Ctrl-C is for the runner, which takes down what came up
        )
        try:
            async with asyncio.timeout(timeout_s):
                said, complaint = await process.communicate()
        except TimeoutError:
            what = " ".join((*self._words, *arguments))
            message = f"`{what}` has not ended after {timeout_s:g}s; run it by hand to see what it waits for"
            raise SetupFailed(message) from None
        finally:
            await _end(process)
        return process.returncode or 0, said.decode(errors="replace"), complaint.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    for stop in (process.terminate, process.kill):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                stop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)


def _read_yaml_1_1(text: str) -> Mapping[str, Any]:
    """Read what `docker-compose` writes: YAML 1.1, in which a bare `1e3` is text."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    try:
        return yaml.load(io.StringIO(text))  # type: ignore[no-any-return]
    except YAMLError as error:
        message = f"compose wrote what cannot be read: {error}"
        raise SetupFailed(message) from error


def _last_words(text: str) -> str:
    lines = deque((line.strip() for line in text.splitlines() if line.strip()), maxlen=_LAST_WORDS)
    return " / ".join(lines)
