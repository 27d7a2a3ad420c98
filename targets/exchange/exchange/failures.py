"""The venue's refusals: HTTP status, error code and message, as its clients match on them."""

from typing import Final

import orjson

TIMED_OUT: Final = -1007


class Refusal(Exception):
    """A request that the venue answers with an error body `{"code": …, "msg": …}`.

    Raised anywhere below the HTTP edge; the gateway turns it into a response with `status` and `body`.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> bytes:
        """The JSON error body."""
        return orjson.dumps({"code": self.code, "msg": self.message})


class WithoutCode(Refusal):
    """A refusal whose body is only `{"msg": …}`, as the venue sends two of its three kinds of 503."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, 0, message)

    @property
    def body(self) -> bytes:
        """The JSON error body."""
        return orjson.dumps({"msg": self.message})


def internal_error() -> Refusal:
    """A certain failure: nothing was executed."""
    return Refusal(503, -1001, "Internal error; unable to process your request. Please try again.")


def overloaded(*, exempting: bool = True) -> Refusal:
    """A bounded queue is full: an order was certainly not executed.

    `exempting` is the venue's text since 23 October 2025, when what lowers a position's risk is shed last; before,
    there was no exemption.
    """
    if not exempting:
        text = "Server is currently overloaded with other requests. Please try again in a few minutes."
        return Refusal(503, -1008, text)
    return Refusal(
        503,
        -1008,
        "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
    )


def unavailable() -> Refusal:
    """A bounded queue is full for what is no order: nothing was done."""
    return WithoutCode(503, "Service Unavailable.")


def unknown_error() -> Refusal:
    """The backend did not answer in time, in the form that tells nothing: an order may have been executed."""
    return WithoutCode(503, "Unknown error, please check your request or try again later.")


def halted() -> Refusal:
    """A circuit breaker has halted trading, and the order is not one that only reduces a position."""
    return Refusal(
        400,
        -4400,
        "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, please try again later.",
    )


def stale() -> Refusal:
    """A request that waited in the engine's queue until it was too old."""
    return Refusal(400, -5028, "Timestamp for this request is outside of the ME recvWindow.")


def backend_timeout() -> Refusal:
    """The backend did not answer in time: whether an order was executed is unknown."""
    return Refusal(
        503,
        TIMED_OUT,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    )


def missing(parameter: str) -> Refusal:
    """A mandatory parameter was not sent."""
    return Refusal(400, -1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.")


def illegal(parameter: str) -> Refusal:
    """A parameter cannot be read."""
    return Refusal(400, -1100, f"Illegal characters found in parameter '{parameter}'.")
