import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from chaoskit.observe.usage import UsageReader, read_host
from chaoskit.records import UsageSample

# A root that runs one short child per line it is told, each of which burns CPU and ends, and then says so.
ROOT = """
import subprocess, sys
burn = "import time; end = time.process_time() + 0.2\\nwhile time.process_time() < end: pass"
print("up", flush=True)
for order in sys.stdin:
    child = subprocess.Popen([sys.executable, "-c", burn + "\\ninput()"], stdin=subprocess.PIPE)
    if order.strip() == "finish":
        child.communicate(b"\\n")
    print("done", flush=True)
"""


@pytest.fixture
def root() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", ROOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process


def tell(root: "subprocess.Popen[str]", order: str) -> None:
    assert root.stdin
    assert root.stdout
    root.stdin.write(f"{order}\n")
    root.stdin.flush()
    root.stdout.readline()


def read_one(reader: UsageReader) -> UsageSample:
    (sample,) = reader.read(1.0)
    return sample


def test_cpu_of_children_that_have_ended_stays_in_the_sum(root: "subprocess.Popen[str]") -> None:
    reader = UsageReader({"root": root.pid})
    before = read_one(reader)
    tell(root, "finish")
    after = read_one(reader)
    assert after.cpu_s - before.cpu_s >= 0.19
    assert after.source == "root"
    assert after.memory_bytes > 1_000_000
    assert after.open_files >= 3


def test_cpu_of_living_children_is_counted_too(root: "subprocess.Popen[str]") -> None:
    reader = UsageReader({"root": root.pid})
    before = read_one(reader)
    tell(root, "leave it alive")
    deadline_s = time.monotonic() + 20
    while True:
        reader.find_children()
        after = read_one(reader)
        if after.cpu_s - before.cpu_s >= 0.19 or time.monotonic() > deadline_s:
            break
    assert after.cpu_s - before.cpu_s >= 0.19
    assert after.open_files > before.open_files


def test_the_sum_does_not_fall_when_a_child_leaves_with_its_count() -> None:
    reader = UsageReader({"all": 1})
    reader.find_children()
    high = read_one(reader).cpu_s
    tree = reader._trees["all"]
    tree.members = {tree.root.pid: tree.root}
    assert read_one(reader).cpu_s >= high
    assert read_one(reader).cpu_s >= high


def test_a_source_that_is_gone_has_no_sample() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    reader = UsageReader({"root": gone.pid})
    gone.wait()
    assert list(reader.read(0.0)) == []
    assert list(UsageReader({"root": gone.pid}).read(0.0)) == []


def test_the_host_spends_cpu_and_has_memory() -> None:
    first, second = read_host(1.0), read_host(2.0)
    assert second.cpu_busy_s >= first.cpu_busy_s > 0
    assert first.cpu_count >= 1
    assert first.memory_available_bytes > 0


def test_a_source_that_was_started_again_counts_on(root: "subprocess.Popen[str]") -> None:
    reader = UsageReader({"root": root.pid})
    tell(root, "finish")
    before = read_one(reader)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as again:
        reader.follow({"root": again.pid})
        after = read_one(reader)
        again.communicate("\n")
    assert before.cpu_s <= after.cpu_s < before.cpu_s + 0.15


BUSY = "import time\nprint('up', flush=True)\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


def test_time_without_a_cpu_is_counted_of_all_threads() -> None:
    """Two that would use one CPU alone: each waits while the other runs."""
    one_cpu = {min(os.sched_getaffinity(0))}
    with contextlib.ExitStack() as undo:
        pair = []
        for _ in range(2):
            process = undo.enter_context(subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE))
            undo.callback(process.kill)
            os.sched_setaffinity(process.pid, one_cpu)
            assert process.stdout
            process.stdout.readline()
            pair.append(process)
        reader = UsageReader({"first": pair[0].pid})
        before = read_one(reader)
        deadline_s = time.monotonic() + 20
        while True:
            after = read_one(reader)
            assert before.cpu_wait_s is not None
            assert after.cpu_wait_s is not None
            if after.cpu_wait_s - before.cpu_wait_s >= 0.2 or time.monotonic() > deadline_s:
                break
            time.sleep(0.02)
    assert after.cpu_wait_s - before.cpu_wait_s >= 0.2


def test_waits_of_a_source_that_was_started_again_count_on(root: "subprocess.Popen[str]") -> None:
    reader = UsageReader({"root": root.pid})
    before = read_one(reader)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as again:
        reader.follow({"root": again.pid})
        after = read_one(reader)
        again.communicate("\n")
    assert (after.cpu_wait_s or 0.0) >= (before.cpu_wait_s or 0.0)
