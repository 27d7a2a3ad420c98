"""`slicer`: data arrives in small pieces, with a pause after each."""

from statistics import median

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations, Pair
from chaoskit.faults.judgement import enough, share_fits
from chaoskit.faults.parameters import DOWNSTREAM, LONGEST_S, TOXICITY, Parameter, number
from chaoskit.faults.toxics import on_connections, single_toxic, unseen_upstream
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample
from chaoskit.units import format_duration, format_size

SIZE = Parameter("size_bytes", minimum=1, maximum=2**30)
VARIATION = Parameter("variation_bytes", default=0, maximum=2**30)
DELAY = Parameter("delay_s", default=0.0, maximum=LONGEST_S)
MEASURE = "average piece"


class Slicer:
    """Cuts data into pieces of about `size_bytes` ± `variation_bytes`, with `delay_s` after each.

    Toxiproxy halves what it has, each cut moved by up to the variation, until no piece is longer than size + variation.
    Receipt: the bytes per read of an answer. A busy reader finds several pieces at once, so half of what a read brought
    before counts as cut. Without a pause the pieces may arrive as one again; then, and where the answer is no longer
    than a piece, it proves nothing.
    """

    parameters = (SIZE, VARIATION, DELAY, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        variation, delay_s = number(fault, VARIATION), number(fault, DELAY)
        around = f" ± {format_size(variation)}" if variation else ""
        pause = f" with {format_duration(delay_s)} after each" if delay_s else ""
        return f"cuts data into pieces of {format_size(number(fault, SIZE))}{around}{pause}{on_connections(fault)}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `slicer` toxic. Its variation stays below its size: a piece of no bytes ends Toxiproxy."""
        size = round(number(fault, SIZE))
        attributes = {
            "average_size": size,
            "size_variation": min(round(number(fault, VARIATION)), size - 1),
            "delay": round(number(fault, DELAY) * 1e6),
        }
        return single_toxic(fault, "slicer", attributes)

    def inquiry(self, _fault: PlannedFault) -> Inquiry:
        """Return a question with a long answer; it need not come to its end."""
        return Inquiry("volume", interval_s=0.5)

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the average piece."""
        if unseen := unseen_upstream(fault, MEASURE, "B"):
            return unseen
        pieces = [_piece_bytes(pair.through) for pair in seen.during if pair.through.reads]
        figures = tuple(_average(pairs) for pairs in (seen.before, seen.during, seen.after))
        usual = figures[0] if figures[0] is not None else median([_piece_bytes(p.direct) for p in seen.during] or [0.0])
        largest = number(fault, SIZE) + number(fault, VARIATION)

        def judged(delivered: str, effective: bool | None) -> Judgement:
            return Judgement(delivered, effective, MEASURE, "B", *figures)

        if missing := enough(len(pieces)):
            return judged(missing, None)
        if usual <= largest:
            return judged(f"not measured: an answer of {format_size(usual)} fits into one piece", None)
        cut = [piece for piece in pieces if piece <= max(largest, usual / 2) and piece < usual]
        words = f"{len(cut)} of {len(pieces)} answers came in pieces, {format_size(median(cut or pieces))} on average"
        if not cut and not number(fault, DELAY):
            return judged(f"not measured: {words}; without a pause pieces may join again", None)
        return judged(words, share_fits(len(cut), len(pieces), number(fault, TOXICITY)))


def _piece_bytes(sample: ProbeSample) -> float:
    return sample.answer_bytes / sample.reads if sample.reads else 0.0


def _average(pairs: tuple[Pair, ...]) -> float | None:
    pieces = [_piece_bytes(pair.through) for pair in pairs if pair.through.reads]
    return median(pieces) if pieces else None
