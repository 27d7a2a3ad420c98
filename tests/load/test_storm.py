"""A retry storm, played by a real load process from a plan: what is counted is what the server saw."""

from dataclasses import replace

from chaoskit.analysis.streams import stream_phase
from chaoskit.plan.clients import PlannedRetries
from tests.support.load_plan import Play, get, plan_of, stream_of
from tests.support.misbehaving_server import MisbehavingServer

ON = ("refused", "reset", "closed", "status 503")


async def test_naive_clients_amplify_what_a_server_sheds_and_a_budget_bounds_it(
    play: Play, server: MisbehavingServer
) -> None:
    server.always = "/503"
    naive = PlannedRetries(4, ON, ("GET",))
    budgeted = replace(naive, budget_ratio=0.2, reserve=5, backoff_s=0.01, seed=3)
    plan = plan_of(
        replace(stream_of(get("/naive"), (1, 100), name="naive"), retries=naive),
        replace(stream_of(get("/held"), (1, 100), name="held"), retries=budgeted),
    )
    history = await play(plan, server.address)
    phases = {
        name: stream_phase((batch for batch in history.samples if batch.stream == name), 1.0)
        for name in ("naive", "held")
    }
    assert phases["naive"].attempts_per_arrival == 4.0
    assert 1.05 <= phases["held"].attempts_per_arrival <= 1 + 0.2 + 5 / phases["held"].offered
    for name, phase in phases.items():
        assert phase.failed == {"status 503": 100}
        assert server.paths.count(f"/{name}") == round(phase.attempts_per_arrival * phase.offered)
