"""How probes become a judgement: an added time, or a share of connections hit.

An added time is the median, over pairs, of (through the proxy) - (past it) during the fault, less the same in the quiet
before and after. Its uncertainty joins the notches of both: 1.57 x interquartile range / sqrt(n), about a 95 %
interval for comparing medians (McGill, Tukey and Larsen, Variations of Box Plots, 1978). A share is compared within
2.58 standard errors (99 %) of a binomial draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import median, quantiles
from typing import Final

from chaoskit.faults.contract import Judgement, Observations, Pair
from chaoskit.records import ProbeSample
from chaoskit.units import format_duration

FEWEST_PAIRS: Final = 4
"""With fewer probes during a fault nothing is claimed."""
FINEST_MS: Final = 2.0
"""Differences below this drown in the scheduling of a busy machine."""

ONLY_CONNECTS: Final = "not measured: the probe of this link only connects"

Reading = Callable[[ProbeSample], float | None]
Hit = Callable[[ProbeSample], bool]


@dataclass(frozen=True, slots=True)
class AddedTime:
    """What was asked for: `requested_ms` more of what `reading` reads, on a share of connections.

    `spread_ms` is the deliberate variation around it; `what` names it ("added delay"), `verb` starts the sentence.
    """

    requested_ms: float
    reading: Reading
    what: str
    verb: str
    spread_ms: float = 0.0
    share_ratio: float = 1.0


def differences_ms(pairs: Sequence[Pair], reading: Reading) -> list[float]:
    """Return what the link added in each pair that was answered both ways, in ms."""
    read = [(reading(pair.through), reading(pair.direct)) for pair in pairs]
    return [through - direct for through, direct in read if through is not None and direct is not None]


def notch(values: Sequence[float]) -> float:
    """Return the half-width of the ~95 % interval of the median; infinite below two values."""
    if len(values) < 2:
        return float("inf")
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return 1.57 * (upper - lower) / sqrt(len(values))


def judge_added(wanted: AddedTime, seen: Observations) -> Judgement:
    """Judge an added time.

    Effective: at least 80 % of the request less 2 ms, at most 150 % plus 20 ms (the proxy's own queueing under load
    comes on top), each widened by the spread asked for and the uncertainty. Unknown: fewer than four pairs, an
    uncertainty above half of the request, or more than that bound, for then something else slowed the link as well.
    With a share below 1 the slow probes alone are measured, and their share has to fit.
    """
    before = differences_ms(seen.before, wanted.reading)
    during = differences_ms(seen.during, wanted.reading)
    after = differences_ms(seen.after, wanted.reading)
    quiet = before + after
    usual = median(quiet) if quiet else 0.0
    slow = [value for value in during if value - usual >= wanted.requested_ms / 2]
    measured = slow if slow and wanted.share_ratio < 1 else during
    figures = tuple(median(values) if values else None for values in (before, measured, after))

    def judged(delivered: str, effective: bool | None) -> Judgement:
        return Judgement(delivered, effective, wanted.what, "ms", *figures)

    if seen.during and not speaks(seen):
        return judged(ONLY_CONNECTS, None)
    if missing := enough(len(during)):
        return judged(missing, None)
    if wanted.requested_ms < FINEST_MS:
        return judged(f"not measured: {_ms(wanted.requested_ms)} is too little to tell by probing", None)
    added, uncertain = median(measured) - usual, hypot(notch(measured), notch(quiet) if quiet else 0.0)
    words = f"{wanted.verb} {_ms(added)} (median of {len(measured)} probes{_around(before, after)})"
    if wanted.share_ratio < 1:
        words += f" on {len(slow)} of {len(during)} connections"
    if uncertain > wanted.requested_ms / 2 + wanted.spread_ms:
        return judged(f"not measured: {words}, too noisy to tell (± {_ms(uncertain)})", None)
    slack = wanted.spread_ms + uncertain
    if added > 1.5 * wanted.requested_ms + 20 + slack:
        return judged(f"not measured: {words}, so the proxy or the machine was slow as well", None)
    fits = added >= 0.8 * wanted.requested_ms - FINEST_MS - slack
    return judged(words, fits and (wanted.share_ratio == 1 or share_fits(len(slow), len(during), wanted.share_ratio)))


def judge_share(what: str, hit: Hit, share_ratio: float, seen: Observations) -> Judgement:
    """Judge the share of connections that were hit, where `what` says how ("refused").

    Effective: the share fits a draw with `share_ratio`. Unknown: fewer than four probes, a probe that only
    connects, or a component that does not answer past the proxy either in half of them.
    """
    shares = tuple(
        sum(hit(pair.through) for pair in pairs) / len(pairs) if pairs else None
        for pairs in (seen.before, seen.during, seen.after)
    )
    struck, total = sum(hit(pair.through) for pair in seen.during), len(seen.during)

    def judged(delivered: str, effective: bool | None) -> Judgement:
        return Judgement(delivered, effective, f"share {what}", "ratio", *shares)

    if missing := enough(total):
        return judged(missing, None)
    words = f"{struck} of {total} probes {what}"
    if not struck and not speaks(seen):
        return judged(ONLY_CONNECTS, None)
    if sum(hit(pair.direct) for pair in seen.during) * 2 >= total:
        return judged(f"not measured: {words}, and as good as all past the proxy too", None)
    return judged(words, share_fits(struck, total, share_ratio))


def speaks(seen: Observations) -> bool:
    """Return whether the probes get answers at all, at least past the proxy; a `tcp` probe only connects."""
    return any(pair.direct.answer_bytes for pair in (*seen.before, *seen.during, *seen.after))


def share_fits(hits: int, total: int, share_ratio: float) -> bool:
    """Return whether `hits` of `total` fit a draw with `share_ratio`, within 99 % or a tenth."""
    slack = max(0.1, 2.58 * sqrt(share_ratio * (1 - share_ratio) / total))
    return hits > 0 and abs(hits / total - share_ratio) <= slack


def enough(count: int) -> str | None:
    """Return why `count` probes during a fault are too few to claim anything, or None."""
    if count >= FEWEST_PAIRS:
        return None
    return f"not measured: only {count} probe{'' if count == 1 else 's'} could be compared during the fault"


def _around(before: Sequence[float], after: Sequence[float]) -> str:
    parts = [f"{name} {_ms(median(values))}" for name, values in (("before", before), ("after", after)) if values]
    return f"; {', '.join(parts)}" if parts else ""


def _ms(value_ms: float) -> str:
    return format_duration(value_ms / 1000)
