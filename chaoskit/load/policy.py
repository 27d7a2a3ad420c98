"""What clients do besides asking once: fail over to another entry, retry. A stream's policy is chosen once."""

from collections.abc import Callable
from typing import Final

import gevent

from chaoskit.load.answer import Answer, ExchangeFailed
from chaoskit.load.arrival import Arrival, Policy
from chaoskit.load.failure import RPC, failure_of
from chaoskit.load.hedge import Hedging
from chaoskit.load.lane import Lane
from chaoskit.load.request import PreparedRequest
from chaoskit.load.retries import HEDGE_RESERVE, Budget, backoff_of, conditions_of, first_words, retry_after_s
from chaoskit.load.routing import Router
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from chaoskit.plan.model import PlannedStream

_UNAVAILABLE: Final = 503

Send = Callable[[Lane, Arrival, PreparedRequest], Answer]


class Failover:
    """Tries the entries in turn; each has an equal share of the time that is left, so that the last has some."""

    def __init__(self, router: Router, send: Send) -> None:
        self._router = router
        self._send = send

    def exchange(self, lane: Lane, arrival: Arrival, prepared: PreparedRequest) -> Answer:
        """See `Policy`."""
        now_us = lane.keeper.run_time.now_us
        for left in range(len(lane.keeper.pools), 1, -1):
            started_us = now_us()
            lane.deadline_us = started_us + (arrival.deadline_us - started_us) // left
            outcome = _outcome(self._send, lane, arrival, prepared)
            if isinstance(outcome, Answer) and outcome.status != _UNAVAILABLE:
                self._router.answered(arrival.entry)
                return outcome
            following = self._router.failed(arrival.entry, now_us())
            lane.put_back(arrival)
            if not lane.keeper.change_entry(arrival, following):
                return _answer(outcome)
        lane.deadline_us = arrival.deadline_us
        answer = self._send(lane, arrival, prepared)
        if answer.status != _UNAVAILABLE:
            self._router.answered(arrival.entry)
        return answer


class Retrying:
    """Sends again what failed, as `planned` says, and never beyond the arrival's time.

    Under failover each retry goes to the next entry, and no entry is tried but by a retry. While an arrival pauses it
    keeps its place in its pool, as a client's thread would; its connection is left to others.
    """

    def __init__(self, planned: PlannedRetries, router: Router, send: Send, worker: int) -> None:
        self._router = router
        self._send = send
        self._attempts = planned.attempts
        self._conditions = conditions_of(planned)
        self._backoff = backoff_of(planned, worker)
        self._budget = None if planned.budget_ratio is None else Budget(planned.budget_ratio, planned.reserve)
        self._heeds_retry_after = planned.retry_after
        self._try_us = None if planned.per_try_timeout_s is None else round(planned.per_try_timeout_s * 1e6)

    def exchange(self, lane: Lane, arrival: Arrival, prepared: PreparedRequest) -> Answer:
        """See `Policy`."""
        if self._budget is not None:
            self._budget.pay_in()
        for retry in range(self._attempts - 1):
            outcome = self._try(lane, arrival, prepared)
            reason = _reason(prepared, outcome)
            following = self._note(lane, arrival, outcome, reason)
            if reason is None or not self._conditions.hold(prepared, reason):
                return _answer(outcome)
            pause_s = self._pause_s(retry, outcome)
            if lane.keeper.run_time.now_us() + pause_s * 1e6 >= arrival.deadline_us:
                return _answer(outcome)
            if self._budget is not None and not self._budget.take():
                return _answer(outcome)
            lane.put_back(arrival)
            if pause_s:
                gevent.sleep(pause_s)
            if following != arrival.entry:
                lane.keeper.change_entry(arrival, following)  # where that is full, this entry is asked once more
        outcome = self._try(lane, arrival, prepared)
        self._note(lane, arrival, outcome, _reason(prepared, outcome))
        return _answer(outcome)

    def _try(self, lane: Lane, arrival: Arrival, prepared: PreparedRequest) -> Answer | ExchangeFailed:
        if self._try_us is not None:
            lane.deadline_us = min(arrival.deadline_us, lane.keeper.run_time.now_us() + self._try_us)
        outcome = _outcome(self._send, lane, arrival, prepared)
        lane.deadline_us = arrival.deadline_us
        return outcome

    def _note(self, lane: Lane, arrival: Arrival, outcome: Answer | ExchangeFailed, reason: str | None) -> int:
        """Tell the router what became of a try; return the entry for the next one.

        An entry that answers in JSON-RPC what is tried again has failed, whatever its HTTP status says.
        """
        has_failed = reason is not None and reason.startswith(RPC) and self._conditions.names(reason)
        if isinstance(outcome, Answer) and outcome.status != _UNAVAILABLE and not has_failed:
            self._router.answered(arrival.entry)
            return arrival.entry
        return self._router.failed(arrival.entry, lane.keeper.run_time.now_us())

    def _pause_s(self, retry: int, outcome: Answer | ExchangeFailed) -> float:
        pause_s = self._backoff.pause_s(retry)
        if self._heeds_retry_after and isinstance(outcome, Answer):
            asked_s = retry_after_s(outcome.headers.get("retry-after"))
            return pause_s if asked_s is None else asked_s
        return pause_s


def policy_for(planned: PlannedStream, router: Router, worker: int, own: Send | None = None) -> Policy | None:
    """Return the policy of a stream in load process `worker`; None where its requests are simply sent once.

    `own` is how one attempt is made, where that is not a request and its answer.
    """
    send = own or _send_of(planned.hedge)
    if planned.retries is not None:
        return Retrying(planned.retries, router, send, worker)
    if router.fails_over:
        return Failover(router, send)
    return None if send is Lane.attempt else _Once(send)


class _Once:
    def __init__(self, send: Send) -> None:
        self.exchange = send


def _send_of(hedge: PlannedHedge | None) -> Send:
    if hedge is None:
        return Lane.attempt
    budget = None if hedge.budget_ratio is None else Budget(hedge.budget_ratio, HEDGE_RESERVE)
    return Hedging(round(hedge.after_s * 1e6), first_words(hedge.methods), budget).send


def _outcome(send: Send, lane: Lane, arrival: Arrival, prepared: PreparedRequest) -> Answer | ExchangeFailed:
    try:
        return send(lane, arrival, prepared)
    except ExchangeFailed as failure:
        return failure


def _answer(outcome: Answer | ExchangeFailed) -> Answer:
    if isinstance(outcome, ExchangeFailed):
        raise outcome
    return outcome


def _reason(prepared: PreparedRequest, outcome: Answer | ExchangeFailed) -> str | None:
    """Return why a try failed, in the word that conditions name; None where it went well."""
    return outcome.reason if isinstance(outcome, ExchangeFailed) else failure_of(prepared, outcome)
