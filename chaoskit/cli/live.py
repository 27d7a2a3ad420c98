"""The live view: a table that redraws itself on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from chaoskit.plan.model import Plan
from chaoskit.runner.live import GeneratorNow, Snapshot, StreamNow, Watcher
from chaoskit.units import format_duration

_BAR_WIDTH: Final = 40
_LINE_EVERY_S: Final = 5.0


class PlainLines:
    """One line per step of the run's life, per phase, per fault and every five seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_s = -_LINE_EVERY_S
        self._seen: tuple[str, tuple[str, ...]] = ("", ())

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def stage(self, sentence: str) -> None:
        """Print the step that begins."""
        self._console.print(f"· {sentence}", markup=False)

    def update(self, snapshot: Snapshot) -> None:
        """Print a line when something changed or five seconds have passed."""
        seen = (snapshot.phase, snapshot.faults)
        if seen == self._seen and snapshot.t_s - self._printed_s < _LINE_EVERY_S:
            return
        self._seen, self._printed_s = seen, snapshot.t_s
        streams = "  ".join(
            f"{name} {_answered(now)} ({now.failed_rps} failed, p99 {_latency(now.p99_s)}{_heard(now, ', ')})"
            for name, now in snapshot.streams.items()
        )
        waiting = f"  {snapshot.in_flight:,} in flight" if snapshot.in_flight else ""
        busiest = f"  busiest {snapshot.busiest[0][0]} {snapshot.busiest[0][1]:.0%}" if snapshot.busiest else ""
        faults = f"  faults {', '.join(snapshot.faults)}" if snapshot.faults else ""
        load = f"  load {_generator(snapshot.generator)}" if snapshot.generator.processes else ""
        self._console.print(
            f"{snapshot.t_s:6.1f}s {snapshot.phase}  {streams}{waiting}{busiest}{load}{faults}", markup=False
        )


class Screen:
    """The same, redrawn in place: phase bar, streams, active faults, busiest resources."""

    def __init__(self, console: Console, plan: Plan) -> None:
        self._console = console
        self._plan = plan
        self._live = Live(console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Screen":
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def stage(self, sentence: str) -> None:
        """Print the step above the table; it stays when the table is gone."""
        self._live.console.print(Text(f"· {sentence}", style="dim"))

    def update(self, snapshot: Snapshot) -> None:
        """Redraw."""
        self._live.update(Group(self._phases(snapshot), self._streams(snapshot), *self._lines(snapshot)))

    def _phases(self, snapshot: Snapshot) -> Text:
        bar = Text(f"{max(0.0, snapshot.t_s):5.1f}s of {self._plan.duration_s:.0f}s  ")
        for phase in self._plan.phases:
            width = max(1, round((phase.end_s - phase.start_s) / self._plan.duration_s * _BAR_WIDTH))
            done = (snapshot.t_s - phase.start_s) / (phase.end_s - phase.start_s)
            full = round(min(1.0, max(0.0, done)) * width)
            style = "bold red" if phase.name == self._plan.surge_phase else "cyan"
            bar.append("█" * full, style).append("░" * (width - full), style)
            bar.append(f" {phase.name}  ", "bold" if phase.name == snapshot.phase else "dim")
        return bar

    def _streams(self, snapshot: Snapshot) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("stream", "planned/s", "ok/s", "failed/s", "p99 response"):
            table.add_column(heading, justify="left" if heading == "stream" else "right")
        for name, now in snapshot.streams.items():
            failed = Text(str(now.failed_rps), style="bold red" if now.failed_rps else "green")
            table.add_row(Text(name), str(now.planned_rps), str(now.ok_rps), failed, _latency(now.p99_s))
        return table

    def _lines(self, snapshot: Snapshot) -> list[Text]:
        lines = [Text(f"load     {_generator(snapshot.generator)}", "dim"), Text("busiest  ", "dim")]
        for name, used in snapshot.busiest:
            lines[1].append(f"{name} {used:.0%}   ", "bold red" if used > 0.95 else "")
        heard = {name: _heard(now) for name, now in snapshot.streams.items()}
        lines += [Text(f"feed     {name}: {said}", "dim") for name, said in heard.items() if said]
        lines += [Text(f"fault    {fault}", "bold yellow") for fault in snapshot.faults]
        lines += [Text(note, "dim") for note in snapshot.notes]
        return lines


def make_view(console: Console, plan: Plan) -> "Screen | PlainLines":
    """Return the view that fits the console; both are watchers and context managers."""
    view: Screen | PlainLines = Screen(console, plan) if console.is_terminal else PlainLines(console)
    watcher: Watcher = view
    assert watcher is view
    return view


def _answered(now: StreamNow) -> str:
    """Return what has come to an end of the arrivals planned for that second; a closed stream plans none."""
    ended = now.ok_rps + now.failed_rps
    return f"{ended:,} of {now.planned_rps:,}/s" if now.planned_rps else f"{ended:,}/s"


def _heard(now: StreamNow, before: str = "") -> str:
    """Return what a stream's subscribers get; nothing where it has none."""
    return f"{before}{now.listeners:,} subscribers get {now.messages_rps:,} messages/s" if now.listeners else ""


def _generator(now: GeneratorNow) -> str:
    """Return how the load generator is; what it dropped or cannot send only where there is such."""
    said = f"sent {_latency(now.lag_p99_s)} late (p99), loop {_latency(now.loop_lag_s)}, cpu {now.cpu_ratio:.0%}"
    said += f", {now.connections:,} connections"
    said += f", {now.backlog:,} waiting for one" if now.backlog else ""
    return said + (f", {now.unsent:,} never sent" if now.unsent else "")


def _latency(seconds: float | None) -> str:
    return "–" if seconds is None else format_duration(seconds)
