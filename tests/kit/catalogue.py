"""Entries of the catalogue as a configuration names them, the grades that they get, and the page's table of those.

`python -m tests.kit.catalogue` prints the table, with names only their rows.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stepdown.gate import reading
from stepdown.gate.proving import SIDE_WORDS, questions
from stepdown_adapters.catalogue.entries import contract_file, entry, names
from stepdown_adapters.errors import CatalogueError
from stepdown_adapters.proof.grading import Grading, graded

DOCUMENTS = 1000
HEAD = ("`use`", "from", "to", "answers", "requests", "streams", "errors")


def configuration(chain: Sequence[str], port: int = 9, path: str = "/v1/chat/completions", sends: str = "/v1") -> str:
    """A file whose model has the entries as steps, the first of them for the newest version.

    That one has a server, which is asked at the path `sends`.
    """
    entries = [entry(name) for name in chain]
    ids = [f"{number}.0.0" for number in range(len(entries) + 1, 0, -1)]
    lines = ["models:", "  chat:", f'    default_version: "{ids[-1]}"', "    versions:"]
    for version, contract in zip(ids, [entries[0].newer, *(one.older for one in entries)], strict=True):
        asked = f", input: {{catalogue: {contract}}}" if has_requests(contract) else ""
        served = f", endpoints: [{{url: http://127.0.0.1:{port}, path: {sends}}}]" if version == ids[0] else ""
        lines.append(f'      "{version}": {{schema: {{catalogue: {contract}}}{asked}{served}}}')
    lines.append("    adapters:")
    steps = zip(ids[:-1], ids[1:], entries, strict=True)
    lines += [f'      - {{from: "{newer}", to: "{older}", use: {one.name}}}' for newer, older, one in steps]
    rule = f'rules: [{{name: all, split: {{"{ids[0]}": 100}}}}]'
    lines += ["routes:", f"  chat: {{match: {{path: {path}}}, model: chat, errors: openai, {rule}}}", ""]
    return "\n".join(lines)


def gradings(*chain: str, documents: int = DOCUMENTS) -> dict[str, Grading]:
    """The grades of these entries in a row, as `stepdown prove` gives them, of `answers` and of `requests`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stepdown.yaml"
        file.write_text(configuration(chain), encoding="utf-8")
        facts = reading.head_facts(file, {})
    asked = questions(facts.models["chat"], f"{len(chain) + 1}.0.0", "1.0.0")
    return {SIDE_WORDS[one.side]: graded(one, documents=documents) for one in asked}


def has_requests(contract: str) -> bool:
    """Whether the contract of that name is of requests too."""
    try:
        contract_file(contract, "input")
    except CatalogueError:
        return False
    return True


def row(name: str) -> str:
    """An adapter's row of the page's table, with its grades."""
    one, found = entry(name), gradings(name)
    grades = [found[side].grade.value if side in found else "-" for side in ("answers", "requests")]
    brings = ["yes" if key in one.brings else "-" for key in ("stream", "errors")]
    return _row(f"`{one.name}`", f"`{one.newer}`", f"`{one.older}`", *grades, *brings)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    if not sys.argv[1:]:
        print(_row(*HEAD), _row(*["---"] * len(HEAD)), sep="\n")
    for chosen in sys.argv[1:] or names():
        print(row(chosen))
