"""The folder of one run, `reports/<scenario>-<UTC time>-<short id>/`: what is saved, when, and how it is found again.

Save 0, before anything starts: `scenario.yaml`, `plan.json`, `provenance.json`. While the run plays: `records.jsonl`
and `logs/`. After it: `result.json` and the reports. Each can be made again from those before it.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from chaoskit.clock import utc_now
from chaoskit.errors import StoreError
from chaoskit.plan import Plan
from chaoskit.plan import decode as decode_plan
from chaoskit.plan import encode as encode_plan
from chaoskit.records import Record
from chaoskit.store.journal import Journal, SavedHistory, read_journal

SCENARIO: Final = "scenario.yaml"
PLAN: Final = "plan.json"
PROVENANCE: Final = "provenance.json"
RECORDS: Final = "records.jsonl"
RESULT: Final = "result.json"
LOGS: Final = "logs"
LATEST: Final = "latest"
_COMPARED: Final = "-variants-"


class RunFolder:
    """One run on disk. Whoever plays the run creates it and appends; everyone else opens it and reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal: Journal | None = None

    @classmethod
    def create(cls, reports: Path, plan: Plan, *, scenario_text: str, provenance: Mapping[str, Any]) -> "RunFolder":
        """Make the folder, save 0 in it, and point `latest` to it.

        Raises:
            StoreError: `reports` cannot be written.
        """
        name = f"{plan.scenario}-{utc_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        folder = cls(reports / name)
        try:
            (folder.path / LOGS).mkdir(parents=True)
            folder.write(SCENARIO, scenario_text.encode())
            folder.write(PLAN, encode_plan(plan))
            folder.write(PROVENANCE, _json(provenance))
            _point_latest_to(folder.path)
        except OSError as error:
            message = f"cannot write the run folder {folder.path}: {error}; choose another with --reports"
            raise StoreError(message) from error
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open a saved run.

        Raises:
            StoreError: `path` is no run folder.
        """
        if not (path / PLAN).is_file():
            message = f"{path} is not a run folder: it has no {PLAN}"
            raise StoreError(message)
        return cls(path.resolve())

    @property
    def name(self) -> str:
        """The folder's name, by which `chaoskit report NAME` finds it."""
        return self.path.name

    @property
    def run_id(self) -> str:
        """The short id that labels everything the run starts."""
        return self.name.rpartition("-")[2]

    @property
    def logs(self) -> Path:
        """The folder of the components' logs."""
        return self.path / LOGS

    def append(self, record: Record) -> None:
        """Take one record; see `Journal.append`."""
        if self._journal is None:
            self._journal = Journal(self.path / RECORDS)
        self._journal.append(record)

    def flush(self) -> None:
        """Hand all records so far to the system; call it about twice a second."""
        if self._journal:
            self._journal.flush()

    def close(self) -> None:
        """Save 1: all records are on the disk."""
        if self._journal:
            self._journal.close()
            self._journal = None

    def write(self, name: str, content: bytes) -> Path:
        """Write a file whole or not at all, and return its path.

        Raises:
            StoreError: it cannot be written.
        """
        return write_whole(self.path / name, content)

    def save_result(self, content: bytes) -> Path:
        """Save 2: the encoded result of the analysis."""
        return self.write(RESULT, content)

    def amend_provenance(self, more: Mapping[str, Any]) -> None:
        """Add what is known only once the run is up, such as which Toxiproxy answers."""
        self.write(PROVENANCE, _json({**self.provenance(), **more}))

    def scenario_text(self) -> str:
        """Return the scenario as it was run."""
        return self._read(SCENARIO).decode()

    def plan_bytes(self) -> bytes:
        """Return the encoded plan."""
        return self._read(PLAN)

    def plan(self) -> Plan:
        """Return the plan that was played.

        Raises:
            StoreError: it is damaged, or another version of chaoskit wrote it.
        """
        try:
            return decode_plan(self.plan_bytes())
        except ValueError as error:
            mend = (
                "it is damaged or of another version of chaoskit, which can read it still; else play the scenario again"
            )
            message = f"{self.path / PLAN} is {error}; {mend}"
            raise StoreError(message) from error

    def provenance(self) -> Mapping[str, Any]:
        """Return where the run came from.

        Raises:
            StoreError: it was not saved or is damaged.
        """
        try:
            provenance = orjson.loads(self._read(PROVENANCE))
        except orjson.JSONDecodeError as error:
            message = f"{self.path / PROVENANCE} is damaged: {error}"
            raise StoreError(message) from error
        if not isinstance(provenance, dict):
            message = f"{self.path / PROVENANCE} is damaged: it holds no mapping of facts"
            raise StoreError(message)
        return provenance

    def history(self) -> SavedHistory:
        """Return all records that can be read back, also after a crash; see `read_journal`."""
        return read_journal(self.path / RECORDS)

    def result(self) -> bytes:
        """Return the encoded result.

        Raises:
            StoreError: the run has not been analysed.
        """
        return self._read(RESULT)

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            mend = "; `chaoskit analyze` makes it from the records" if name == RESULT else ""
            message = f"run {self.name} has no {name}{mend}"
            raise StoreError(message) from None
        except OSError as error:
            message = f"cannot read {self.path / name}: {error}"
            raise StoreError(message) from error


