from chaoskit.plan import Plan
from chaoskit.plan.table import tables


def test_every_row_fills_its_columns(full: Plan, external: Plan, least: Plan) -> None:
    for plan in (full, external, least):
        for table in tables(plan):
            assert table.rows
            assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_plan_reads_as_text(full: Plan) -> None:
    by_title = {table.title: table.rows for table in tables(full)}
    assert by_title["Phases"][2] == ("surge", "4s … 14s", "2s", "100/s", "55/s", "2/s", "1/s", "5 users")
    buying = ("buying", "shop_flows:buy", "constant", "failover", "2s", "x10", "100/s", "975")
    people = ("people", "shoppers.py", "users", "round robin", "10s", "x1", "", "")
    assert (by_title["Streams"][0], by_title["Streams"][-1]) == (buying, people)
    assert by_title["Streams"][2][1] == "POST /ask?price=1"
    assert ("down", "down on counter->till", "lull", "14s … 15.5s", "2") in by_title["Faults"]
    assert ("must hold", "errors < 1% in baseline") in by_title["Bounds"]
    assert ("expected bottleneck", "shop/counter.pool") in by_title["Bounds"]


def test_tables_without_rows_are_left_out(least: Plan) -> None:
    assert [table.title for table in tables(least)] == ["Phases", "Streams", "Links"]
