"""How the reader calls this program, for the commands that we print for them to type."""

import shutil
import sys
from pathlib import Path

_NAME = "chaoskit"


def program() -> str:
    """Return `chaoskit` where that is on PATH, else what was typed to get here."""
    typed = Path(sys.argv[0])
    if shutil.which(_NAME):
        return _NAME
    return "python -m chaoskit" if typed.name == "__main__.py" else str(typed)
