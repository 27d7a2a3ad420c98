"""One running exchange for the tests that do not harm it."""

from collections.abc import Iterator

import pytest

from tests.support.exchange import RunningExchange, running_exchange


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """Positions, engine and gateway with 200 accounts."""
    with running_exchange(tmp_path_factory.mktemp("exchange"), "--accounts=200") as running:
        yield running
