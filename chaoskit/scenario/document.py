"""One YAML file as plain data, with the line and column of every key and value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from chaoskit.errors import Problem

Location = tuple[str | int, ...]

MAX_FILE_BYTES: Final = 128 * 1024
MAX_NODES: Final = 20_000  # aliases count each time they are used, so a bomb of them ends here
MAX_DEPTH: Final = 40
_MAX_NUMBER_LENGTH: Final = 40
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_TAG + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp"))
_SYNTAX: Final[Mapping[str, str]] = {
    "mapping values are not allowed here": "a colon does not belong here; put text that holds `: ` into quotes, "
    "and check the indentation of this line",
    "found character '\\t' that cannot start any token": "a tab cannot indent YAML; use spaces",
    "nested deeper": f"nested deeper than {MAX_DEPTH} levels; make it flatter",
    "found unexpected end of stream": "a quote is opened and never closed; close it",
    "but found another document": "a second document begins here; keep one document in a file",
    "could not find expected ':'": "this line has no colon; write `key: value`",
}


class Finding(NamedTuple):
    """Something wrong at a location of a document; `key` points at the key in place of the value."""

    location: Location
    message: str
    key: bool = False


class Mark(NamedTuple):
    """A place in a file, counting from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one file and where each part of it stands.

    A location is the way from the root: `("phases", 1, "surge", "for")`. `data` is None for an empty or broken file.
    """

    file: str
    data: object
    keys: Mapping[Location, Mark] = field(default_factory=dict)
    values: Mapping[Location, Mark] = field(default_factory=dict)
    text: str = ""

    def problem(self, location: Location, message: str, *, key: bool = False) -> Problem:
        """Return a problem at the value (or key) that `location` names, or at the nearest part around it."""
        return _problem(self.file, self.mark(location, key=key), message)

    def mark(self, location: Location, *, key: bool = False) -> Mark:
        """Return the place of the value (or key) at `location`, or of the nearest part around it."""
        if key and location in self.keys:
            return self.keys[location]
        return self.values.get(self.present(location), Mark(1, 1))

    def at(self, location: Location) -> object:
        """Return the data at `location`, None where there is none."""
        here = self.data
        for part in location:
            if isinstance(here, Mapping):
                here = here.get(part)
            elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                here = here[part]
            else:
                return None
        return here

    def present(self, location: Location) -> Location:
        """Return the longest beginning of `location` that the file has."""
        return next(
            location[:length]
            for length in range(len(location), -1, -1)
            if location[:length] in self.values or not length
        )

    def names(self, *location: str | int) -> tuple[str, ...]:
        """Return the keys of the mapping at `location`; empty where it is no mapping."""
        here = self.at(location)
        return tuple(here) if isinstance(here, Mapping) else ()


def read(path: Path) -> tuple[Document, list[Problem]]:
    """Read the YAML file at `path`; see `parse` for what comes back. A file that cannot be read is a problem.

    Problems name the file as seen from the current folder where it lies below that.
    """
    name = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        return Document(name, None), [Problem(name, 1, 1, f"the file cannot be read: {reason}")]
    if len(content) > MAX_FILE_BYTES:
        message = f"the file is larger than {MAX_FILE_BYTES // 1024} KiB; it cannot be a scenario or a target"
        return Document(name, None), [Problem(name, 1, 1, message)]
    try:
        return parse(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        return Document(name, None), [Problem(name, line, column, "not UTF-8 text; save the file as UTF-8")]


def parse(text: str, file: str) -> tuple[Document, list[Problem]]:
    """Return the document and its problems: syntax, double keys, keys that are not text, tags, size.

    Plain scalars follow YAML 1.2 (`on` and `12:30` are text) but for dates, which stay text.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _ShallowComposer  # type: ignore[assignment] # one composer is as good as another
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Document(file, None), [_problem(file, Mark(line, column), _syntax_message(str(error.problem)))]
    except YAMLError:
        message = "a control character stands in the file; a scenario is plain text, remove it"
        return Document(file, None), [Problem(file, *_control_character(text), message)]
    reader = _Reader(file)
    data = None if root is None else reader.convert(root, ())
    if reader.too_large:
        return Document(file, None), reader.problems[-1:]
    if data is None and not reader.problems:
        reader.problems.append(Problem(file, 1, 1, "the file is empty; start it with `version: 1`"))
    return Document(file, data, reader.keys, reader.values, text), reader.problems


