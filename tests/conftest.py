"""Plug-ins that all tests share."""

pytest_plugins = ["tests.support.golden", "tests.support.requirements"]
