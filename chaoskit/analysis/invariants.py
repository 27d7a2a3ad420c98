"""What must hold in every run, whatever the target does: else what the run recorded cannot be believed.

Two books are kept of every arrival, by when it was meant to start and by when it ended. They are written at different
moments, so that they agree proves that none was lost and none counted twice. And what a fault touched must be clean
again afterwards, or the end of the run was played on a disturbed target.
"""

from collections.abc import Iterator

from chaoskit.analysis.result import Check
from chaoskit.plan.model import Plan
from chaoskit.records import History


def invariants(plan: Plan, history: History) -> tuple[Check, ...]:
    """Return every invariant that the run can show, those that hold included."""
    return (*_accounts(plan, history), *_links(plan, history))


def _accounts(plan: Plan, history: History) -> Iterator[Check]:
    for stream in plan.streams:
        batches = [batch for batch in history.samples if batch.stream == stream.name]
        ended = [done for done in history.completions if done.stream == stream.name]
        ok, failed = sum(batch.ok for batch in batches), sum(sum(batch.failed.values()) for batch in batches)
        ended_ok, ended_failed = sum(done.ok for done in ended), sum(done.failed for done in ended)
        if not batches and not ended:
            continue
        agree = (ok, failed) == (ended_ok, ended_failed)
        begun = f"{ok + failed:,} arrivals of {stream.name} began: {ok:,} were served, {failed:,} failed"
        said = "each ended once" if agree else f"but {ended_ok:,} ended well and {ended_failed:,} in failure"
        yield Check(f"arrivals of {stream.name} accounted for", agree, f"{begun}; {said}.")


def _links(plan: Plan, history: History) -> Iterator[Check]:
    told = [receipt for receipt in history.receipts if receipt.clean_after is not None]
    if told:
        dirty = sorted({f"{receipt.place} after {receipt.fault}" for receipt in told if not receipt.clean_after})
        count = len({receipt.place for receipt in told})
        instances = {name for fault in plan.faults for name in fault.instances}
        what = "link or component" if instances & {receipt.place for receipt in told} else "link"
        clean = f"Every {what} that a fault had touched ({count} in all) was proven clean again."
        yield Check("links clean again", not dirty, f"Not clean again: {', '.join(dirty)}." if dirty else clean)
