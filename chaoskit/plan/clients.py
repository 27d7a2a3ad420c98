"""What a stream's clients do besides asking once."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlannedRetries:
    """When a request is sent again: `attempts` in all at most, after failures `on` (`reset`, `status 5xx`).

    `methods` are sent again whatever became of the first try. `budget_ratio` None is no bound. `seed` fixes the jitter.
    """

    attempts: int
    on: tuple[str, ...]
    methods: tuple[str, ...]
    budget_ratio: float | None = None
    reserve: int = 10
    backoff_s: float = 0.0
    backoff_max_s: float = 1.0
    jitter: Literal["full", "none"] = "full"
    retry_after: bool = False
    per_try_timeout_s: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PlannedHedge:
    """A second request of one of `methods` goes out where `after_s` brought no answer; `budget_ratio` None: always."""

    after_s: float
    methods: tuple[str, ...]
    budget_ratio: float | None = None
