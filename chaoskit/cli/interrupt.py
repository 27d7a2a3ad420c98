"""Signals that ask a command to end: Ctrl-C, SIGTERM, and the terminal that goes away."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

_SENTENCES: Final[Mapping[signal.Signals, str]] = {
    signal.SIGINT: "stopped from the keyboard",
    signal.SIGTERM: "asked to end by SIGTERM",
    signal.SIGHUP: "the terminal went away (SIGHUP)",
}
_OUTPUTS: Final = (1, 2)


@contextmanager
def on_interrupt(ask: Callable[[str], object]) -> Iterator[None]:
    """Call `ask` with a sentence, on the running loop, at each signal that asks for the end; else as before."""
    loop = asyncio.get_running_loop()
    shown = [output for output in _OUTPUTS if os.isatty(output)]
    # `nohup` has SIGHUP ignored, and so it stays.
    numbers = [
        number for number in _SENTENCES if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP
    ]

    def asked(number: signal.Signals) -> None:
        _forget([output for output in shown if not os.isatty(output)])
        ask(_SENTENCES[number])

    for number in numbers:
        loop.add_signal_handler(number, asked, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _forget(outputs: list[int]) -> None:
    """Send to nowhere what is still written to a terminal that is gone; it would be an error."""
    for output in outputs:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output)
        os.close(nowhere)
