from pathlib import Path

import pytest

from chaoskit.errors import InvalidFile, UsageError
from chaoskit.plan import build
from chaoskit.scenario import load_target

SHOP = Path(__file__).parent / "targets" / "shop" / "target.yaml"


def test_a_target_alone_is_a_quiet_second() -> None:
    plan = build(load_target(str(SHOP), regions=["a", "b"], overrides={"counter.pool": "3"}))
    assert plan.regions == ("a", "b")
    assert plan.settings["counter.pool"] == "3"
    assert sum(plan.streams[0].expected_per_second) == 0
    assert plan.duration_s == 1.0


def test_a_target_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="did you mean `exchange`"):
        load_target("exchang")
    with pytest.raises(UsageError, match=r"there is no target '\./nowhere\.yaml'"):
        load_target("./nowhere.yaml")


def test_overrides_are_checked() -> None:
    with pytest.raises(InvalidFile, match=r"--set counter\.pol: .* did you mean `counter\.pool`"):
        load_target(str(SHOP), overrides={"counter.pol": "3"})
