import json
import logging
import os
import pty
import subprocess
import sys

import pytest

from stepdown.telemetry.lines import LINE_LIMIT, LineWriter
from stepdown.telemetry.log import BURST, KINDS, WINDOW, EventHandler, configure, fields

PATIENCE = 20.0


class Scene:
    """A logger with a handler of its own, a clock to turn, and what was written."""

    def __init__(self, style="plain", colour=False):
        self.now = 0.0
        self._read, self._write = os.pipe()
        writer = LineWriter(self._write)
        self.handler = EventHandler("worker 0", style, writer, colour=colour, clock=lambda: self.now)
        self.logger = logging.Logger("stepdown.plane")  # noqa: LOG001 - seen by no other test
        self.logger.addHandler(self.handler)

    def lines(self):
        self.handler.close()
        os.close(self._write)
        with os.fdopen(self._read, "rb") as stream:
            return stream.read().decode().splitlines()


def test_a_plain_line_has_time_level_process_and_fields():
    scene = Scene()
    scene.logger.warning("endpoint put aside", extra=fields(endpoint="http://a:1", failures=5, why="no route to host"))
    (line,) = scene.lines()
    stamp, rest = line.split(" ", 1)
    assert len(stamp) == len("2026-11-25T20:51:42.123Z")
    assert rest == 'warning worker 0: endpoint put aside endpoint=http://a:1 failures=5 why="no route to host"'


def test_a_json_line_is_one_object_with_the_fields_in_it():
    scene = Scene("json")
    scene.logger.error("endpoint %s", "down", extra=fields(endpoint="a", failures=5, ratio=0.5, ok=False, none=None))
    shown = json.loads(scene.lines()[0])
    assert shown.pop("time").endswith("Z")
    assert shown == {
        "level": "error", "process": "worker 0", "logger": "stepdown.plane", "event": "endpoint down",
        "endpoint": "a", "failures": 5, "ratio": 0.5, "ok": False, "none": None,
    }  # fmt: skip


def test_a_field_cannot_take_the_place_of_what_every_line_has():
    scene = Scene("json")
    scene.logger.error("real", extra=fields(event="forged", process="controller"))
    shown = json.loads(scene.lines()[0])
    assert (shown["event"], shown["process"]) == ("real", "worker 0")


@pytest.mark.parametrize("style", ["plain", "json"])
@pytest.mark.parametrize(
    "hostile", ["a\r\n2026 error worker 0: forged", "\x1b[2J", "\u2028\u202e", "x" * 1_000_000, "\ud800", "\0" * 9000]
)
def test_nothing_in_an_event_can_be_mistaken_for_another_line(style, hostile):
    scene = Scene(style)
    scene.logger.error("refused: %s", hostile, extra=fields(target=hostile))
    lines = scene.lines()
    assert all(line.isprintable() and len(line.encode()) < LINE_LIMIT for line in lines)
    assert all(line.startswith("  | ") for line in lines[1:])
    if style == "json":
        assert len(lines) == 1
        assert json.loads(lines[0])["target"].startswith(hostile[:10])


@pytest.mark.parametrize("style", ["plain", "json"])
def test_a_traceback_ends_where_the_error_is(style):
    scene = Scene(style)

    def deep(count):
        if count:
            return deep(count - 1) + 1
        raise ValueError("the cause\nwith a second line")

    try:
        deep(200)
    except ValueError:
        scene.logger.exception("background task failed")
    lines = scene.lines()
    if style == "plain":
        assert lines[0].endswith("error worker 0: background task failed")
        assert lines[-2:] == ["  | ValueError: the cause", "  | with a second line"]
        assert len(lines) < 70
    else:
        assert json.loads(lines[0])["traceback"].endswith("ValueError: the cause\nwith a second line")


def test_one_kind_of_event_cannot_flood_the_log_and_the_next_line_says_how_many_were_held_back():
    scene = Scene()
    for number in range(BURST + 5):
        scene.logger.warning("refused %d", number)
    scene.logger.warning("another kind")
    scene.now = WINDOW
    scene.logger.warning("refused %d", 999)
    scene.logger.warning("refused %d", 1000)
    lines = [line.split(": ", 1)[1] for line in scene.lines()]
    assert lines == [
        *(f"refused {number}" for number in range(BURST)),
        "another kind",
        "refused 999 suppressed=5",
        "refused 1000",
    ]


def test_kinds_without_end_need_no_memory_without_end():
    scene = Scene()
    for number in range(KINDS + 10):
        scene.logger.warning(f"kind {number}")
    assert len(scene.handler._kinds) <= KINDS
    scene.lines()


def test_arguments_that_do_not_fit_are_reported_and_not_raised(capsys):
    scene = Scene()
    scene.logger.warning("%d requests", "no number")
    assert scene.lines() == []
    assert "Logging error" in capsys.readouterr().err


CONFIGURED = """if True:
    import logging
    from stepdown.telemetry.log import configure
    configure("controller", "plain", "info")
    configure("controller", "plain", "warning")
    logging.getLogger("stepdown").info("too little")
    logging.getLogger("stepdown").warning("enough")
"""


def test_configured_twice_the_second_holds_and_what_is_left_at_exit_is_written():
    done = subprocess.run([sys.executable, "-c", CONFIGURED], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.endswith("Z warning controller: enough\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_terminals_only(environ, coloured):
    parent, child = pty.openpty()
    clean = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    subprocess.run([sys.executable, "-c", CONFIGURED], stderr=child, env=clean | environ, check=True)
    os.close(child)
    shown = os.read(parent, 4096)
    os.close(parent)
    assert (b"\x1b[33mwarning\x1b[0m" in shown) is coloured


def test_a_descriptor_that_is_closed_raises_nothing():
    before = logging.getLogger().level
    handler = configure("worker 0", "plain", "info", fd=2**20)
    try:
        logging.getLogger("stepdown").error("nobody hears this")
        handler.flush()
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(before)
        handler.close()
