"""A measurement on a busy machine measures the other programs."""

import psutil
import pytest

BUSY_PERCENT = 20.0


def need_quiet() -> None:
    """Skip the test when other programs use more than a fifth of the machine's CPU during one second."""
    busy = psutil.cpu_percent(interval=1.0)
    if busy > BUSY_PERCENT:
        pytest.skip(f"the machine is {busy:.0f} % busy with other things; measure when it is quiet")
