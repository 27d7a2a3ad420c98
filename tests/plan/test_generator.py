from dataclasses import replace

import pytest

from chaoskit.errors import UsageError
from chaoskit.plan.generator import GeneratorOptions, with_generator
from tests.support.load_plan import ENTRY, get, plan_of, stream_of

PLAN = plan_of(stream_of(get("/"), (1, 10)), workers=2)


@pytest.mark.parametrize(
    ("options", "processes", "host"),
    [
        (GeneratorOptions(), 2, "127.0.0.1"),
        (GeneratorOptions(workers=5), 5, "127.0.0.1"),
        (GeneratorOptions(expect_workers=3), 3, "127.0.0.1"),
        (GeneratorOptions(expect_workers=3, bind="10.0.0.7:5557"), 3, "10.0.0.7"),
    ],
)
def test_the_command_line_decides(options: GeneratorOptions, processes: int, host: str) -> None:
    plan = with_generator(PLAN, options)
    assert plan.generator.load_processes == processes
    assert plan.listen_host(ENTRY) == host
    assert plan.listen_host("api->database") == "127.0.0.1"
    assert replace(plan, generator=PLAN.generator) == PLAN


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (GeneratorOptions(workers=2, expect_workers=2), "give one of them"),
        (GeneratorOptions(bind="10.0.0.7:5557"), "say how many by --expect-workers"),
        (GeneratorOptions(expect_workers=1, bind="0.0.0.0:5557"), "no single address"),
        (GeneratorOptions(expect_workers=1, bind="here"), "'here' is not an address"),
    ],
)
def test_what_contradicts_itself_is_refused(options: GeneratorOptions, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        with_generator(PLAN, options)
