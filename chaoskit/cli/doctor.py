"""`chaoskit doctor`: what is installed, and what will be used."""

import asyncio
import os
import platform
import resource
import shutil
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from chaoskit import __version__
from chaoskit.cli.console import OUT

# Two ends of a connection per arrival in flight, and log files, pipes and pools besides.
_WANTED_FILES = 4096


class Finding(NamedTuple):
    """One line: what was looked at, what was found, what follows from it."""

    subject: str
    found: str
    follows: str
    well: bool = True


def doctor() -> None:
    """Show what is installed here and what a run will use."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "what", "found", "what follows"):
        table.add_column(heading, overflow="fold")
    for finding in (*_machine(), *_packages(), _engine(), _compose(), _limits(), _toxiproxy(), _leftovers()):
        table.add_row(*map(Text, ("✓" if finding.well else "!", finding.subject, finding.found, finding.follows)))
    OUT.print(table)


def _machine() -> Iterator[Finding]:
    import psutil

    cores = os.cpu_count() or 1
    memory_gib = psutil.virtual_memory().total / 2**30
    yield Finding("chaoskit", __version__, f"Python {platform.python_version()} on {platform.system()}")
    yield Finding(
        "cores", str(cores), "target, proxy and load share them; the report says when they ran out", cores > 1
    )
    yield Finding("memory", f"{memory_gib:.1f} GiB", "the built-in exchange needs about 1 GiB", memory_gib >= 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(_WANTED_FILES, hard)
    yield Finding("open files", f"{soft} of {hard}", f"a surge wants {wanted}: `ulimit -n {wanted}`", soft >= wanted)


def _packages() -> Iterator[Finding]:
    for name in ("locust", "toxiproxy-python"):
        yield Finding(name, metadata.version(name), "load" if name == "locust" else "the client of every fault proxy")


def _compose() -> Finding:
    from chaoskit.environment.compose.command import find_command
    from chaoskit.errors import SetupFailed

    try:
        words = asyncio.run(find_command())
    except SetupFailed:
        return Finding("compose", "not here", "a target with a compose file needs `docker compose` or `docker-compose`")
    return Finding("compose", " ".join(words), "brings up targets with a compose file")


def _engine() -> Finding:
    from chaoskit import containers
    from chaoskit.environment.choice import CHOICE_VARIABLE
    from chaoskit.errors import SetupFailed

    asked = os.environ.get(CHOICE_VARIABLE)
    by_variable = f"{CHOICE_VARIABLE}={asked} decides how targets come up" if asked else ""
    try:
        version = containers.version()
    except SetupFailed as error:
        return Finding("Docker engine", str(error), by_variable or "targets come up as processes on loopback")
    follows = "targets whose components all have a container come up in it; `--driver process` chooses otherwise"
    return Finding("Docker engine", version, by_variable or follows)


def _limits() -> Finding:
    from chaoskit.environment.control_group import ControlGroup
    from chaoskit.environment.identity import Runner
    from chaoskit.errors import SetupFailed

    try:
        group = ControlGroup.create("doctor", Runner.current(), "probe")
    except SetupFailed as error:
        return Finding("process limits", "none", f"`cpu_limit` and `memory_limit`: {error}")
    group.remove()
    follows = "`cpu_limit` and `memory_limit` work on processes too"
    return Finding("process limits", f"control groups, version {group.version}", follows)


def _toxiproxy() -> Finding:
    from chaoskit.errors import SetupFailed
    from chaoskit.faults.server import IMAGE, PROGRAM, choose

    try:
        chosen = choose()
    except SetupFailed as error:
        return Finding("Toxiproxy", "not as asked", str(error), well=False)
    found = {
        "url": chosen.url,
        "real": shutil.which(PROGRAM) or PROGRAM,
        "image": IMAGE,
        "embedded": "the embedded server",
    }[chosen.kind]
    return Finding("Toxiproxy", found, f"used for every link: {chosen.why}")


def _leftovers() -> Finding:
    from chaoskit.environment import leftovers

    count = len(leftovers.find())
    return Finding("leftovers", str(count), "`chaoskit clean` removes them" if count else "nothing to clean", not count)
