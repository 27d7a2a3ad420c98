"""Every fault kind keeps the contract of `chaoskit.faults.contract`: those of links on the real Toxiproxy and on the
embedded one, those of components on real processes.

The cases of a server are played in a few batches, each case on a link of its own: many at once, or it would take
long, but not all, or the machine would be measured.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chaoskit.faults.catalogue import COMPONENT_KINDS, KINDS
from chaoskit.faults.server import start_server
from chaoskit.plan.model import Scalar
from chaoskit.records import Receipt
from tests.faults.conftest import BOTH
from tests.faults.support import Protocol, component_fault, component_stage, fault, link, plan_of, stage


@dataclass(frozen=True)
class Case:
    """A fault on a link of one protocol, and whether its receipt has to say that it worked (None: cannot be told)."""

    kind: str
    parameters: dict[str, Scalar] = field(default_factory=dict)
    protocol: Protocol = "http"
    effective: bool | None = True
    during: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        values = "-".join(str(value) for value in self.parameters.values())
        return f"{self.kind}-{values}-{self.protocol}" if values else f"{self.kind}-{self.protocol}"


CASES = [
    Case("latency", {"delay_s": 0.04, "jitter_s": 0.01}, during=(25, 150)),
    Case("latency", {"delay_s": 0.06, "stream": "upstream"}, "postgres", during=(55, 180)),
    Case("latency", {"delay_s": 0.2, "toxicity": 0.5}, "redis"),
    Case("latency", {"delay_s": 0.04}, "text", during=(35, 150)),
    Case("latency", {"delay_s": 0.04}, "tcp", effective=None),
    Case("bandwidth", {"rate_bytes_per_s": 64_000}),
    Case("bandwidth", {"rate_bytes_per_s": 64_000}, "postgres"),
    Case("bandwidth", {"rate_bytes_per_s": 64_000}, "redis"),
    Case("bandwidth", {"rate_bytes_per_s": 100_000_000}, effective=None),
    Case("slow_close", {"delay_s": 0.15}, during=(130, 400)),
    Case("slow_close", {"delay_s": 0.15}, "postgres"),
    Case("slow_close", {"delay_s": 0.15}, "redis"),
    Case("slow_close", {"delay_s": 0.15}, "text"),
    Case("slow_close", {"delay_s": 0.15, "stream": "upstream"}, effective=None),
    Case("timeout", {"after_s": 0.1}, during=(1, 1)),
    Case("timeout", {"after_s": 0.0, "stream": "upstream"}, "postgres", during=(1, 1)),
    Case("timeout", {}, "tcp", effective=None),
    Case("reset_peer", {}, during=(1, 1)),
    Case("reset_peer", {"after_s": 0.05, "stream": "upstream"}, "redis", during=(1, 1)),
    Case("reset_peer", {"toxicity": 0.5}, "text"),
    Case("slicer", {"size_bytes": 256, "variation_bytes": 32, "delay_s": 0.003}, during=(100, 1050)),
    Case("slicer", {"size_bytes": 500, "delay_s": 0.005}, "postgres"),
    Case("slicer", {"size_bytes": 100_000}, effective=None),
    Case("limit_data", {"limit_bytes": 1000}, during=(1, 1)),
    Case("limit_data", {"limit_bytes": 1000}, "postgres"),
    Case("limit_data", {"limit_bytes": 10_000_000}, effective=None),
    Case("down", during=(1, 1)),
    Case("down", {}, "tcp", during=(1, 1)),
    Case("region_down", {"mode": "refuse"}, during=(1, 1)),
    Case("region_down", {"mode": "blackhole"}, during=(1, 1)),
    Case("region_down", {"mode": "reset"}, "postgres", during=(1, 1)),
    Case("region_down", {"mode": "degraded", "share": 0.5}, "redis"),
    Case("partition", during=(1, 1)),
    Case("partition", {"mode": "refuse"}, "text", during=(1, 1)),
]
BATCHES = 3
WINDOW_S = 4.0
MARGIN_S = 1.2
_RECEIPTS: dict[str, dict[str, Receipt]] = {}


async def receipts_on(server_kind: str, folder: Path) -> dict[str, Receipt]:
    """Play all cases on a server of this kind, once in the life of the test run."""
    if server_kind not in _RECEIPTS:
        server = await start_server(plan_of(), prefer=server_kind, log=folder / "proxy.log")
        try:
            links = [link(f"gateway->{case.id}", case.protocol) for case in CASES]
            faults = [
                fault(case.kind, case.parameters, links=(f"gateway->{case.id}",), window=_window(index), id_=case.id)
                for index, case in enumerate(CASES)
            ]
            async with stage(server, links, faults) as on:
                on.plane.margin_s = MARGIN_S
                await on.plane.play()
                await on.plane.heal()
                _RECEIPTS[server_kind] = {receipt.fault: receipt for receipt in on.receipts}
        finally:
            await server.stop()
    return _RECEIPTS[server_kind]


def _window(index: int) -> tuple[float, float]:
    start_s = MARGIN_S + (index % BATCHES) * (WINDOW_S + MARGIN_S)
    return start_s, start_s + WINDOW_S


@dataclass(frozen=True)
class ComponentCase:
    """A fault on an instance of its own, which was asked for `path` before, and what its receipt has to say."""

    kind: str
    parameters: dict[str, Scalar] = field(default_factory=dict)
    path: str = "/ready"
    effective: bool | None = True
    says: str = ""

    @property
    def id(self) -> str:
        return "-".join([self.kind, *(str(value) for value in self.parameters.values())])


COMPONENT_CASES = [
    ComponentCase("kill", says="dead in .* looks, by SIGKILL; ready again .* after the lifting began"),
    ComponentCase("stop", says="dead in .* looks, by SIGTERM; ready again"),
    ComponentCase("pause", says="standing still in .* looks"),
    ComponentCase("restart", {"delay_s": 0.0}, says="dead in .* looks, by SIGTERM"),
    ComponentCase("restart", {"delay_s": 0.5}, says="dead in .* looks, by SIGTERM"),
    ComponentCase("cpu_limit", {"cores": 0.15}, "/burn", says=r"used 0\.1\d of 0.15 cores"),
    ComponentCase("cpu_limit", {"cores": 1.0}, effective=None, says="the limit was not reached"),
    ComponentCase(
        "memory_limit", {"limit_bytes": 60_000_000}, "/feast/4000000", says="killed by the limit, .* ready again"
    ),
    ComponentCase("memory_limit", {"limit_bytes": 2_000_000_000}, effective=None, says="the limit was not reached"),
]


async def receipts_of_components(folder: Path) -> dict[str, Receipt]:
    """Play all component cases at once, once in the life of the test run."""
    if "components" not in _RECEIPTS:
        server = await start_server(plan_of(), prefer="embedded", log=folder / "proxy.log")
        window = {
            case.id: (MARGIN_S, MARGIN_S + float(case.parameters.get("delay_s", 2.5))) for case in COMPONENT_CASES
        }
        faults = [
            component_fault(case.kind, f"at-{index}", case.parameters, window=window[case.id], id_=case.id)
            for index, case in enumerate(COMPONENT_CASES)
        ]
        try:
            async with component_stage(server, faults, folder) as on:
                on.plane.margin_s = MARGIN_S
                for index, case in enumerate(COMPONENT_CASES):
                    await on.ask(f"at-{index}", case.path)
                await on.plane.play()
                await on.plane.heal()
                _RECEIPTS["components"] = {receipt.fault: receipt for receipt in on.receipts}
        finally:
            await server.stop()
    return _RECEIPTS["components"]


def test_every_kind_has_a_case() -> None:
    assert {case.kind for case in CASES} == set(KINDS)
    assert {case.kind for case in COMPONENT_CASES} == set(COMPONENT_KINDS)
    assert set(KINDS).isdisjoint(COMPONENT_KINDS)


@pytest.mark.parametrize("case", COMPONENT_CASES, ids=lambda case: case.id)
async def test_the_receipt_tells_what_became_of_the_component(case: ComponentCase, tmp_path: Path) -> None:
    receipt = (await receipts_of_components(tmp_path))[case.id]
    assert receipt.place.startswith("at-")
    assert receipt.effective is case.effective, receipt
    assert receipt.clean_after is True, receipt
    assert re.search(case.says, receipt.delivered), receipt


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("server_kind", BOTH)
async def test_the_receipt_tells_what_the_fault_did(case: Case, server_kind: str, tmp_path: Path) -> None:
    receipt = (await receipts_on(server_kind, tmp_path))[case.id]
    assert receipt.effective is case.effective, receipt
    assert receipt.clean_after is True, receipt
    if case.effective is None:
        assert receipt.delivered.startswith("not measured: "), receipt
    if case.during is not None:
        assert receipt.during is not None
        assert case.during[0] <= receipt.during <= case.during[1], receipt
    if case.effective and receipt.during is not None and receipt.after is not None:
        back = receipt.after > 4 * receipt.during if receipt.unit == "B" else receipt.after < 0.75 * receipt.during
        assert back, receipt
