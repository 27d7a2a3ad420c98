import pytest

from chaoskit.selector import Matcher, Selector

USED = {"pool": "main", "state": "used"}


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("size", USED, True),
        ('size{state="used"}', USED, True),
        ('size{ state = "used" , pool="main", }', USED, True),
        ("size{state='used'}", USED, True),
        ('size{state="idle"}', USED, False),
        ('size{state!="idle"}', USED, True),
        ('size{state=~"used|idle"}', USED, True),
        ('size{state=~"use"}', USED, False),  # the whole value must match
        ('size{state!~"i.*"}', USED, True),
        ('size{region=""}', USED, True),  # a label that is not there is empty
        ('size{region!=""}', USED, False),
        (r'size{path="a\"}b\\c\n"}', {"path": 'a"}b\\c\n'}, True),
        ("size{}", {}, True),
    ],
)
def test_series_are_selected_as_in_prometheus(text: str, labels: dict[str, str], matches: bool) -> None:
    selector = Selector.parse(text)
    assert selector.name == "size"
    assert selector.matches(labels) is matches


def test_the_parts_are_known() -> None:
    assert Selector.parse('a:b_total{x=~"y"}') == Selector("a:b_total", (Matcher("x", "=~", "y"),))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "selects no series"),
        ("rate(size[1m])", "selects no series"),
        ("size[1m]", "selects no series"),
        ("size / 2", "selects no series"),
        ('size{state="used"', "selects no series"),
        ("size{state=used}", "the labels are not of the form"),
        ('size{state="used" pool="main"}', "the labels are not of the form"),
        ('size{state=~"("}', "is not a regular expression"),
    ],
)
def test_what_is_no_selector_is_said(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Selector.parse(text)
