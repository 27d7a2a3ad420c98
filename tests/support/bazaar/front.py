"""A front for tests: each request asks the store, whose name it looks up each time; 502 where that does not answer."""

import os
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STORE = sys.argv[sys.argv.index("--store") + 1]


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/die":
            os._exit(7)
        status, body = 200, b"ready"
        if self.path != "/ready":
            try:
                with urllib.request.urlopen(STORE, timeout=5) as answer:
                    body = answer.read()
            except OSError as error:
                status, body = 502, str(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        return


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[sys.argv.index("--port") + 1])), Front).serve_forever()
