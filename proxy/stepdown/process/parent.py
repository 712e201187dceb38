"""The parent process: holds what must outlive everybody else, and keeps the others running.

It binds every socket before anything runs and holds them for life, together with each worker's counters and the
specification in force. So when a worker dies, connections that wait in its queue wait for its successor, counters go
on where they were, and the successor serves at once, whether the controller lives or not. What workers hand to the
comparer lies in memory of the same kind, so neither notices when the other is replaced. The parent does nothing else:
no request, no file and no configuration passes through it, which is why it can be expected not to fail.

| phase    | means                                     | ends                                           |
|----------|-------------------------------------------|------------------------------------------------|
| serving  | children are started again when they die  | SIGTERM, SIGINT, or the controller asks to     |
| leaving  | still serving, but /readyz says 503       | after `drain_delay` seconds                    |
| draining | workers accept no more and finish         | workers gone, or `drain_grace` and a margin    |
| closing  | the comparer writes what it has left      | it is gone, or after a margin                  |
| over     | every child is gone or killed             | exit code 0; 1 if somebody had to be killed    |

A second SIGTERM or SIGINT goes to `over` at once. SIGHUP asks the controller to read the file again. This process uses
the standard library only, which keeps it near 12 MB.
"""

import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable

from stepdown.process import held, ports
from stepdown.process.child import Child, earliest
from stepdown.process.events import Events
from stepdown.process.settings import BOARD_BYTES, LISTS_A_MESSAGE, RING_BYTES, SLAB_BYTES, Settings
from stepdown.process.tether import Received, Tether, TetherClosedError

EXIT_DRAINED, EXIT_CUT, EXIT_PORT_TAKEN = 0, 1, 3

WORKER, CONTROLLER = "stepdown.process.worker", "stepdown.process.controller"
COMPARER = "stepdown.process.comparer"

GRACE_MARGIN = 2.0
"""Seconds that a worker gets, over the grace, to cut what is left and exit by itself."""
DISMISSAL = 10.0
"""Seconds that a comparer gets that is wanted no more: it runs only when nothing else does, and nobody waits for it."""


class Sockets:
    """Every listening socket of the sidecar."""

    def __init__(self, settings: Settings) -> None:
        """Bind them all.

        Raises:
            ports.PortError: one of them cannot be bound.
        """
        self.data = ports.bind("listen", settings.listen, settings.workers)
        self.status = ports.bind("status", settings.status)[0] if settings.status else None
        self.admin = ports.bind("admin", settings.admin)[0] if settings.admin else None

    def addresses(self) -> dict[str, str]:
        """`host:port` of each purpose, with the ports that the system chose."""
        named = {"listen": self.data[0], "status": self.status, "admin": self.admin}
        names = {name: opened.getsockname() for name, opened in named.items() if opened is not None}
        return {name: f"[{n[0]}]:{n[1]}" if ":" in n[0] else f"{n[0]}:{n[1]}" for name, n in names.items()}


