"""The tapes of a scenario's streams: read, at their speed, long enough for its phases."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from chaoskit.errors import Problem
from chaoskit.scenario.document import Document
from chaoskit.scenario.files import is_file
from chaoskit.scenario.model import ALL_STREAMS, Scenario
from chaoskit.scenario.references import MAX_ARRIVALS
from chaoskit.scenario.tape import Tape, lacks, read_tapes
from chaoskit.units import format_duration

_FEWEST: Final = 1 - 1e-6  # arrivals in the baseline; less is nothing to compare with


def read_tapes_of(scenario: Scenario, document: Document, folder: Path) -> tuple[Mapping[str, Tape], list[Problem]]:
    """Return the tapes by stream, with the problems of the files and those of the scenario with them."""
    problems: list[Problem] = []
    found: dict[str, Tape] = {}
    files: dict[str, Mapping[str, Tape] | None] = {}
    for name, stream in scenario.load.items():
        file = stream.arrivals.file
        if file is None:
            continue
        problems += _multiples(scenario, document, name)
        here = ("load", name, "arrivals", "file")
        if file not in files:
            files[file] = None
            if not is_file(folder / file):
                message = f"there is no file {file!r} next to the scenario; check the path"
                problems.append(document.problem(here, message))
                continue
            tapes, wrong = read_tapes(folder / file)
            problems += wrong
            files[file] = None if wrong else tapes
        if (tapes_here := files[file]) is None:
            continue
        wanted = stream.arrivals.stream or name
        wrong_name = lacks(wanted, tapes_here, file)
        if wrong_name:
            problems.append(document.problem(here, f"{wrong_name}; `stream:` says what it is called there"))
            continue
        found[name] = tapes_here[wanted].at_speed(stream.arrivals.speed)
        problems += [document.problem(here, message) for message in _misfits(scenario, name, found[name])]
    length_s = sum(phase.body.length for phase in scenario.phases)
    arrivals = sum(scale(scenario, name, tape) * tape.mean_rps(0, length_s) * length_s for name, tape in found.items())
    if arrivals > MAX_ARRIVALS:
        message = (
            f"the tapes have {arrivals:,.0f} arrivals in the phases, and {MAX_ARRIVALS:,} is the most; thin them out"
        )
        problems.append(document.problem(("load",), message, key=True))
    return found, problems


def scale(scenario: Scenario, stream: str, tape: Tape) -> float:
    """Return by what the counts of a stream's tape are multiplied, so that its `rate` is their mean in the baseline."""
    rate_rps = scenario.load[stream].rate
    recorded_rps = tape.mean_rps(*baseline_s(scenario))
    return 1.0 if rate_rps is None or recorded_rps <= 0 else rate_rps / recorded_rps


def baseline_s(scenario: Scenario) -> tuple[float, float]:
    """Return when the normal load of a tape is played: in `baseline`, else in the first phase that is no `warmup`."""
    start_s, chosen = 0.0, (0.0, 0.0)
    for phase in scenario.phases:
        end_s = round(start_s + phase.body.length, 6)
        if phase.name == "baseline":
            return start_s, end_s
        if chosen[1] == 0.0 and (phase.name != "warmup" or len(scenario.phases) == 1):
            chosen = start_s, end_s
        start_s = end_s
    return chosen


def _multiples(scenario: Scenario, document: Document, stream: str) -> Iterator[Problem]:
    for index, phase in enumerate(scenario.phases):
        for name in (stream, ALL_STREAMS):
            if name in phase.body.multiply:
                message = f"the tape of {stream!r} says itself how its load rises; "
                message += "leave it out here" if name == stream else "name the other streams here, each with its own"
                place = (name,) if name == stream else ()
                yield document.problem(("phases", index, phase.name, "multiply", *place), message)


def _misfits(scenario: Scenario, stream: str, tape: Tape) -> Iterator[str]:
    file = scenario.load[stream].arrivals.file
    length_s = sum(phase.body.length for phase in scenario.phases)
    start_s, end_s = baseline_s(scenario)
    if tape.length_s < length_s - 1e-6:
        lasts = f"{file} lasts {format_duration(tape.length_s)} at this speed, the phases {format_duration(length_s)}"
        yield f"{lasts}; shorten them, or let the tape pass more slowly"
    elif scale(scenario, stream, tape) * tape.mean_rps(start_s, end_s) * (end_s - start_s) < _FEWEST:
        message = f"{file} has not one arrival of it in the baseline, with which all else is compared"
        yield f"{message}; move the phases, or leave out a `rate` that thins it so much"
