import stat
from pathlib import Path

import pytest

from chaoskit.environment.workspace import Workspace


def test_a_workspace_is_private_labelled_and_gone_after_the_run(tmp_path: Path) -> None:
    workspace = Workspace.create("abc123", tmp_path)
    assert workspace.folder == tmp_path / "chaoskit-abc123"
    assert stat.S_IMODE(workspace.folder.stat().st_mode) == 0o700
    assert workspace.label == {"CHAOSKIT_RUN": "abc123", "CHAOSKIT_RUNNER": str(workspace.runner())}
    (workspace.instance_folder("store@east") / "data").write_text("x")
    workspace.remove()
    workspace.remove()
    assert list(tmp_path.iterdir()) == []


def test_two_runs_cannot_share_a_workspace(tmp_path: Path) -> None:
    Workspace.create("abc123", tmp_path)
    with pytest.raises(FileExistsError):
        Workspace.create("abc123", tmp_path)
