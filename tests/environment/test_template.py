from dataclasses import replace

import pytest

from chaoskit.address import Address
from chaoskit.environment.contract import Layout, LinkAddresses
from chaoskit.environment.template import Place, fill, values
from chaoskit.errors import SetupFailed
from tests.support.small_plan import instance, link, plan_of, small_plan

HERE = Address("127.0.0.1", 8001)
PLACE = Place("/usr/bin/python3", "0.0.0.0", "/srv/dir", {"http": 8001})
LAYOUT = Layout(
    {"front": {"http": HERE}, "edge@east": {"http": HERE}, "store@east": {"http": HERE}},
    {
        "front->store@east": LinkAddresses(Address("127.0.0.1", 9001), HERE),
        "front->store@west": LinkAddresses(Address("127.0.0.1", 9002), HERE),
        "edge@east->store@east": LinkAddresses(Address("127.0.0.1", 9003), HERE),
    },
)


def test_every_placeholder() -> None:
    plan = small_plan()
    known = values(plan.instances[0], plan, LAYOUT, PLACE)
    template = (
        "{python} {host} {seed} {workdir}/pg [{region}] {ports.http} {settings.size} {settings.slow} {links.store}"
    )
    assert fill(template, known, "here") == (
        "/usr/bin/python3 0.0.0.0 7 /srv/dir/pg [] 8001 4 true east=127.0.0.1:9001,west=127.0.0.1:9002"
    )


def test_an_instance_of_a_region_gets_a_bare_address() -> None:
    edge = instance("edge@east", links={"store": ("edge@east->store@east",)})
    plan = plan_of([edge], [link("edge@east", "store@east")])
    known = values(edge, plan, LAYOUT, PLACE)
    assert fill("{links.store} in {region}", known, "here") == "127.0.0.1:9003 in east"


@pytest.mark.parametrize(("value", "text"), [(2.0, "2"), (0.5, "0.5"), (True, "true"), (3, "3"), ("a b", "a b")])
def test_settings_are_written_as_command_lines_expect_them(value: float | str, text: str) -> None:
    plan = small_plan()
    front = replace(plan.instances[0], settings={"one": value})
    assert fill("{settings.one}", values(front, plan, LAYOUT, PLACE), "here") == text


@pytest.mark.parametrize("text", ['{"a": {"b": 1}}', "${HOME}", "awk '{print $1}'", "{}", "{A}"])
def test_other_braces_stay(text: str) -> None:
    assert fill(text, {}, "here") == text


def test_an_unknown_placeholder_is_named() -> None:
    with pytest.raises(SetupFailed, match=r"here uses \{ports.grpc\}, which is unknown; known are ports.http, seed"):
        fill("--port {ports.grpc}", {"seed": "1", "ports.http": "2"}, "here")
