"""Content codings are undone within a bound: what is longer, cut, corrupt or unknown is refused, never shortened."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from stepdown.errors import AdapterFailedError, AnswerTooLargeError
from stepdown.wire.encodings import decode

TEXT = b'{"outputs": [' + b"1, " * 500 + b"2]}"


def raw_deflate(data: bytes) -> bytes:
    """Deflate without the zlib format around it, as some servers send it."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate-raw": raw_deflate,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def named(coder: str) -> bytes:
    """The coding's name in `Content-Encoding`."""
    return coder.removesuffix("-raw").encode()


@pytest.mark.parametrize("coder", CODERS)
def test_a_coding_is_undone_up_to_exactly_the_limit(coder):
    data = CODERS[coder](TEXT)
    assert decode(data, named(coder), len(TEXT)) == TEXT
    with pytest.raises(AnswerTooLargeError):
        decode(data, named(coder), len(TEXT) - 1)


@pytest.mark.parametrize("coder", CODERS)
def test_a_bomb_is_refused(coder):
    with pytest.raises(AnswerTooLargeError):
        decode(CODERS[coder](bytes(5_000_000)), named(coder), 100_000)


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("missing", [1, 4, 20])
def test_a_cut_body_is_never_taken_for_a_whole_one(coder, missing):
    data = CODERS[coder](TEXT)
    with pytest.raises(AdapterFailedError):
        decode(data[:-missing], named(coder), 100_000)


@pytest.mark.parametrize("coder", CODERS)
def test_bytes_that_are_not_in_the_coding_are_refused(coder):
    with pytest.raises(AdapterFailedError):
        decode(b"{}" * 20, named(coder), 100_000)


@pytest.mark.parametrize("coder", ["deflate", "deflate-raw", "br", "gzip", "zstd"])
def test_bytes_behind_the_coded_body_are_refused(coder):
    with pytest.raises(AdapterFailedError):
        decode(CODERS[coder](TEXT) + b"junk", named(coder), 100_000)


def test_several_codings_are_undone_from_the_right():
    assert decode(gzip.compress(zlib.compress(TEXT)), b"deflate, GZIP", 100_000) == TEXT
    assert decode(gzip.compress(TEXT), b"identity, , gzip", 100_000) == TEXT


def test_the_number_of_codings_is_bounded():
    data = TEXT
    for _ in range(20):
        data = gzip.compress(data)
    with pytest.raises(AdapterFailedError):
        decode(data, b", ".join([b"gzip"] * 20), 100_000)


def test_gzip_members_are_joined_and_bounded():
    assert decode(gzip.compress(TEXT) * 3, b"gzip", 100_000) == TEXT * 3
    with pytest.raises(AnswerTooLargeError):
        decode(gzip.compress(TEXT) * 3, b"gzip", len(TEXT) * 3 - 1)
    with pytest.raises(AdapterFailedError, match="members"):
        decode(gzip.compress(b"") * 1000, b"gzip", 100_000)


def test_an_unknown_coding_is_refused_by_its_name():
    with pytest.raises(AdapterFailedError, match="'snappy'"):
        decode(b"x", b"snappy", 100)


def test_a_zstd_frame_may_not_ask_for_more_memory_than_http_allows():
    huge_window = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=huge_window).compressobj()
    data = compressor.compress(TEXT) + compressor.flush()
    with pytest.raises(AdapterFailedError):
        decode(data, b"zstd", 100_000)
