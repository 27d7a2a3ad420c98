"""The embedded Toxiproxy-compatible server: the same HTTP API and toxics, on asyncio, in a process of its own.

Start it with `python -m chaoskit.proxy` or call `run`. What it does differently on purpose stands in README.md.
"""

from chaoskit.proxy.server import Options, Ready, run, serve

__all__ = ["Options", "Ready", "run", "serve"]
