from __future__ import annotations

import os

import pytest

from stepdown.process import held


def test_what_is_held_is_read_whole_however_often() -> None:
    content = os.urandom(3_000_000)
    fd = held.hold("test", content)
    assert held.read(fd) == content
    assert held.read(fd) == content
    os.close(fd)


def test_reading_does_not_depend_on_the_offset_that_others_share() -> None:
    fd = held.hold("test", b"specification")
    os.lseek(fd, 5, os.SEEK_SET)
    assert held.read(fd) == b"specification"
    os.close(fd)


def test_what_is_held_can_never_be_changed() -> None:
    fd = held.hold("test", b"specification")
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"X", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
    os.close(fd)


def test_blank_memory_is_zero_and_writable() -> None:
    fd = held.blank("test", 8192)
    assert held.read(fd) == bytes(8192)
    os.pwrite(fd, b"1", 100)
    assert held.read(fd)[100:101] == b"1"
    os.close(fd)


def test_no_descriptor_is_inherited_by_accident() -> None:
    fds = [held.hold("test", b""), held.blank("test", 1)]
    assert not any(os.get_inheritable(fd) for fd in fds)
    for fd in fds:
        os.close(fd)
