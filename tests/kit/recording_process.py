"""A process that records without end, for tests that end it: `python -m tests.kit.recording_process FOLDER [LIMIT]`.

Prints the number of exchanges that are in files after each flush, and the state where recording has stopped. With
LIMIT no file may grow over that many bytes, which the system refuses like a full disk.
"""

from __future__ import annotations

import os
import resource
import sys

from stepdown.recordings.recorder import Recorder
from tests.kit.recordings import a_copy, an_answer, recording


def main(folder: str, limit: int = 0) -> None:
    """Record until killed, or until recording stops."""
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    recorder = Recorder(recording(folder, max_size=200_000), "churn", "churn")
    now = 0.0
    while not recorder.state.stopped:
        for _ in range(20):
            recorder.add(a_copy(), os.urandom(40).hex().encode(), an_answer(), b"{}")
        now += 1.0
        recorder.flush(now)
        print(recorder.state.counts["recorded"], flush=True)
    print(recorder.state.stopped, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
