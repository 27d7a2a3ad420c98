"""The wheel holds everything: installed into an empty folder, far from any checkout, it lists and checks scenarios."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pip(*arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, *quiet], check=False, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which chaoskit is installed, with somebody else's `targets` and `scenarios` beside it."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip("wheel", str(ROOT), "--no-build-isolation", "--wheel-dir", str(wheels))
    (wheel,) = wheels.glob("chaoskit-*.whl")
    pip("install", "--target", str(site), str(wheel))
    for name in ("targets", "scenarios"):
        (site / name).mkdir()
    return site


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--json"], ["smoke", "liquidation-cascade", "exchange"]),
        (["validate", "smoke"], ["smoke: valid"]),
        (["plan", "liquidation-cascade"], ["liquidation-cascade"]),
        (["init", "mine"], ["mine"]),
    ],
)
def test_an_installed_package_brings_its_scenarios(
    installed: Path, tmp_path: Path, arguments: list[str], said: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chaoskit", *arguments],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for part in said:
        assert part in done.stdout
    if arguments[0] == "list":
        assert json.loads(done.stdout)["targets"] == ["exchange"]


def test_nothing_but_the_package_and_its_data_is_installed(installed: Path) -> None:
    package = installed / "chaoskit"
    assert (package / "py.typed").is_file()
    assert (package / "builtin" / "targets" / "exchange" / "target.yaml").is_file()
    assert (package / "report" / "templates" / "page.html.j2").is_file()
    assert not (installed / "tests").exists()
