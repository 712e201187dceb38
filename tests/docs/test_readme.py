"""The README's console blocks do what they show.

A block under the comment `<!-- tested -->` is run from the repository's root, command by command (lines that start with
`$ `); what a command prints must be what stands under it. `...` stands for anything, also over several lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.repository import ROOT

BLOCK = re.compile(r"^<!-- tested -->\n+```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.+?)\n(.*?)(?=^\$ |\Z)", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def matches(shown: str, printed: str) -> bool:
    """Whether the output is what the page shows; spaces at line ends do not count."""
    parts = [re.escape(part.strip()) for part in shown.strip().split("...")]
    clean = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.fullmatch(r"\s*.*?\s*".join(parts), clean, re.DOTALL) is not None


def test_the_readme_has_blocks_to_run() -> None:
    assert BLOCKS


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0].removeprefix("$ ") for block in BLOCKS])
def test_a_console_block_prints_what_it_shows(block: str) -> None:
    environ = dict(os.environ)
    environ |= {"PATH": f"{Path(sys.executable).parent}:{environ['PATH']}", "COLUMNS": "120", "NO_COLOR": "1"}
    for command, shown in COMMAND.findall(block):
        ran = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=environ, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert matches(shown, ran.stdout), f"$ {command}\n{ran.stdout}\n--- shown:\n{shown}"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("ok", "ok\n", True),
        ("ok", "okay", False),
        ("a ... c", "a b b c", True),
        ("a\n...\nc", "a\nb\nb\nc\n", True),
        ("a\n...\nc", "a\nb", False),
        ("...", "anything (at all)", True),
    ],
)
def test_dots_stand_for_anything(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same
