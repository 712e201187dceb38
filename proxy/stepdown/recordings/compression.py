"""Zstandard frames, and what is to be done where the package for them is not installed."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

MAGIC = b"\x28\xb5\x2f\xfd"
"""How a frame begins (RFC 8878 section 3.1.1)."""

_LEVEL = 3
_WINDOW = 128 * 1024 * 1024
"""Of frames that are read: what `zstd --ultra -22` makes, for files that somebody has compressed anew."""
_STEP = 128
"""Compressed bytes decoded at a time: at most as many blocks of 128 KiB come out as fit in, which is some 4 MiB."""


class CompressionError(Exception):
    """What is read are no Zstandard frames, or nothing here can read or write them."""


MISSING, INSTALL = "the package zstandard is not installed", "pip install 'stepdown[recording]'"


def is_installed() -> bool:
    """Whether anything can be compressed here; where not, `MISSING` says why and `INSTALL` what to do."""
    return find_spec("zstandard") is not None


def compressed(data: bytes) -> bytes:
    """One frame, with a checksum; raises `CompressionError`."""
    package = _package()
    try:
        frame: bytes = package.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)
    except package.ZstdError as error:
        raise CompressionError(str(error)) from None
    return frame


def decompressed(pieces: Iterable[bytes]) -> Generator[bytes, None, bool]:
    """What is in frames that follow each other; the generator's return value says whether the last one is whole.

    Raises `CompressionError`.
    """
    package = _package()
    factory = package.ZstdDecompressor(max_window_size=_WINDOW)
    decoder: Any = None
    try:
        for piece in pieces:
            for start in range(0, len(piece), _STEP):
                data = piece[start : start + _STEP]
                while data:
                    decoder = decoder or factory.decompressobj()
                    yield decoder.decompress(data)
                    data, decoder = (decoder.unused_data, None) if decoder.eof else (b"", decoder)
    except package.ZstdError as error:
        raise CompressionError(str(error)) from None
    return decoder is None


def _package() -> Any:
    if not is_installed():
        raise CompressionError(f"{MISSING}: {INSTALL}")
    return import_module("zstandard")
