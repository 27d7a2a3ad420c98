import json
import re
import shutil
from pathlib import Path

import pytest

from chaoskit.errors import StoreError
from chaoskit.records import PhaseEvent
from chaoskit.store import RunFolder, find, saved_runs
from tests.support.small_plan import small_plan

STARTED = PhaseEvent(0.0, "baseline", "started")


def new_run(reports: Path) -> RunFolder:
    return RunFolder.create(reports, small_plan(), scenario_text="name: small\n", provenance={"seed": 7})


def test_save_0_is_whole_before_anything_starts(tmp_path: Path) -> None:
    run = new_run(tmp_path / "reports")
    assert re.fullmatch(r"small-\d{8}T\d{6}Z-[0-9a-f]{6}", run.name)
    assert run.name.endswith(run.run_id)
    opened = RunFolder.open(tmp_path / "reports" / "latest")
    assert opened.path == run.path.resolve()
    assert opened.scenario_text() == "name: small\n"
    assert opened.plan() == small_plan()
    assert opened.provenance() == {"seed": 7}
    assert opened.history().history.phases == []
    assert run.logs.is_dir()


def test_records_result_and_provenance_are_added_as_the_run_goes(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.append(STARTED)
    run.flush()
    assert RunFolder.open(run.path).history().history.phases == [STARTED]
    run.amend_provenance({"toxiproxy": "2.12.0"})
    run.close()
    run.close()
    run.save_result(b"{}")
    assert RunFolder.open(run.path).result() == b"{}"
    assert run.provenance() == {"seed": 7, "toxiproxy": "2.12.0"}
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("content", ["{", "[]", '{"scenario": "small"}'])
def test_a_plan_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    run = new_run(tmp_path)
    run.write("plan.json", content.encode())
    with pytest.raises(StoreError, match=r"plan.json is not a plan: .+; it is damaged or of another version"):
        RunFolder.open(run.path).plan()


def test_a_provenance_that_is_no_mapping_is_told(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.write("provenance.json", b"[]")
    with pytest.raises(StoreError, match=r"provenance.json is damaged"):
        run.provenance()


def test_a_run_is_found_by_latest_path_name_and_beginning(tmp_path: Path) -> None:
    first, second = new_run(tmp_path), new_run(tmp_path)
    assert {run.name for run in saved_runs(tmp_path)} == {first.name, second.name}
    for name, wanted in [
        ("latest", second),
        (str(first.path), first),
        (first.name, first),
        (first.name[:-1], first),
        (second.run_id, second),
    ]:
        assert find(tmp_path, name).name == wanted.name
    shutil.rmtree(second.path)
    assert find(tmp_path).name == first.name


def test_what_cannot_be_found_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no run in .* yet"):
        find(tmp_path / "nowhere")
    first = new_run(tmp_path)
    new_run(tmp_path)
    with pytest.raises(StoreError, match=r"'small' fits 2 runs: .*; write more of it"):
        find(tmp_path, "small")
    with pytest.raises(StoreError, match=f"no run 'large' in .*{first.name}"):
        find(tmp_path, "large")
    with pytest.raises(StoreError, match=r"is not a run folder: it has no plan\.json"):
        RunFolder.open(tmp_path)


def test_what_is_missing_or_damaged_is_a_sentence(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(StoreError, match=r"has no result\.json; `chaoskit analyze` makes it"):
        run.result()
    (run.path / "provenance.json").write_text("{")
    with pytest.raises(StoreError, match="is damaged"):
        run.provenance()
    with pytest.raises(StoreError, match="cannot write"):
        run.write("no/such/folder", b"")


def test_reports_that_cannot_be_written_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot write the run folder .*; choose another with --reports"):
        new_run(tmp_path / "reports")


def test_plan_json_is_readable(tmp_path: Path) -> None:
    assert json.loads(new_run(tmp_path).plan_bytes())["scenario"] == "small"
