"""A load process on any machine, as a Locust worker: `chaoskit worker`, or `python -m chaoskit.load.worker HOST:PORT`.

It plays what the Locust master of a run gives it to play, and ends with that run.
"""

import signal
import socket
import sys
import time
from typing import Any, Final, cast

import gevent
import locust
from gevent.queue import Queue
from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.load.child import Child, prepare
from chaoskit.load.fleet import CLOCK, HELLO, LINES, NO_PLACE, SETUP, Offset, encode_gone, sampled
from chaoskit.load.messages import READY, STOP, Setup, decode_go
from chaoskit.plan.codec import decode
from chaoskit.records import RunEvent, encode

_SILENT_S: Final = 5.0  # the master answers a heartbeat a second, and gives this worker up after three or four
_LINGER_MS: Final = 5000


class MasterLink:
    """The connection to a master as a reader and writer of lines, like the pipes of a local load process."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self.is_open = True
        self._events = cast("Any", environment.events)
        self._runner = runner
        self._client: Any = runner.client
        self._lines: Any = Queue()
        self._heard_s = time.monotonic()
        self._clock: Any = Queue()
        self._setup: Any = Queue()
        for kind, listener in ((LINES, self._hear), (CLOCK, self._hear_clock), (SETUP, self._hear_setup)):
            runner.register_message(kind, listener)
        self._events.heartbeat_received.add_listener(self._beat)
        self._events.test_stop.add_listener(self.end)
        gevent.spawn(self._watch)

    def readline(self) -> bytes:
        """Return the next line with its end; empty when the master is gone, or wants no more."""
        line: bytes = self._lines.get() if self.is_open or not self._lines.empty() else b""
        return line

    def write(self, data: bytes) -> bool:
        """Send whole lines, and Locust's statistics up to here before them; False once the master is gone."""
        if self.is_open:
            report: dict[str, Any] = {}
            self._events.report_to_master.fire(client_id=self._runner.client_id, data=report)
            self._runner.send_message("stats", report)
            self._runner.send_message(LINES, {"lines": data})
        return self.is_open

    def setup(self, place: int) -> dict[str, Any] | None:
        """Say that this worker is there, and return what it has to play; None when the master is gone."""
        self._runner.send_message(HELLO, {"place": place, "host": socket.gethostname()})
        setup: dict[str, Any] | None = self._setup.get()
        return setup

    def offset(self) -> Offset:
        """Measure how far the master's clock is ahead of this one's."""

        def ask() -> tuple[float, float, float]:
            self._runner.send_message(CLOCK, {"sent_s": time.monotonic()})
            sent_s, there_s, back_s = self._clock.get(timeout=_SILENT_S)
            return sent_s, there_s, back_s

        return sampled(ask)

    def close(self) -> None:
        """Close the connection once all that was written is sent."""
        context = self._client.socket.context
        self._client.close(linger=_LINGER_MS)
        context.term()

    def _hear(self, msg: Message, **_: object) -> None:
        for line in msg.data["lines"].splitlines(keepends=True):
            self._lines.put(line)

    def _hear_clock(self, msg: Message, **_: object) -> None:
        self._clock.put((msg.data["sent_s"], msg.data["read_s"], time.monotonic()))

    def _hear_setup(self, msg: Message, **_: object) -> None:
        self._setup.put(msg.data)

    def _beat(self, **_: object) -> None:
        self._heard_s = time.monotonic()

    def end(self, **_: object) -> None:
        """Read nothing more: the master is gone, or the run is over, or this process is to end."""
        if self.is_open:
            self.is_open = False
            self._lines.put(b"")
            self._setup.put(None)

    def _watch(self) -> None:
        while time.monotonic() - self._heard_s < _SILENT_S:
            gevent.sleep(1)
        self.end()


def play(link: MasterLink, environment: Environment, place: int) -> int:
    """Play what the master asks for; return the process's exit code."""
    given = link.setup(place)
    if given is None:
        return 0
    setup = Setup(**given["setup"])
    try:
        player = prepare(decode(given["plan"]), setup, environment)
    except SetupFailed as error:
        link.write(encode_gone(str(error)))
        raise
    offset = link.offset()
    link.write(READY)
    line = link.readline()
    if not line or line == STOP:
        return 0
    said = (
        f"load worker {setup.worker} plays on {socket.gethostname()}, its clock known to {offset.error_s * 1e3:.2f} ms"
    )
    link.write(encode(RunEvent(0.0, "note", said)))
    return Child(player, link, link).play(decode_go(line) - offset.ahead_s)


def main(arguments: list[str]) -> int:
    """Connect to the master at the first of `arguments` (HOST:PORT) and play; return the exit code.

    A second argument is the number that a run gives to a worker which it starts itself.
    """
    address = Address.parse(arguments[0])
    environment = Environment(events=locust.events)
    try:
        runner = environment.create_worker_runner(address.host, address.port)
    except ConnectionError:
        sys.stderr.write(
            f"no run answered at {address} for five minutes; start `chaoskit run --expect-workers` first\n"
        )
        return 5
    link = MasterLink(environment, runner)
    gevent.signal_handler(signal.SIGTERM, link.end)
    gevent.signal_handler(signal.SIGINT, link.end)
    try:
        return play(link, environment, int(arguments[1]) if len(arguments) > 1 else NO_PLACE)
    except SetupFailed as error:
        sys.stderr.write(f"{error}\n")
        return 5
    finally:
        link.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
