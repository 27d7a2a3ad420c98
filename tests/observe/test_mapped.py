from collections import defaultdict

import pytest

from chaoskit.observe.exposition import Sample, parse
from chaoskit.observe.mapped import MappedResource
from chaoskit.plan.model import PlannedMapping, PlannedQuantity
from chaoskit.records import ResourceSample


def families(text: str) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in parse(text):
        found[sample.name].append(sample)
    return found


def mapped(**quantities: PlannedQuantity) -> MappedResource:
    return MappedResource("shop/db.pool", PlannedMapping(quantities))


def levelled(**quantities: PlannedQuantity) -> MappedResource:
    return MappedResource("shop/db.pool", PlannedMapping(quantities, level=True))


def read(resource: MappedResource, text: str, t_s: float = 0.0) -> ResourceSample:
    record = resource.read(families(text), t_s)
    assert record is not None
    return record


def test_a_figure_is_a_sum_over_the_series_that_match_less_others_and_scaled() -> None:
    busy = PlannedQuantity(plus=('time{kind="query"}', "commit_ms"), minus=("idle_ms",), scale=0.001, constant=-1)
    resource = mapped(servers=PlannedQuantity(constant=8), busy=busy)
    text = (
        'time{kind="query",db="a"} 1500\ntime{kind="query",db="b"} 500\ntime{kind="wait"} 9\ncommit_ms 30\nidle_ms 20\n'
    )
    record = read(resource, text)
    assert (record.resource, record.servers) == ("shop/db.pool", 8)
    assert record.busy_s == pytest.approx(1.01)
    assert resource.lacking == {}


def test_servers_in_use_are_added_up_to_busy_time() -> None:
    resource = levelled(servers=PlannedQuantity(constant=8), busy=PlannedQuantity(plus=("used",)))
    levels = [(10.0, 0), (10.5, 4), (11.0, 8), (12.0, 8)]
    assert [read(resource, f"used {level}\n", t_s).busy_s for t_s, level in levels] == [0.0, 1.0, 4.0, 12.0]


def test_arrivals_that_nobody_counts_are_what_was_served_refused_and_is_still_there() -> None:
    told = {name: PlannedQuantity(plus=(name,)) for name in ("busy", "completions", "rejections", "queue_length")}
    text = "busy 3\ncompletions 100\nrejections 7\nqueue_length 5\n"
    record = read(levelled(servers=PlannedQuantity(constant=8), **told), text)
    assert record.arrivals == 115
    assert record.rejections == {"": 7}
    counted = mapped(servers=PlannedQuantity(constant=8), arrivals=PlannedQuantity(plus=("completions",)), **told)
    assert read(counted, text).arrivals == 100
    del told["completions"]
    assert read(mapped(servers=PlannedQuantity(constant=8), **told), text).arrivals == 0


def test_what_a_server_was_blocked_on_is_kept_apart() -> None:
    mapping = PlannedMapping(
        {"servers": PlannedQuantity(constant=1), "busy": PlannedQuantity(plus=("held",))},
        {"api->db": PlannedQuantity(plus=("query",)), "api->cache": PlannedQuantity(plus=("get",))},
    )
    resource = MappedResource("shop/api.pool", mapping)
    assert read(resource, "held 5\nquery 3\n").blocked_s == {"api->db": 3.0, "api->cache": 0.0}
    assert resource.lacking == {"get": False}


@pytest.mark.parametrize("text", ["", "held NaN\n", 'held{pool="other"} 1\n'])
def test_without_servers_or_busy_time_a_scrape_says_nothing(text: str) -> None:
    resource = mapped(servers=PlannedQuantity(constant=8), busy=PlannedQuantity(plus=('held{pool="main"}',)))
    assert resource.read(families(text), 0.0) is None
    assert resource.lacking == {'held{pool="main"}': True}


def test_a_queue_by_itself_needs_its_length_and_nothing_else() -> None:
    resource = mapped(queue_length=PlannedQuantity(plus=("waiting",)), queue_limit=PlannedQuantity(constant=50))
    assert (read(resource, "waiting 4\n").queue_length, read(resource, "waiting 4\n").queue_limit) == (4, 50)
    assert resource.read(families("running 4\n"), 0.0) is None


def test_a_counter_that_appears_with_the_first_event_is_zero_before() -> None:
    quantities = {name: PlannedQuantity(plus=(name,)) for name in ("servers", "busy", "rejections")}
    assert read(mapped(**quantities), "servers 2\nbusy 1\n").rejections == {"": 0.0}
