"""The old application, run by `openai_python`: reads from its input what to ask, and writes what it has read of it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import openai


class Found:
    """What was read of one answer."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {"chunks": [], "content": "", "reasoning": "", "error": "", "document": None}

    def chunk(self, chunk: Any) -> None:
        """One more piece of a stream."""
        self.told["chunks"].append(chunk.to_dict())
        for choice in chunk.choices:
            if not hasattr(choice, "delta"):
                self.told["content"] += choice.text
                continue
            self.told["content"] += choice.delta.content or ""
            self.told["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""

    def raised(self, error: Exception) -> None:
        """What the library, or what it reads with, has raised."""
        known = {name: getattr(error, name, None) for name in ("code", "type", "param", "status_code")}
        message = getattr(error, "message", None) or str(error)
        self.told |= {"error": type(error).__name__, "raised": {**known, "message": message}}


def ask(client: openai.OpenAI, asked: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """What the application reads of one request."""
    found = Found()
    try:
        if asked["api"] == "helper":
            with client.chat.completions.stream(**request) as stream:
                for event in stream:
                    if event.type == "chunk":
                        found.chunk(event.chunk)
                found.told["document"] = stream.get_final_completion().to_dict()
            return found.told
        api = client.completions if asked["api"] == "completions" else client.chat.completions
        answer = api.create(**request)
        if not request.get("stream"):
            found.told["document"] = answer.to_dict()
            return found.told
        for chunk in answer:
            found.chunk(chunk)
            if len(found.told["chunks"]) == asked["leave"]:
                answer.close()
                break
    except Exception as error:
        found.raised(error)
    return found.told


async def ask_at_once(client: openai.AsyncOpenAI, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What it reads of all of them, asked at the same time."""

    async def one(request: dict[str, Any]) -> dict[str, Any]:
        found = Found()
        try:
            answer = await client.chat.completions.create(**request)
            if not request.get("stream"):
                found.told["document"] = answer.to_dict()
                return found.told
            async for chunk in answer:
                found.chunk(chunk)
        except Exception as error:
            found.raised(error)
        return found.told

    return list(await asyncio.gather(*map(one, requests)))


def main() -> None:
    """Ask all."""
    asked = json.load(sys.stdin)
    options: dict[str, Any] = {"base_url": asked["url"], "api_key": "none", "max_retries": 0, "timeout": 30}
    options["_strict_response_validation"] = asked["strict"]
    if asked["api"] == "async":
        told = asyncio.run(ask_at_once(openai.AsyncOpenAI(**options), asked["requests"]))
    else:
        client = openai.OpenAI(**options)
        told = [ask(client, asked, request) for request in asked["requests"]]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
