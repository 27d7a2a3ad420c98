"""`chaoskit proxy`: the embedded Toxiproxy-compatible server on its own."""

from pathlib import Path
from typing import Annotated

import typer


def proxy(
    host: Annotated[str, typer.Option(help="The address of the HTTP API.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 chooses a free one.")] = 8474,
    config: Annotated[Path | None, typer.Option(help="A JSON file of proxies to start with.", dir_okay=False)] = None,
    seed: Annotated[int, typer.Option(help="Fixes jitter and toxicity draws.")] = 0,
) -> int:
    """Run the embedded Toxiproxy-compatible server; `toxiproxy-cli` and every Toxiproxy client can drive it."""
    from chaoskit.proxy.__main__ import main as serve

    options = ["--host", host, "--port", str(port), "--seed", str(seed)]
    return serve([*options, "--config", str(config)] if config else options) or 0
