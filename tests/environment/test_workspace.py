import errno
import shutil
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from chaoskit.environment.workspace import Workspace
from chaoskit.errors import RestoreFailed


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


@pytest.mark.parametrize(("failures", "restored"), [(1, True), (9, False)])
def test_a_folder_that_is_still_written_to_is_removed_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, restored: bool
) -> None:
    workspace = Workspace.create("abc123", tmp_path)
    remove, tries = shutil.rmtree, iter(range(failures))

    def rmtree(folder: Path, *, ignore_errors: bool, onerror: Callable[..., object]) -> None:
        if next(tries, None) is not None:
            raise OSError(errno.ENOTEMPTY, "Directory not empty", str(folder))
        remove(folder, ignore_errors=ignore_errors, onerror=onerror)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with nullcontext() if restored else pytest.raises(RestoreFailed, match="delete it by hand"):
        workspace.remove()
    assert workspace.folder.exists() is not restored
