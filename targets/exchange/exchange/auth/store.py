"""Sessions on disk: a token, whose it is, and when it ends. They outlive the process that keeps them."""

import sqlite3
from pathlib import Path

SWEEP_EVERY = 1000  # sessions between two removals of those that have ended

_TABLE = "CREATE TABLE IF NOT EXISTS session (token TEXT PRIMARY KEY, account INTEGER, expires_ms INTEGER)"
_PUT = "INSERT OR REPLACE INTO session VALUES (?, ?, ?)"
_GET = "SELECT account, expires_ms FROM session WHERE token = ? AND expires_ms > ?"
_SWEEP = "DELETE FROM session WHERE expires_ms <= ?"


class SessionStore:
    """The sessions in the SQLite file `path`; `:memory:` keeps them nowhere."""

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")  # the process may die, not the machine
        self._database.execute(_TABLE)
        self._put = 0

    def put(self, token: str, account: int, expires_ms: int, now_ms: int) -> None:
        """Keep a session, or keep it for longer."""
        self._database.execute(_PUT, (token, account, expires_ms))
        self._put += 1
        if self._put % SWEEP_EVERY == 0:
            self._database.execute(_SWEEP, (now_ms,))

    def get(self, token: str, now_ms: int) -> tuple[int, int] | None:
        """The account and the end of a session that lasts at `now_ms`; None where there is none."""
        found: tuple[int, int] | None = self._database.execute(_GET, (token, now_ms)).fetchone()
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
