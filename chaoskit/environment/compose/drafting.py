"""From a compose file on the disk to the drafts of a target and a scenario: compose reads it, the engine is asked."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from chaoskit import containers
from chaoskit.environment.compose.command import ComposeCommand, find_command
from chaoskit.environment.compose.draft import Draft, draft, to_name
from chaoskit.environment.compose.survey import ImagePorts, survey
from chaoskit.errors import SetupFailed, UsageError

ASK_TIMEOUT_S: Final = 2.0


def draft_of(file: Path, target: Path) -> Draft:
    """Return the drafts for the compose file `file`, of a target that will stand at `target`.

    Raises:
        UsageError: the file is not there, compose refuses it, or none of its services can be a component.
        SetupFailed: there is no compose command to read it with.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}; check the path of the compose file")
    resolved = asyncio.run(_resolved(file.resolve()))
    with _image_ports() as image_ports:
        found = survey(resolved["services"], image_ports)
    if not any(service.ports for service in found):
        raise UsageError(f"no service of {file} has a port that can be found; add `ports` or `expose` to it")
    folder = target.resolve().parent
    name = to_name(file.resolve().parent.name)
    return draft(name, os.path.relpath(file.resolve(), folder), found, target.name)


async def _resolved(file: Path) -> dict[str, dict[str, dict[str, object]]]:
    return await ComposeCommand(await find_command(), "chaoskit-draft", [str(file)], ()).resolve()


@contextmanager
def _image_ports() -> Iterator[ImagePorts]:
    """Yield what asks the engine for the ports that an image exposes; no engine, or no such image, has none."""
    try:
        client = containers.connect(ASK_TIMEOUT_S)
    except SetupFailed:
        yield lambda _image: ()
        return

    def ports(image: str) -> tuple[int, ...]:
        with suppress(SetupFailed), containers.saying("image unknown"):
            exposed = client.images.get(image).attrs["Config"].get("ExposedPorts") or {} if image else {}
            return tuple(int(port.partition("/")[0]) for port in exposed if port.endswith("/tcp"))
        return ()

    try:
        yield ports
    finally:
        client.close()
