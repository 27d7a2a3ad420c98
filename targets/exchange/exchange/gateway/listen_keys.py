"""Keys of the user streams: whoever has an account's key hears what happens to it, for an hour after its last renewal.

A key follows from its account, as an API secret does, so the gateway of another region knows it, too; each counts the
hour by itself.
"""

import hashlib
from collections.abc import Callable
from time import monotonic

from exchange.failures import Refusal
from exchange.venue import api_key

KEY_LENGTH = 64
ACCOUNT_DIGITS = 8
UNKNOWN = Refusal(400, -1125, "This listenKey does not exist.")


def listen_key(account: int) -> str:
    """The key of an account: eight hex digits of its number, and as many of a digest as fill 64."""
    digest = hashlib.sha256(f"chaoskit-exchange:listen:{api_key(account)}".encode()).hexdigest()
    return f"{account:0{ACCOUNT_DIGITS}x}{digest}"[:KEY_LENGTH]


class ListenKeys:
    """The keys that are alive; `clock` gives monotonic seconds."""

    def __init__(self, life_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._life_s = life_s
        self._clock = clock
        self._ends_s: dict[int, float] = {}

    def open(self, account: int) -> str:
        """A key that is good for a whole life from now on: the one that the account has, where it has one."""
        self._ends_s[account] = self._clock() + self._life_s
        return listen_key(account)

    def renew(self, account: int) -> None:
        """Let the account's key live on; raises `Refusal` -1125 where none is alive."""
        if account not in self._ends_s:
            raise UNKNOWN
        self.open(account)

    def close(self, account: int) -> None:
        """End the account's key."""
        self._ends_s.pop(account, None)

    def account_of(self, key: str, accounts: int) -> int | None:
        """The account whose key this is, or None; one that comes from another gateway begins its life here."""
        try:
            account = int(key[:ACCOUNT_DIGITS], 16)
        except ValueError:
            return None
        if len(key) != KEY_LENGTH or not 0 <= account < accounts or key != listen_key(account):
            return None
        if account not in self._ends_s:
            self.open(account)
        return account

    def expired(self) -> list[int]:
        """The accounts whose keys have ended by themselves since the last call."""
        now_s = self._clock()
        over = [account for account, end_s in self._ends_s.items() if end_s <= now_s]
        for account in over:
            del self._ends_s[account]
        return over
