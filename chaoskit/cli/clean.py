"""`chaoskit clean`: remove what a killed run left behind, and only that."""

from chaoskit.cli.console import OUT
from chaoskit.errors import RestoreFailed


def clean() -> None:
    """Remove what runs left whose runner is no longer alive: processes, containers, networks, volumes, folders."""
    from chaoskit.environment import leftovers

    removal = leftovers.remove(leftovers.find())
    for sentence in removal.done:
        OUT.print(sentence, markup=False)
    if removal.failed:
        raise RestoreFailed("; ".join(removal.failed))
    if not removal.done:
        OUT.print("nothing was left behind")
