"""Images: one for one content, built once, with the words of the step that fails."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest

from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.docker.images import Images, Recipe
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import PlannedBuild, PlannedContainer
from tests.support.silent_registry import silent_registry

FROM = "ARG BASE=python:3.13-slim\nFROM ${BASE}\n"


def recipe_of(folder: Path, **arguments: str) -> Recipe:
    return Recipe.read(PlannedBuild(str(folder), args=arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build context with a file that counts and files that do not."""
    (tmp_path / "Dockerfile").write_text(f"{FROM}ARG COLOUR\nCOPY . /app\n")
    (tmp_path / "app.py").write_text("print(1)\n")
    (tmp_path / ".dockerignore").write_text("# what is not needed\n**/__pycache__\n*.md\n!kept.md\n")
    return tmp_path


def test_the_tag_holds_what_the_image_is_made_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAOSKIT_BUILD_ARGS", raising=False)
    tag = recipe_of(folder).tag("shop")
    assert tag.startswith("chaoskit/shop:")
    os.utime(folder / "app.py", (1, 1))
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.pyc").write_bytes(b"x")
    (folder / "README.md").write_text("x")
    assert recipe_of(folder).tag("shop") == tag
    assert recipe_of(folder, COLOUR="red").tag("shop") != tag
    (folder / "app.py").chmod(0o755)
    executable = recipe_of(folder).tag("shop")
    assert executable != tag
    (folder / "app.py").chmod(0o644)
    (folder / "kept.md").write_text("x")
    assert recipe_of(folder).tag("shop") not in {tag, executable}


def test_the_machine_changes_only_arguments_that_are_declared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOSKIT_BUILD_ARGS", "BASE=mirror/python:3 OTHER=1")
    assert recipe_of(folder, COLOUR="red").arguments == {"BASE": "mirror/python:3", "COLOUR": "red"}


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupFailed, match=r"nowhere cannot be built as an image: .*Dockerfile"):
        recipe_of(tmp_path / "nowhere")


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    recipe = recipe_of(folder)
    (folder / "app.py").unlink()
    with pytest.raises(SetupFailed, match=r"cannot be built as an image: .*app\.py"):
        recipe.tag("shop")


@pytest.fixture
async def connected() -> AsyncIterator[Engine]:
    engine = await Engine.connect()
    yield engine
    await engine.settle()
    engine.close()


@pytest.fixture
async def built(folder: Path, connected: Engine) -> AsyncIterator[list[str]]:
    """Tags that are removed after the test."""
    tags = [recipe_of(folder).tag("test")]
    yield tags
    client: docker.DockerClient = connected.client
    for tag in tags:
        if client.images.list(name=tag):
            client.images.remove(tag)


@pytest.mark.docker
async def test_an_image_is_built_once(folder: Path, connected: Engine, built: list[str]) -> None:
    said: list[str] = []
    container = PlannedContainer(build=PlannedBuild(str(folder)))
    images = Images(connected, "test", said.append)
    image = await images.provide(container)
    (folder / "app.py").write_text("print(2)\n")
    assert await images.provide(container) == image, "a run reads a folder once"
    (folder / "app.py").write_text("print(1)\n")
    assert image.reference == built[0]
    assert await Images(connected, "test", said.append).provide(container) == image
    assert said == [f"building the image {built[0]}, once"]
    assert connected.client.images.get(image.digest).labels["chaoskit.image"] == "test"


@pytest.mark.docker
async def test_a_build_that_fails_says_which_step_and_its_last_words(folder: Path, connected: Engine) -> None:
    (folder / "Dockerfile").write_text(f"{FROM}RUN python -c \"raise SystemExit('no licence found')\"\n")
    container = PlannedContainer(build=PlannedBuild(str(folder)))
    with pytest.raises(SetupFailed, match=r"(?s)cannot be built at `RUN python .*no licence found"):
        await Images(connected, "test", lambda _: None).provide(container)


@pytest.mark.docker
async def test_a_cancelled_build_leaves_nothing(folder: Path, connected: Engine) -> None:
    (folder / "Dockerfile").write_text(f'{FROM}RUN python -c "import time; time.sleep(600)" {os.urandom(4).hex()}\n')
    client: docker.DockerClient = connected.client
    before = {one.id for one in client.containers.list(all=True)}
    container = PlannedContainer(build=PlannedBuild(str(folder)))
    building = asyncio.create_task(Images(connected, "test", lambda _: None).provide(container))

    def new() -> list[str]:
        found = client.containers.list(all=True, ignore_removed=True)
        return [one.id for one in found if one.id not in before and "sleep(600)" in str(one.attrs["Config"]["Cmd"])]

    async with asyncio.timeout(20):
        while not new():  # noqa: ASYNC110 - the state of the engine
            await asyncio.sleep(0.05)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        await connected.settle()
        while new():  # noqa: ASYNC110 - the state of the engine
            await asyncio.sleep(0.05)


@pytest.fixture
def registry() -> Iterator[tuple[str, list[str]]]:
    """A registry that has nothing, and what it was asked for."""
    asked: list[str] = []

    class Empty(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/v2/" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815 - so it is called there

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - so it is called there

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.docker
@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ("shop", "latest"),
        ("shop:1.2", "1.2"),
        (f"shop@sha256:{'a' * 64}", f"sha256:{'a' * 64}"),
        (f"shop:1.2@sha256:{'a' * 64}", f"sha256:{'a' * 64}"),
    ],
)
async def test_what_is_pulled_is_what_the_name_says(
    connected: Engine, registry: tuple[str, list[str]], image: str, wanted: str
) -> None:
    host, asked = registry
    with pytest.raises(SetupFailed, match="is not there and cannot be pulled"):
        await Images(connected, "test", lambda _: None).provide(PlannedContainer(image=f"{host}/{image}"))
    assert f"/v2/shop/manifests/{wanted}" in asked


@pytest.mark.docker
async def test_a_pull_from_a_registry_that_is_silent_holds_nobody_up() -> None:
    async with silent_registry() as (registry, asked), asyncio.timeout(20):
        engine = await Engine.connect()
        image = PlannedContainer(image=f"{registry}/shop:1")
        pulling = asyncio.create_task(Images(engine, "test", lambda _: None).provide(image))
        await asked.wait()
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling
        await engine.settle()
        engine.close()
