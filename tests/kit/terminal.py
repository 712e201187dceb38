"""Runs a command in a terminal of its own, for what is shown to people only: colours, tables, progress."""

from __future__ import annotations

import os
import pty
import subprocess
import sys


def in_terminal(*arguments: str, columns: int = 140, errors: bool = False) -> tuple[int, str]:
    """Exit code of `stepdown ARGUMENTS` and what the terminal shows; with `errors`, also of standard error."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stepdown", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    stderr = theirs if errors else subprocess.DEVNULL
    with subprocess.Popen(command, stdout=theirs, stderr=stderr, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        code = process.wait()
    os.close(ours)
    return code, shown.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the command has closed its side
        return b""
