"""The command line: the only place that prints, reads arguments and exits (layer 7)."""

from chaoskit.cli.main import main

__all__ = ["main"]
