"""The parameters of a fault, checked before anything is sent.

Toxiproxy takes what it is given: a misspelt attribute is ignored, a negative latency accepted, and a `slicer` of size
0 ends the whole server. So every value is checked here first, against the parameters that its kind declares.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from chaoskit.errors import FaultFailed
from chaoskit.plan.model import PlannedFault, Scalar


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: a number in `minimum … maximum`, or one of `choices`; required where `default` is None."""

    name: str
    default: Scalar | None = None
    minimum: float = 0.0
    maximum: float = math.inf
    choices: tuple[str, ...] = ()

    def problem(self, value: Scalar) -> str | None:
        """Return what is wrong with `value` as the end of a sentence, or None."""
        if self.choices:
            return None if value in self.choices else f"{value!r} is not one of {', '.join(self.choices)}"
        if isinstance(value, bool | str) or not math.isfinite(value):
            return f"{value!r} is not a number"
        if not self.minimum <= value <= self.maximum:
            return f"{value!r} is outside {self.minimum:g} … {self.maximum:g}"
        return None


TOXICITY = Parameter("toxicity", default=1.0, minimum=0.01, maximum=1.0)
DOWNSTREAM = Parameter("stream", default="downstream", choices=("downstream", "upstream"))
LONGEST_S = 3600.0


def check(fault: PlannedFault, parameters: Iterable[Parameter]) -> None:
    """Check the fault's parameters against those of its kind.

    Raises:
        FaultFailed: one is missing, unknown, of the wrong type or out of range; the sentence lists all of them.
    """
    known = {parameter.name: parameter for parameter in parameters}
    problems = [
        f"{name} is not a parameter of {fault.kind} (it takes {', '.join(known) or 'none'})"
        for name in fault.parameters
        if name not in known
    ]
    for name, parameter in known.items():
        if name not in fault.parameters:
            if parameter.default is None:
                problems.append(f"{name} is missing")
        elif (problem := parameter.problem(fault.parameters[name])) is not None:
            problems.append(f"{name}: {problem}")
    if problems:
        message = f"fault {fault.id} ({fault.kind}) cannot be applied: {'; '.join(problems)}"
        raise FaultFailed(message)


def number(fault: PlannedFault, parameter: Parameter) -> float:
    """Return a numeric parameter of a checked fault, or its default."""
    value = fault.parameters.get(parameter.name, parameter.default)
    if value is None or isinstance(value, str):
        message = f"fault {fault.id} ({fault.kind}) has no number for {parameter.name}; check it before use"
        raise FaultFailed(message)
    return float(value)


def choice(fault: PlannedFault, parameter: Parameter) -> str:
    """Return a parameter of a checked fault that is one of a few words, or its default."""
    return str(fault.parameters.get(parameter.name, parameter.default))
