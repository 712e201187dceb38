"""What every child does first: leave the signals to the parent, and make sure not to outlive it."""

import ctypes
import os
import select
import signal

from stepdown.process.tether import Received, Tether, TetherClosedError

EXIT_ORPHANED = 4
"""The parent is gone."""

_PR_SET_PDEATHSIG = 1


def enter() -> None:
    """Ignore what is for the parent, and die when it dies.

    The parent blocks these signals in a child before its first instruction; ignored, they need not stay blocked, which
    a child's own children would inherit. The kernel's parent-death signal reaches a process even when its loop hangs;
    a parent that died before this call shows as the end of the tether.
    """
    shielded = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    for number in shielded:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, shielded)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def introduction(tether: Tether) -> Received:
    """The parent's first words, which say what this process is to be; waits for them.

    It is a message "start", after as many "descriptors" as it takes to hand over more than one message can carry.
    """
    fds: dict[str, int] = {}
    while True:
        select.select([tether], [], [])
        try:
            message = tether.receive()
        except TetherClosedError:
            orphaned()
        if message is not None:
            fds |= message.fds
            if message.kind == "start":
                return message._replace(fds=fds)


def orphaned() -> None:
    """End now, without a word to anybody: the sockets are gone with the parent."""
    os._exit(EXIT_ORPHANED)
