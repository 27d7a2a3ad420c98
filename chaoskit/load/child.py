"""One load process: `python -m chaoskit.load.child`, spoken to over its pipes (`chaoskit.load.messages`).

This module and those it imports are the only ones that import Locust and gevent. It ends when the plan is played,
at SIGTERM (what was measured is still handed up), or at once when its parent is gone.
"""

import gc
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final, Protocol

import gevent
import locust  # before all that follows: it patches the process
from gevent.event import Event
from locust.env import Environment

from chaoskit.errors import SetupFailed
from chaoskit.load.messages import DONE, READY, STOP, Setup, TakeOver, decode_go
from chaoskit.load.pipes import LineReader, Writer
from chaoskit.load.player import Player
from chaoskit.plan.codec import decode
from chaoskit.plan.model import Plan
from chaoskit.records import RunEvent, encode

_HAND_UP_S: Final = 0.5
_PRECEDENCE: Final = -10
"""The nice value asked for: on a host that the load shares with its target, a late generator would prove nothing."""
_YOUNG_OBJECTS: Final = 50_000  # garbage is rare here; looking for it often would make arrivals late


class Reader(Protocol):
    """Where orders come from."""

    def readline(self) -> bytes:
        """Return the next line with its end; empty when the other side is gone."""
        ...


class Sender(Protocol):
    """Where records go."""

    def write(self, data: bytes) -> bool:
        """Hand up whole lines; False, then and ever after, once the other side is gone."""
        ...


class Child:
    """Plays one worker's part of a plan and hands up records until it is over, stopped, or orphaned."""

    def __init__(self, player: Player, reader: Reader, writer: Sender) -> None:
        self._player = player
        self._reader = reader
        self._writer = writer
        self._stopping = Event()
        self._over = Event()
        self._orphaned = False

    def stop(self) -> None:
        """End the play soon; what was measured is still handed up."""
        self._stopping.set()

    def play(self, zero_s: float) -> int:
        """Play the plan; return the process's exit code."""
        gevent.spawn(self._obey)
        self._player.release(zero_s)
        if _take_precedence():
            self._say("load processes run ahead of other processes on this host (nice -10)")
        handing_up = gevent.spawn(self._hand_up_regularly)
        if not self._stopping.wait(self._player.left_s()):
            draining = gevent.spawn(self._player.drain)
            gevent.wait([draining, self._stopping], count=1)
        self._over.set()
        handing_up.join()  # never killed: it may hold outcomes that nobody else has any more
        if self._player.playing.error is not None:
            raise self._player.playing.error
        if not self._orphaned:
            self._hand_up()
            self._writer.write(DONE)
        self._player.stop()
        return 0

    def _say(self, sentence: str) -> None:
        self._writer.write(encode(RunEvent(0.0, "note", sentence)))

    def _hand_up_regularly(self) -> None:
        while not self._over.wait(_HAND_UP_S):
            self._hand_up()
            if self._player.playing.error is not None:
                self._stopping.set()

    def _hand_up(self) -> None:
        lines = []
        for record in self._player.records():
            lines.append(encode(record))
            gevent.sleep(0)  # arrivals go first
        if not self._writer.write(b"".join(lines)):
            self._orphaned = True
            self._stopping.set()

    def _obey(self) -> None:
        """Do what the parent asks, until it is gone."""
        while line := self._reader.readline():
            if line == STOP:
                self.stop()
            else:
                self._player.take_over(TakeOver.decode(line))
        self._orphaned = True
        self._stopping.set()


def prepare(plan: Plan, setup: Setup, environment: Environment) -> Player:
    """Return a player that can be released at once: connections are open, the collector is quiet.

    Raises:
        SetupFailed: a flow or a locustfile cannot be loaded, or refers to a variable that is not set.
    """
    _allow_many_connections()
    player = Player(plan, setup, environment)
    player.warm()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
    return player


def main() -> int:
    """Play what standard input asks for; return the exit code."""
    reader, writer = LineReader(0), Writer(1)
    line = reader.readline()
    if not line:
        return 0
    try:
        setup = Setup.decode(line)
        environment = Environment(events=locust.events)
        environment.create_local_runner()
        player = prepare(decode(Path(setup.plan).read_bytes()), setup, environment)
    except SetupFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    writer.write(READY)
    line = reader.readline()
    if not line:
        return 0
    child = Child(player, reader, writer)
    gevent.signal_handler(signal.SIGTERM, child.stop)
    return child.play(decode_go(line))


def _take_precedence() -> bool:
    """Go ahead of other processes where that is allowed (root may, others not), and say whether it was."""
    try:
        os.nice(_PRECEDENCE)
    except PermissionError:
        return False
    return True


def _allow_many_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
