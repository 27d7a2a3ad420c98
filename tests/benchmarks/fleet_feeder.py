"""Stands in for a Locust master with many workers: says what one worker said, as each of many, at the same pace.

python fleet_feeder.py RECORDING WORKERS TIMES: the recording holds a line of JSON for each hand-up (seconds since the
one before, lines).
"""

import json
import os
import sys
import time
from pathlib import Path

DONE = b'{"type":"done"}\n'


def write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def main(recording: Path, workers: int, times: int) -> None:
    hand_ups = [json.loads(line) for line in recording.read_text().splitlines()]
    by_worker = [
        [
            b"".join(b"%d %s" % (worker, line) for line in _as(worker, said).splitlines(keepends=True))
            for _, said in hand_ups
        ]
        for worker in range(workers)
    ]
    due_s = time.monotonic()
    for _ in range(times):
        for position, (pause_s, _) in enumerate(hand_ups):
            for worker in range(workers):  # spread over the pause, as workers are that know nothing of each other
                ahead_s = due_s + pause_s * worker / workers - time.monotonic()
                if ahead_s > 0.001:
                    time.sleep(ahead_s)
                write(by_worker[worker][position])
            due_s += pause_s
    write(b"".join(b"%d %s" % (worker, DONE) for worker in range(workers)))
    sys.stderr.write(f"{max(0.0, time.monotonic() - due_s):.3f}\n")


def _as(worker: int, said: str) -> bytes:
    return said.replace('"worker":0', f'"worker":{worker}').replace("worker@0", f"worker@{worker}").encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
