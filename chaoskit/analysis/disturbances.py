"""Faults as they really were: windows from the journal's events, effect from the receipts."""

import math
from dataclasses import asdict

import numpy as np

from chaoskit.analysis.result import FaultResult
from chaoskit.analysis.windows import Mask, window_count
from chaoskit.plan.model import Plan, PlannedFault
from chaoskit.records import History

SETTLE_S = 3
"""Seconds after a fault's lifting in which demands are not yet taken for undisturbed (drained queues, retries)."""


def fault_results(plan: Plan, history: History) -> tuple[FaultResult, ...]:
    """Return every planned fault with its real window and receipts, in the order of the plan."""
    return tuple(_result(fault, history) for fault in plan.faults)


def _result(fault: PlannedFault, history: History) -> FaultResult:
    times = {event.step: event.t_s for event in reversed(history.faults) if event.fault == fault.id}
    receipts = [receipt for receipt in history.receipts if receipt.fault == fault.id]
    told = [receipt.effective for receipt in receipts if receipt.effective is not None]
    cleaned = [receipt.clean_after for receipt in receipts if receipt.clean_after is not None]
    return FaultResult(
        id=fault.id,
        kind=fault.kind,
        title=fault.title,
        planned_start_s=fault.start_s,
        planned_end_s=fault.end_s,
        applied_s=times.get("applied"),
        lifted_s=times.get("lifted", times.get("proven_clean")),
        receipts=tuple({key: value for key, value in asdict(r).items() if key != "type"} for r in receipts),
        effective=all(told) if told else None,
        clean_after=all(cleaned) if cleaned else None,
    )


def active_windows(plan: Plan, fault: FaultResult) -> Mask:
    """Return the windows in which the fault was in force for at least a part; none where it was never applied."""
    mask = np.zeros(window_count(plan), dtype=np.bool_)
    if fault.applied_s is None:
        return mask
    end_s = fault.planned_end_s if fault.lifted_s is None else fault.lifted_s
    mask[max(0, math.floor(fault.applied_s)) : max(0, math.ceil(end_s))] = True
    return mask


def disturbed_windows(plan: Plan, faults: tuple[FaultResult, ...]) -> Mask:
    """Return the windows in which any fault was in force, each with one second before and `SETTLE_S` after."""
    mask = np.zeros(window_count(plan), dtype=np.bool_)
    for fault in faults:
        for window in np.flatnonzero(active_windows(plan, fault)).tolist():
            mask[max(0, window - 1) : window + SETTLE_S + 1] = True
    return mask
