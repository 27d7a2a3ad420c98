"""The two consoles of the command line: results go to standard output, everything else to standard error."""

from typing import Final

from rich.console import Console

OUT: Final = Console(soft_wrap=True, highlight=False)
ERR: Final = Console(stderr=True, soft_wrap=True, highlight=False)
