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
_PROGRAM = """
import json, sys
import openai

asked = json.load(sys.stdin)
client = openai.OpenAI(base_url=asked["url"], api_key="none", max_retries=0, timeout=30)
found = {"chunks": [], "content": "", "reasoning": "", "error": ""}
try:
    api = client.completions if asked["legacy"] else client.chat.completions
    answer = api.create(**asked["request"])
    if not asked["request"].get("stream"):
        found["document"] = answer.to_dict()
        answer = ()
    for chunk in answer:
        found["chunks"].append(chunk.to_dict())
        for choice in chunk.choices:
            if asked["legacy"]:
                found["content"] += choice.text
                continue
            found["content"] += choice.delta.content or ""
            found["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""
except Exception as error:
    found["error"] = type(error).__name__
print(json.dumps(found))
"""


def chat(url: str, **request: Any) -> dict[str, Any]:
    """Asks for a chat completion; what the application has read: chunks, texts, a document, and what was raised."""
    return _asked(url, request, legacy=False)


def complete(url: str, **request: Any) -> dict[str, Any]:
    """The same of a text completion, as applications asked before there were chats."""
    return _asked(url, request, legacy=True)


def _asked(url: str, request: dict[str, Any], *, legacy: bool) -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("openai-python is not installed in .envs/openai; `make servers` does it")
    given = json.dumps({"url": url, "request": request, "legacy": legacy})
    done = subprocess.run([PYTHON, "-c", _PROGRAM], input=given, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
