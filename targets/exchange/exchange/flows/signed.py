"""Signed requests of one account, and its session where the gateway asks for one."""

import hashlib
import hmac
from functools import cache
from time import time

from exchange.flows.client import Arrival, Client, Response
from exchange.flows.sessions import HEADER, PATH, Session, session_of
from exchange.venue import api_key, api_secret

DEFAULT_ACCOUNTS = 10_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UNAUTHORIZED = 401

_sessions: dict[int, Session] = {}  # by account, for all flows of this process


class Trader:
    """One account's signed requests. With `logs_in` each carries a session: opened first, and renewed in time.

    Where that fails, an old session is tried all the same; without one, the failed login is the answer.
    """

    def __init__(self, client: Client, account: int, *, logs_in: bool = False) -> None:
        self._client = client
        self._read, self._form, self._prepared = _credentials(account)
        self._account = account
        self._logs_in = logs_in

    def get(self, path: str, query: str = "") -> Response:
        """Ask for something."""
        return self._send("GET", path, query)

    def delete(self, path: str, query: str = "") -> Response:
        """Take something back."""
        return self._send("DELETE", path, query)

    def post(self, path: str, form: str = "") -> Response:
        """Send a form."""
        return self._send("POST", path, form)

    def log_in(self) -> Response:
        """Open a session, and keep it for what follows."""
        return self._keep(self._signed("POST", PATH, "", {}))

    def _send(self, method: str, path: str, parameters: str) -> Response:
        if not self._logs_in:
            return self._signed(method, path, parameters, {})
        session = _sessions.get(self._account)
        if session is None or session.is_due:
            answer = self.log_in() if session is None or session.is_over else self._renew(session)
            session = _sessions.get(self._account)
            if session is None:
                return answer
        response = self._signed(method, path, parameters, {HEADER: session.token})
        if response.status == UNAUTHORIZED:
            _sessions.pop(self._account, None)
        return response

    def _renew(self, session: Session) -> Response:
        return self._keep(self._signed("PUT", PATH, "", {HEADER: session.token}))

    def _keep(self, response: Response) -> Response:
        session = session_of(response)
        if session is not None:
            _sessions[self._account] = session
        elif response.status == UNAUTHORIZED:
            _sessions.pop(self._account, None)
        return response

    def _signed(self, method: str, path: str, parameters: str, extra: dict[str, str]) -> Response:
        payload = f"{parameters}{'&' if parameters else ''}recvWindow=5000&timestamp={int(time() * 1000)}"
        digest = self._prepared.copy()
        digest.update(payload.encode())
        signed = f"{payload}&signature={digest.hexdigest()}"
        headers = self._form if method == "POST" else self._read
        if extra:
            headers = headers | extra
        if method == "POST":
            return self._client.request(method, path, headers, signed.encode())
        return self._client.request(method, f"{path}?{signed}", headers)


def trader_of(client: Client, arrival: Arrival) -> Trader:
    """The trader whose arrival this is."""
    accounts = int(arrival.settings.get("engine.accounts", DEFAULT_ACCOUNTS))
    return Trader(client, arrival.key % accounts, logs_in=logs_in(arrival))


def logs_in(arrival: Arrival) -> bool:
    """Whether the gateways ask for a session."""
    return bool(arrival.settings.get("gateway.login", "off") != "off")


def spread(key: int) -> int:
    """`key` with its bits spread, so that choices made from it are independent of the account."""
    return key * 0x9E3779B1 & 0xFFFFFFFF


@cache
def _credentials(account: int) -> tuple[dict[str, str], dict[str, str], hmac.HMAC]:
    """Headers for a read and for a form, and the prepared HMAC of an account."""
    key = api_key(account)
    read = {"X-MBX-APIKEY": key}
    return read, read | FORM, hmac.new(api_secret(key).encode(), digestmod=hashlib.sha256)
