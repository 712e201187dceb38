from __future__ import annotations

import json

import pytest

from stepdown.gate.lock import Edit, Entry, Lock, LockError, parse, written
from tests.kit.gate import TODAY, lock_of, state, version

LOCK = lock_of(state(version("1.0.0"), version("1.10.0"), version("1.2.0")))
LINE = '"m/1.0.0": {"output": "sha256:0", "published": "2026-01-01"}'


def text(*lines: str) -> str:
    return "{\n" + "".join(f"{line},\n" for line in lines) + '"format": 1\n}\n'


def test_it_is_json_with_a_line_for_each_version_in_order() -> None:
    found = written(LOCK)
    assert list(json.loads(found)) == ["m/1.0.0", "m/1.2.0", "m/1.10.0", "format"]
    assert [line.split(":")[0] for line in found.splitlines()[1:4]] == ['"m/1.0.0"', '"m/1.2.0"', '"m/1.10.0"']
    assert json.loads(written(Lock())) == {"format": 1}


def test_a_new_version_adds_a_line_and_leaves_the_others() -> None:
    more = lock_of(state(version("1.0.0"), version("1.10.0"), version("1.2.0"), version("1.3.0")))
    before, after = written(LOCK).splitlines(), written(more).splitlines()
    assert [line for line in after if line not in before] == [after[3]]
    assert [line for line in before if line not in after] == []


def test_what_was_written_is_read_again() -> None:
    edit = Edit(TODAY, {"output": "sha256:1"}, 'never "deployed"', "ann")
    lock = Lock({("a/b", "1.0.0"): Entry({"output": "sha256:2", "input": "sha256:3"}, TODAY, (edit, edit))})
    again = parse(written(lock))
    assert again.entries == lock.entries
    assert again.lines == {("a/b", "1.0.0"): 2}
    assert parse(written(LOCK)).entries == LOCK.entries


@pytest.mark.parametrize(
    ("broken", "line", "says"),
    [
        ("", 1, "is no JSON"),
        ("[]", 1, 'needs "format": 1'),
        ('{"format": 2}', 1, 'needs "format": 1'),
        (text("<<<<<<< HEAD\n" + LINE), 2, "holds the marks of a merge conflict"),
        (text(LINE, LINE), 1, 'has "m/1.0.0" a second time'),
        (text('"m": {}'), 2, 'has the key "m"; allowed MODEL/VERSION'),
        (text(LINE, '"m/v1.1.0": {"published": "2026-01-01"}'), 3, 'has the key "m/v1.1.0"'),
        (
            text(LINE, '"m/1.1.0": {"output": "sha256:0"}'),
            3,
            "entry for m/1.1.0 that cannot be read (KeyError: 'published')",
        ),
        (text('"m/1.1.0": {"output": 7, "published": "2026-01-01"}'), 2, "7 is no text"),
        (text('"m/1.1.0": {"published": "yesterday"}'), 2, "cannot be read (ValueError"),
        (text('"m/1.1.0": []'), 2, "cannot be read (TypeError: it is no object)"),
        ('{"format": 1, "m/1.0.0": ' + "[" * 100_000, 1, "nested too deeply"),
    ],
    ids=[
        "empty",
        "list",
        "format",
        "conflict",
        "twice",
        "key",
        "canonical",
        "published",
        "print",
        "date",
        "no object",
        "deep",
    ],
)
def test_what_is_wrong_with_a_lock_is_said_with_its_line(broken: str, line: int, says: str) -> None:
    with pytest.raises(LockError) as caught:
        parse(broken)
    assert says in str(caught.value)
    assert caught.value.line == line
