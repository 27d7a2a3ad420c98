"""What the subscribers of streams got, by time."""

from collections import defaultdict
from collections.abc import Sequence

from chaoskit.records import Histogram, History, MessageBatch
from chaoskit.report.tables.columns import Table, Value, rounded, table


def messages(history: History, cell: int) -> Table:
    """Return per stream and cell: subscribers, messages per second, the longest silence (s), the oldest message (ms).

    None where nobody listened, or no message said when it was made.
    """
    parts: dict[tuple[str, int], list[MessageBatch]] = defaultdict(list)
    for batch in history.messages:
        parts[batch.stream, batch.second // cell].append(batch)
    rows: list[Sequence[Value]] = []
    for (stream, index), batches in sorted(parts.items()):
        last = max(batch.second for batch in batches)
        silence = Histogram.merged(batch.silence_us for batch in batches)
        age = Histogram.merged(batch.age_us for batch in batches)
        rows.append(
            (
                stream,
                index * cell,
                sum(batch.listeners for batch in batches if batch.second == last),
                sum(batch.messages for batch in batches) / cell,
                rounded(silence.max_us / 1e6) if silence.count else None,
                rounded(age.max_us / 1e3) if age.count else None,
            )
        )
    return table(("stream", "t", "listeners", "messages", "silence", "age"), rows)
