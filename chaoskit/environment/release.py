"""`python -m chaoskit.environment.release RUN`: undoes what component faults did in a run whose runner died.

Paused processes and containers go on and limits on processes are lifted; what was ended stays so, for nobody is left
who could use it. The lease of the fault plane runs this as a program of its own.
"""

import contextlib
import sys

from chaoskit import containers
from chaoskit.environment import members
from chaoskit.environment.control_group import find_groups
from chaoskit.environment.docker import remains
from chaoskit.errors import FaultFailed, SetupFailed


def command(run_id: str) -> list[str]:
    """Return the command that releases the instances of a run."""
    return [sys.executable, "-m", "chaoskit.environment.release", run_id]


def release(run_id: str) -> None:
    """Let all instances of the run go on; harmless where nothing held them.

    Where no Docker engine answers, no container of the run can be held either.
    """
    for group in find_groups():
        if group.run_id == run_id:
            with contextlib.suppress(FaultFailed):
                group.limit(None, None)
    members.resume(run_id)
    with contextlib.suppress(SetupFailed):
        client = containers.connect(containers.ANSWER_TIMEOUT_S)
        with contextlib.closing(client), containers.saying("containers cannot go on"):
            remains.release_run(client, run_id)


if __name__ == "__main__":
    release(sys.argv[1])
