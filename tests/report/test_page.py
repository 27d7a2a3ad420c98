import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import chaoskit.report
from chaoskit.analysis.result import DomainFinding, Result, Verdict
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import page as page_module
from chaoskit.report import render_html
from chaoskit.report.diagnosis import VERDICT_WORDS

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"{{7*7}}<!--"


class Outline(HTMLParser):
    """What stands in a page: tags with their attributes, ids, the text outside scripts and styles, the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[tuple[str | None, str]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif not self._open or self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.tags if "id" in attributes]


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 2_000_000


def test_the_same_run_gives_the_same_page(page: str, result: Result, plan: Plan, history: History) -> None:
    assert render_html(result, plan, history) == page


def test_the_score_of_the_self_check_is_told(result: Result, plan: Plan) -> None:
    sentence = "In 48 of 50 blind trials the first bottleneck named was the planted one."
    scored = replace(result, provenance={"self_check": sentence})
    assert Outline(render_html(scored, plan, History())).text.count(sentence) == 1


def test_nothing_is_loaded_from_anywhere(outline: Outline) -> None:
    for tag, attributes in outline.tags:
        assert tag not in {"link", "iframe", "object", "embed", "img"}
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")


def test_the_policy_allows_these_scripts_and_nothing_else(outline: Outline) -> None:
    (policy,) = [a["content"] for t, a in outline.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    for kind, script in outline.scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert kind == "application/json" or f"'sha256-{digest}'" in policy


def test_everything_is_said_without_javascript(outline: Outline, result: Result) -> None:
    said = outline.text
    parts = [
        "Failed",
        result.headline,
        "What broke", "Why", "What to do",
        result.bottlenecks[0].prediction,
        "trading errors < 1% in surge",
        "33.1%",
        "exchange/gateway.db_pool",
        "engine.matching",
        "41.2ms ± 9.8ms",
        "never",
        "Both halves of the baseline agree within 25%.",
        "chaoskit run liquidation-cascade --seed 20251010",
        "10–11 October 2025",
        "The cascade itself began later.",
    ]  # fmt: skip
    assert [part for part in parts if part not in said] == []


def test_the_order_is_that_of_the_reader_at_night(outline: Outline) -> None:
    wanted = "verdict objectives bottlenecks ladder timeline streams faults recovery validity provenance".split()  # noqa: SIM905 - one line
    assert [name for name in outline.ids if name in wanted] == wanted


def test_ids_are_unique_and_links_lead_somewhere(outline: Outline) -> None:
    assert len(outline.ids) == len(set(outline.ids))
    targets = {str(a["href"])[1:] for tag, a in outline.tags if tag == "a"}
    assert targets <= set(outline.ids)


def test_charts_have_a_text_in_their_place(outline: Outline) -> None:
    plots = [attributes for _, attributes in outline.tags if "data-chart" in attributes]
    assert len(plots) == 12
    for attributes in plots:
        assert attributes["role"] == "img"
        assert len(str(attributes["aria-label"])) > 30


def test_tables_that_are_wide_can_be_reached_by_keyboard(outline: Outline) -> None:
    regions = [attributes for _, attributes in outline.tags if attributes.get("class") == "scrolling"]
    assert regions
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-label"] for a in regions)


def test_hostile_names_stay_text(result: Result, plan: Plan, history: History) -> None:
    fault = replace(plan.faults[0], title=HOSTILE)
    hostile = replace(
        result,
        scenario=HOSTILE,
        title=HOSTILE,
        headline=HOSTILE,
        streams={HOSTILE: result.streams["trading"]},
        provenance={"commit": HOSTILE, "command": "run", HOSTILE: HOSTILE},
        bottlenecks=(replace(result.bottlenecks[0], title=HOSTILE, resource=HOSTILE),),
        faults=(replace(result.faults[0], title=HOSTILE),),
    )
    text = render_html(hostile, replace(plan, faults=(fault,), title=HOSTILE, incident={"article": HOSTILE}), history)
    found = Outline(text)
    assert [tag for tag, _ in found.tags if tag == "img"] == []
    assert len(found.scripts) == 3
    assert [name for _, attributes in found.tags for name in attributes if name.startswith("on")] == []
    assert "{{7*7}}" in found.text
    data = json.loads(found.scripts[0][1])
    assert HOSTILE in data["tables"]["bands"]["title"]


def test_embedded_json_opens_no_tag() -> None:
    text = page_module.embedded_json({"a": "</script><!-- & \u2028"})
    assert not re.search("[<>&\u2028]", text)
    assert json.loads(text) == {"a": "</script><!-- & \u2028"}


@pytest.mark.parametrize(
    ("part", "verdict"),
    [("whole", Verdict.PASS), ("whole", Verdict.ABORTED), *(("bare", verdict) for verdict in Verdict)],
)
def test_every_verdict_renders_with_and_without_its_parts(
    result: Result, plan: Plan, history: History, verdict: Verdict, part: str
) -> None:
    bare: dict[str, Any] = dict.fromkeys(
        ["reasons", "objectives", "bottlenecks", "ladder", "faults", "recovery", "validity"], ()
    )
    bare |= {"streams": {}, "expected_bottleneck": None, "expectation_met": None, "provenance": {}}
    changed = replace(result, verdict=verdict, **(bare if part == "bare" else {}))
    if part == "bare":
        plan = replace(plan, faults=(), surge_phase=None, baseline_phase=None, objectives=(), settings={})
        history = History()
    said = Outline(render_html(changed, plan, history)).text
    assert VERDICT_WORDS[verdict] in said
    assert "None" not in said


@pytest.mark.parametrize(
    ("provenance", "command"),
    [
        ({"command": "/usr/bin/chaoskit run 'my day.yaml'"}, "chaoskit run 'my day.yaml'"),
        ({"command": "/x/chaoskit/__main__.py run smoke"}, "chaoskit run smoke"),
        ({"command": ""}, "chaoskit run liquidation-cascade"),
        ({}, "chaoskit run liquidation-cascade"),
    ],
)
def test_the_command_that_repeats_the_run(result: Result, provenance: dict[str, Any], command: str) -> None:
    assert page_module.repeat_command(replace(result, provenance=provenance)) == command


def test_provenance_is_flat() -> None:
    rows = page_module.provenance_rows(
        {"host": {"cores": 4, "os": None}, "flags": ["a", "b"], "dirty": False, "command": "x"}
    )
    assert [(row.name, row.value) for row in rows] == [
        ("dirty", "no"), ("flags", "a b"), ("host.cores", "4"), ("host.os", "–"),
    ]  # fmt: skip


def test_templates_are_part_of_the_package() -> None:
    folder = Path(chaoskit.report.__file__).parent / "templates"
    assert {"page.html.j2", "page.css", "page.js"} <= {path.name for path in folder.iterdir()}


def test_a_closed_model_is_called_so(result: Result, plan: Plan) -> None:
    trading, *others = plan.streams
    closed = replace(plan, streams=(replace(trading, users=50), *others))
    said = Outline(render_html(result, closed, History())).text
    assert "closed model, 50 users" in said
    assert said.count("closed model") == 3


def test_findings_of_the_trade_stand_in_a_table_and_those_that_were_not_measured_aside(
    result: Result, plan: Plan, history: History
) -> None:
    found = (
        DomainFinding(
            "loss", "What <b>was</b> lost", "x", 23.6, "", {phase.name: None for phase in plan.phases}, "Why."
        ),
        DomainFinding("gone", "What is gone", "s", None, "no metrics of the target had gone_total", {}),
    )
    page = render_html(replace(result, domain_findings=found), plan, history)
    table, _, aside = page[page.index('id="domain"') :].partition("Not measured in this run (1)")
    assert "What &lt;b&gt;was&lt;/b&gt; lost" in table
    assert "×23.6" in table
    assert "gone_total" not in table
    assert "What is gone" in aside[:500]
    assert "gone_total" in aside[:500]
    assert 'id="domain"' not in render_html(result, plan, history)
