from chaoskit.plan.model import Plan
from chaoskit.records import History, RunEvent
from chaoskit.report import tables
from tests.support.sample_run import rows_of


def test_bands_are_what_really_happened(plan: Plan, history: History) -> None:
    real = rows_of(tables.bands(plan, history))
    assert [row["mark"] for row in real] == ["baseline", "surge", "recovery", "F1", "F2"]
    assert (real[3]["start"], real[3]["end"]) == (35.02, 45)
    planned = rows_of(tables.bands(plan, History()))
    assert (planned[3]["start"], planned[3]["end"]) == (35, 45)


def test_events_are_read_as_words() -> None:
    history = History.of([RunEvent(3.25, "component_died", "gateway: exit 137")])
    assert rows_of(tables.events(history)) == [{"t": 3.25, "event": "component died", "detail": "gateway: exit 137"}]
