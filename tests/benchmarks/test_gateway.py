"""How many signed requests per second one gateway process carries on one core.

`wrk` sends requests that are signed beforehand, so that the generator's own cost is small; the gateway
verifies each signature, spends its weight, takes a worker slot and goes to the database or the engine.
"""

import hashlib
import hmac
import json
import shutil
import subprocess
from pathlib import Path
from time import time
from typing import Any

import psutil
import pytest
from exchange.flows.trading import order_form
from exchange.venue import api_key, api_secret

from tests.support.exchange import running_exchange

SECONDS = 5
REQUESTS = 2000
AT_LEAST_PER_CORE_SECOND = 6000

SCRIPT = """
local requests = {}
for line in io.lines(os.getenv("SIGNED_REQUESTS")) do
  local method, target, key, body = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)")
  requests[#requests + 1] = wrk.format(method, target, {["X-MBX-APIKEY"] = key}, body)
end
local at = 0
function request() at = at % #requests + 1; return requests[at] end
function done(summary, latency)
  io.stderr:write(string.format('{"requests": %d, "seconds": %f, "errors": %d, "p50_ms": %f, "p99_ms": %f}',
    summary.requests, summary.duration / 1e6, summary.errors.status + summary.errors.timeout +
    summary.errors.read, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3)) end
"""


def signed(kind: str, number: int) -> str:
    """One line of the request file: method, target, key, body."""
    account = number % 200
    key = api_key(account)
    stamp = f"recvWindow=60000&timestamp={int(time() * 1000)}"
    payload = f"{order_form(number * 2654435761 % 2**32)}&{stamp}" if kind == "orders" else stamp
    signature = hmac.new(api_secret(key).encode(), payload.encode(), hashlib.sha256).hexdigest()
    payload = f"{payload}&signature={signature}"
    if kind == "orders":
        return f"POST\t/fapi/v1/order\t{key}\t{payload}"
    path = {"positions": "/fapi/v3/positionRisk", "edge": "/fapi/v1/leverageBracket"}[kind]
    return f"GET\t{path}?{payload}\t{key}\t"


@pytest.mark.benchmark
@pytest.mark.parametrize("kind", ["edge", "positions", "orders"])
def test_signed_requests_per_second(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`edge` is what the gateway does itself; the others include database and engine on the same machine."""
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not on PATH")
    script = tmp_path / "signed.lua"
    script.write_text(SCRIPT)
    with running_exchange(tmp_path, "--accounts=200", "--service-time=0us") as exchange:
        gateway = exchange.start_gateway("measured", "--db-pool=32", "--service-time=0us")
        lines = [signed(kind, number) for number in range(REQUESTS)]
        (tmp_path / "requests").write_text("\n".join(lines) + "\n")
        monkeypatch.setenv("SIGNED_REQUESTS", str(tmp_path / "requests"))
        gateway_process = psutil.Process(gateway.process.pid)
        before = gateway_process.cpu_times()
        url = f"http://127.0.0.1:{gateway.port}"
        command = ["wrk", "-t1", "-c64", f"-d{SECONDS}s", "-s", str(script), url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        after = gateway_process.cpu_times()
    figures: dict[str, Any] = json.loads(done.stderr)
    cpu_s = after.user + after.system - before.user - before.system
    rate = figures["requests"] / figures["seconds"]
    per_core = figures["requests"] / cpu_s
    print(  # noqa: T201 - a benchmark's result
        f"\n{kind}: {rate:,.0f}/s, {per_core:,.0f} per core second of the gateway,"
        f" p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms, errors {figures['errors']}"
    )
    assert figures["errors"] < figures["requests"] * 0.01
    assert per_core >= AT_LEAST_PER_CORE_SECOND
