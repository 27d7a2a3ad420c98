"""`cpu_limit`: an instance may use no more than some cores."""

from chaoskit.faults.contract import InstanceAction, Judgement, Looks
from chaoskit.faults.instance_judgement import judge_cores
from chaoskit.faults.parameters import Parameter, number
from chaoskit.plan.model import PlannedFault

CORES = Parameter("cores", minimum=0.01, maximum=1024.0)


class CpuLimit:
    """Limits the CPU of all processes of an instance together. Receipt: the cores that they used."""

    parameters = (CORES,)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        return f"may use {number(fault, CORES):g} cores"

    def action(self, fault: PlannedFault) -> InstanceAction:
        """Return what to do to the instance."""
        return InstanceAction(cores=number(fault, CORES))

    def judge(self, fault: PlannedFault, seen: Looks) -> Judgement:
        """Judge the looks."""
        return judge_cores(number(fault, CORES), seen)
