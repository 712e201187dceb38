import json
import os

import pytest

from stepdown.telemetry.access import BATCH, FIELDS, AccessLog
from stepdown.telemetry.lines import LINE_LIMIT, LineWriter
from stepdown.telemetry.slab import Slab

DROPPED = "stepdown_access_log_dropped_total"
PATIENCE = 20.0


@pytest.fixture
def slab():
    slab = Slab.create(64 * 1024)
    yield slab
    slab.close()
    os.close(slab.fd)


def record(**changes):
    values = {
        "time": 1764103902.123,
        "client": "10.0.0.1",
        "method": b"POST",
        "target": b"/v2/models/churn/infer?a=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "request_bytes": 130,
        "response_bytes": 345,
        "duration": 0.00123,
        "upstream_duration": 0.001,
        "route": "churn",
        "rule": "everyone",
        "assigned": "2.0.0",
        "served": "2.0.0",
        "pinned": "1.1.0",
        "reason": "split",
        "adapter": "adapted",
        "endpoint": "http://churn-v2:8080",
        "error": "",
    } | changes
    assert tuple(values) == FIELDS
    return tuple(values.values())


def written(slab, style, records):
    """What stands on standard output after these records."""
    read, write = os.pipe()
    log = AccessLog(slab, style, LineWriter(write))
    for each in records:
        log.add(each)
    log.close(PATIENCE)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        return stream.read()


def dropped(slab):
    return slab.cells[slab.counter(DROPPED, ())]


def test_a_plain_line_reads_like_any_other_access_log_with_what_stepdown_decided_behind_it(slab):
    assert written(slab, "plain", [record()]) == (
        b'2025-11-25T20:51:42.123Z 10.0.0.1 "POST /v2/models/churn/infer?a=1 HTTP/1.1" 200 in=130 out=345 '
        b"duration=0.001230 upstream=0.001000 route=churn rule=everyone assigned=2.0.0 served=2.0.0 pinned=1.1.0 "
        b"reason=split adapter=adapted endpoint=http://churn-v2:8080\n"
    )


def test_a_json_line_has_every_field_under_its_name(slab):
    shown = json.loads(written(slab, "json", [record(error="no-route")]))
    assert tuple(shown) == FIELDS
    expected = dict(zip(FIELDS, record(error="no-route"), strict=True))
    expected |= {"time": "2025-11-25T20:51:42.123Z", "method": "POST", "target": "/v2/models/churn/infer?a=1"}
    assert shown == expected


HOSTILE = [
    b"/\r\nHTTP/1.1 200 OK",
    b"/\x1b[2J\x1b]0;title\x07",
    "/\u2028\u2029\u0085".encode(),
    b"/" + b"a" * 1_000_000,
    b"\xff\xfe\x80\xc3(",
    b"\0" * 5000,
    b'" 200 in=1 out=1 route=admin "',
    b"\\" * 3000,
    b"\xff" * 1024,
    b"",
]


@pytest.mark.parametrize("style", ["plain", "json"])
@pytest.mark.parametrize("member", ["target", "method"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_client_sends_is_one_line_of_bounded_ascii(slab, style, member, hostile):
    shown = written(slab, style, [record(**{member: hostile}), record()])
    lines = shown.decode("ascii").split("\n")
    assert len(lines) == 3
    assert not lines[2]
    assert all(line.isprintable() and len(line) < LINE_LIMIT for line in lines)
    if style == "json":
        assert json.loads(lines[0])[member].startswith(hostile[:16].decode("latin-1"))
    else:
        assert lines[0].replace("\\\\", "").replace('\\"', "").count('"') == 2


@pytest.mark.parametrize("style", ["plain", "json"])
@pytest.mark.parametrize("name", ["x" * 100_000, "\U0001f600" * 2000, "a\nb", "\ud800", "a b=c"])
def test_whatever_names_the_file_has_each_record_is_one_line_of_bounded_ascii(slab, style, name):
    names = dict.fromkeys(FIELDS[10:], name)
    shown = written(slab, style, [record(client=name, **names)]).decode("ascii")
    assert shown.count("\n") == 1
    assert len(shown) <= LINE_LIMIT
    if style == "json":
        assert json.loads(shown)["route"].startswith(name[:3])


def test_lines_are_made_every_batch_and_at_flush(slab):
    read, write = os.pipe()
    log = AccessLog(slab, "plain", LineWriter(write))
    for number in range(BATCH - 1):
        log.add(record(status=number))
    os.set_blocking(read, False)
    with pytest.raises(BlockingIOError):
        os.read(read, 1)
    os.set_blocking(read, True)
    log.add(record(status=BATCH - 1))
    shown = b""
    while shown.count(b"\n") < BATCH:
        shown += os.read(read, 65536)
    assert [int(line.split(b'" ')[1].split()[0]) for line in shown.splitlines()] == list(range(BATCH))
    log.add(record(status=599))
    log.flush()
    assert b'" 599 ' in os.read(read, 65536)
    log.close(PATIENCE)
    for fd in (read, write):
        os.close(fd)


def test_a_closed_standard_output_raises_nothing_and_is_counted(slab):
    read, write = os.pipe()
    os.close(read)
    log = AccessLog(slab, "plain", LineWriter(write))
    for _ in range(3):
        log.add(record())
    log.close(PATIENCE)
    os.close(write)
    assert dropped(slab) == 3


def test_a_stuck_standard_output_holds_up_nobody_and_is_counted(slab):
    read, write = os.pipe()
    log = AccessLog(slab, "plain", LineWriter(write, bound=100_000))
    for _ in range(2000):
        log.add(record())
        log.flush()
    assert 1000 < dropped(slab) < 2000
    os.close(read)
    log.close(PATIENCE)
    os.close(write)
