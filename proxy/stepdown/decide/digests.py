"""SHA-256 of header values, so that a configuration can recognise an API key that it does not show."""

from __future__ import annotations

import hashlib


class Digests:
    """Each distinct value's digest, worked out once while there is room for it."""

    ROOM = 4096
    """Values kept; when they are more, all are forgotten, so a flood of keys costs time but no memory."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def hex(self, value: bytes) -> str:
        """The digest in lower-case hexadecimal digits."""
        digest = self._known.get(value)
        if digest is None:
            if len(self._known) >= self.ROOM:
                self._known.clear()
            digest = self._known[value] = hashlib.sha256(value).hexdigest()
        return digest
