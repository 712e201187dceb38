"""Frames: read in any pieces, whole or cut, intact or not."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest
import zstandard

from stepdown.recordings import compression
from stepdown.recordings.compression import CompressionError, compressed, decompressed

TEXT = b'{"a": 1}\n' * 500


def read(pieces: Iterable[bytes]) -> tuple[bytes, bool]:
    found = []
    frames = decompressed(pieces)
    while True:
        try:
            found.append(next(frames))
        except StopIteration as end:
            return b"".join(found), end.value


@pytest.mark.parametrize("size", [1, 7, 127, 128, 129, 100_000])
def test_frames_are_read_in_any_pieces(size: int) -> None:
    data = compressed(TEXT) + compressed(b"") + compressed(TEXT)
    assert read(data[start : start + size] for start in range(0, len(data), size)) == (TEXT * 2, True)


def test_a_frame_that_is_cut_is_told() -> None:
    data = compressed(TEXT)
    assert read([data + data[:-1]])[1] is False
    assert read([data, data[:2]]) == (TEXT, False)


def test_damage_is_noticed() -> None:
    data = bytearray(compressed(TEXT))
    data[-1] ^= 1
    with pytest.raises(CompressionError, match="checksum"):
        read([bytes(data)])


def test_what_expands_a_lot_comes_in_pieces() -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(256 * 1024 * 1024))
    assert len(bomb) < 20_000
    assert max(map(len, decompressed([bomb]))) <= 6 * 1024 * 1024


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compression.is_installed()
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setattr(compression, "find_spec", lambda name: None)
    with pytest.raises(
        CompressionError, match=r"^the package zstandard is not installed: pip install 'stepdown\[recording\]'$"
    ):
        compressed(b"")
    with pytest.raises(CompressionError, match="is not installed"):
        read([b"x"])
