import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chaoskit.observe.exposition import Sample, parse

AWKWARD = """\
# HELP x A "quoted" {help}.
# TYPE x gauge
x 1
x{a="1"} 2 1712345678000
x{a="b c",d="e} f",} 3
x{ a = "back\\\\slash" , b="new\\nline", c="quo\\"te} 1" } 4.5e-3

x{a="->{x}"}\t5
y:z NaN
y_bucket{le="+Inf"} +Inf
"""


def test_awkward_lines_are_read_as_the_reference_parser_reads_them() -> None:
    reference = [
        Sample(sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(AWKWARD.replace("\t", " "))
        for sample in family.samples
    ]
    ours = list(parse(AWKWARD))
    assert [(name, labels) for name, labels, _ in ours] == [(name, labels) for name, labels, _ in reference]
    assert [value for *_, value in ours if not math.isnan(value)] == [
        value for *_, value in reference if not math.isnan(value)
    ]


@pytest.mark.parametrize("line", ["<html>", "x", "x one", "{} 1", 'x{a="1} 2', "x{a=1} 2"])
def test_what_is_no_exposition_is_refused_and_quoted(line: str) -> None:
    with pytest.raises(ValueError, match=r"^not "):
        list(parse(line))


def test_nothing_is_nothing() -> None:
    assert list(parse("\n# only a comment\n")) == []
