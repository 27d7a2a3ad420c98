"""`chaoskit worker` plays in tests/load/test_remote.py; here is what it refuses."""

import pytest

from tests.cli.conftest import Call


@pytest.mark.parametrize("master", ["here", "127.0.0.1:", "127.0.0.1:99999"])
def test_a_master_that_is_no_address_is_a_usage_error(chaoskit: Call, master: str) -> None:
    said = chaoskit("worker", "--master", master)
    assert (said.returncode, "is not an address" in said.stderr) == (2, True)
