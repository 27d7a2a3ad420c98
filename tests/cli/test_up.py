"""`chaoskit up`: a target alone, until Ctrl-C or until one of its components dies."""

import json
import signal
import urllib.request

from tests.cli.conftest import Start
from tests.support.shop_plan import SHOP


def test_it_prints_addresses_and_stays_until_ctrl_c(started: Start) -> None:
    running = started("up", str(SHOP), "--json")
    assert running.stdout is not None
    said = json.loads(running.stdout.readline())
    assert said["entries"]["client->api"].startswith("http://127.0.0.1:")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == 0


def test_a_component_that_dies_ends_it_and_is_named(started: Start) -> None:
    running = started("up", str(SHOP), "--json", "--set", "api.crash_after=100ms")
    assert running.stdout is not None
    entry = json.loads(running.stdout.readline())["entries"]["client->api"]
    with urllib.request.urlopen(urllib.request.Request(f"{entry}/buy", method="POST")) as answer:
        assert answer.status == 200
    _, complaints = running.communicate(timeout=30)
    assert running.returncode == 5
    assert "api exited with 9" in complaints
    assert "Traceback" not in complaints
