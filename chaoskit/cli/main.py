"""Gathers the commands, maps every error to its exit code, and ends the process in one place."""

import errno
import os
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from chaoskit import __version__
from chaoskit.cli.analyze import analyze
from chaoskit.cli.clean import clean
from chaoskit.cli.console import ERR, OUT
from chaoskit.cli.doctor import doctor
from chaoskit.cli.exit_codes import ExitCode, of_error
from chaoskit.cli.init import init
from chaoskit.cli.list import list_known
from chaoskit.cli.plan import plan
from chaoskit.cli.proxy import proxy
from chaoskit.cli.report import report
from chaoskit.cli.run import run
from chaoskit.cli.schema import schema
from chaoskit.cli.up import up
from chaoskit.cli.validate import validate
from chaoskit.cli.worker import worker
from chaoskit.errors import ChaoskitError

# What the system answers where a path or a disk is not fit for what was asked; chaoskit cannot mend that.
_NOT_OURS: Final = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EISDIR,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
_PATH_SHOWN: Final = 200
_CLICK_INTERRUPTED: Final = 130

app = typer.Typer(
    name="chaoskit",
    help="Play a bad day from one YAML file, and learn which resource gives way first, and why.",
    epilog=(
        "Exit codes: 0 pass, 1 fail, 2 usage or invalid file, 3 inconclusive, 4 aborted, 5 set-up failed, "
        "6 not restored, 70 internal error."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        OUT.print(f"chaoskit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Play a bad day from one YAML file, and learn which resource gives way first, and why."""


_PANELS: dict[str, dict[str, Callable[..., object]]] = {
    "Play": {"run": run, "validate": validate, "plan": plan, "list": list_known},
    "Read a run": {"analyze": analyze, "report": report},
    "Parts on their own": {"up": up, "proxy": proxy, "worker": worker},
    "Set up and tidy": {"init": init, "schema": schema, "doctor": doctor, "clean": clean},
}
for panel, commands in _PANELS.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)


def main() -> None:
    """Run the command line and exit; the `chaoskit` console script."""
    try:
        code = app(standalone_mode=False) or 0
        if code == _CLICK_INTERRUPTED:
            raise KeyboardInterrupt
    except ChaoskitError as error:
        ERR.print(str(error), style="red", markup=False)
        code = of_error(error)
    except typer.Abort:
        code = ExitCode.ABORTED
    except typer.Exit as ending:
        code = ending.exit_code
    except KeyboardInterrupt:
        ERR.print("interrupted; everything that was started has been stopped", style="red")
        code = ExitCode.ABORTED
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's own usage errors
            ERR.print(f"{error.format_message()}{_hint(getattr(error, 'ctx', None))}", style="red", markup=False)
            code = ExitCode.USAGE
        elif isinstance(error, OSError) and error.errno in _NOT_OURS:
            path = f"{str(error.filename)[:_PATH_SHOWN]}: " if error.filename else ""
            said = (
                f"the system refuses: {path}{error.strerror}; check the path, its permissions and the room on the disk"
            )
            ERR.print(said, style="red", markup=False)
            code = ExitCode.USAGE
        else:
            if os.environ.get("CHAOSKIT_TRACEBACK"):
                raise
            ERR.print(
                f"internal error: {type(error).__name__}: {error}\n"
                "This is a bug in chaoskit; CHAOSKIT_TRACEBACK=1 shows where. Please report it with that output.",
                style="red",
                markup=False,
            )
            code = ExitCode.INTERNAL_ERROR
    sys.exit(int(code))


def _hint(context: object) -> str:
    """Return where to read on: the help of the command that was called, else that of chaoskit."""
    command = getattr(context, "info_name", None) if getattr(context, "parent", None) else None
    return f" (`chaoskit {command} --help` shows how)" if command else " (`chaoskit --help` lists the commands)"
