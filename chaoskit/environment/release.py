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


def release(run_id: str) -> list[str]:
    """Let all instances of the run go on, harmless where nothing held them; return what could not be released.

    Where no Docker engine answers, no container of the run can be held either.
    """
    failures = []
    for group in find_groups():
        if group.run_id == run_id:
            try:
                group.limit(None, None)
            except FaultFailed as error:
                failures.append(str(error))
    members.resume(run_id)
    try:
        client = containers.connect(containers.ANSWER_TIMEOUT_S)
    except SetupFailed:
        return failures
    try:
        with contextlib.closing(client), containers.saying("containers cannot go on"):
            remains.release_run(client, run_id)
    except SetupFailed as error:
        failures.append(str(error))
    return failures


if __name__ == "__main__":
    sys.exit("\n".join(release(sys.argv[1])) or 0)
