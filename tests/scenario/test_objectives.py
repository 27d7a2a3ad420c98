import pytest

from chaoskit.scenario.objectives import Statement, parse_abort_rule, parse_objective


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p99 < 250ms", (None, "quantile", 0.99, "<", 0.25, None)),
        ("trading p99 < 250ms in baseline", ("trading", "quantile", 0.99, "<", 0.25, "baseline")),
        ("trading service p99.9 <= 20 ms in surge", ("trading", "service_quantile", 0.999, "<=", 0.02, "surge")),
        ("service p50 < 1s", (None, "service_quantile", 0.5, "<", 1.0, None)),
        ("errors<1%", (None, "errors", None, "<", 0.01, None)),
        ("trading errors < 0.01 in surge", ("trading", "errors", None, "<", 0.01, "surge")),
        ("a-b_c rate >= 900/s", ("a-b_c", "rate", None, ">=", 900.0, None)),
        ("rate > 600/min in surge", (None, "rate", None, ">", 10.0, "surge")),
        ("trading amplification < 1.5 in surge", ("trading", "amplification", None, "<", 1.5, "surge")),
        ("amplification <= 2", (None, "amplification", None, "<=", 2.0, None)),
        ("recovery < 10s", (None, "recovery", None, "<", 10.0, None)),
        ("feeds silence p99 < 2s in surge", ("feeds", "silence_quantile", 0.99, "<", 2.0, "surge")),
        ("age p50 < 50ms", (None, "age_quantile", 0.5, "<", 0.05, None)),
        ("finding loss < 1.2", (None, "finding", None, "<", 1.2, None)),
        ("finding loss <= 5% in surge", (None, "finding", None, "<=", 0.05, "surge")),
        ("finding loss < 250ms", (None, "finding", None, "<", 0.25, None)),
        ("feeds drops < 1%", ("feeds", "drops", None, "<", 0.01, None)),
        ("feeds messages > 1000/s in surge", ("feeds", "messages", None, ">", 1000.0, "surge")),
        ("perfect p90 < 1s", ("perfect", "quantile", 0.9, "<", 1.0, None)),
    ],
)
def test_objectives(text: str, expected: tuple[object, ...]) -> None:
    found = parse_objective(text)
    assert expected == (found.stream, found.metric, found.quantile, found.comparison, found.bound, found.phase)
    assert found.text == text


def test_spaces_in_the_text_are_tidied() -> None:
    assert parse_objective("  errors   <  1%  in  surge ").text == "errors < 1% in surge"


def test_an_abort_rule_has_its_time_and_turns_into_what_must_hold() -> None:
    rule = parse_abort_rule("trading errors > 95% in surge for 15s")
    assert rule == Statement(
        "trading errors > 95% in surge for 15s", "trading", "errors", None, ">", 0.95, "surge", 15.0
    )
    assert rule.negated().comparison == "<="
    assert rule.negated().negated() == rule


@pytest.mark.parametrize(
    "text", ["", "p99", "p99 < ", "p99 < 5s 5s", "p99 = 5s", "P99 < 5s", "x" * 10_000, 5, None, []]
)
def test_what_is_no_objective_is_told_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="write it like `trading p99 < 250ms in baseline`"):
        parse_objective(text)


@pytest.mark.parametrize("text", ["errors > 95%", "errors > 95% for 0s", "recovery > 5s for 5s", "drops > 5% for 5s"])
def test_what_is_no_abort_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"for |cannot stop"):
        parse_abort_rule(text)
