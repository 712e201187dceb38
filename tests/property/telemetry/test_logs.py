"""Whatever is logged, it is one line that says what it must."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.telemetry.access import FIELDS, AccessLog
from stepdown.telemetry.lines import LINE_LIMIT, LineWriter
from stepdown.telemetry.slab import Slab
from stepdown.telemetry.text import escaped, readable, value

SLAB = Slab.create(64 * 1024)
LOGS = {style: AccessLog(SLAB, style, LineWriter(-1)) for style in ("plain", "json")}
TEXT = st.one_of(st.text(), st.text(alphabet='\r\n\x1b\u2028\x00"\\=\U0001f600\ud800 a', max_size=3000))
RECORDS = st.tuples(
    st.floats(0, 4e9), TEXT, st.binary(), st.binary(max_size=5000), st.sampled_from(["HTTP/1.1", "HTTP/1.0", ""]),
    st.integers(0, 999), st.integers(0, 2**63), st.integers(0, 2**63), st.floats(0, 1e9), st.floats(0, 1e9),
    *[TEXT] * (len(FIELDS) - 10),
)  # fmt: skip


@settings(deadline=None)
@given(RECORDS)
def test_a_record_is_one_line_of_printable_ascii(record):
    for log in LOGS.values():
        line = log._line(record)
        assert line.endswith(b"\n")
        assert len(line) <= LINE_LIMIT
        assert all(0x20 <= byte < 0x7F for byte in line[:-1])


@settings(deadline=None)
@given(RECORDS)
def test_a_json_line_can_be_read_and_keeps_its_numbers(record):
    shown = json.loads(LOGS["json"]._line(record))
    assert tuple(shown) == FIELDS
    for name in ("status", "request_bytes", "response_bytes"):
        assert shown[name] == record[FIELDS.index(name)]


@settings(deadline=None)
@given(RECORDS)
def test_the_status_of_a_plain_line_cannot_be_forged(record):
    line = LOGS["plain"]._line(record).decode()
    assert f'" {record[5]} in={record[6]} out={record[7]} duration=' in line
    before = line.partition(f'" {record[5]} in=')[0].replace("\\\\", "").replace('\\"', "")
    assert before.count('"') == (3 if before.split(" ")[1].startswith('"') else 1)


@settings(deadline=None)
@given(st.text())
def test_escapes_can_be_undone(text):
    assert escaped(text).replace('\\"', '"').encode().decode("unicode_escape") == text
    assert escaped(text).isascii()
    assert readable(text).isprintable()


@settings(deadline=None)
@given(st.text(), st.text())
def test_different_values_look_different(one, other):
    assert (value(one) == value(other)) == (one == other)
