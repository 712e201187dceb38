"""Stream adapters as a file declares them, for tests: renamed reasoning, and Responses as chat completions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from stepdown_adapters import Step
from stepdown_adapters.contract.reading import read

REASONING = """
on:
  /choices/*/delta/reasoning:
    - in: /choices/*/delta
      where: {path: /reasoning_content, exists: false}
      do:
        - move: {from: /reasoning, to: /reasoning_content, on_missing: skip}
"""
"""vLLM calls `reasoning_content` `reasoning` now; where both are there, neither is touched."""

MERGED = """
on:
  /choices/*/delta/reasoning:
    - in: /choices/*/delta
      where: {path: /reasoning, exists: true}
      do:
        - case:
            path: /content
            when: {"null": [{remove: /content}]}
            otherwise: skip
            on_missing: skip
        - in: ""
          where: {path: /content, exists: false}
          do: [{move: {from: /reasoning, to: /content}}]
        - remove: /reasoning
"""
"""The same change for clients that know of no reasoning at all: it is content."""

CHAT = """
fold:
  id: {on: response.created, last: /response/id}
  created: {on: response.created, last: /response/created_at}
  model: {on: response.created, last: /response/model}
  call:
    - on: response.output_item.added
      where: {path: /item/type, equals: function_call}
      number: /output_index
    - {on: response.function_call_arguments.delta, number: /output_index}
  finish:
    - start: stop
      on: response.output_item.added
      where: {path: /item/type, equals: function_call}
      set: tool_calls
    - {on: response.incomplete, set: length}
  usage: {on: [response.completed, response.incomplete], last: /response/usage}
envelope:
  id: {carried: id}
  object: chat.completion.chunk
  created: {carried: created}
  model: {carried: model}
on:
  response.created:
    - emit: {data: {choices: [{index: 0, delta: {role: assistant, content: ""}, finish_reason: null}]}}
  response.output_text.delta:
    - emit: {data: {choices: [{index: 0, delta: {content: {field: /delta}}, finish_reason: null}]}}
  response.refusal.delta:
    - emit: {data: {choices: [{index: 0, delta: {refusal: {field: /delta}}, finish_reason: null}]}}
  response.output_item.added:
    - emit:
        when: {path: /item/type, equals: function_call}
        data:
          choices:
            - index: 0
              delta:
                tool_calls:
                  - index: {carried: call}
                    id: {field: /item/call_id}
                    type: function
                    function: {name: {field: /item/name}, arguments: ""}
              finish_reason: null
  response.function_call_arguments.delta:
    - emit:
        data:
          choices:
            - index: 0
              delta: {tool_calls: [{index: {carried: call}, function: {arguments: {field: /delta}}}]}
              finish_reason: null
  response.failed:
    - emit: {envelope: false, data: {error: {field: /response/error}}}
  "*": drop
end:
  - emit: {data: {choices: [{index: 0, delta: {}, finish_reason: {carried: finish}}]}}
  - emit:
      when: {path: /usage, exists: true}
      data:
        choices: []
        usage:
          prompt_tokens: {field: /usage/input_tokens}
          completion_tokens: {field: /usage/output_tokens}
          total_tokens: {field: /usage/total_tokens}
  - emit: "[DONE]"
"""
"""OpenAI's Responses for a client of chat completions."""


def section(text: str) -> Any:
    """A `stream:` section as the library reads it from a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stream.yaml"
        file.write_text(text, encoding="utf-8")
        return read(file, file.name)


def step(text: str, newer: str = "2.0.0", older: str = "1.0.0", **others: Any) -> Step:
    """A step whose stream section is this text."""
    return Step(newer, older, stream=section(text), **others)
