"""openai-python as an old application uses it, in a process and an environment of its own: `.envs/openai`.

The environment is made of `requirements/openai.txt` (`make servers`); without it, tests that need it are skipped.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(__file__).parents[2] / ".envs" / "openai" / "bin" / "python"
_PROGRAM = Path(__file__).with_name("old_application.py")


def chat(url: str, *, leave: int = 0, strict: bool = False, **request: Any) -> dict[str, Any]:
    """Asks for a chat completion; what the application has read: chunks, texts, a document, and what was raised.

    It leaves after so many chunks, if after any; `strict` makes openai-python hold all that it reads against its types.
    """
    return _asked(url, [request], leave=leave, strict=strict)[0]


def complete(url: str, *, leave: int = 0, strict: bool = False, **request: Any) -> dict[str, Any]:
    """The same of a text completion, as applications asked before there were chats."""
    return _asked(url, [request], api="completions", leave=leave, strict=strict)[0]


def accumulated(url: str, **request: Any) -> dict[str, Any]:
    """The same of a chat by the library's own helper for streams, whose completion at the end is the document."""
    return _asked(url, [request], api="helper")[0]


def at_once(url: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """What an application with asyncio has read of chats that it asked for all at once."""
    return _asked(url, list(requests), api="async")


def _asked(url: str, requests: list[dict[str, Any]], **how: Any) -> list[dict[str, Any]]:
    if not PYTHON.exists():
        pytest.skip("openai-python is not installed in .envs/openai; `make servers` does it")
    given = json.dumps({"url": url, "requests": requests, "api": "chat", "leave": 0, "strict": False, **how})
    command = [PYTHON, _PROGRAM]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
