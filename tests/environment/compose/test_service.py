"""What one service needs of others, however the file says it."""

from typing import Any

import pytest

from chaoskit.environment.compose.service import conditions, needs


@pytest.mark.parametrize(
    "service",
    [
        {"depends_on": ["db"]},
        {"depends_on": {"db": {"condition": "service_healthy"}}},
        {"links": ["db:sql"]},
        {"network_mode": "service:db"},
        {"ipc": "service:db"},
        {"pid": "service:db"},
        {"volumes_from": ["db:ro"]},
    ],
)
def test_what_a_service_needs_starts_before_it(service: dict[str, Any]) -> None:
    assert needs("api", {"api": service, "db": {"depends_on": ["disk"]}, "disk": {}}) == {"db", "disk"}


@pytest.mark.parametrize(
    "service",
    [{"network_mode": "host"}, {"volumes_from": ["container:db"]}, {"depends_on": {"gone": {"required": False}}}],
)
def test_what_is_no_service_of_the_file_is_not_needed(service: dict[str, Any]) -> None:
    assert needs("api", {"api": service, "db": {}}) == set()


def test_a_name_alone_wants_a_start_only() -> None:
    assert conditions({"depends_on": ["db"]}) == {"db": "service_started"}
    assert conditions({"depends_on": {"db": {"condition": "service_healthy"}, "job": None}}) == {
        "db": "service_healthy",
        "job": "service_started",
    }
    assert conditions({}) == {}
