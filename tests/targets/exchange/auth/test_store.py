from pathlib import Path

from exchange.auth import store
from exchange.auth.store import SessionStore


def test_a_session_lasts_until_its_end_and_beyond_the_process(tmp_path: Path) -> None:
    first = SessionStore(tmp_path / "sessions.db")
    first.put("a", 7, 2_000, now_ms=1_000)
    first.close()
    again = SessionStore(tmp_path / "sessions.db")
    assert again.get("a", 1_999) == (7, 2_000)
    assert again.get("a", 2_000) is None
    again.put("a", 7, 3_000, now_ms=1_999)
    assert again.get("a", 2_000) == (7, 3_000)
    assert again.get("b", 1_000) is None


def test_what_has_ended_is_removed_now_and_then() -> None:
    sessions = SessionStore(":memory:")
    sessions.put("old", 1, 10, now_ms=0)
    for number in range(store.SWEEP_EVERY):
        sessions.put(f"new-{number}", 1, 100, now_ms=50)
    assert sessions.get("old", 5) is None
    assert sessions.get("new-0", 50) == (1, 100)
