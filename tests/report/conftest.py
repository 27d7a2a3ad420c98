"""The made-up run and its result, made once."""

import pytest

from chaoskit.analysis.result import Result
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import render_html
from tests.support import sample_result, sample_run


@pytest.fixture(scope="session")
def plan() -> Plan:
    return sample_run.plan()


@pytest.fixture(scope="session")
def history() -> History:
    return sample_run.history()


@pytest.fixture(scope="session")
def result() -> Result:
    return sample_result.failed_result()


@pytest.fixture(scope="session")
def page(result: Result, plan: Plan, history: History) -> str:
    return render_html(result, plan, history)
