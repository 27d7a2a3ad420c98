"""A Chromium for tests: found on PATH or where Playwright keeps its own, started without any network of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def missing_browser() -> str | None:
    """Return why no browser can be started, or None."""
    return None if _path() else "no chromium on PATH and none installed by Playwright"


def _path() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def browser_is_required() -> bool:
    """Return whether CHAOSKIT_REQUIRE says that a missing browser is a failure and no reason to skip."""
    return "browser" in os.environ.get("CHAOSKIT_REQUIRE", "").split(",")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium and close it at the end."""
    path = _path()
    assert path is not None, missing_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
