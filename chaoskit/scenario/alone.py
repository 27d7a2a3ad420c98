"""A target without a scenario: the shortest scenario there is, one quiet second long."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from chaoskit.errors import UsageError
from chaoskit.scenario.builtin import OWN_FOLDERS, find_target, target_names
from chaoskit.scenario.document import Document
from chaoskit.scenario.files import is_file
from chaoskit.scenario.loader import Loaded, Options, load_document
from chaoskit.scenario.problems import did_you_mean


def load_target(name: str, *, regions: Sequence[str] = (), overrides: Mapping[str, str] | None = None) -> Loaded:
    """Read and check the target called `name` (or the path of a target.yaml), to bring it up alone.

    Raises:
        UsageError: there is no such target.
        InvalidFile: its manifest or the overrides have problems.
    """
    path = Path(name) if "/" in name or name.endswith((".yaml", ".yml")) else find_target(name, OWN_FOLDERS)
    if path is None or not is_file(path):
        message = f"there is no target {name!r}{did_you_mean(name, target_names(OWN_FOLDERS))}"
        raise UsageError(message)
    scenario = {
        "version": 1,
        "name": "up",
        "target": {"use": str(path.resolve()), "regions": list(regions)},
        "load": {"nothing": {"request": {"path": "/"}, "rate": "0/s"}},
        "phases": [{"up": {"for": "1s"}}],
    }
    return load_document(Document("chaoskit up", scenario), path.resolve(), Options(overrides=overrides or {}))
