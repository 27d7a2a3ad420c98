"""How many replicas there should be: the rule of Kubernetes' horizontal pod autoscaler, driven by a clock.

wanted = ceil(replicas x utilisation / target), unless that ratio is within 10 % of 1; replicas that still boot count as
idle when more are wanted. A sync period adds no more than there are, or four; fewer are wanted only when nothing in the
stabilisation window asked for more (autoscaling/v2: sync 15 s, scale up by max(100 %, 4 pods), scale down after 300 s).

A full replica is 100 % busy however much waits, so the rule at most doubles what serves and then waits for it to boot.
`predictive` looks at what arrives as well: the trend of the latest rates, carried on to when a replica ordered now is
warm, and damped on the way, as a trend seldom lasts (Gardner & McKenzie, Management Science 31(10), 1985).
"""

import math
from collections import deque
from dataclasses import dataclass
from statistics import linear_regression

KINDS = ("off", "reactive", "predictive")
TOLERANCE = 0.1
PODS_PER_SYNC = 4
TREND_READINGS = 4
ROUNDING = 1e-9
DAMPING = 0.8
"""Each sync period ahead counts for this much of the one before."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`target` is the utilisation aimed at, 0 to 1; `ahead_s` how far a forecast looks: from the order to warm."""

    kind: str = "off"
    least: int = 1
    most: int = 10
    target: float = 0.5
    sync_period_s: float = 15.0
    shrinks_after_s: float = 300.0
    ahead_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the replicas did since the reading before.

    `utilization` is that of the replicas that served, 0 to 1. `load` is the replicas that all arrivals would have kept
    busy, those included that were turned away.
    """

    serving: int
    booting: int
    utilization: float
    load: float


class Autoscaler:
    """Decides at each sync period, by monotonic seconds that its caller gives; knows no other clock."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._loads: deque[tuple[float, float]] = deque(maxlen=TREND_READINGS + 1)
        self._wanted: deque[tuple[float, int]] = deque()  # recommendations of the stabilisation window

    def decide(self, now_s: float, reading: Reading) -> int:
        """The replicas wanted from now on, booting ones included."""
        rules, present = self._rules, reading.serving + reading.booting
        wanted = self._reactive(reading)
        if rules.kind == "predictive":
            wanted = max(wanted, self._predicted(now_s, reading.load))
        if not self._wanted:
            self._wanted.append((now_s, present))
        self._wanted.append((now_s, wanted))
        while self._wanted[0][0] < now_s - rules.shrinks_after_s:
            self._wanted.popleft()
        if wanted < present:
            wanted = min(present, max(earlier for _, earlier in self._wanted))
        wanted = min(wanted, max(2 * present, present + PODS_PER_SYNC))
        return min(max(wanted, rules.least), rules.most)

    def _reactive(self, reading: Reading) -> int:
        present = reading.serving + reading.booting
        ratio = reading.utilization / self._rules.target
        if ratio > 1 and reading.booting:
            ratio *= reading.serving / present
            return present if ratio <= 1 + TOLERANCE else math.ceil(ratio * present)
        return present if abs(1 - ratio) <= TOLERANCE else math.ceil(ratio * reading.serving)

    def _predicted(self, now_s: float, load: float) -> int:
        """The replicas for the load to come; that it begins at all is no trend, and its first reading is partial."""
        rules = self._rules
        if not load:
            self._loads.clear()
            return 0
        self._loads.append((now_s, load))
        if len(self._loads) <= TREND_READINGS:
            return math.ceil(load / rules.target - ROUNDING)
        line = linear_regression(*zip(*list(self._loads)[1:], strict=True))
        periods = math.ceil(rules.ahead_s / rules.sync_period_s)
        damped = sum(DAMPING**period for period in range(1, periods + 1)) * rules.sync_period_s
        forecast = line.intercept + line.slope * (now_s + damped)
        return math.ceil(max(load, forecast) / rules.target - ROUNDING)
