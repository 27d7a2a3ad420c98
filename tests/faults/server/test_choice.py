from collections.abc import Mapping
from pathlib import Path

import pytest

from chaoskit.errors import SetupFailed
from chaoskit.faults.server import Choice, choose, start_server
from tests.faults.support import plan_of

URL = "http://127.0.0.1:8474"


@pytest.fixture
def on_path(tmp_path: Path) -> Mapping[str, str]:
    """An environment whose PATH holds nothing but a `toxiproxy-server`."""
    program = tmp_path / "toxiproxy-server"
    program.touch(mode=0o755)
    return {"PATH": str(tmp_path)}


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


def test_the_scenarios_url_comes_first(on_path: Mapping[str, str]) -> None:
    assert choose(URL, environment=on_path) == Choice("url", "the scenario names it", URL)


def test_the_program_on_path_comes_second(on_path: Mapping[str, str]) -> None:
    assert choose(environment=on_path) == Choice("real", "toxiproxy-server is on PATH")


@pytest.mark.toxiproxy_image
def test_the_image_comes_third_where_an_engine_has_it() -> None:
    chosen = choose(environment={"PATH": ""})
    assert (chosen.kind, chosen.why.startswith("no toxiproxy-server on PATH")) == ("image", True)


@pytest.mark.docker
def test_an_image_that_no_engine_has_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaoskit.faults.server.image.IMAGE", "chaoskit/nobody-has-it:0")
    assert choose(environment={"PATH": ""}).kind == "embedded"


def test_the_embedded_server_comes_last(no_engine: None) -> None:
    why = "neither toxiproxy-server on PATH nor its image in a Docker engine"
    assert choose(environment={"PATH": ""}) == Choice("embedded", why)


@pytest.mark.parametrize("kind", ["real", "image", "embedded"])
def test_the_environment_asks_for_a_kind(kind: str, on_path: Mapping[str, str]) -> None:
    chosen = choose(URL, "embedded", {**on_path, "CHAOSKIT_TOXIPROXY": kind})
    assert (chosen.kind, chosen.why) == (kind, "CHAOSKIT_TOXIPROXY asks for it")


def test_the_environment_names_a_url(on_path: Mapping[str, str]) -> None:
    chosen = choose("http://127.0.0.1:1", environment={**on_path, "CHAOSKIT_TOXIPROXY": URL})
    assert chosen == Choice("url", "CHAOSKIT_TOXIPROXY asks for it", URL)


@pytest.mark.parametrize(
    ("prefer", "said"),
    [
        ("magic", "'magic' is no Toxiproxy server to use; say auto, real, image, embedded or a URL"),
        ("real", "toxiproxy-server is not on PATH; install it, or use the embedded server"),
    ],
)
async def test_a_server_that_cannot_be_had_fails_the_set_up(prefer: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SetupFailed) as caught:
        await start_server(plan_of(), prefer=prefer, log=tmp_path / "proxy.log", environment={"PATH": ""})
    assert str(caught.value) == said
