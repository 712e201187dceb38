"""Bounds on what a head or a body's framing may cost before it is understood."""

from __future__ import annotations

HEAD_BYTES = 64 * 1024
"""Request or response head with all its lines; over it: 431, or 502 for an answer."""
TARGET_BYTES = 8 * 1024
"""Request target; over it: 414."""
FIELD_COUNT = 100
"""Field lines of a head; over it: 431, or 502 for an answer."""
LEADING_CRLF = 2
"""Empty lines ignored before a request line (RFC 9112 section 2.2 asks for one)."""
BODY_BYTES = 1 << 50
"""Largest declared length that is believed at all; over it: 413. Real limits are the route's."""
CHUNK_DIGITS = 16
"""Hexadecimal digits of a chunk size, leading zeros included."""
CHUNK_EXTENSION_BYTES = 16 * 1024
"""Chunk extensions of one whole body: they carry nothing, but have to be read."""
TRAILER_BYTES = 8 * 1024
"""Trailer section of one body, dropped after it was read."""
INTERIM_ANSWERS = 10
"""1xx answers accepted before a final one."""
