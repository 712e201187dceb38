"""What the parent is started with: the process-wide part of the configuration, as one JSON argument."""

import json
from typing import NamedTuple

SLAB_BYTES = 8 * 1024 * 1024
"""`telemetry.slab.DEFAULT_SIZE`, repeated here so that the parent need not import that room."""

RING_BYTES = 4 * 1024 * 1024
"""`telemetry.ring.DEFAULT_SIZE`, repeated here for the same reason."""

BOARD_BYTES = 8 * 1024 * 1024
"""`telemetry.board.DEFAULT_SIZE`, likewise."""

LISTS_A_MESSAGE = 200
"""Lists of ids whose descriptors go in one message."""


class Settings(NamedTuple):
    """Fixed for the life of the sidecar but for the two drain times, which a reload may change."""

    file: str
    listen: tuple[str, int]
    status: tuple[str, int] | None
    admin: tuple[str, int] | None
    workers: int
    """How many run."""
    workers_in_file: int
    """What the file said, where the command line said otherwise."""
    drain_delay: float
    """Seconds between "not ready" and the end of accepting."""
    drain_grace: float
    """Seconds that running exchanges get after that."""
    log_format: str
    compares: bool = False
    """Whether the file that it was started with has work for the comparer."""

    def to_json(self) -> str:
        """One line, for an argument or a message."""
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Inverse of `to_json`."""
        values = json.loads(text)
        for name in ("listen", "status", "admin"):
            values[name] = values[name] and (values[name][0], values[name][1])
        return cls(**values)
