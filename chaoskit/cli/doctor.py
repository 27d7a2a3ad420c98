"""`chaoskit doctor`: what is installed, and what will be used."""

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
    for finding in (*_machine(), *_packages(), _toxiproxy(), _docker(), _leftovers()):
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


def _toxiproxy() -> Finding:
    found = shutil.which("toxiproxy-server")
    if found:
        return Finding("toxiproxy-server", found, "used for every link; CHAOSKIT_TOXIPROXY=embedded chooses our own")
    return Finding("toxiproxy-server", "not on PATH", "the embedded Toxiproxy-compatible server is used")


def _docker() -> Finding:
    import docker

    try:
        client = docker.from_env(timeout=2)
        version = client.version()["Version"]
        client.close()
    except docker.errors.DockerException:
        return Finding("docker engine", "none answers", "targets run as processes on loopback")
    return Finding("docker engine", version, "not used by this version; targets run as processes on loopback")


def _leftovers() -> Finding:
    from chaoskit.environment import leftovers

    count = len(leftovers.find())
    return Finding("leftovers", str(count), "`chaoskit clean` removes them" if count else "nothing to clean", not count)
