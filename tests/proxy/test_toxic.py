import pytest

from chaoskit.proxy.toxic import Direction, Lot, Toxic
from chaoskit.proxy.toxics import TOXIC_TYPES


def toxic(toxicity: float, name: str = "t") -> Toxic:
    latency = TOXIC_TYPES["latency"]
    return Toxic(name, latency, Direction.DOWNSTREAM, toxicity, latency.attributes())


def struck(toxicity: float, seed: int = 1, name: str = "t", count: int = 2000) -> set[int]:
    return {number for number in range(count) if toxic(toxicity, name).strikes(Lot(seed, "web", number))}


@pytest.mark.parametrize("toxicity", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_share_is_kept(toxicity: float) -> None:
    assert len(struck(toxicity)) / 2000 == pytest.approx(toxicity, abs=0.04)


def test_a_larger_share_contains_a_smaller_one() -> None:
    assert struck(0.3) < struck(0.6)


def test_the_draw_depends_on_seed_and_name_and_on_nothing_else() -> None:
    assert struck(0.5) == struck(0.5)
    assert struck(0.5) != struck(0.5, seed=2)
    assert struck(0.5) != struck(0.5, name="other")


def test_the_generator_of_a_toxic_is_its_own() -> None:
    lot = Lot(1, "web", 1)
    drawn = [lot.random("t", Direction.UPSTREAM).random() for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert lot.random("t", Direction.DOWNSTREAM).random() != drawn[0]
    assert lot.random("u", Direction.UPSTREAM).random() != drawn[0]


@pytest.mark.parametrize(("toxicity", "shown"), [(1.0, "1"), (0.0, "0"), (0.25, "0.25")])
def test_whole_toxicities_are_shown_without_a_fraction(toxicity: float, shown: str) -> None:
    assert str(toxic(toxicity).to_json()["toxicity"]) == shown
