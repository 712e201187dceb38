import contextlib
import os
import subprocess
import sys
import threading

import pytest

from stepdown.telemetry.lines import LINE_LIMIT, LineWriter

PATIENCE = 20.0


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        with contextlib.suppress(OSError):
            os.close(fd)


def all_of(fd):
    data = b""
    while piece := os.read(fd, 65536):
        data += piece
    return data


def test_lines_arrive_in_order(pipe):
    read, write = pipe
    writer = LineWriter(write)
    assert writer.put(b"line %d\n" % number for number in range(1000)) == 0
    assert writer.put([b"last\n"]) == 0
    assert writer.drain(PATIENCE)
    os.close(write)
    assert all_of(read).splitlines() == [b"line %d" % number for number in range(1000)] + [b"last"]
    writer.close(PATIENCE)


def test_a_pipe_that_nobody_empties_holds_up_nobody_and_the_newest_are_refused(pipe):
    read, write = pipe
    writer = LineWriter(write, bound=200_000)
    line = b"x" * 99 + b"\n"
    refused = sum(writer.put([line]) for _ in range(10_000))
    assert 10_000 * 100 - 200_000 - 65_536 - 4096 <= refused * 100 <= 10_000 * 100 - 200_000
    received = []
    reader = threading.Thread(target=lambda: received.append(all_of(read)))
    reader.start()
    assert writer.drain(PATIENCE)
    os.close(write)
    reader.join(PATIENCE)
    assert len(received[0]) == (10_000 - refused) * 100
    assert writer.lost == 0
    writer.close(PATIENCE)


def test_a_pipe_that_somebody_made_non_blocking_is_waited_for(pipe):
    read, write = pipe
    os.set_blocking(write, False)
    writer = LineWriter(write)
    assert writer.put(b"x" * 99 + b"\n" for _ in range(5_000)) == 0
    received = []
    reader = threading.Thread(target=lambda: received.append(all_of(read)))
    reader.start()
    assert writer.drain(PATIENCE)
    os.close(write)
    reader.join(PATIENCE)
    assert len(received[0]) == 500_000
    writer.close(PATIENCE)


def test_a_pipe_without_a_reader_raises_nothing_and_counts_what_is_lost(pipe):
    read, write = pipe
    os.close(read)
    writer = LineWriter(write)
    assert writer.put([b"a\n", b"b\n"]) == 0
    assert writer.drain(PATIENCE)
    assert writer.lost == 2
    writer.close(PATIENCE)


@pytest.mark.parametrize("fd", [-1, 2**20])
def test_no_descriptor_raises_nothing(fd):
    writer = LineWriter(fd)
    assert writer.put([b"a\n"]) == 0
    assert writer.drain(PATIENCE)
    assert writer.lost == 1
    writer.close(PATIENCE)


def test_a_full_disk_raises_nothing():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    fd = os.open("/dev/full", os.O_WRONLY)
    writer = LineWriter(fd)
    writer.put([b"a\n"])
    writer.close(PATIENCE)
    assert writer.lost == 1
    os.close(fd)


def test_closing_does_not_wait_for_a_stuck_reader(pipe):
    read, write = pipe
    writer = LineWriter(write)
    writer.put(b"x" * 99 + b"\n" for _ in range(5_000))
    assert not writer.drain(0.01)
    writer.close(0.01)
    os.close(read)  # lets the thread go before another test gets the same descriptor
    writer.close(PATIENCE)
    assert writer.lost > 4_000


def test_a_writer_that_has_written_nothing_has_nothing_to_wait_for():
    writer = LineWriter(-1)
    assert writer.put([]) == 0
    assert writer.drain(0)
    writer.close(0)


def test_lines_of_several_processes_on_one_pipe_never_mix(pipe):
    read, write = pipe
    source = """if True:
        import sys
        from stepdown.telemetry.lines import LineWriter
        writer = LineWriter(1, bound=10**8)
        writer.put((sys.argv[1] * (200 + number % 3000) + "\\n").encode() for number in range(2000))
        writer.close(20)
    """
    writers = [subprocess.Popen([sys.executable, "-c", source, letter], stdout=write) for letter in ("a", "b", "c")]
    os.close(write)
    data = all_of(read)
    assert [process.wait(PATIENCE) for process in writers] == [0, 0, 0]
    lines = data.splitlines()
    assert len(lines) == 6000
    assert all(len(set(line)) == 1 for line in lines)


def test_a_line_of_the_greatest_length_is_taken_whole(pipe):
    read, write = pipe
    writer = LineWriter(write)
    line = b"x" * (LINE_LIMIT - 1) + b"\n"
    writer.put([b"a\n", line, b"b\n"])
    writer.close(PATIENCE)
    os.close(write)
    assert all_of(read) == b"a\n" + line + b"b\n"