class Parent:
    """The loop over signals, deaths, messages and deadlines."""

    def __init__(
        self, settings: Settings, sockets: Sockets, spec_fd: int, lists: dict[str, int], events: Events
    ) -> None:
        # For life.
        self._settings = settings
        self._sockets = sockets
        self._events = events
        self._slabs = [held.blank(f"stepdown-slab-{index}", SLAB_BYTES) for index in range(settings.workers)]
        self._comparers_slab = held.blank("stepdown-slab-comparer", SLAB_BYTES)
        self._rings = [held.blank(f"stepdown-ring-{index}", RING_BYTES) for index in range(settings.workers)]
        self._board = held.blank("stepdown-board", BOARD_BYTES)
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._workers = [Child(WORKER, index) for index in range(settings.workers)]
        self._controller = Child(CONTROLLER)
        self._comparer = Child(COMPARER)
        self._comparer.start_at = None
        self._selector = selectors.DefaultSelector()
        self._announced = False
        # What the controller last put in force.
        self._held = {"spec": spec_fd}
        self._lists = lists
        """Lists of ids: descriptors by digest. Those in force, and any that the controller is about to need."""
        self._compares = settings.compares
        self._patience_with_comparer: float | None = None
        """Monotonic time until which a comparer that was dismissed may take its leave."""
        self._drain_delay, self._drain_grace = settings.drain_delay, settings.drain_grace
        # The way out.
        self._signals: list[int] = []
        self._phase = "serving"
        self._phase_ends: float | None = None
        self._exit_code = EXIT_DRAINED

    @property
    def _children(self) -> list[Child]:
        return [*self._workers, self._controller, self._comparer]

    def adopt(self, pid: int, fd: int) -> None:
        """The first worker runs already, and waits at its end of the tether."""
        first = self._workers[0]
        self._attend(first, first.adopt(pid, fd, time.monotonic()))

    def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        self._listen_to_signals()
        while self._phase != "over":
            self._start_who_is_due(time.monotonic())
            for key, _events in self._selector.select(self._patience(time.monotonic())):
                key.data()
            self._handle_signals()
            self._bury_the_dead(time.monotonic())
            self._advance(time.monotonic())
        for child in self._children:
            child.kill()
        self._events.info("stopped", exit_code=self._exit_code)
        return self._exit_code

    # --- starting -----------------------------------------------------------------------------------------------------

    def _start_who_is_due(self, now: float) -> None:
        for child in self._children:
            if child.start_at is None or child.start_at > now:
                continue
            try:
                tether = child.start(now)
            except OSError as error:
                self._events.error("cannot start", child=child.name, why=str(error))
                continue
            self._attend(child, tether)

    def _attend(self, child: Child, tether: Tether) -> None:
        """From now on hear what a new process says; tell it what it is to be."""
        self._events.info("started", child=child.name, pid=child.pid)
        self._selector.register(tether, selectors.EVENT_READ, self._reader(child, tether))
        if child is self._controller:
            self._introduce_controller()
        elif child is self._comparer:
            self._introduce_comparer()
        else:
            self._introduce_worker(child)

    def _introduce_worker(self, worker: Child) -> None:
        fds = {
            "listen": self._sockets.data[worker.index].fileno(),
            "slab": self._slabs[worker.index],
            "spec": self._held["spec"],
            "ring": self._rings[worker.index],
            "bell": self._bell,
        }
        names = [f"list {name}" for name in self._lists]
        for begin in range(0, len(names), LISTS_A_MESSAGE):
            some = names[begin : begin + LISTS_A_MESSAGE]
            worker.tell("descriptors", {name: self._lists[name.removeprefix("list ")] for name in some})
        worker.tell("start", fds, index=worker.index, settings=self._settings.to_json())
        self._link(worker)

    def _introduce_controller(self) -> None:
        fds = dict(self._held)
        for name, opened in (("status", self._sockets.status), ("admin", self._sockets.admin)):
            if opened is not None:
                fds[name] = opened.fileno()
        for index, slab in enumerate(self._slabs):
            self._controller.tell("descriptors", {f"slab {index}": slab})
        fds |= {"slab comparer": self._comparers_slab, "board": self._board}
        self._controller.tell("start", fds, settings=self._settings.to_json(), restarts=self._controller.restarts)
        for worker in self._workers:
            self._link(worker)
        self._tell_of_comparer()
        self._link_comparer()
        if self._phase != "serving":
            self._controller.tell("drain")

    def _introduce_comparer(self) -> None:
        for index, ring in enumerate(self._rings):
            self._comparer.tell("descriptors", {f"ring {index}": ring})
        fds = {"slab": self._comparers_slab, "bell": self._bell, "board": self._board, "spec": self._held["spec"]}
        self._comparer.tell("start", fds, settings=self._settings.to_json())
        self._tell_of_comparer()
        self._link_comparer()

    def _tell_of_comparer(self) -> None:
        child = self._comparer
        self._controller.tell(
            "comparer", wanted=self._compares, pid=child.pid, ready=child.ready, restarts=child.restarts
        )

    def _link(self, worker: Child) -> None:
        """Join a worker and the controller by a new channel; what either had before ends."""
        facts: dict[str, object] = {"index": worker.index, "pid": worker.pid, "restarts": worker.restarts}
        if not worker.pid or not self._controller.pid:
            self._controller.tell("worker", **facts)
            return
        self._join(worker, "worker", **facts)

    def _link_comparer(self) -> None:
        """Join the comparer and the controller likewise, if there are both."""
        if self._comparer.pid and self._controller.pid:
            self._join(self._comparer, "comparer-link")

    def _join(self, child: Child, kind: str, **facts: object) -> None:
        near, far = socket.socketpair()
        with near, far:
            child.tell("link", {"channel": near.fileno()})
            self._controller.tell(kind, {"channel": far.fileno()}, **facts)

    # --- what happens -------------------------------------------------------------------------------------------------

    def _reader(self, child: Child, tether: Tether) -> Callable[[], None]:
        def read() -> None:
            try:
                while (message := tether.receive()) is not None:
                    self._hear(child, message)
            except TetherClosedError:
                self._selector.unregister(tether)  # it is ending, and its end will be seen with its exit code

        return read

    def _hear(self, child: Child, message: Received) -> None:
        match message.kind:
            case "listening":
                child.ready = True
                self._events.info("worker listens", index=child.index, pid=child.pid, digest=message.facts["digest"])
                self._announce()
            case "comparing":
                child.ready = True
                self._events.info("comparer works", pid=child.pid)
                self._tell_of_comparer()
            case "lists":
                self._take_lists(message.fds)
            case "accepted":
                replaced, self._held = self._held, message.fds
                self._compares = message.facts["compares"]
                self._follow_configuration()
                self._drain_delay = message.facts["drain_delay"]
                self._drain_grace = message.facts["drain_grace"]
                for fd in replaced.values():
                    os.close(fd)
                self._forget_lists_but(message.facts["lists"])
            case "begin-anew":
                self._comparer.tell("begin-anew", **message.facts)
            case "relink":
                self._link(self._workers[message.facts["index"]])
            case "relink-comparer":
                self._link_comparer()
            case "drain":
                self._leave("the controller asks to")
            case unknown:
                self._events.warning("unknown message", child=child.name, kind=unknown)

    def _take_lists(self, fds: dict[str, int]) -> None:
        """Hold lists of ids, and give those that are new to the workers, before the controller asks for their use."""
        new = {name: fd for name, fd in fds.items() if name not in self._lists}
        self._lists |= new
        for name, fd in fds.items():
            if name not in new:
                os.close(fd)
        for worker in self._workers if new else ():
            worker.tell("lists", new)

    def _forget_lists_but(self, names: list[str]) -> None:
        gone = [name for name in self._lists if name not in names]
        for name in gone:
            os.close(self._lists.pop(name))
        for worker in self._workers if gone else ():
            worker.tell("lists", keep=names)

    def _announce(self) -> None:
        if not self._announced and all(worker.ready for worker in self._workers):
            self._announced = True
            self._events.info("serving", workers=len(self._workers), **self._sockets.addresses())
            self._follow_configuration()

    def _follow_configuration(self) -> None:
        """Let the comparer know what is in force; start it or let it go. It has time: nobody waits for its start."""
        comparer = self._comparer
        if not self._compares:
            comparer.tell("leave")
            comparer.start_at = None
            self._patience_with_comparer = time.monotonic() + DISMISSAL if comparer.pid else None
        elif comparer.pid:
            comparer.tell("spec", {"spec": self._held["spec"]})
        elif comparer.start_at is None and self._announced:
            comparer.start_at = 0.0
        self._tell_of_comparer()

    def _bury_the_dead(self, now: float) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # As process 1 of a container we also inherit orphans, which are nobody's.
            for child in self._children:
                if child.pid == pid:
                    self._bury(child, os.waitstatus_to_exitcode(status), now)

    def _bury(self, child: Child, exit_code: int, now: float) -> None:
        pid, tether = child.pid, child.tether
        if tether is not None and tether.fileno() in self._selector.get_map():
            self._selector.unregister(tether)
        if self._phase == "draining" and child in self._workers:
            child.left()
            self._exit_code = self._exit_code if exit_code == 0 else EXIT_CUT
            self._events.info("worker stopped", index=child.index, pid=pid, exit_code=exit_code)
            return
        if child is self._comparer:
            self._patience_with_comparer = None
        if child is self._comparer and (self._phase == "closing" or not self._compares):
            child.left()
            self._events.info("comparer stopped", pid=pid, exit_code=exit_code)
            self._tell_of_comparer()
            return
        child.died(now)
        wait = round((child.start_at or now) - now, 1)
        self._events.error("died", child=child.name, pid=pid, exit_code=exit_code, restart_in_seconds=wait)
        if child in self._workers:
            self._link(child)
        elif child is self._comparer:
            self._tell_of_comparer()

    # --- signals and the way out --------------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        read, write = socket.socketpair()
        read.setblocking(False)
        write.setblocking(False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda received, _frame: self._signals.append(received))
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        self._wakeup = (read, write)  # kept: a collected socket would close the descriptor
        self._selector.register(read, selectors.EVENT_READ, lambda: read.recv(4096))

    def _handle_signals(self) -> None:
        while self._signals:
            match self._signals.pop(0):
                case signal.SIGHUP:
                    self._controller.tell("reload")
                case signal.SIGTERM | signal.SIGINT as number:
                    self._leave(signal.Signals(number).name)

    def _leave(self, why: str) -> None:
        if self._phase != "serving":
            self._events.warning("stopping now", why=why)
            self._phase, self._exit_code = "over", EXIT_CUT
            return
        self._events.info("leaving", why=why, delay=self._drain_delay, grace=self._drain_grace)
        self._phase, self._phase_ends = "leaving", time.monotonic() + self._drain_delay
        self._controller.tell("drain")

    def _advance(self, now: float) -> None:
        if self._patience_with_comparer is not None and now >= self._patience_with_comparer:
            self._patience_with_comparer = None
            self._comparer.kill()
        if self._phase == "leaving" and self._phase_ends is not None and now >= self._phase_ends:
            self._phase, self._phase_ends = "draining", now + self._drain_grace + GRACE_MARGIN
            for worker in self._workers:
                worker.tell("drain", grace=self._drain_grace)
                worker.start_at = None
            # Once the workers have closed theirs too, a new connection is refused instead of queued for nobody.
            for opened in self._sockets.data:
                opened.close()
        if self._phase == "draining":
            late = self._phase_ends is not None and now >= self._phase_ends
            if late:
                self._exit_code = EXIT_CUT
            if late or not any(worker.pid for worker in self._workers):
                self._phase, self._phase_ends = "closing", now + GRACE_MARGIN
                self._comparer.tell("leave")
        if self._phase == "closing" and (not self._comparer.pid or now >= (self._phase_ends or now)):
            self._phase = "over"

    def _patience(self, now: float) -> float | None:
        """Seconds until something is due by itself."""
        ends = (self._phase_ends, self._patience_with_comparer, earliest(self._children))
        due = [at for at in ends if at is not None]
        return max(0.0, min(due) - now) if due else None


def main(arguments: list[str]) -> int:
    """`python -m stepdown.process.parent SETTINGS SPEC_FD WORKER_PID TETHER_FD [LIST=FD ...]`, as `run` executes it."""
    settings = Settings.from_json(arguments[0])
    spec_fd = int(arguments[1])
    lists = {name: int(fd) for name, _, fd in (one.partition("=") for one in arguments[4:])}
    for fd in (spec_fd, *lists.values()):
        os.set_inheritable(fd, False)
    events = Events(settings.log_format)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # connections are descriptors; inherited by the workers
    try:
        sockets = Sockets(settings)
    except ports.PortError as error:
        events.error(str(error))
        return EXIT_PORT_TAKEN
    parent = Parent(settings, sockets, spec_fd, lists, events)
    parent.adopt(int(arguments[2]), int(arguments[3]))
    return parent.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
