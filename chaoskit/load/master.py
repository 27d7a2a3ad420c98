"""Locust's master of a run: `python -m chaoskit.load.master`, a child of the runner that relays between it and workers.

Workers connect with Locust's own protocol; their statistics make Locust's totals, its web page and its CSV files.
"""

import logging
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import flask
import gevent
import locust  # noqa: F401 - before all that follows: it patches the process
from gevent.event import Event
from locust import stats as locust_stats
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, STATE_RUNNING, MasterRunner

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.load.fleet import (
    CLOCK,
    HELLO,
    LINES,
    NO_PLACE,
    SETUP,
    MasterSetup,
    Totals,
    check_free,
    decode_gone,
    decode_lost,
    encode_gone,
    encode_listening,
    numbered,
    split_number,
)
from chaoskit.load.messages import DONE, READY, STOP, Setup
from chaoskit.load.pipes import LineReader, Writer
from chaoskit.load.statistics import merge_lost

_LOOK_S: Final = 0.25
_WRITTEN_S: Final = locust_stats.CSV_STATS_INTERVAL_SEC + 0.1


class Relay:
    """Passes lines between a run and its workers, and knows which of these are still there."""

    def __init__(self, runner: MasterRunner, setup: MasterSetup, writer: Writer) -> None:
        self.over = Event()
        self._runner = runner
        self._setup = setup
        self._writer = writer
        self._plan = Path(setup.plan).read_bytes()
        self._workers: dict[str, int] = {}
        self._ready: set[int] = set()
        self._ended: set[int] = set()
        self._released = False
        self._counted: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        events: Any = runner.environment.events
        events.worker_report.add_listener(self._count)
        for kind, listener in ((HELLO, self._hello), (CLOCK, self._clock), (LINES, self._lines)):
            runner.register_message(kind, listener)
        gevent.spawn(self._look)

    def obey(self, reader: LineReader) -> None:
        """Pass on what the run says, until it is gone."""
        while line := reader.readline():
            self._released = True  # the first thing that is said
            self._tell(*split_number(line))
        self.over.set()

    def stop(self) -> None:
        """End the play soon; what was measured is still handed up."""
        if self._released:
            self._tell_all(STOP)
        else:
            self.over.set()

    def _tell_all(self, line: bytes) -> None:
        for worker in sorted(set(self._workers.values()) - self._ended):
            self._tell(worker, line)

    def _tell(self, worker: int, line: bytes) -> None:
        client = next((name for name, number in self._workers.items() if number == worker), None)
        if client is None:
            return
        if (totals := decode_lost(line)) is not None:
            self._make_up(client, totals)
            return
        if decode_gone(line) is not None:  # the run will hear of it no more
            self._ended.add(worker)
            self._runner.send_message("quit", client_id=client)
        else:
            self._runner.send_message(LINES, {"lines": line}, client)

    def _count(self, client_id: str, data: Mapping[str, Any]) -> None:
        """Remember what a worker's reports added to Locust's totals."""
        for entry in data["stats"]:
            self._counted[client_id]["requests", entry["name"]] += entry["num_requests"]
            self._counted[client_id]["failures", entry["name"]] += entry["num_failures"]

    def _make_up(self, client: str, totals: Totals) -> None:
        """Add what a lost worker reported no more, so that Locust's totals are those of the run."""
        counted = self._counted[client]
        for stream, (requests, failures) in totals.items():
            more = (requests - counted["requests", stream], failures - counted["failures", stream])
            if max(more) > 0:
                merge_lost(self._runner.environment.stats, stream, *(max(0, count) for count in more))

    def _hello(self, msg: Message, **_: object) -> None:
        taken = set(self._workers.values())
        free = [number for number in range(self._setup.workers) if number not in taken]
        wanted = msg.data["place"]
        if not free:
            self._runner.send_message("quit", client_id=msg.node_id)  # more came than are expected
            return
        worker = free[0] if wanted == NO_PLACE else wanted
        self._workers[msg.node_id] = worker
        setup = Setup("", worker, self._setup.workers, self._setup.entries)
        self._runner.send_message(SETUP, {"setup": asdict(setup), "plan": self._plan}, msg.node_id)

    def _clock(self, msg: Message, **_: object) -> None:
        self._runner.send_message(CLOCK, {**msg.data, "read_s": time.monotonic()}, msg.node_id)

    def _lines(self, msg: Message, **_: object) -> None:
        worker = self._workers.get(msg.node_id)
        lines: bytes = msg.data["lines"]
        if worker is None or worker in self._ended:
            return
        if lines == READY:
            self._ready.add(worker)
            if len(self._ready) == self._setup.workers:
                self._runner.update_state(STATE_RUNNING)
                self._writer.write(READY)
            return
        self._writer.write(numbered(worker, lines))
        if lines.endswith(DONE) or decode_gone(lines) is not None:
            self._end(worker)

    def _look(self) -> None:
        """Notice workers that went missing (Locust hears a heartbeat a second, and misses three) or left."""
        while not self.over.is_set():
            gevent.sleep(_LOOK_S)
            there: Mapping[str, Any] = self._runner.clients
            for client, worker in self._workers.items():
                if worker not in self._ended and (client not in there or there[client].state == STATE_MISSING):
                    why = "left" if client not in there else "is missing: three heartbeats did not come"
                    self._writer.write(numbered(worker, encode_gone(f"({client}) {why}")))
                    self._end(worker)

    def _end(self, worker: int) -> None:
        self._ended.add(worker)
        if len(self._ended) == self._setup.workers:
            self.over.set()


def main() -> int:
    """Be the master that standard input asks for; return the exit code."""
    logging.basicConfig(level=logging.WARNING)
    reader, writer = LineReader(0), Writer(1)
    line = reader.readline()
    if not line:
        return 0
    setup = MasterSetup.decode(line)
    environment = Environment(user_classes=[])
    try:
        check_free(Address(setup.host, setup.port))
        runner = environment.create_master_runner(setup.host, setup.port)
        if setup.web:
            _serve_page(environment, Address.parse(setup.web))
    except SetupFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    relay = Relay(runner, setup, writer)
    writing = _write_csv(environment, Path(setup.csv)) if setup.csv else None
    gevent.spawn(locust_stats.stats_history, runner)
    writer.write(encode_listening(runner.server.port))
    gevent.signal_handler(signal.SIGTERM, relay.stop)
    gevent.spawn(relay.obey, reader)
    relay.over.wait()
    if writing is not None:
        gevent.sleep(_WRITTEN_S)  # its loop writes what it has once a second
        writing.kill()
        gevent.sleep(0)  # its end closes the files
    runner.quit()
    return 0


def _serve_page(environment: Environment, at: Address) -> None:
    """Serve Locust's web page to look at: what would start, stop or reset something is refused."""
    check_free(at)
    page: Any = environment.create_web_ui(at.host, at.port, delayed_start=True)

    def refuse_changes() -> tuple[str, int] | None:
        if flask.request.method in {"GET", "HEAD"}:
            return None
        return "This page only shows the run: the scenario says when load starts and ends.\n", 403

    page.app.before_request(refuse_changes)
    page.start()


def _write_csv(environment: Environment, prefix: Path) -> "gevent.Greenlet":
    prefix.parent.mkdir(parents=True, exist_ok=True)
    percentiles = locust_stats.PERCENTILES_TO_REPORT
    writer = locust_stats.StatsCSVFileWriter(environment, percentiles, str(prefix), full_history=True)
    writing = gevent.spawn(writer.stats_writer)
    writing.link(lambda _: writer.close_files())
    return writing


if __name__ == "__main__":
    sys.exit(main())
