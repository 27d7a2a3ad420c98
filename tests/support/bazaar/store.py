"""A store for tests: answers `GET /` with a word, one request per connection."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Store(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"goods")

    def log_message(self, *_arguments: object) -> None:
        return


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[sys.argv.index("--port") + 1])), Store).serve_forever()
