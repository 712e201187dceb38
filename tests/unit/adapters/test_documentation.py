"""docs/adapters.md is about the operations that there are, and its examples run."""

import re
from pathlib import Path

import pytest
import yaml

from stepdown_adapters.operations import parse
from stepdown_adapters.operations.case import Case
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.table import CONVERSIONS, EDITS
from stepdown_adapters.operations.within import In
from stepdown_adapters.stream import summary
from stepdown_adapters.stream.adapting.chain import StreamChain
from stepdown_adapters.stream.adapting.compiling import compile_stream
from tests.kit.stream_adapters import step
from tests.kit.streams import SSE, body

PAGE = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text(encoding="utf-8")
KINDS = {kind.name: kind for kind in (In, Case, *EDITS.values(), *CONVERSIONS.values(), *HEAD_EDITS.values())}


def blocks(language: str, mark: str = "") -> list[str]:
    """The blocks in a language; with a mark, those under the comment `<!-- mark -->`, else those under none."""
    found = re.findall(r"^(?:<!-- (\w+) -->\n)?```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [text for under, written, text in found if written == language and under == mark]


def test_the_table_has_every_operation_in_the_order_of_the_code_with_its_loss() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (\w+): (.*) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == list(KINDS)
    for name, _, _, loss, note in rows:
        assert (loss, note) == (KINDS[name].loss.value, KINDS[name].note)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_examples_in_yaml_are_valid(block: str) -> None:
    assert parse(yaml.safe_load(block))


@pytest.mark.parametrize("block", blocks("yaml", "stream"))
def test_the_examples_of_streams_do_what_the_page_says(block: str) -> None:
    chain = StreamChain(compile_stream([step(block)]), SSE)
    stream = body("vllm-reasoning.sse") if "reasoning" in block else body("openai-responses.sse")
    found = summary(chain.feed(stream) + chain.close(), SSE)
    assert found is not None
    assert (found.verdict.result, found.dialect) == ("complete", "openai-chat")
    [choice] = found.document["choices"]
    if "reasoning" in block:
        assert choice["message"]["reasoning_content"] == "The user greets."
    else:
        assert choice["finish_reason"] == "tool_calls"
        assert [call["function"]["arguments"] for call in choice["message"]["tool_calls"]] == ['{"city":"Rome"}']


def test_the_example_in_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("python")
    exec(compile(block, "docs/adapters.md", "exec"), {"__name__": "documentation"})
    assert "def response(body, context):" in capsys.readouterr().out
