from pathlib import Path

import pytest

from chaoskit.errors import SetupFailed
from chaoskit.faults.server import start_server
from tests.faults.support import plan_of


async def test_a_program_that_cannot_be_executed_fails_the_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "toxiproxy-server"
    program.write_bytes(b"\x7fELF of another architecture")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupFailed, match=r"toxiproxy-server cannot be started: .*Exec format"):
        await start_server(plan_of(), prefer="real", log=tmp_path / "proxy.log", environment={"PATH": str(tmp_path)})
