"""Events of Anthropic's Messages, gathered into the message that they are parts of."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.stream.events import Kind, Said, read
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.stream.gathering.growing import Budget, Indexed, grow

# A delta's type, the member of the block that it continues, and the member of the delta that has the rest of it.
_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "partial_json"),
}


class Messages:
    """Gathers a `message`."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._message: dict[str, Any] = {}
        self._blocks = Indexed()

    def hear(self, said: Said) -> bool:
        """Lays an event over what there is."""
        document = said.document
        if not isinstance(document, dict):
            return False
        kind = document.get("type")
        if kind == "message_start":
            self._keep(document.get("message"), skipped=("content",))
        elif kind == "message_delta":
            self._keep(document.get("delta"))
            usage = document.get("usage")
            if isinstance(usage, dict):  # counts so far, of which the first event had those of the input
                known = self._message.get("usage")
                self._keep({"usage": (known if isinstance(known, dict) else {}) | usage})
        elif kind in ("content_block_start", "content_block_delta"):
            block = self._blocks.item(document.get("index", 0), self._budget)
            part = document.get("content_block" if kind == "content_block_start" else "delta")
            if block is not None and isinstance(part, dict):
                self._lay(block, part, begins=kind == "content_block_start")
            return bool(kind == "content_block_delta")
        return False

    def document(self) -> dict[str, Any]:
        """The message, in the shape of an answer that is no stream."""
        blocks = [_whole(block) for _, block in self._blocks.settled()]
        return {**self._message, "content": blocks}

    def _keep(self, members: Any, skipped: tuple[str, ...] = ()) -> None:
        for name, value in members.items() if isinstance(members, dict) else ():
            if name not in skipped:
                self._budget.replace(self._message, name, value)

    def _lay(self, block: dict[str, Any], part: dict[str, Any], begins: bool) -> None:
        if begins:
            grow(block, part, self._budget)
            return
        kind = part.get("type")
        if kind == "citations_delta":
            grow(block, {"citations": [part.get("citation")]}, self._budget)
            return
        into, member = _DELTAS.get(str(kind), ("", ""))
        if into and isinstance(text := part.get(member), str):
            grow(block, {into: text}, self._budget)


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    """The block, with the input of a tool decoded; what is no JSON, since it was cut, stays text."""
    text = block.pop("partial_json", "")
    if text and isinstance(text, str):
        said = read(Event(data=text.encode()))
        block["input"] = said.document if said.kind is Kind.JSON else text
    return block
