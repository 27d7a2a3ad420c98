"""Every fault kind keeps the contract of `chaoskit.faults.contract`, on the real Toxiproxy and on the embedded one.

The cases of a server are played in a few batches, each case on a link of its own: many at once, or it would take
long, but not all, or the machine would be measured.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chaoskit.faults.catalogue import KINDS
from chaoskit.faults.server import start_server
from chaoskit.plan.model import Scalar
from chaoskit.records import Receipt
from tests.faults.conftest import BOTH
from tests.faults.support import Protocol, fault, link, plan_of, stage


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


def test_every_kind_has_a_case() -> None:
    assert {case.kind for case in CASES} == set(KINDS)


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
