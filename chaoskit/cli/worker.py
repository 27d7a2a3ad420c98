"""`chaoskit worker`: make load for a run on another machine."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import chaoskit
from chaoskit.address import Address
from chaoskit.cli.console import ERR
from chaoskit.errors import UsageError


def worker(
    master: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where `chaoskit run --expect-workers` listens.")],
) -> None:
    """Make load for a run on another machine, as a Locust worker; ends with that run.

    It plays what that run says, flows and locustfiles of this machine included: connect it only to runs of yours, over
    a network that you trust (Locust's protocol is neither encrypted nor authenticated).
    """
    try:
        address = Address.parse(master)
    except ValueError as error:
        raise UsageError(f"--master: {error}") from error
    ERR.print(f"making load for the run at {address}, or waiting for it; Ctrl-C ends this worker", markup=False)
    root = str(Path(chaoskit.__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    # Locust patches the process that imports it, so this one becomes the worker and keeps nothing of what it was.
    command = [sys.executable, "-m", "chaoskit.load.worker", str(address)]
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": paths})  # noqa: S606
