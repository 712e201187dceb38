"""The parent's log: lines like those of `telemetry.log`, without the weight of `logging` and of a thread."""

import json
import os
import select
import sys
import time

from stepdown.telemetry.text import timestamp, value


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
        stamp = timestamp(time.time())
        if self._json:
            told = {"time": stamp, "level": level, "process": "parent", "logger": __name__, "event": event, **facts}
            line = json.dumps(told)
        else:
            named = "".join(f" {name}={value(str(fact))}" for name, fact in facts.items())
            line = f"{stamp} {level} parent: {event}{named}"
        # A reader that is stuck or gone is no reason to stop serving: a line that would have to wait is lost.
        # One write each, so that lines of several processes do not mix.
        try:
            descriptor = sys.stderr.fileno()
            if select.select([], [descriptor], [], 0)[1]:
                os.write(descriptor, line.encode() + b"\n")
        except OSError:
            pass
