"""The two views of a running plan."""

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from chaoskit.cli.live import PlainLines, Screen, make_view
from chaoskit.runner.live import GeneratorNow, Snapshot, StreamNow
from tests.support.shop_plan import shop_plan

SNAPSHOT = Snapshot(
    t_s=5.0,
    phase="surge",
    streams={"buying": StreamNow(300, 280, 20, 0.0123)},
    faults=("latency: adds 40ms",),
    busiest=(("shop/api.tills", 0.99),),
    in_flight=12,
    notes=("gate_open: baseline was steady",),
)


def console(terminal: bool) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, width=160, color_system=None), written


def test_plain_lines_say_what_changed_and_not_more() -> None:
    out, written = console(terminal=False)
    view = PlainLines(out)
    view.stage("starting the target")
    view.update(SNAPSHOT)
    view.update(SNAPSHOT)
    lines = written.getvalue().splitlines()
    assert lines[0] == "· starting the target"
    assert len(lines) == 2
    for part in (
        "surge",
        "buying 300 of 300/s (20 failed, p99 12.3ms)",
        "12 in flight",
        "shop/api.tills 99%",
        "latency: adds 40ms",
    ):
        assert part in lines[1]


def test_the_screen_shows_phases_rates_errors_faults_and_the_busiest(tmp_path: Path) -> None:
    out, written = console(terminal=True)
    with Screen(out, shop_plan(tmp_path)) as view:
        view.stage("playing")
        view.update(SNAPSHOT)
    for part in ("baseline", "surge", "buying", "280", "20", "12.3ms", "shop/api.tills 99%", "latency: adds 40ms"):
        assert part in written.getvalue()


def test_how_the_load_generator_is_shows_in_both_views(tmp_path: Path) -> None:
    generator = GeneratorNow(4, 0.0012, 0.003, 0.35, 1200, 17, 5)
    for terminal in (False, True):
        out, written = console(terminal)
        with make_view(out, shop_plan(tmp_path)) as view:
            view.update(replace(SNAPSHOT, generator=generator))
        said = "sent 1.2ms late (p99), loop 3ms, cpu 35%, 1,200 connections, 17 waiting for one, 5 never sent"
        assert said in written.getvalue().replace("\n", "")


def test_the_console_decides(tmp_path: Path) -> None:
    plan = shop_plan(tmp_path)
    assert isinstance(make_view(console(terminal=False)[0], plan), PlainLines)
    assert isinstance(make_view(console(terminal=True)[0], plan), Screen)
