"""docs/feedback.md: its example loads, its commands and its function do what it shows, its numbers are the code's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from stepdown.config.compile.feedback import SHORTEST
from stepdown.config.file.feedback import LONGEST
from stepdown.decide import feedback as tokens
from stepdown.decide.feedback_body import MOST_BYTES, MOST_ITEMS, MOST_SHOWN, Reason
from stepdown.errors import (
    BodyTooLargeError,
    FeedbackRefusedError,
    FeedbackUnavailableError,
    RequestTimeoutError,
)
from stepdown.plane.evidence_books import FLUSH_SECONDS, MOST_WAITING
from stepdown.plane.feedback import STORE_SECONDS
from stepdown.plane.plane import LAST_EVIDENCE_SECONDS
from stepdown.telemetry.families import FAMILIES
from tests.docs.repository import ROOT
from tests.kit.configuration import CHURN, Folder
from tests.kit.driven import BY_USER, FEEDBACK, KEY, Taking, rolling
from tests.kit.world import World

PAGE = (ROOT / "docs/feedback.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
COMMANDS = re.findall(r"^```console\n\$ ([^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
FUNCTION = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
ROUTES = "routes: {churn: {match: {path: /v2}, model: churn, rules: [{name: all, rollout: churn-2}]}}\n"


def shell(command: str, here: World, folder: Path, **environ: str) -> str:
    """What a command of the page prints, asked of this sidecar."""
    command = command.replace("localhost:8080", f"127.0.0.1:{here.sidecar.port}")
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**os.environ, "SHOP_KEY": KEY, **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def counted(taking: Taking, kind: str) -> int:
    return taking.settle().total(kind, 2)[1]


def test_the_example_loads(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    environ = {"STEPDOWN_FEEDBACK_SECRET": "a secret of some length", "SHOP_KEY": "a key of some length"}
    spec = folder.load(CHURN + ROUTES + EXAMPLE, environ=environ).spec
    assert spec.feedback is not None
    assert (spec.feedback.max_age, [key.name for key in spec.feedback.keys]) == (86_400.0, ["shop"])
    assert [guard.name for guard in spec.rollouts[0].guards] == ["errors", "click-through"]


def test_its_commands_print_what_they_show(tmp_path: Path) -> None:
    asked, one, many = COMMANDS
    with rolling(key=BY_USER, feedback=FEEDBACK, step=2) as (here, taking):
        name, token = shell(asked[0], here, tmp_path).split()
        shown_name, shown_token = asked[1].split()
        assert (name, token[0], len(token)) == (shown_name, shown_token[0], 56)  # the rest is another each time
        for command, shown in (one, many):
            assert json.loads(shell(command, here, tmp_path, TOKEN=token)) == json.loads(shown)
        assert (counted(taking, "click"), counted(taking, "buy")) == (1, 1)


def test_its_function_posts_and_posts_again_what_could_not_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    room: dict[str, Any] = {}
    exec(FUNCTION, room)
    with rolling(key=BY_USER, feedback=FEEDBACK, step=2) as (here, taking):
        url = f"http://127.0.0.1:{here.sidecar.port}/-/stepdown/feedback"
        token = here.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-User-Id: 7\r\n\r\n").get(b"x-stepdown-token")
        assert token is not None
        taking.settle()
        taking.cut()
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            taking.link()

        monkeypatch.setattr(room["time"], "sleep", sleep)
        click = {"token": token.decode(), "event": "click"}
        said = room["tell"]([click], url, KEY)
        monkeypatch.undo()
        assert (said["accepted"] + said["duplicates"], slept) == (1, [2])
        assert counted(taking, "click") == 1
        assert room["tell"]([click | {"token": "nonsense"}], url, KEY)["refused"] == {"malformed": 1}
        with pytest.raises(room["urllib"].error.HTTPError):
            room["tell"]([click], url, "another key")


def test_every_reason_has_its_row() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE)
    reasons = [name for alternative in get_args(Reason) for name in get_args(alternative) or (alternative,)]
    assert sorted(rows) == sorted(reasons)


def test_its_numbers_are_the_codes() -> None:
    said = " ".join(PAGE.split())
    assert MOST_BYTES == 1024 * 1024
    for text in (
        f"more than 1 MiB, or more than {MOST_ITEMS:,} items",
        f"the first {MOST_SHOWN} in `items`",
        f"after {STORE_SECONDS:g} s, or too much",
        f"at least {SHORTEST} characters",
        f"up to {MOST_WAITING:,} of each run",
        f"waits for the store for {LAST_EVIDENCE_SECONDS:g} s",
        "more than a minute from now",
        "A token has 56 characters, and up to 116",
    ):
        assert text in said, text
    assert (FLUSH_SECONDS, tokens.LEEWAY, LONGEST) == (0.2, 60.0, 90 * 86_400)
    errors = (FeedbackRefusedError, FeedbackUnavailableError, BodyTooLargeError, RequestTimeoutError)
    assert all(f"`{error.problem}`" in said for error in errors)


def test_the_metrics_that_it_names_are_there() -> None:
    named = set(re.findall(r"`(stepdown_\w+)`", PAGE))
    assert len(named) == 5
    assert named <= FAMILIES.keys()
