"""Whatever is recorded can be read again, and whatever becomes of a file, what is read is a beginning of it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.recordings.bodies import Message, told
from stepdown.recordings.compression import compressed
from stepdown.recordings.entry import read, write
from stepdown.recordings.reader import Reader
from stepdown.recordings.redact import NotRedactableError, Redactor
from tests.kit.recordings import KEY, a_copy, an_entry, recording

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8"), max_size=8)
NAMES = st.sampled_from(["a", "b", "*", "a/b", "~"])
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
JSON = st.builds(
    lambda value, indent, ascii_: json.dumps(value, indent=indent, ensure_ascii=ascii_).encode(),
    DOCUMENTS,
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)
NEARLY = st.builds(
    lambda text, at, byte: text[:at] + bytes([byte]) + text[at:], JSON, st.integers(0, 40), st.integers(0, 255)
)
BODIES = st.binary(max_size=80) | JSON | NEARLY | st.text(st.characters(codec="utf-8"), max_size=40).map(str.encode)
PATHS = st.lists(
    st.sampled_from(["", "/a", "/*", "/a/b", "/*/*", "/0", "/~2", "/[a=1]/b", "/*/a/*"]), max_size=3, unique=True
)


@given(BODIES, BODIES)
def test_any_bodies_are_one_line_from_which_they_come_back(asked: bytes, answered: bytes) -> None:
    line = write(an_entry(asked, answered))
    assert line.count(b"\n") == 1
    json.loads(line)
    entry = read(line)
    assert entry.response is not None
    for content, message in ((asked, entry.request), (answered, entry.response)):
        assert message.size == len(content)
        if message.form == "json":
            assert repr(json.loads(message.content or b"")) == repr(json.loads(content))  # which tells -0.0 from 0
        else:
            assert message.content == content


@given(JSON)
def test_every_document_is_recorded_as_one(text: bytes) -> None:
    assert Message(headers={}, **told(text, "", 10_000, None)).form == "json"


@given(st.text(st.characters(max_codepoint=255), max_size=30), st.sampled_from(["x-plain", "x-token", "host"]))
def test_any_value_of_a_field_stays_on_its_line(value: str, name: str) -> None:
    allowed = value.encode("latin-1").translate(None, bytes({*range(32), 127} - {9}))
    head = b"POST / HTTP/1.1\r\nHost: models\r\nX-Plain: " + allowed + b"\r\nX-Token: " + allowed + b"\r\n\r\n"
    entry = an_entry(copy=a_copy(head=head), settings=recording(headers=("x-plain", "x-token")))
    assert read(write(entry)) == entry
    assert entry.request.headers["x-plain"] == allowed.strip(b" \t").decode("latin-1")


@given(BODIES, PATHS)
def test_redaction_hides_all_that_a_path_leads_to_and_nothing_else(body: bytes, paths: list[str]) -> None:
    try:
        text, hidden = Redactor(paths, KEY).hide(body)
    except NotRedactableError:
        assert Message(headers={}, **told(body, "", 10_000, Redactor(["/x"], KEY))).missing == "not-redactable" * bool(
            body
        )
        return
    before, after = json.loads(body), json.loads(text)
    assert set(hidden) <= set(paths)
    assert (after == before) or hidden
    for path in paths:
        assert all(_is_digest(value) for value in _at(after, path.split("/")[1:]) if path.count("[") == 0)


def _at(value: Any, segments: list[str]) -> list[Any]:
    """Plainly, what a path of members and stars leads to; what is below a digest is hidden with it."""
    if not segments or _is_digest(value):
        return [value]
    first, *rest = segments
    if isinstance(value, dict):
        name = "*" if first == "~2" else first
        inner = list(value.values()) if first == "*" else [value[name]] if name in value else []
    elif isinstance(value, list):
        inner = value if first == "*" else value[int(first) : int(first) + 1] if first.isdigit() else []
    else:
        inner = []
    return [found for one in inner for found in _at(one, rest)]


def _is_digest(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"redacted"} and len(value["redacted"]) == 16


LINES = [write(an_entry(f'{{"n": {number}}}'.encode(), name=f"run-{number}")) for number in range(3)]
FILES = {"plain": b"".join(LINES), "frames": b"".join(map(compressed, LINES)), "frame": compressed(b"".join(LINES))}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_cut_at_any_byte_is_read_as_far_as_it_goes(kind: str, tmp_path: Path) -> None:
    data, file = FILES[kind], tmp_path / "a.jsonl"
    lengths = []
    for size in range(len(data) + 1):
        file.write_bytes(data[:size])
        reader = Reader([file])
        found = [entry.id for entry in reader]
        assert found == [f"run-{number}" for number in range(len(found))]
        assert reader.cut <= 1
        assert reader.done == size
        lengths.append(len(found))
        if kind == "frames":
            ends = [len(b"".join(map(compressed, LINES[: number + 1]))) for number in range(3)]
            assert len(found) >= sum(end <= size for end in ends)  # only its checksum may be missing
            assert reader.cut == (size not in (0, *ends))
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[-1]) == (0, 3)


@given(st.data())
def test_whatever_happens_to_a_file_the_lenient_reader_ends(data: st.DataObject) -> None:
    text = bytearray(FILES[data.draw(st.sampled_from(sorted(FILES)))])
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.jsonl").write_bytes(text)
        reader = Reader([Path(folder)], lenient=True)
        assert len(list(reader)) <= 3
        assert reader.done <= reader.total
