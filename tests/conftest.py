"""What all tests share: plug-ins, and targets that come up as processes."""

import os

import pytest

pytest_plugins = ["tests.support.golden", "tests.support.requirements", "tests.support.tls_server"]


def pytest_configure(config: pytest.Config) -> None:
    """Let `auto` mean processes, also in the commands that tests start: an engine that answers changes no test.

    A test that wants containers says so (`--driver docker`), which goes first.
    """
    os.environ["CHAOSKIT_DRIVER"] = "process"
