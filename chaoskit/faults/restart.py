"""`restart`: an instance is asked to end and started again after a while."""

from chaoskit.faults.contract import InstanceAction, Judgement, Looks
from chaoskit.faults.instance_judgement import judge_ended
from chaoskit.faults.parameters import LONGEST_S, Parameter, number
from chaoskit.plan.model import PlannedFault
from chaoskit.units import format_duration

DELAY = Parameter("delay_s", default=0.0, maximum=LONGEST_S)


class Restart:
    """Restarts an instance; its window ends when `delay` is over and it starts. Receipt: as `stop`."""

    parameters = (DELAY,)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        return f"is stopped and started again after {format_duration(number(fault, DELAY))}"

    def action(self, _fault: PlannedFault) -> InstanceAction:
        """Return what to do to the instance."""
        return InstanceAction(life="stopped")

    def judge(self, _fault: PlannedFault, seen: Looks) -> Judgement:
        """Judge the looks."""
        return judge_ended(seen)
