"""Content that outlives the process that made it: sealed anonymous files (memfd) which the parent holds.

A file is written once and sealed, so whoever has the descriptor reads either all of one content or all of another;
a new content is a new file. Readers use `pread`, because a passed descriptor shares its offset with the sender's.
"""

import fcntl
import mmap
import os

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def hold(name: str, content: bytes) -> int:
    """A descriptor of a sealed file with this content; `name` shows in /proc only."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd


def read(fd: int) -> bytes:
    """All that the file holds."""
    size = os.fstat(fd).st_size
    parts = []
    offset = 0
    while offset < size:
        part = os.pread(fd, size - offset, offset)
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def mapped(fd: int) -> memoryview:
    """All that the file holds, as memory that every process shares which maps it.

    The mapping is a private one because Linux before 6.7 refuses a shared one of a file sealed against writing, also
    for reading only; pages that nobody writes are the file's own all the same.
    """
    return memoryview(mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))


def blank(name: str, size: int) -> int:
    """A descriptor of a file of `size` zero bytes that stays writable: shared memory for counters."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd
