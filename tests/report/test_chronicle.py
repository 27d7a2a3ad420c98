from chaoskit.records import FaultEvent, History, PhaseEvent, RunEvent
from chaoskit.report.chronicle import Entry, chronicle


def test_everything_in_the_order_of_time() -> None:
    history = History.of(
        [
            RunEvent(9.0, "component_died", "gateway@a: exit 137"),
            FaultEvent(5.0, "latency-1", "proven_clean", "2 links"),
            PhaseEvent(0.0, "baseline", "started"),
        ]
    )
    assert chronicle(history) == (
        Entry(0.0, "phase", "baseline started", ""),
        Entry(5.0, "fault", "latency-1 proven clean", "2 links"),
        Entry(9.0, "event", "component died", "gateway@a: exit 137"),
    )
