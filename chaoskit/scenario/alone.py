"""A target without a scenario: the shortest scenario there is, one quiet second long."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from chaoskit.errors import UsageError
from chaoskit.scenario.builtin import find_target, target_names
from chaoskit.scenario.loader import Loaded, load
from chaoskit.scenario.problems import did_you_mean


def load_target(name: str, *, regions: Sequence[str] = (), overrides: Mapping[str, str] | None = None) -> Loaded:
    """Read and check the target called `name` (a built-in one, or the path of a target.yaml), to bring it up alone.

    Raises:
        UsageError: there is no such target.
        InvalidFile: its manifest has problems.
    """
    path = Path(name) if "/" in name or name.endswith((".yaml", ".yml")) else find_target(name, ())
    if path is None or not path.is_file():
        message = f"there is no target {name!r}{did_you_mean(name, target_names(()))}"
        raise UsageError(message)
    scenario = {
        "version": 1,
        "name": "up",
        "target": {"use": str(path.resolve()), "regions": list(regions)},
        "load": {"nothing": {"request": {"path": "/"}, "rate": "0/s"}},
        "phases": [{"up": {"for": "1s"}}],
    }
    with tempfile.TemporaryDirectory(prefix="chaoskit-") as folder:
        file = Path(folder) / "up.yaml"
        file.write_text(json.dumps(scenario), encoding="utf-8")
        return load(file, overrides=overrides)
