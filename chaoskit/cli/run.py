"""`chaoskit run`: play a scenario, write its report, exit with the verdict."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from chaoskit.cli.arguments import (
    AllowTargets,
    Csv,
    Driver,
    Reports,
    Scenario,
    Seed,
    Settings,
    Variant,
    Web,
    WebPort,
    read_settings,
)
from chaoskit.cli.console import ERR
from chaoskit.cli.exit_codes import ExitCode, of_verdict
from chaoskit.errors import UsageError
from chaoskit.ports import LOOPBACK, free_port

WEB_PORT: Final = 8089
"""Locust's own default."""


def run(
    scenario: Scenario,
    settings: Settings = None,
    seed: Seed = None,
    variant: Variant = None,
    driver: Driver = None,
    reports: Reports = Path("reports"),
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Load processes, in place of the scenario's `generator.workers`.")
    ] = None,
    expect_workers: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Wait for so many `chaoskit worker` to make the load.")
    ] = None,
    bind: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where they connect; 127.0.0.1:5557 without it.")
    ] = None,
    web: Web = False,
    web_port: WebPort = None,
    csv: Csv = None,
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Exit with the verdict, or with 0 once the run is reported.")
    ] = True,
    allow_targets: AllowTargets = None,
) -> int:
    """Play a scenario: target up, load, faults, analysis, report.

    `--variant NAME` plays a variant of it; `--variant all` plays the scenario, then each variant, and compares them.
    Ends with the verdict and the report's path. Ctrl-C winds the run down in order and reports it as aborted; a second
    Ctrl-C undoes everything at once.
    """
    from chaoskit import plan as planning
    from chaoskit.cli.comparing import play_and_compare
    from chaoskit.cli.playing import play_and_report
    from chaoskit.environment import with_driver
    from chaoskit.plan.generator import GeneratorOptions, with_generator
    from chaoskit.runner.run import RunRequest
    from chaoskit.scenario import load
    from chaoskit.scenario.variants import ALL
    from chaoskit.store import collect

    loaded = load(scenario, overrides=read_settings(settings), seed=seed, allow_targets=tuple(allow_targets or ()))
    page = web_port or (free_port(WEB_PORT) if web else None)
    options = GeneratorOptions(workers, expect_workers, bind, f"{LOOPBACK}:{page}" if page else None, csv)
    whole = variant == ALL
    if whole and not loaded.variants:
        raise UsageError("the scenario has no variants to compare; add `variants:` to it, or leave `--variant` out")
    requests = []
    for one in [loaded, *loaded.variants.values()] if whole else [loaded.chosen(variant)]:
        plan = with_driver(with_generator(planning.build(one), options), driver)
        provenance = collect(plan, ["chaoskit", *sys.argv[1:]], Path.cwd())
        requests.append(RunRequest(plan, one.text, reports, provenance))
        for file in one.runs_code:
            ERR.print(f"this scenario runs code of yours: {file}", style="yellow", markup=False)
    if whole:
        return play_and_compare(requests, gate=gate)
    verdict = play_and_report(requests[0])
    return of_verdict(verdict) if gate else ExitCode.PASS
