"""`region_down`: every link with an end in the region fails, in one of the four ways in which regions are lost."""

from typing import Final

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations, Toxic
from chaoskit.faults.judgement import Hit, judge_share
from chaoskit.faults.parameters import Parameter, choice, number
from chaoskit.faults.reset_peer import is_reset
from chaoskit.faults.timeout import is_silent
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample

MODE = Parameter("mode", default="refuse", choices=("refuse", "blackhole", "reset", "degraded"))
SHARE = Parameter("share", default=0.5, minimum=0.01, maximum=1.0)


def _is_refused(sample: ProbeSample) -> bool:
    return sample.outcome == "refused"


_EFFECTS: Final[dict[str, tuple[str, Hit]]] = {
    "refuse": ("refused", _is_refused),
    "blackhole": ("unanswered", is_silent),
    "reset": ("reset", is_reset),
    "degraded": ("reset", is_reset),
}


class RegionDown:
    """Takes a region away. Receipt, for each link: the share of probes refused, unanswered or reset.

    `refuse`: nothing listens, as after a clean shutdown. `blackhole`: data vanishes both ways and connections never
    end; unlike a lost route, new connections are still accepted, because the proxy does that itself. `reset`:
    connections end in a TCP reset when data flows. `degraded`: so does a `share` of them.
    """

    parameters = (MODE, SHARE)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        sentences = {
            "refuse": "refuses every connection",
            "blackhole": "lets no data through in either direction",
            "reset": "resets every connection",
            "degraded": f"resets {number(fault, SHARE):.0%} of connections",
        }
        return sentences[choice(fault, MODE)]

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return a closed door, or the mode's toxics."""
        mode = choice(fault, MODE)
        if mode == "refuse":
            return LinkAction(enabled=False)
        if mode == "blackhole":
            nothing = {"timeout": 0}
            return LinkAction((Toxic("timeout", nothing, "downstream"), Toxic("timeout", nothing, "upstream")))
        # one direction only: the lot is drawn for each toxic, and two draws would hit more than the share
        return LinkAction((Toxic("reset_peer", {"timeout": 0}, toxicity=_share_ratio(fault)),))

    def inquiry(self, _fault: PlannedFault) -> Inquiry:
        """Return a short question."""
        return Inquiry()

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the share that was hit."""
        what, hit = _EFFECTS[choice(fault, MODE)]
        return judge_share(what, hit, _share_ratio(fault), seen)


def _share_ratio(fault: PlannedFault) -> float:
    return number(fault, SHARE) if choice(fault, MODE) == "degraded" else 1.0
