"""`chaoskit clean`: remove what a killed run left behind, and only that."""

from chaoskit.cli.console import OUT


def clean() -> None:
    """Remove what runs left whose runner is no longer alive: processes, containers, networks, volumes, folders."""
    from chaoskit.environment import leftovers

    removed = leftovers.remove(leftovers.find())
    for sentence in removed:
        OUT.print(sentence, markup=False)
    if not removed:
        OUT.print("nothing was left behind")
