"""The embedded Toxiproxy-compatible server: same HTTP API, same toxics, in a process of its own.

Start it with `python -m chaoskit.proxy` or call `run`. README.md says what it does differently on purpose.
"""

from chaoskit.proxy.server import Options, Ready, run, serve

__all__ = ["Options", "Ready", "run", "serve"]
