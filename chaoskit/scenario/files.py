"""Whether what a file names is there. A name that no file can have (too long), or one out of reach, is not."""

from pathlib import Path


def is_file(path: Path) -> bool:
    """Return whether `path` is a file that can be seen from here."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder that can be seen from here."""
    try:
        return path.is_dir()
    except OSError:
        return False
