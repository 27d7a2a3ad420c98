"""API keys and HMAC-SHA256 signatures, checked as the venue checks them."""

import hashlib
import hmac

from exchange.failures import Refusal, illegal, missing
from exchange.venue import account_of, api_secret

FUTURE_TOLERANCE_MS = 1000
DEFAULT_WINDOW_MS = 5000
LONGEST_WINDOW_MS = 60_000


def split_signature(query: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The signed payload (query string + body, as transmitted, without the signature) and the signature.

    Raises `Refusal` -1102 where there is none.
    """
    payload = query + body
    head, found, tail = payload.rpartition(b"&signature=")
    if not found:
        raise missing("signature")
    signature, more, rest = tail.partition(b"&")
    return head + more + rest, signature


class Signatures:
    """Checks signed requests; the key schedule of each account's HMAC is computed once."""

    def __init__(self) -> None:
        self._prepared: dict[bytes, tuple[int, hmac.HMAC]] = {}

    def account(self, key: bytes | None, payload: bytes, signature: bytes, accounts: int) -> int:
        """The account that signed `payload`; raises `Refusal` -2014, -2015 or -1022."""
        number, prepared = self._prepare(key, accounts)
        digest = prepared.copy()
        digest.update(payload)
        if digest.hexdigest().encode() != signature.lower():
            raise Refusal(400, -1022, "Signature for this request is not valid.")
        return number

    def owner(self, key: bytes | None, accounts: int) -> int:
        """The account of an API key, for what needs no signature; raises `Refusal` -2014 or -2015."""
        return self._prepare(key, accounts)[0]

    def _prepare(self, key: bytes | None, accounts: int) -> tuple[int, hmac.HMAC]:
        if not key:
            raise Refusal(401, -2014, "API-key format invalid.")
        known = self._prepared.get(key)
        if known is None:
            number = account_of(key, accounts)
            if number is None:
                raise Refusal(401, -2015, "Invalid API-key, IP, or permissions for action.")
            secret = api_secret(key.decode())
            known = self._prepared[key] = (number, hmac.new(secret.encode(), digestmod=hashlib.sha256))
        return known


def check_time(parameters: dict[bytes, bytes], server_ms: int) -> int:
    """The wall-clock millisecond at which the request becomes stale.

    Raises `Refusal` -1021 outside of `timestamp < server + 1 s and server - timestamp <= recvWindow`.
    """
    try:
        timestamp = int(parameters[b"timestamp"])
    except KeyError:
        raise missing("timestamp") from None
    except ValueError:
        raise illegal("timestamp") from None
    try:
        window_ms = int(parameters.get(b"recvWindow", DEFAULT_WINDOW_MS))
    except ValueError:
        raise illegal("recvWindow") from None
    if not 0 < window_ms <= LONGEST_WINDOW_MS:
        raise Refusal(400, -1131, "recvWindow must be less than 60000.")
    if timestamp >= server_ms + FUTURE_TOLERANCE_MS:
        raise Refusal(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if server_ms - timestamp > window_ms:
        raise Refusal(400, -1021, "Timestamp for this request is outside of the recvWindow.")
    return timestamp + window_ms
