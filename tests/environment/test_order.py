import pytest

from chaoskit.environment.order import start_waves
from tests.support.small_plan import instance, link, plan_of, small_plan


def test_what_others_link_to_starts_first() -> None:
    waves = [[one.name for one in wave] for wave in start_waves(small_plan())]
    assert waves == [["store@east", "store@west"], ["front"]]


@pytest.mark.parametrize(
    ("links", "waves"),
    [
        ({"a": [], "b": []}, [["a", "b"]]),
        ({"a": ["b"], "b": ["c"], "c": []}, [["c"], ["b"], ["a"]]),
        ({"a": ["b"], "b": ["a"]}, [["a", "b"]]),
        ({"a": ["a"], "b": ["a"]}, [["a"], ["b"]]),
        ({}, []),
    ],
)
def test_waves(links: dict[str, list[str]], waves: list[list[str]]) -> None:
    instances = [
        instance(name, links={to: (f"{name}->{to}",) for to in destinations}) for name, destinations in links.items()
    ]
    edges = [link(name, to) for name, destinations in links.items() for to in destinations]
    assert [[one.name for one in wave] for wave in start_waves(plan_of(instances, edges))] == waves
