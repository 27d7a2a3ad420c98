"""Shared by all tests: a need of the machine is a marker, and a missing need is never a silent pass.

A test marked `toxiproxy`, `toxiproxy_image`, `browser` or `docker` is skipped, with the reason, where that is missing;
where the environment variable CHAOSKIT_REQUIRE names it (`CHAOSKIT_REQUIRE=toxiproxy,docker`), the test fails instead.
"""

import os
import shutil
from collections.abc import Callable

import pytest


def _missing_toxiproxy() -> str | None:
    missing = [name for name in ("toxiproxy-server", "toxiproxy-cli") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not on PATH" if missing else None


def _missing_browser() -> str | None:
    return None if shutil.which("chromium") else "chromium is not on PATH"


def _missing_docker() -> str | None:
    from chaoskit import containers

    return None if containers.answers() else "no Docker engine answers"


def _missing_toxiproxy_image() -> str | None:
    from chaoskit.faults.server import IMAGE, image

    return None if image.present() else f"no Docker engine on this machine's network has {IMAGE}"


_PROBES: dict[str, Callable[[], str | None]] = {
    "toxiproxy": _missing_toxiproxy,
    "toxiproxy_image": _missing_toxiproxy_image,
    "browser": _missing_browser,
    "docker": _missing_docker,
}
_missing: dict[str, str | None] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that share the one Docker engine run one after another, where others run side by side."""
    for item in items:
        if item.get_closest_marker("docker") or item.get_closest_marker("toxiproxy_image"):
            item.add_marker(pytest.mark.xdist_group("docker"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("CHAOSKIT_REQUIRE", "").split(",")
    for need, probe in _PROBES.items():
        if item.get_closest_marker(need) is None:
            continue
        if need not in _missing:
            _missing[need] = probe()
        reason = _missing[need]
        if reason is None:
            continue
        if need in required:
            pytest.fail(f"CHAOSKIT_REQUIRE names {need}, but {reason}", pytrace=False)
        pytest.skip(reason)
