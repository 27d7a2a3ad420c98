"""The images of a run: built once for what they are built from, pulled where they are missing."""

import asyncio
import contextlib
import hashlib
import io
import os
import re
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker.errors import ImageNotFound
from docker.utils.build import exclude_paths

from chaoskit import containers
from chaoskit.environment.docker.engine import Engine
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import PlannedBuild, PlannedContainer

ARGUMENTS_VARIABLE: Final = "CHAOSKIT_BUILD_ARGS"
NETWORK_VARIABLE: Final = "CHAOSKIT_BUILD_NETWORK"
LAST_LINES: Final = 12
_ARGUMENT: Final = re.compile(r"^\s*ARG\s+(\w+)", re.IGNORECASE | re.MULTILINE)
_STEP: Final = re.compile(r"Step \d+/\d+ : (.*)")


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is in the engine: the name that it is started by, and the digest of its content."""

    reference: str
    digest: str


class Images:
    """Sees to images, each once. `say` is told of what takes long."""

    def __init__(self, engine: Engine, target: str, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._target = target
        self._say = say
        self._known: dict[str, Image] = {}

    async def provide(self, container: PlannedContainer) -> Image:
        """Return the image of `container`, which is built or pulled unless it is there.

        Raises:
            SetupFailed: it can be neither found nor made; says which step failed, and its last words.
        """
        wanted = container.image or repr(container.build)
        if wanted not in self._known:
            self._known[wanted] = await self._see_to(container)
        return self._known[wanted]

    async def _see_to(self, container: PlannedContainer) -> Image:
        recipe, name = None, container.image or ""
        if container.build is not None:
            recipe = await asyncio.to_thread(Recipe.read, container.build)
            name = name or await asyncio.to_thread(recipe.tag, self._target)
        digest = await self._find(name)
        if digest is None and recipe is not None:
            self._say(f"building the image {name}, once")
            await self._engine.call(f"the image {name} cannot be built", self._build, recipe, name)
        elif digest is None:
            self._say(f"pulling the image {name}")
            what = f"the image {name} is not there and cannot be pulled (check its name, or `docker pull` it)"
            await containers.left_alone(lambda: self._pull(what, name))
        digest = digest or await self._find(name)
        if digest is None:
            message = f"the image {name} is not in the engine, though making it raised no complaint; build it anew"
            raise SetupFailed(message)
        return Image(name, digest)

    async def _find(self, name: str) -> str | None:
        def find() -> str | None:
            try:
                return str(self._engine.client.images.get(name).id)
            except ImageNotFound:
                return None

        return await self._engine.call(f"the image {name} cannot be looked up", find)

    def _pull(self, what: str, name: str) -> None:
        with containers.saying(what), self._engine.answering() as answer:
            for progress in answer.client.api.pull(name, stream=True, decode=True):
                if "error" in progress:
                    raise SetupFailed(f"the image {name} cannot be pulled: {progress['error']}")

    def _build(self, recipe: "Recipe", name: str) -> None:
        last: deque[str] = deque(maxlen=LAST_LINES)
        with self._engine.answering() as answer:
            steps = answer.client.api.build(
                fileobj=recipe.archive(),
                custom_context=True,
                dockerfile=recipe.dockerfile,
                tag=name,
                buildargs=dict(recipe.arguments),
                labels={containers.IMAGE_LABEL: self._target},
                network_mode=os.environ.get(NETWORK_VARIABLE) or None,
                rm=True,
                forcerm=True,
                decode=True,
            )
            for step in steps:
                last.extend(line for line in str(step.get("stream", "")).splitlines() if line.strip())
                if "error" in step:
                    raise SetupFailed(_why(name, str(step["error"]), last))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a built image holds."""

    folder: Path
    dockerfile: str
    arguments: Mapping[str, str]
    paths: tuple[str, ...]

    @classmethod
    def read(cls, build: PlannedBuild) -> "Recipe":
        """Read what the build takes from its folder; the machine's own arguments go before the manifest's.

        Raises:
            SetupFailed: the folder or the Dockerfile cannot be read.
        """
        folder = Path(build.context)
        with _reading(folder):
            declared = set(_ARGUMENT.findall((folder / build.dockerfile).read_text(encoding="utf-8")))
            ignored = folder / ".dockerignore"
            patterns = ignored.read_text(encoding="utf-8").splitlines() if ignored.is_file() else []
            patterns = [line.strip() for line in patterns if line.strip() and not line.lstrip().startswith("#")]
            found = sorted(exclude_paths(str(folder), patterns, dockerfile=build.dockerfile))
            paths = tuple(path for path in found if _can_be_sent(folder / path))
        of_machine = {name: value for name, value in machine_arguments().items() if name in declared}
        return cls(folder, build.dockerfile, {**build.args, **of_machine}, paths)

    def tag(self, target: str) -> str:
        """Return the image's name, which holds a hash of all that it is made from.

        Raises:
            SetupFailed: a file cannot be read.
        """
        content = hashlib.sha256(repr((self.dockerfile, sorted(self.arguments.items()))).encode())
        with _reading(self.folder):
            content.update(self.archive().getbuffer())
        return f"chaoskit/{target}:{content.hexdigest()[:16]}"

    def archive(self) -> io.BytesIO:
        """Return the build context as a tar file; the same files give the same bytes, whoever owns them."""
        archive = io.BytesIO()
        with tarfile.open(mode="w", fileobj=archive) as tar:
            for path in self.paths:
                entry = tar.gettarinfo(self.folder / path, arcname=path)
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = ""
                entry.mtime = 0
                entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
                if entry.isfile():
                    with (self.folder / path).open("rb") as file:
                        tar.addfile(entry, file)
                else:
                    tar.addfile(entry)
        archive.seek(0)
        return archive


@contextlib.contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupFailed(f"the folder {folder} cannot be built as an image: {error}") from error


def _can_be_sent(path: Path) -> bool:
    return path.is_symlink() or path.is_file() or path.is_dir()


def machine_arguments() -> dict[str, str]:
    """Return the build arguments that this machine wants: `NAME=value NAME=value` in CHAOSKIT_BUILD_ARGS."""
    pairs = (pair.partition("=") for pair in os.environ.get(ARGUMENTS_VARIABLE, "").split())
    return {name: value for name, equals, value in pairs if equals}


def _why(name: str, error: str, last: Iterable[str]) -> str:
    """Say which step of a build failed; its command, which the engine repeats in its error, is said once."""
    lines = list(last)
    steps = [match[1] for line in lines if (match := _STEP.match(line))]
    step = f" at `{steps[-1]}`" if steps else ""
    tail = "; its last lines:\n  " + "\n  ".join(lines) if lines else ""
    return f"the image {name} cannot be built{step}: {error.strip()}{tail}"


def described(images: Mapping[str, Image]) -> dict[str, Any]:
    """Return which image each instance runs, for the provenance of a run."""
    return {instance: {"image": image.reference, "digest": image.digest} for instance, image in images.items()}
