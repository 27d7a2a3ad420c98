"""The load engine beside Locust's own users, k6, Vegeta and wrk: one machine, one run, the same nginx.

`make bench` alone on a quiet machine; CHAOSKIT_BENCH=quick for short runs that only print.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from chaoskit.address import Address
from chaoskit.records import Histogram, History
from tests.benchmarks.far_end import FarEnd
from tests.benchmarks.page import QUICK, publish
from tests.benchmarks.peers import Cost, at_rate, k6, missing, ours, vegeta, wrk
from tests.support.load_plan import get, plan_of, play_plan, stream_of

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
]
CONNECTIONS = 32
SECONDS = 2 if QUICK else 10
TURN_SECONDS, TURNS = (2, 1) if QUICK else (5, 5)
OPEN_RATE_RPS = 15_000
HIGH_RATE_RPS, HIGH_SECONDS = 20_000, 5 if QUICK else 60
STEP = ((3.0, 30), (3.0 if QUICK else 6.0, 3000))
FROZEN_RATE_RPS, FROZEN_SECONDS = 200, 12.0 if QUICK else 30.0
FREEZE_S = (4.0, 7.0)
MIDDLE = 0.5


@pytest.fixture
def far_end(tmp_path: Path) -> Iterator[FarEnd]:
    with FarEnd.started(tmp_path) as started:
        yield started


def left_out() -> str:
    return f"Not on PATH, and so left out: {', '.join(missing())}." if missing() else ""


def test_requests_per_loader_core(far_end: FarEnd) -> None:
    """Closed loop over 32 connections, as fast as each can; in turn, for the machine is not the same all the time."""
    port, seconds = far_end.port, TURN_SECONDS
    runs: dict[str, Callable[[], Cost]] = {
        "chaoskit": lambda: ours("closed", port, CONNECTIONS, seconds),
        "FastHttpUser": lambda: ours("fast-tasks", port, CONNECTIONS, seconds),
        "FastHttpUser, all in one task": lambda: ours("fast", port, CONNECTIONS, seconds),
        "HttpUser, all in one task": lambda: ours("http", port, CONNECTIONS, seconds),
        "k6": lambda: k6(
            port, seconds, closed={"executor": "constant-vus", "vus": CONNECTIONS, "duration": f"{seconds}s"}
        ),
        "vegeta": lambda: vegeta(port, seconds, 0, workers=CONNECTIONS),
        "wrk": lambda: wrk(port, CONNECTIONS, seconds),
    }
    turns = [{name: run() for name, run in runs.items() if name not in missing()} for _ in range(TURNS)]
    costs = {name: max((turn[name] for turn in turns), key=lambda cost: cost.per_core) for name in turns[0]}
    rows = [
        [name, f"{cost.per_core:,.0f}", f"{costs['chaoskit'].per_core / cost.per_core:.2f}", f"{cost.rss_mb:,.0f}"]
        for name, cost in costs.items()
    ]
    publish(
        "closed loop",
        ["client", "requests per core second", "chaoskit to it", "memory, MB"],
        rows,
        f"{CONNECTIONS} connections, the best of {TURNS} turns of {seconds} s each, Go's tools with GOMAXPROCS=1. CPU",
        "time of the load alone for what runs on Python, of the whole process for k6, Vegeta and wrk. FastHttpUser",
        "has a task for each request, as Locust's documentation writes it, or sends all its requests within one.",
        left_out(),
    )
    assert {name: cost.failed for name, cost in costs.items()} == dict.fromkeys(costs, 0)
    ratios = {name: costs["chaoskit"].per_core / cost.per_core for name, cost in costs.items()}
    assert ratios["FastHttpUser"] > 3
    assert ratios["HttpUser, all in one task"] > 10


def test_open_loop(far_end: FarEnd) -> None:
    """Arrivals at 15,000/s: what each costs, and how late they are sent."""
    rate, port = OPEN_RATE_RPS, far_end.port
    runs: dict[str, Callable[[], Cost]] = {
        "chaoskit": lambda: ours("open", port, CONNECTIONS, SECONDS, rate),
        "k6": lambda: k6(port, SECONDS, open=at_rate(rate, SECONDS, 300)),
        "vegeta": lambda: vegeta(port, SECONDS, rate),
    }
    costs = {name: run() for name, run in runs.items() if name not in missing()}
    rows = [
        [
            name,
            f"{cost.requests / (rate * SECONDS):.1%}",
            f"{cost.per_core:,.0f}",
            f"{cost.lag_ms[0]:.2f} / {cost.lag_ms[1]:.2f}" if cost.lag_ms else "not told",
            f"{cost.rss_mb:,.0f}",
        ]
        for name, cost in costs.items()
    ]
    publish(
        "open loop",
        ["client", "of the planned", "requests per core second", "sent late, p50 / p99 ms", "memory, MB"],
        rows,
        f"Constant {rate:,}/s for {SECONDS} s. wrk and Locust's users have no arrival rate. {left_out()}",
    )
    assert costs["chaoskit"].requests == rate * SECONDS
    assert costs["chaoskit"].lag_ms is not None
    assert QUICK or costs["chaoskit"].lag_ms[1] < 5


async def play(folder: Path, far_end: FarEnd, *rates: tuple[float, float], connections: int = 200) -> History:
    plan = plan_of(stream_of(get("/"), *rates, timeout_s=20), connections=connections, drain_s=10)
    return await play_plan(folder, plan, Address("127.0.0.1", far_end.port))


def achieved(far_end: FarEnd, rates: tuple[tuple[float, float], ...], first: float = 0.0) -> list[float]:
    """Achieved / planned of each second by what the server saw; zero is where its first second fits best.

    `first` is the interval between two arrivals after which the client plans its first one: ours come in the middle.
    """
    seen_s = far_end.seen_s()
    planned = [rate for seconds, rate in rates for _ in range(round(seconds))]
    in_first_second_s = seen_s[: round(planned[0])]
    zero_s = (in_first_second_s - (np.arange(len(in_first_second_s)) + first) / planned[0]).min()
    counts, _ = np.histogram(seen_s - zero_s, bins=np.arange(len(planned) + 1))
    return [count / rate for count, rate in zip(counts.tolist(), planned, strict=True)]


async def test_a_high_rate_is_kept_in_every_second(far_end: FarEnd, tmp_path: Path) -> None:
    rates = ((float(HIGH_SECONDS), float(HIGH_RATE_RPS)),)
    history = await play(tmp_path, far_end, *rates)
    ratios = achieved(far_end, rates, MIDDLE)
    lag_us = Histogram.merged(batch.lag_us for batch in history.samples)
    cpu_s = history.generator[-1].cpu_s - history.generator[0].cpu_s
    publish(
        "high rate",
        ["rate", "seconds", "worst second, achieved / planned", "sent late, p50 / p99 ms", "of a core"],
        [
            [
                f"{HIGH_RATE_RPS:,}/s",
                str(HIGH_SECONDS),
                f"{min(ratios):.4f}",
                " / ".join(f"{(lag_us.quantile_us(share) or 0) / 1e3:.2f}" for share in (0.5, 0.99)),
                f"{cpu_s / (history.generator[-1].t_s - history.generator[0].t_s):.0%}",
            ]
        ],
        "One load process, counted by the server.",
    )
    assert sum(batch.ok for batch in history.samples) == HIGH_RATE_RPS * HIGH_SECONDS
    assert QUICK or min(ratios) >= 0.995


async def test_a_step_of_a_hundredfold(far_end: FarEnd, tmp_path: Path) -> None:
    """Each second's worth of requests as the server saw them."""
    (calm_s, calm), (surge_s, surge) = STEP
    ratios: dict[str, list[float]] = {}
    await play(tmp_path, far_end, *STEP)
    ratios["chaoskit"] = achieved(far_end, STEP, MIDDLE)
    if "k6" not in missing():
        k6(far_end.port, calm_s + surge_s, calm=at_rate(calm, calm_s, 10), surge=at_rate(surge, surge_s, 300, calm_s))
        ratios["k6"] = achieved(far_end, STEP)
    ours("paced-fast", far_end.port, surge // 10, surge_s, calm // 10, calm_s)
    ratios["FastHttpUser, 10/s a user"] = achieved(far_end, STEP)
    seconds = range(len(ratios["chaoskit"]))
    publish(
        "step",
        ["achieved / planned in second", *map(str, seconds)],
        [[name, *(f"{ratio:.3f}" for ratio in each)] for name, each in ratios.items()],
        f"{calm}/s, and from second {calm_s:.0f} on {surge:,}/s, counted by the server. Vegeta's command has one rate.",
        left_out(),
    )
    assert QUICK or max(abs(ratio - 1) for ratio in ratios["chaoskit"][int(calm_s) :]) <= 0.005


async def test_a_freeze_is_seen_as_it_was(far_end: FarEnd, tmp_path: Path) -> None:
    """The server stands still for 3 s; p99 against that of the same arrivals at a server that only stands still."""
    rate, seconds, port = FROZEN_RATE_RPS, FROZEN_SECONDS, far_end.port
    rows: list[list[str]] = []
    errors: dict[str, float] = {}

    def row(name: str, p99_ms: float, begin_s: float) -> None:
        intended_s = begin_s + np.arange(int(rate * seconds)) / rate
        frozen_from_s, frozen_until_s = far_end.frozen_s
        waits = (intended_s >= frozen_from_s) & (intended_s < frozen_until_s)
        exact_ms = float(np.quantile(np.where(waits, frozen_until_s - intended_s, 0.0), 0.99)) * 1e3
        errors[name] = p99_ms / exact_ms - 1
        rows.append([name, f"{p99_ms:,.0f}", f"{exact_ms:,.0f}", f"{errors[name]:+.1%}"])

    with far_end.freezing(*FREEZE_S):
        history = await play(tmp_path, far_end, (seconds, rate), connections=2000)
    began_s = float(far_end.seen_s()[0])
    for clock, parts in (
        ("response", [batch.response_us for batch in history.samples]),
        ("service", [batch.service_us for batch in history.samples]),
    ):
        row(f"chaoskit, {clock}", (Histogram.merged(parts).quantile_us(0.99) or 0) / 1e3, began_s)
    runs: dict[str, Callable[[], Cost]] = {
        "k6": lambda: k6(port, seconds, frozen=at_rate(rate, seconds, 1000)),
        "vegeta": lambda: vegeta(port, seconds, rate),
        "FastHttpUser": lambda: ours("paced-fast", port, rate // 10, seconds),
        "HttpUser": lambda: ours("paced-http", port, rate // 10, seconds),
        "wrk": lambda: wrk(port, rate // 10, seconds),
    }
    for name, run in runs.items():
        if name not in missing():
            with far_end.freezing(*FREEZE_S):
                cost = run()
            row(name, cost.p99_ms or 0.0, float(far_end.seen_s()[0]))
    publish(
        "freeze",
        ["client", "p99 told, ms", "p99 exact, ms", "off by"],
        rows,
        f"{rate}/s for {seconds:.0f} s, the server frozen for {FREEZE_S[1] - FREEZE_S[0]:.0f} s. Exact: from when each",
        "request was due and when the freeze began and ended. Locust's users and wrk are closed loops: they ask",
        f"nothing while they wait, and so count the freeze once for each connection. {left_out()}",
    )
    assert abs(errors["chaoskit, response"]) <= 0.02
    assert abs(errors["chaoskit, service"]) <= 0.02
