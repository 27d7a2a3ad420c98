"""Request weights and order counts in fixed windows, 429 and then 418 for those who go on.

As a resource, `rate_limit` has as many servers as a window has weight (tokens), and an admitted request of
weight w holds w tokens for one window. So `busy / (servers x T)` is the share of the budget that was used,
whatever T is; with several clients it is their sum against one client's budget.
"""

from service.occupancy import Resource

from exchange.failures import Refusal

LONGEST_BAN_S = 3 * 24 * 3600.0


class WeightLimiter:
    """Weight per client and window; after `ban_after` refusals in one the next is a ban, each twice as long.

    Times are wall-clock seconds: windows begin at whole multiples of `window_s`, as calendar minutes do.
    """

    def __init__(self, limit: int, window_s: float, ban_after: int, ban_s: float) -> None:
        self.resource = Resource("rate_limit", limit)
        self.window_s = window_s
        self.header = b"x-mbx-used-weight-" + _interval(window_s)
        self._limit = limit
        self._ban_after = ban_after
        self._ban_s = ban_s
        self._window = -1
        self._used: dict[bytes, int] = {}
        self._refused: dict[bytes, int] = {}
        self._banned_until_s: dict[bytes, float] = {}
        self._bans: dict[bytes, int] = {}

    def admit(self, client: bytes, weight: int, now_s: float) -> int:
        """Spend `weight` of the client's budget; returns the weight used in this window.

        Raises `Refusal` 429 (-1003) where the budget is spent, 418 (-1003) while the client is banned.
        """
        self.resource.arrivals += 1
        window = int(now_s / self.window_s)
        if window != self._window:
            self._window = window
            self._used.clear()
            self._refused.clear()
        if self._banned_until_s and self._banned_until_s.get(client, 0.0) > now_s:
            raise self._ban(client)
        used = self._used.get(client, 0) + weight
        if used > self._limit:
            raise self._refuse(client, now_s)
        self._used[client] = used
        self.resource.completions += 1
        self.resource.busy.add(weight * self.window_s)
        return used

    def used(self, client: bytes) -> int:
        """Weight that the client has used in this window."""
        return self._used.get(client, 0)

    def retry_after_s(self, client: bytes, now_s: float) -> int:
        """Whole seconds until the client may try again."""
        end_s = max((int(now_s / self.window_s) + 1) * self.window_s, self._banned_until_s.get(client, 0.0))
        return int(end_s - now_s) + 1

    def _refuse(self, client: bytes, now_s: float) -> Refusal:
        refused = self._refused[client] = self._refused.get(client, 0) + 1
        if refused > self._ban_after:
            times = self._bans.get(client, 0)
            self._bans[client] = times + 1
            self._banned_until_s[client] = now_s + min(self._ban_s * 2**times, LONGEST_BAN_S)
            return self._ban(client)
        self.resource.rejections["429"] += 1
        return Refusal(
            429,
            -1003,
            f"Too many requests; current limit of IP({client.decode()}) is {self._limit} requests per"
            f" {_period(self.window_s)}. Please use the websocket for live updates to avoid polling the API.",
        )

    def _ban(self, client: bytes) -> Refusal:
        self.resource.rejections["418"] += 1
        until_ms = int(self._banned_until_s[client] * 1000)
        return Refusal(
            418,
            -1003,
            f"Way too many requests; IP({client.decode()}) banned until {until_ms}."
            " Please use the websocket for live updates to avoid bans.",
        )


def _interval(window_s: float) -> bytes:
    """Return the window as the venue writes intervals in header names: 1m, 10s."""
    minutes, rest_s = divmod(window_s, 60)
    return b"%gm" % minutes if not rest_s else b"%gs" % window_s


def _period(window_s: float) -> str:
    return "minute" if window_s == 60 else f"{window_s:g} seconds"


class OrderLimiter:
    """New orders per account in fixed windows of 10 s and of 1 min."""

    def __init__(self, limit_10s: int, limit_1m: int) -> None:
        self._windows = (_OrderWindow(10, limit_10s, "TEN_SECONDS"), _OrderWindow(60, limit_1m, "MINUTE"))

    def admit(self, account: int, now_s: float) -> tuple[int, int]:
        """Count one order and return the counts of both windows; raises `Refusal` 429 (-1015)."""
        for window in self._windows:
            window.check(account, now_s)
        ten_s, one_minute = (window.count(account) for window in self._windows)
        return ten_s, one_minute


class _OrderWindow:
    def __init__(self, window_s: int, limit: int, name: str) -> None:
        self._window_s = window_s
        self._limit = limit
        self._name = name
        self._window = -1
        self._counts: dict[int, int] = {}

    def check(self, account: int, now_s: float) -> None:
        window = int(now_s) // self._window_s
        if window != self._window:
            self._window = window
            self._counts.clear()
        if self._counts.get(account, 0) >= self._limit:
            raise Refusal(429, -1015, f"Too many new orders; current limit is {self._limit} orders per {self._name}.")

    def count(self, account: int) -> int:
        count = self._counts[account] = self._counts.get(account, 0) + 1
        return count
