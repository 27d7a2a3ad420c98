"""What `chaoskit up` does: a target behind its proxies, until Ctrl-C or until a part of it dies."""

import json
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from chaoskit.cli.console import ERR, OUT, print_json
from chaoskit.cli.interrupt import on_interrupt
from chaoskit.cli.live import PlainLines
from chaoskit.clock import Clock
from chaoskit.environment import Workspace
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan
from chaoskit.runner.recorder import Discard
from chaoskit.runner.stage import Target, bring_up_target
from chaoskit.runner.stop import Stop


async def stay(plan: Plan, as_json: bool) -> None:
    """Bring the target of `plan` up, print its addresses, and stay until a signal asks for the end.

    Raises:
        SetupFailed: it did not come up, or one of its components died.
    """
    stop = Stop()
    with on_interrupt(stop.ask):
        async with AsyncExitStack() as undo:
            run_id = secrets.token_hex(3)
            logs = Workspace.create(f"logs-{run_id}")  # so that `clean` finds them, should this process be killed
            undo.callback(logs.remove)
            recorder = Discard(Clock.starting_now())
            started = await stop.unless_asked(
                bring_up_target(plan, run_id, logs.folder, recorder, PlainLines(ERR), undo)
            )
            if started is None:
                return
            _print(_described(plan, started), as_json)
            death = await stop.unless_asked(started.driver.watch())
            if death is not None:
                message = f"{death}\n{plan.target} is not whole without it and has been stopped"
                raise SetupFailed(message)


def _described(plan: Plan, target: Target) -> Mapping[str, Any]:
    layout = target.layout
    return {
        "target": plan.target,
        "entries": {name: f"http://{layout.links[name].listen}" for name in plan.entries},
        "links": {name: str(addresses.listen) for name, addresses in layout.links.items()},
        "ports": {
            instance: {port: str(address) for port, address in ports.items()}
            for instance, ports in layout.ports.items()
        },
        "toxiproxy": target.server.url,
        "credentials": dict(plan.credentials),
    }


def _print(described: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(json.dumps(described))
        return
    for name, content in described.items():
        if isinstance(content, str):
            OUT.print(f"{name}: {content}", markup=False)
            continue
        OUT.print(f"{name}:", markup=False)
        for key, value in content.items():
            shown = (
                ", ".join(f"{port} {address}" for port, address in value.items()) if isinstance(value, dict) else value
            )
            OUT.print(f"  {key}  {shown}", markup=False)
    OUT.print("Ctrl-C stops it all")
