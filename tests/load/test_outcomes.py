from chaoskit.load.outcomes import NEVER_SENT, OTHER, Recorder


def recorder() -> Recorder:
    kept = Recorder("trading", "client->web")
    kept.ok(900_000, 900_100, 1_100_000, 1)
    kept.ok(1_000_000, 1_000_500, 1_003_000, 2)
    kept.failed((1_999_999, 2_000_001, 2_500_000), 1, "timeout")
    kept.failed((1_500_000, NEVER_SENT, 2_500_000), 0, "unsent")
    return kept


def test_batches_go_by_the_second_in_which_arrivals_were_meant_to_start() -> None:
    first, second = recorder().take().batches(worker=3)
    assert (first.second, first.ok, first.failed, first.attempts, first.worker) == (0, 1, {}, 1, 3)
    assert (first.response_us.max_us, first.service_us.max_us, first.lag_us.max_us) == (200_000, 199_900, 100)
    assert (second.second, second.ok, second.failed) == (1, 1, {"timeout": 1, "unsent": 1})
    assert second.attempts == 3
    assert (second.response_us.count, second.response_us.max_us) == (1, 3000)  # successes only
    assert (second.service_us.count, second.service_us.max_us) == (1, 2500)
    assert (second.lag_us.count, second.lag_us.max_us) == (2, 500)  # all that was sent


def test_completions_go_by_the_second_in_which_they_ended() -> None:
    found = [(each.second, each.ok, each.failed) for each in recorder().take().completions(worker=0)]
    assert found == [(1, 2, 0), (2, 0, 2)]


def test_what_is_taken_is_gone() -> None:
    kept = recorder()
    assert kept.take().count == 4
    nothing = kept.take()
    assert nothing.count == 0
    assert list(nothing.batches(0)) == []
    assert list(nothing.completions(0)) == []


def test_reasons_without_end_are_put_together() -> None:
    kept = Recorder("trading", "client->web")
    for number in range(300):
        kept.failed((0, 0, 1), 1, f"order {number} rejected")
    (batch,) = kept.take().batches(0)
    assert len(batch.failed) == 101
    assert batch.failed[OTHER] == 200
