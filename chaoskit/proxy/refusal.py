"""Answers of the control API other than success."""


class Refusal(Exception):
    """Raised below the API, answered as `{"error": message, "status": status}` with that HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad_body(what: str) -> Refusal:
    """400: the body is not JSON of the right shape, or a value in it is out of range."""
    return Refusal(400, f"bad request body: {what}")


def missing_field(what: str) -> Refusal:
    """400: a field that has no default was left out."""
    return Refusal(400, f"missing required field: {what}")
