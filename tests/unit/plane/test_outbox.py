"""Writes wait for the end of the turn, keep their order, and survive a transport that is gone."""

from stepdown.plane.outbox import Outbox


class Turn:
    """An event loop as far as an outbox needs one: what is called soon is called when the turn ends."""

    def __init__(self) -> None:
        self.soon: list = []

    def call_soon(self, function) -> None:
        self.soon.append(function)

    def end(self) -> None:
        soon, self.soon = self.soon, []
        for function in soon:
            function()


class Wire:
    def __init__(self, log: list, *, gone: bool = False) -> None:
        self.log = log
        self.gone = gone

    def write(self, data: bytes) -> None:
        if self.gone:
            raise RuntimeError("the handler is closed")
        self.log.append((self, data))


def test_nothing_is_written_before_the_turn_ends_and_then_all_of_it_in_order():
    turn, log = Turn(), []
    outbox, one, other = Outbox(turn), Wire(log), Wire(log)
    outbox.write(one, b"a")
    outbox.write(other, b"b")
    outbox.write(one, b"c")
    assert log == []
    turn.end()
    assert log == [(one, b"a"), (other, b"b"), (one, b"c")]


def test_a_turn_is_ended_once_whatever_is_written_in_it():
    turn = Turn()
    outbox = Outbox(turn)
    for _ in range(3):
        outbox.write(Wire([]), b"a")
    assert len(turn.soon) == 1


def test_what_is_flushed_early_is_not_written_again():
    turn, log = Turn(), []
    outbox, wire = Outbox(turn), Wire(log)
    outbox.write(wire, b"a")
    outbox.flush()
    turn.end()
    assert log == [(wire, b"a")]


def test_a_transport_that_is_gone_does_not_keep_the_others_from_their_writes():
    turn, log = Turn(), []
    outbox, gone, wire = Outbox(turn), Wire(log, gone=True), Wire(log)
    outbox.write(gone, b"a")
    outbox.write(wire, b"b")
    turn.end()
    assert log == [(wire, b"b")]


def test_the_next_turn_works_like_the_first():
    turn, log = Turn(), []
    outbox, wire = Outbox(turn), Wire(log)
    for data in (b"a", b"b"):
        outbox.write(wire, data)
        turn.end()
    assert [data for _, data in log] == [b"a", b"b"]
