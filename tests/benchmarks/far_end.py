"""The nginx that all are measured against: it answers at once, notes when, and can be frozen."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL

import numpy as np
import psutil
from numpy.typing import NDArray

from tests.support.sockets import await_listener, free_port
from tests.support.toxiproxy import process

_CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  log_format seen $msec; access_log {folder}/seen.log seen buffer=64k flush=100ms;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "hello"; }} }}
}}
"""
_FLUSHED_S = 0.5


class FarEnd:
    """`frozen_s` is from when until when its worker stood still last, on the wall clock, as is `seen_s()`."""

    def __init__(self, port: int, log: Path, worker: psutil.Process) -> None:
        self.port = port
        self.frozen_s = (0.0, 0.0)
        self._log = log
        self._worker = worker
        self._read = 0

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator["FarEnd"]:
        port = free_port()
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=folder, port=port))
        command = ["nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
        with process(command, stdout=DEVNULL) as server:
            await_listener(port)
            (worker,) = psutil.Process(server.pid).children()
            yield cls(port, folder / "seen.log", worker)

    def seen_s(self) -> NDArray[np.float64]:
        """When it answered each request since the last call, ascending."""
        time.sleep(_FLUSHED_S)
        with self._log.open() as log:
            log.seek(self._read)
            seen = np.sort(np.loadtxt(log, dtype=np.float64, ndmin=1))
            self._read = log.tell()
        return seen

    @contextmanager
    def freezing(self, from_s: float, until_s: float) -> Iterator[None]:
        """Freeze it so many seconds after it was asked for the first time, and let it go again."""
        self._read = self._log.stat().st_size
        over = threading.Event()
        freezer = threading.Thread(target=self._freeze, args=(from_s, until_s, over))
        freezer.start()
        try:
            yield
        finally:
            over.set()
            freezer.join()

    def _freeze(self, from_s: float, until_s: float, over: threading.Event) -> None:
        while self._log.stat().st_size == self._read:
            if over.wait(0.01):
                return
        over.wait(from_s)
        self._worker.send_signal(signal.SIGSTOP)
        began_s = time.time()
        try:
            over.wait(until_s - from_s)
        finally:
            self.frozen_s = (began_s, time.time())
            self._worker.send_signal(signal.SIGCONT)
