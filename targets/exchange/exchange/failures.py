"""The venue's refusals: HTTP status, error code and message, as its clients match on them."""

import orjson


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


def internal_error() -> Refusal:
    """A certain failure: nothing was executed."""
    return Refusal(503, -1001, "Internal error; unable to process your request. Please try again.")


def overloaded() -> Refusal:
    """A bounded queue is full: certainly not executed."""
    return Refusal(
        503,
        -1008,
        "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
    )


def backend_timeout() -> Refusal:
    """The backend did not answer in time: whether an order was executed is unknown."""
    return Refusal(
        503,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    )


def missing(parameter: str) -> Refusal:
    """A mandatory parameter was not sent."""
    return Refusal(400, -1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.")


def illegal(parameter: str) -> Refusal:
    """A parameter cannot be read."""
    return Refusal(400, -1100, f"Illegal characters found in parameter '{parameter}'.")
