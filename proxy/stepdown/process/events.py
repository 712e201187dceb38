"""The parent's log: one line on standard error for each event, plain or JSON, without the weight of `logging`."""

import json
import os
import select
import sys
import time


class Events:
    """Writes what happens to the sidecar's processes."""

    def __init__(self, log_format: str) -> None:
        self._json = log_format == "json"

    def info(self, event: str, **facts: object) -> None:
        """Something that is meant to happen."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Something that somebody should know."""
        self._write("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Something that somebody should look at."""
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        if self._json:
            line = json.dumps({"time": stamp, "level": level, "process": "parent", "event": event, **facts})
        else:
            line = f"{stamp} {level} parent: {event}" + "".join(f" {name}={value}" for name, value in facts.items())
        # A reader that is stuck or gone is no reason to stop serving: a line that would have to wait is lost.
        # One write each, so that lines of several processes do not mix.
        try:
            descriptor = sys.stderr.fileno()
            if select.select([], [descriptor], [], 0)[1]:
                os.write(descriptor, line.encode() + b"\n")
        except OSError:
            pass
