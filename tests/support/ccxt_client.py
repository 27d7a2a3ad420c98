"""Unmodified ccxt, pointed at a local gateway through its sandbox: no call can leave the machine."""

from typing import Any

import ccxt
import ccxt.pro
from exchange.venue import api_key, api_secret


def trader(port: int, account: int) -> ccxt.binanceusdm:
    """A client of the HTTP interface."""
    client = ccxt.binanceusdm(_options(account))
    _point(client, port)
    return client


def listener(port: int, account: int) -> ccxt.pro.binanceusdm:
    """A client of the streams; `await client.close()` ends it."""
    client = ccxt.pro.binanceusdm(_options(account))
    _point(client, port)
    return client


def _options(account: int) -> dict[str, object]:
    return {"apiKey": api_key(account), "secret": api_secret(api_key(account)), "enableRateLimit": False}


def _point(client: Any, port: int) -> None:  # noqa: ANN401 - either of ccxt's classes
    base = f"http://127.0.0.1:{port}/fapi"
    client.urls["test"] = {
        "fapiPublic": f"{base}/v1",
        "fapiPrivate": f"{base}/v1",
        "fapiPrivateV2": f"{base}/v2",
        "fapiPrivateV3": f"{base}/v3",
        "ws": {"linear": f"ws://127.0.0.1:{port}/ws"},
    }
    client.set_sandbox_mode(True)
    client.exceptions["exact"] = {**client.exceptions["exact"], **client.exceptions["linear"]["exact"]}