class _ShallowComposer(Composer):
    """Stops at the depth limit, long before the interpreter's own."""

    def __init__(self, loader: Any) -> None:  # noqa: ANN401 - the library leaves its type open
        super().__init__(loader)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.parser.peek_event().start_mark
            raise MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark)
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Reader:
    """Turns nodes into data and notes the marks; stops at the limits."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[Location, Mark] = {}
        self.values: dict[Location, Mark] = {}
        self.problems: list[Problem] = []
        self.too_large = False
        self._nodes = 0

    def convert(self, node: Node, location: Location) -> object:
        mark = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
        self.values[location] = mark
        self._nodes += 1
        if self.too_large:
            return None
        if self._nodes > MAX_NODES or len(location) > MAX_DEPTH:
            self.too_large = True
            how = (
                f"nested deeper than {MAX_DEPTH} levels"
                if len(location) > MAX_DEPTH
                else f"more than {MAX_NODES:,} values"
            )
            self._note(mark, f"{how}, with all aliases written out; make it smaller")
            return None
        if str(node.tag) not in _TAGS:
            self._note(mark, f"the tag {str(node.tag)[:60]} is not known here; write the plain value")
        if isinstance(node, MappingNode):
            return self._mapping(node.value, location)
        if isinstance(node, SequenceNode):
            return [self.convert(item, (*location, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, pairs: Sequence[tuple[Node, Node]], location: Location) -> dict[str, object]:
        data: dict[str, object] = {}
        for key, value in pairs:
            mark = Mark(key.start_mark.line + 1, key.start_mark.column + 1)
            name = _scalar(key) if isinstance(key, ScalarNode) else None
            if not isinstance(name, str):
                shown = f"`{key.value}`" if isinstance(key, ScalarNode) else "this key"
                self._note(mark, f"{shown} is not text, and every key is; put it into quotes")
            elif name in data:
                first = self.keys[(*location, name)]
                self._note(mark, f"the key `{name}` stands here twice, first in line {first.line}; keep one of them")
            else:
                self.keys[(*location, name)] = mark
                data[name] = self.convert(value, (*location, name))
        return data

    def _note(self, mark: Mark, message: str) -> None:
        self.problems.append(_problem(self.file, mark, message))


def _problem(file: str, mark: Mark, message: str) -> Problem:
    """Return a problem whose message is one printable line, whatever the file holds (a key may hold ANSI codes)."""
    text = "".join(sign if sign.isprintable() else " " for sign in message)
    return Problem(file, *mark, " ".join(text.split()))


def _scalar(node: Node) -> object:
    text = str(node.value)
    kind = str(node.tag).removeprefix(_TAG)
    try:
        if kind == "int" and len(text) <= _MAX_NUMBER_LENGTH:
            return int(text.replace("_", ""), 0)
        if kind == "float" and len(text) <= _MAX_NUMBER_LENGTH:
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text
    if kind == "bool":
        return text.lower() == "true"
    return None if kind == "null" else text


def _control_character(text: str) -> Mark:
    before = text
    for index, character in enumerate(text):
        if not character.isprintable() and character not in "\t\n\r\x85\ufeff":
            before = text[:index]
            break
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _syntax_message(problem: str) -> str:
    for known, message in _SYNTAX.items():
        if problem.startswith(known):
            return message
    if problem.startswith("found character '"):
        return f"a value cannot begin with {problem.split(chr(39))[1]}; put the text into quotes"
    if problem.startswith("found undefined alias"):
        return f"the alias {problem.split(chr(39))[1]} is used and never defined; define it above with &"
    if problem.startswith("expected <block end>"):
        return "this line does not fit the lines above; check its indentation and the dashes around it"
    if problem.startswith("expected") and "<stream end>" in problem:
        return "the file ends inside a bracket, brace or value; close it"
    return f"not valid YAML ({problem}); check brackets, quotes and indentation here"
