"""The two consoles of the command line: results go to standard output, everything else to standard error."""

import os
import sys
from typing import Final

from rich.console import Console


class Output(Console):
    """A console that outlives its reader: what is written after `| head` has gone is lost, and nothing else happens."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from here on; the command goes on and ends with its own exit code."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())  # what is buffered still must go somewhere at exit
        os.close(nowhere)


# A file or a pipe has no width; 80 columns there would cut paths in two.
_PIPE_COLUMNS: Final = 1000
_columns: Final = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_COLUMNS
OUT: Final = Output(width=_columns, soft_wrap=True, highlight=False, emoji=False)
ERR: Final = Output(stderr=True, soft_wrap=True, highlight=False, emoji=False)


def print_json(text: str) -> None:
    """Write JSON to standard output as it is, character for character."""
    OUT.out(text, highlight=False, end="" if text.endswith("\n") else "\n")
