"""Content codings undone before an answer is read, each with a bound on what comes out.

A kilobyte of gzip can hold a megabyte, so no decoder here returns more than `limit` bytes: what would be longer is
refused (`AnswerTooLargeError`), never cut. Codings whose library is not installed are refused like unknown ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from stepdown.errors import AdapterFailedError, AnswerTooLargeError

_CODINGS = 3
"""Codings of one answer: more are nobody's."""
_ZSTD_WINDOW = 8 * 1024 * 1024
"""RFC 9659: the window that an HTTP recipient has to support."""
_ZSTD_STEP = 256
"""Compressed bytes decoded at a time, so that a bomb is noticed before it has gone off (a block holds 128 KiB)."""
_GZIP_MEMBERS = 64
"""Concatenated gzip members accepted: each costs a decoder, and real answers have one."""


def decode(data: bytes, codings: bytes, limit: int) -> bytes:
    """Undo a `Content-Encoding` value (several are undone from the right).

    Raises `AnswerTooLargeError` over `limit` bytes, `AdapterFailedError` for unknown codings and corrupt data.
    """
    names = codings.split(b",")
    if len(names) > _CODINGS:
        raise AdapterFailedError(f"The answer has more than {_CODINGS} content codings")
    for coding in reversed(names):
        name = coding.strip(b" \t").lower()
        if name in (b"", b"identity"):
            continue
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise AdapterFailedError(f"Content coding {name.decode('latin-1')!r} cannot be decoded here")
        data = decoder(data, limit)
    return data


def _too_large(limit: int) -> AnswerTooLargeError:
    return AnswerTooLargeError(f"The decoded answer is longer than {limit} bytes")


def _corrupt(error: Exception) -> AdapterFailedError:
    return AdapterFailedError(f"The answer's content coding is corrupt: {error}")


def _gzip(data: bytes, limit: int) -> bytes:
    pieces: list[bytes] = []
    for _ in range(_GZIP_MEMBERS):
        piece, data = _inflate(data, zlib.MAX_WBITS | 16, limit)
        limit -= len(piece)
        pieces.append(piece)
        if not data:
            return b"".join(pieces)
    raise AdapterFailedError(f"The answer has more than {_GZIP_MEMBERS} gzip members")


def _deflate(data: bytes, limit: int) -> bytes:
    # RFC 9110 section 8.4.1.2: zlib format, but some servers send the bare stream.
    zlib_format = len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    decoded, rest = _inflate(data, zlib.MAX_WBITS if zlib_format else -zlib.MAX_WBITS, limit)
    if rest:
        raise AdapterFailedError("There are bytes after the deflated answer")
    return decoded


def _inflate(data: bytes, window: int, limit: int) -> tuple[bytes, bytes]:
    decoder = zlib.decompressobj(window)
    try:
        decoded = decoder.decompress(data, limit + 1)
    except zlib.error as error:
        raise _corrupt(error) from None
    if len(decoded) > limit:
        raise _too_large(limit)
    if not decoder.eof:
        raise AdapterFailedError("The answer's compressed data is cut")
    return decoded, decoder.unused_data


def _brotli(data: bytes, limit: int) -> bytes:
    brotli = import_module("brotli")
    decoder = brotli.Decompressor()
    try:
        decoded: bytes = decoder.process(data, output_buffer_limit=limit + 1)
        while len(decoded) <= limit and not decoder.is_finished() and not decoder.can_accept_more_data():
            decoded += decoder.process(b"", output_buffer_limit=limit + 1 - len(decoded))
    except brotli.error as error:
        raise _corrupt(error) from None
    if len(decoded) > limit:
        raise _too_large(limit)
    if not decoder.is_finished():
        raise AdapterFailedError("The answer's compressed data is cut")
    return decoded


def _zstd(data: bytes, limit: int) -> bytes:
    zstandard = import_module("zstandard")
    try:
        decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        pieces, size = [], 0
        for start in range(0, len(data), _ZSTD_STEP):
            piece: bytes = decoder.decompress(data[start : start + _ZSTD_STEP])
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            pieces.append(piece)
    except zstandard.ZstdError as error:
        raise _corrupt(error) from None
    if not decoder.eof:
        raise AdapterFailedError("The answer's compressed data is cut")
    if decoder.unused_data:
        raise AdapterFailedError("There are bytes after the compressed answer")
    return b"".join(pieces)


_DECODERS: dict[bytes, Callable[[bytes, int], bytes]] = {b"gzip": _gzip, b"x-gzip": _gzip, b"deflate": _deflate}
if find_spec("brotli") is not None:
    _DECODERS[b"br"] = _brotli
if find_spec("zstandard") is not None:
    _DECODERS[b"zstd"] = _zstd
