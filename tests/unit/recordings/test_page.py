"""The page on recordings names every member of a line, and every reason why a body is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepdown.recordings.bodies import NOT_COPIED, NOT_REDACTABLE, TOO_LARGE
from stepdown.recordings.entry import FORMAT, Entry, Request, Response

PAGE = (Path(__file__).parents[3] / "docs" / "recordings.md").read_text(encoding="utf-8")
ROWS = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
MEMBERS = {name for kind in (Entry, Request, Response) for name in kind.__struct_fields__}


@pytest.mark.parametrize("word", sorted(MEMBERS | {NOT_COPIED, NOT_REDACTABLE, TOO_LARGE, "full", "cut"}))
def test_a_member_has_its_row(word: str) -> None:
    assert re.search(rf"`{word}`", ROWS)


def test_the_page_tells_of_the_format_that_is_written() -> None:
    assert f"| `recording` | {FORMAT} |" in PAGE
