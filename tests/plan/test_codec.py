import pytest

from chaoskit.plan import Plan, decode, encode
from tests.plan.conftest import plan_of


@pytest.mark.parametrize("name", ["full", "external", "least"])
def test_the_same_file_and_seed_give_the_same_bytes(name: str) -> None:
    assert encode(plan_of(name)) == encode(plan_of(name))
    assert encode(plan_of(name, seed=1)) != encode(plan_of(name, seed=2))


@pytest.mark.parametrize("name", ["full", "external", "least"])
def test_a_plan_survives_its_bytes(name: str) -> None:
    plan = plan_of(name)
    assert decode(encode(plan)) == plan
    assert encode(decode(encode(plan))) == encode(plan)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 1}', b"\xff"])
def test_what_is_no_plan_is_refused(content: bytes, full: Plan) -> None:
    with pytest.raises(ValueError, match="not a plan"):
        decode(content)
    with pytest.raises(ValueError, match="not a plan"):
        decode(encode(full)[:-100])
