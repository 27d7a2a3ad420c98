"""The page in a real browser, offline: every chart is drawn, nothing complains, nothing is wider than the screen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from chaoskit.analysis.result import Result, Verdict
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import render_html
from tests.support.browser import chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


class Opened:
    """A page that was opened offline, with everything that it complained of or asked for."""

    def __init__(self, browser: Browser, path: Path, width: int, dark: bool = False) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", offline=True
        )
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-drawn]", state="attached")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, page: str) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, False), (1440, True)])
def test_every_chart_is_drawn(browser: Browser, written: Path, width: int, dark: bool) -> None:
    opened = Opened(browser, written, width, dark)
    assert opened.complaints == []
    assert opened.requests == [written.as_uri()]
    for plot in opened.page.query_selector_all("[data-chart]"):
        marks = plot.query_selector_all("svg path[d]:not([d='']), svg text")
        assert len(marks) > 3, plot.get_attribute("data-chart")
        box = plot.bounding_box()
        assert box is not None
        assert box["height"] > 50
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_shows_whole_words(browser: Browser, written: Path) -> None:
    page = Opened(browser, written, 390).page
    cut = page.evaluate(
        """() => [...document.querySelectorAll("[data-chart] svg")].flatMap((svg) => {
             const right = svg.parentElement.getBoundingClientRect().right;
             return [...svg.querySelectorAll("text")]
               .filter((text) => text.getBoundingClientRect().right > right + 1 || text.textContent.endsWith("…"))
               .map((text) => text.textContent);
           })"""
    )
    assert cut == []


def test_time_axes_stand_below_one_another(browser: Browser, written: Path) -> None:
    opened = Opened(browser, written, 1440)
    lefts = opened.page.evaluate(
        """() => [...document.querySelectorAll(".on-timeline .plot")]
                 .map((plot) => Math.round(plot.querySelector(".background").getBoundingClientRect().left))"""
    )
    assert len(lefts) == 9
    assert max(lefts) - min(lefts) <= 1


def test_stream_and_stretch_can_be_chosen(browser: Browser, written: Path) -> None:
    opened = Opened(browser, written, 1440)
    page = opened.page
    before = page.inner_html("[data-chart=load] svg")
    page.check("input[name=stream][value=trading]", force=True)
    page.wait_for_function("(was) => document.querySelector('[data-chart=load] svg').innerHTML !== was", arg=before)
    assert page.inner_text("#figure-load .of-stream") == "trading"
    page.check("input[name=stretch][value='20.0 70.0']", force=True)
    page.wait_for_function(
        "() => document.querySelector('[data-chart=load] svg').textContent.includes('70s') "
        "&& !document.querySelector('[data-chart=load] svg').textContent.includes('80s')"
    )
    assert opened.complaints == []


def test_hostile_names_run_nothing(
    browser: Browser, tmp_path: Path, result: Result, plan: Plan, history: History
) -> None:
    evil = "</script><script>window.evil = 1</script><img src=x onerror='window.evil = 2'>"
    faults = tuple(replace(fault, title=evil) for fault in plan.faults)
    path = tmp_path / "report.html"
    path.write_text(render_html(replace(result, headline=evil, title=evil), replace(plan, faults=faults), history))
    opened = Opened(browser, path, 1440)
    opened.page.hover("[data-chart=schedule]")
    assert opened.page.evaluate("window.evil") is None
    assert opened.complaints == []


def test_a_bare_run_draws_what_there_is(browser: Browser, tmp_path: Path, result: Result, plan: Plan) -> None:
    path = tmp_path / "report.html"
    ladder = (replace(result.ladder[1], own_share=None),)
    bare = replace(result, verdict=Verdict.ABORTED, bottlenecks=(), ladder=ladder, streams={}, faults=())
    path.write_text(render_html(bare, replace(plan, faults=()), History()))
    opened = Opened(browser, path, 390)
    assert opened.complaints == []
    assert opened.page.get_attribute("html", "data-drawn") == "2"


def test_the_page_tells_its_story_without_javascript(browser: Browser, written: Path, result: Result) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(written.as_uri())
    assert page.is_visible(f"text={result.headline}")
    assert page.is_visible("#timeline noscript p")
    assert not page.is_visible(".controls")
