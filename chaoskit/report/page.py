"""The page: one HTML file that holds everything it needs, reads without JavaScript, and loads nothing from anywhere."""

import base64
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import markupsafe
import vl_convert

from chaoskit.analysis.result import Result
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import diagnosis, gallery, wording
from chaoskit.report.chronicle import chronicle
from chaoskit.units import plural

_TEMPLATES: Final = Path(__file__).parent / "templates"
_TOLD: Final = frozenset({"command", "driver", "scenario", "seed", "self_check", "settings", "target"})
_FILTERS: Final = (
    wording.duration,
    wording.moment,
    wording.number,
    wording.rate,
    wording.ratio,
    wording.multiple,
    wording.multiples,
    wording.pairs,
    plural,
    wording.quantity,
    wording.short_resource,
    wording.surge,
    wording.surge_share,
    wording.utilization,
)


def render_html(result: Result, plan: Plan, history: History) -> str:
    """Return the page of one run.

    All that comes from a scenario, a target or a measurement is escaped, in the markup and in the data of the charts;
    a content security policy in the page lets no other script run and nothing be fetched.
    """
    streams = diagnosis.stream_cards(result, plan)
    drawn = gallery.draw(result, plan, history, stream=diagnosis.stream_that_hurts(result, streams))
    scripts = [_vega(), (_TEMPLATES / "page.js").read_text(encoding="utf-8")]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            result=result,
            plan=plan,
            cards=diagnosis.cards(result),
            verdict_word=diagnosis.VERDICT_WORDS[result.verdict],
            streams=streams,
            shown_stream=drawn.stream,
            charts=drawn.charts,
            stretches=drawn.stretches,
            objective_phases={objective.text: objective.phase for objective in plan.objectives},
            chronicle=chronicle(history),
            measured=diagnosis.streams_in_order(result, plan),
            feeds=diagnosis.feeds_in_order(result, plan),
            users={stream.name: stream.users for stream in plan.streams if stream.users is not None},
            self_check=result.provenance.get("self_check"),
            provenance=provenance_rows(result.provenance),
            command=repeat_command(result),
            style=markupsafe.Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            scripts=[markupsafe.Markup(script) for script in scripts],  # noqa: S704 - our own file and Vega's
            policy=policy_of(scripts),
            data=markupsafe.Markup(embedded_json(drawn.data)),  # noqa: S704 - escaped by embedded_json
        )
    )


def embedded_json(data: object) -> str:
    """Return `data` as JSON that can stand inside a script element: no tag, comment or entity can begin in it."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def repeat_command(result: Result) -> str:
    """Return the shell command that plays the same run again: the one recorded, else the scenario by its name."""
    recorded = shlex.split(str(result.provenance.get("command", "")))
    if not recorded:
        return shlex.join(["chaoskit", "run", result.scenario])
    program = Path(recorded[0])
    name = "chaoskit" if program.name == "__main__.py" else program.name
    return shlex.join([name, *recorded[1:]])


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the provenance table."""

    name: str
    value: str


def provenance_rows(provenance: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return provenance as flat facts, nested names joined by dots, but for those that the page tells elsewhere."""
    facts: list[Fact] = []

    def walk(prefix: str, value: object) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            facts.append(Fact(prefix, " ".join(str(item) for item in value) or wording.ABSENT))
        elif isinstance(value, bool):
            facts.append(Fact(prefix, "yes" if value else "no"))
        else:
            facts.append(Fact(prefix, wording.ABSENT if value is None else str(value)))

    walk("", {key: value for key, value in provenance.items() if key not in _TOLD})
    return tuple(sorted(facts, key=lambda fact: fact.name))


@cache
def _vega() -> str:
    bundle: str = vl_convert.javascript_bundle(snippet="window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def policy_of(scripts: Sequence[str]) -> str:
    """Return the content security policy of a page that holds `scripts` and nothing else that runs."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"


@cache
def environment() -> jinja2.Environment:
    """Return where templates are found, with the house's filters; everything that they show is escaped."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update({function.__name__: function for function in _FILTERS})
    return found