def create_comparison(reports: Path, scenario: str) -> Path:
    """Make the folder of a comparison, `<scenario>-variants-<UTC time>-<short id>`, and return it.

    Raises:
        StoreError: `reports` cannot be written.
    """
    folder = reports / f"{scenario}{_COMPARED}{utc_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        message = f"cannot write {folder}: {error}; choose another with --reports"
        raise StoreError(message) from error
    return folder


def find_comparison(reports: Path, name: str) -> Path | None:
    """Return the folder of the comparison that `name` means: a path, its name, or the beginning of one; None: no such.

    Raises:
        StoreError: the beginning fits several.
    """
    for folder in (reports / name, Path(name)):
        if (folder / RESULT).is_file() and not (folder / PLAN).exists():
            return folder
    if _COMPARED not in name:
        return None
    fitting = sorted(
        path.parent for path in reports.glob(f"*{_COMPARED}*/{RESULT}") if path.parent.name.startswith(name)
    )
    if len(fitting) > 1:
        message = f"{name!r} fits {len(fitting)} comparisons: {', '.join(one.name for one in fitting[-5:])}"
        raise StoreError(f"{message}; write more of it")
    return fitting[0] if fitting else None


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, and return its path.

    Raises:
        StoreError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        message = f"cannot write {path}: {error}"
        raise StoreError(message) from error
    return path


def find(reports: Path, name: str = LATEST) -> RunFolder:
    """Return the run that `name` means: `latest`, a folder's path, a run's name, or the beginning of one.

    Raises:
        StoreError: there is none, or the beginning fits several.
    """
    if name == LATEST:
        return _latest(reports)
    if (reports / name / PLAN).is_file():
        return RunFolder.open(reports / name)
    if Path(name).is_dir():
        return RunFolder.open(Path(name))
    fitting = [run for run in saved_runs(reports) if run.name.startswith(name) or run.run_id == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        message = f"{name!r} fits {len(fitting)} runs: {', '.join(run.name for run in fitting[-5:])}; write more of it"
    else:
        message = f"no run {name!r} in {reports}; it holds {_listing(reports)}"
    raise StoreError(message)


def saved_runs(reports: Path) -> list[RunFolder]:
    """Return all runs in `reports`, oldest first."""
    folders = {path.parent.resolve() for path in reports.glob(f"*/{PLAN}")}
    return [RunFolder(path) for path in sorted(folders, key=lambda path: (path.name.split("-")[-2:-1], path.name))]


def _latest(reports: Path) -> RunFolder:
    if (reports / LATEST / PLAN).is_file():
        return RunFolder.open(reports / LATEST)
    if runs := saved_runs(reports):  # the newest folder was deleted by hand
        return runs[-1]
    message = f"there is no run in {reports} yet; `chaoskit run SCENARIO` makes one"
    raise StoreError(message)


def _listing(reports: Path) -> str:
    names = [run.name for run in saved_runs(reports)]
    return ", ".join(names[-5:]) if names else "none"


def _point_latest_to(folder: Path) -> None:
    """Replace the link in one step, so that it is there at every moment; relative, so that `reports` can be moved."""
    temporary = folder.parent / f".{LATEST}.{secrets.token_hex(4)}"
    temporary.symlink_to(folder.name, target_is_directory=True)
    temporary.replace(folder.parent / LATEST)


def _json(content: Mapping[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
