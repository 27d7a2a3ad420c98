"""Starts the whole exchange on free ports of 127.0.0.1, as chaoskit would, without chaoskit."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.sockets import free_port

SOURCE = Path(__file__).parents[2] / "targets" / "exchange"
ENVIRONMENT = {**os.environ, "PYTHONPATH": "../common"}  # as the manifest has it
READY_WITHIN_S = 60.0


@dataclass
class Component:
    """One running component: `port` is its service, `metrics_port` its metrics."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int

    def metrics(self) -> dict[str, float]:
        """All samples, by `name{label="value"}`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def stop(self) -> None:
        """End it as an orchestrator would."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class RunningExchange:
    """The components by name; more gateways can be started against the same engine and database."""

    folder: Path
    components: dict[str, Component] = field(default_factory=dict)

    def start(self, name: str, module: str, *arguments: str, port: int = 0) -> Component:
        """Start `python -m exchange.<module>`, on a free port where none is given; does not wait."""
        port, metrics_port = port or free_port(), free_port()
        command = [
            sys.executable,
            "-m",
            f"exchange.{module}",
            f"--port={port}",
            f"--metrics-port={metrics_port}",
        ]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([*command, *arguments], cwd=SOURCE, env=ENVIRONMENT, stdout=log, stderr=log)
        component = self.components[name] = Component(name, process, port, metrics_port)
        return component

    def wait_ready(self, component: Component) -> None:
        """Wait for `/ready`; fails with the component's log."""
        deadline_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline_s and component.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{component.metrics_port}/ready", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        pytest.fail(f"{component.name} is not ready: {(self.folder / f'{component.name}.log').read_text()}")

    def start_gateway(self, name: str, *arguments: str, engine: int = 0, positions: int = 0) -> Component:
        """One more gateway, ready; other ports than the components' own (a proxy's) can be given."""
        engine = engine or self.components["engine"].port
        positions = positions or self.components["positions"].port
        gateway = self.start(
            name, "gateway", f"--engine=127.0.0.1:{engine}", f"--positions=127.0.0.1:{positions}", *arguments
        )
        self.wait_ready(gateway)
        return gateway


@contextmanager
def running_exchange(folder: Path, *engine: str) -> Iterator[RunningExchange]:
    """Positions, engine (with extra arguments `engine`) and one gateway; all are ended on the way out."""
    exchange = RunningExchange(folder)
    try:
        positions = exchange.start("positions", "positions", f"--data={folder}/pg", "--max-connections=300")
        started = exchange.start("engine", "engine", f"--positions=us=127.0.0.1:{positions.port}", *engine)
        exchange.wait_ready(positions)
        exchange.wait_ready(started)
        exchange.start_gateway("gateway")
        yield exchange
    finally:
        for component in reversed(exchange.components.values()):
            component.stop()
