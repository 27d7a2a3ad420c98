import subprocess
import sys
from dataclasses import replace

import pytest

from chaoskit.environment.identity import Runner


def test_a_runner_reads_what_it_wrote_and_lives() -> None:
    runner = Runner.current()
    assert Runner.parse(str(runner)) == runner
    assert runner.may_live()


def test_a_process_that_has_ended_or_began_later_is_gone() -> None:
    runner = Runner.current()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not replace(runner, process_id=ended.pid).may_live()
    assert not replace(runner, start_ticks=runner.start_ticks - 1).may_live()


def test_what_cannot_be_seen_may_live() -> None:
    assert replace(Runner.current(), start_ticks=1, namespace="pid:[1]").may_live()


def test_of_an_earlier_boot_nothing_lives_but_another_machine_may() -> None:
    runner = replace(Runner.current(), machine="here")
    earlier = replace(Runner.current(), boot="earlier")
    assert earlier.may_live() is (earlier.machine == "")  # where machines have no name, it may be another one
    assert replace(runner, boot="elsewhere").may_live()


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"process_id": 1}', '{"process_id": "x", "start_ticks": 1}'])
def test_anything_else_is_no_runner(text: str) -> None:
    assert Runner.parse(text) is None
