"""`chaoskit init --from-compose`: two files that can be played, or one sentence."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Call

BAZAAR = Path(__file__).parents[1] / "support" / "bazaar"
FILE = """\
services:
  front: {image: nginx, ports: ["8080:80"], environment: {STORE: "http://store:7000"}}
  store: {image: store}
"""

needs_compose = pytest.mark.skipif(
    shutil.which("docker-compose") is None and shutil.which("docker") is None, reason="no compose command is here"
)


@needs_compose
def test_a_draft_is_valid_and_never_overwritten(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yaml").write_text(FILE)
    said = chaoskit("init", "--from-compose", "docker-compose.yaml")
    assert said.returncode == 0, said.stderr
    assert "chaoskit run first-day.yaml" in said.stdout
    assert chaoskit("validate", "target.yaml").returncode == 0
    valid = chaoskit("validate", "first-day.yaml")
    assert "valid; 45 s, 1 stream, 1 fault" in valid.stdout
    assert "latency" in chaoskit("plan", "first-day.yaml").stdout
    again = chaoskit("init", "--from-compose", "docker-compose.yaml")
    assert again.returncode == 2
    assert "target.yaml and first-day.yaml exist already" in again.stderr


@needs_compose
def test_a_draft_may_go_elsewhere(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yaml").write_text(FILE)
    assert chaoskit("init", "--from-compose", "docker-compose.yaml", "--output", "stress/shop.yaml").returncode == 0
    assert chaoskit("validate", "stress/shop-day.yaml").returncode == 0
    assert "file: ../docker-compose.yaml" in (tmp_path / "stress" / "shop.yaml").read_text()


@needs_compose
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "there is no file docker-compose.yaml; check the path of the compose file"),
        ("services: {", "is no valid compose file"),
        ("services: {a: {image: x, prts: [1]}}", "is no valid compose file"),
        ("just text", "is no valid compose file"),
        ("services: {job: {image: x}}", "no service of docker-compose.yaml has a port that can be found; add"),
        ("services: {job: {image: x, environment: {A: '${MISSING:?say it}'}}}", "say it"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(chaoskit: Call, tmp_path: Path, text: str | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / "docker-compose.yaml").write_text(f"{text}\n")
    said = chaoskit("init", "--from-compose", "docker-compose.yaml")
    assert said.returncode == 2
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / "target.yaml").exists()


@pytest.mark.parametrize("arguments", [(), ("folder", "--from-compose", "x.yaml"), ("folder", "--output", "x.yaml")])
def test_it_is_one_or_the_other(chaoskit: Call, arguments: tuple[str, ...]) -> None:
    said = chaoskit("init", *arguments)
    assert said.returncode == 2
    assert "--from-compose" in said.stderr


def test_without_compose_it_says_what_to_install(
    chaoskit: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker-compose.yaml").write_text(FILE)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = chaoskit("init", "--from-compose", "docker-compose.yaml")
    assert said.returncode == 5
    assert "neither `docker compose` nor `docker-compose` is here" in said.stderr
