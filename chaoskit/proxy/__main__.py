"""`python -m chaoskit.proxy`: the embedded Toxiproxy-compatible server as a program of its own."""

import argparse
import logging
import sys
from pathlib import Path

from chaoskit.errors import SetupFailed, UsageError
from chaoskit.proxy.server import Options, Ready, run

_USAGE = 2
_SETUP_FAILED = 5


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; the exit code is 0, 2 (configuration wrong) or 5 (an address cannot be had)."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(format="chaoskit proxy: %(message)s", level=logging.WARNING)
    port_file: Path | None = parsed.port_file

    def announce(ready: Ready) -> None:
        if port_file:
            _write_whole(port_file, f"{ready.port}\n")
        sys.stdout.write(f"chaoskit proxy: listening on http://{ready.host}:{ready.port} (seed {ready.seed})\n")
        sys.stdout.flush()

    options = Options(
        host=parsed.host,
        port=parsed.port,
        config=parsed.config,
        seed=parsed.seed,
        proxy_metrics=parsed.proxy_metrics,
        runtime_metrics=parsed.runtime_metrics,
    )
    try:
        run(options, announce)
    except (UsageError, SetupFailed) as error:
        sys.stderr.write(f"chaoskit proxy: {error}\n")
        return _USAGE if isinstance(error, UsageError) else _SETUP_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaoskit.proxy", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address of the control API (default %(default)s)")
    parser.add_argument("--port", type=int, default=8474, help="its port; 0: any free one (default %(default)s)")
    parser.add_argument("--config", type=Path, help="JSON file: an array of proxies to create at the start")
    parser.add_argument("--seed", type=int, help="fixes jitter, slice sizes and which connections a toxicity strikes")
    parser.add_argument("--port-file", type=Path, help="where to write the control API's port once it answers")
    parser.add_argument("--proxy-metrics", action="store_true", help="serve the proxies' counters at /metrics")
    parser.add_argument("--runtime-metrics", action="store_true", help="serve the process's figures at /metrics")
    return parser


def _write_whole(path: Path, text: str) -> None:
    """Write so that a reader sees all of the text or no file."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    draft.rename(path)


if __name__ == "__main__":
    raise SystemExit(main())
