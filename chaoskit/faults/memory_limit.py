"""`memory_limit`: an instance may use no more than some memory."""

from chaoskit.faults.contract import InstanceAction, Judgement, Looks
from chaoskit.faults.instance_judgement import judge_memory
from chaoskit.faults.parameters import Parameter, number
from chaoskit.plan.model import PlannedFault
from chaoskit.units import format_size

LIMIT = Parameter("limit_bytes", minimum=4_000_000.0, maximum=2.0**50)


class MemoryLimit:
    """Limits the memory of all processes of an instance together; one that needs more is killed by the limit.

    Receipt: the most that they used, or the kill.
    """

    parameters = (LIMIT,)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        return f"may use {format_size(number(fault, LIMIT))} of memory"

    def action(self, fault: PlannedFault) -> InstanceAction:
        """Return what to do to the instance."""
        return InstanceAction(memory_bytes=round(number(fault, LIMIT)))

    def judge(self, fault: PlannedFault, seen: Looks) -> Judgement:
        """Judge the looks."""
        return judge_memory(number(fault, LIMIT), seen)
