from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from stepdown.process.events import Events

SAY = "from stepdown.process.events import Events; Events({!r}).warning('died', child='worker 0', pid=7)"


def said(log_format: str) -> str:
    command = [sys.executable, "-c", SAY.format(log_format)]
    return subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr


def test_a_plain_event_is_one_line_with_its_facts() -> None:
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning parent: died child=\"worker 0\" pid=7\n"
    assert re.fullmatch(line, said("plain"))


def test_a_json_event_is_one_object_on_one_line() -> None:
    text = said("json")
    assert text.count("\n") == 1
    event = json.loads(text)
    assert {**event, "time": ""} == {
        "time": "",
        "level": "warning",
        "process": "parent",
        "logger": "stepdown.process.events",
        "event": "died",
        "child": "worker 0",
        "pid": 7,
    }


def test_a_reader_that_is_stuck_costs_lines_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, bytes(65536))
    except BlockingIOError:
        pass
    os.set_blocking(write, True)
    with os.fdopen(write, "w") as stuck:
        monkeypatch.setattr(sys, "stderr", stuck)
        Events("plain").error("this line is lost")
    os.close(read)


def test_a_reader_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        Events("plain").error("this line is lost")
