"""A little HTTP component for tests, which misbehaves on request: answers /ready, /metrics, /environment, /die, /burn
(one core, for ever), /eat/BYTES and /feast/BYTES (ten times a second)."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

METRICS = """\
# HELP resource_servers How many.
# TYPE resource_servers gauge
resource_servers{resource="pool"} 4
resource_busy_seconds_total{resource="pool"} 1.5
resource_blocked_seconds_total{resource="pool",on="front->store"} 0.5
resource_arrivals_total{resource="pool"} 12
resource_completions_total{resource="pool"} 10
resource_rejections_total{resource="pool",reason="full"} 2
resource_queue_length{resource="pool"} 3
resource_queue_limit{resource="pool"} 8
resource_wait_seconds_total{resource="pool"} 0.25
resource_servers{resource="stranger"} 1
staleness_seconds_sum 4
staleness_seconds_count 8
depth{side="bid"} 5
depth{side="ask"} 7
"""


EATEN: list[bytes] = []


def burn() -> None:
    while True:
        sum(range(1000))


def feast(bytes_at_once: int) -> None:
    """Eat for some ten seconds, ten times a second."""
    for _ in range(100):
        EATEN.append(b"x" * bytes_at_once)
        time.sleep(0.1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fail_first = 0

    def do_GET(self) -> None:
        if self.path == "/die":
            sys.stderr.write("asked to die\n")
            sys.stderr.flush()
            os._exit(7)
        status, body = 200, "ready"
        if self.path == "/burn":
            threading.Thread(target=burn, daemon=True).start()
        if self.path.startswith("/feast/"):
            threading.Thread(target=feast, args=(int(self.path.removeprefix("/feast/")),), daemon=True).start()
        if self.path.startswith("/eat/"):
            EATEN.append(b"x" * int(self.path.removeprefix("/eat/")))
        if self.path == "/metrics":
            body = METRICS
        elif self.path == "/environment":
            body = json.dumps({**os.environ, "argv": sys.argv, "cwd": str(Path.cwd()), "started": STARTED})
        elif Handler.fail_first:
            Handler.fail_first -= 1
            status, body = 503, "not yet"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments: object) -> None:
        return


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--fail-first", type=int, default=0)
    parser.add_argument("--crash", default="")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--no-reuse", action="store_true")
    parser.add_argument("--stray", action="store_true")
    options, _ = parser.parse_known_args()
    if options.crash:
        sys.exit(options.crash)
    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.stray:  # in a session of its own, as PostgreSQL's backends are, so that no group signal reaches it
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        subprocess.Popen(command, start_new_session=True)
    if options.deaf:
        time.sleep(600)
    Handler.fail_first = options.fail_first
    Server.allow_reuse_address = not options.no_reuse
    Server.allow_reuse_port = False
    try:
        server = Server((options.host, options.port), Handler)
    except OSError as error:
        sys.exit(str(error))
    assert server.socket.family == socket.AF_INET
    server.serve_forever()


STARTED = time.monotonic()

if __name__ == "__main__":
    main()
