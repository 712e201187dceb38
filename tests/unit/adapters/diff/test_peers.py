"""Apicurio's 145 compatibility cases, and each disagreement with them explained.

Apicurio calls a change backward compatible when readers of the new schema read what was written under the old one:
that is this diff of a request; forward is its diff of a response.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.contract.json_schema import load_schema
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff import compare
from stepdown_adapters.errors import ContractError

VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "apicurio-compatibility.json"
ANY = "the pattern [a-z]* is not anchored, so every string matches it, and so does [A-Z]*: both sides allow the same"
FORMAT = "format is an annotation in 2020-12; with formats='asserted' the answer is the expected one"
DRAFT_4 = "the schema is of draft 4, which is not read"
ENCODED = "what the text encodes changed: valid as before, and yet another thing"
EXPLAINED: dict[tuple[str, str], tuple[str, str]] = {
    ("String: pattern 1", "backward"): ("both", ANY),
    ("String: pattern 2", "none"): ("both", ANY),
    ("String: format 1", "backward"): ("both", FORMAT),
    ("String: format 2", "none"): ("both", FORMAT),
    ("Number: exclusiveMinimum 1", "backward"): ("unreadable", DRAFT_4),
    ("Number: exclusiveMinimum 5", "both"): ("unreadable", DRAFT_4),
    ("Number: exclusiveMaximum 1", "backward"): ("unreadable", DRAFT_4),
    ("Number: exclusiveMaximum 5", "both"): ("unreadable", DRAFT_4),
    ("Const", "none"): ("both", "a string that is an array: neither schema allows any document"),
    ("String: contentEncoding 2", "backward"): ("none", ENCODED),
    ("String: contentMediaType 2", "backward"): ("none", ENCODED),
    ("Complex: anyOf 1", "backward"): ("both", "all that is no string fits maxLength, so both sides allow everything"),
    ("Complex: oneOf 1", "backward"): (
        "forward",
        "a string of 6 to 10 characters fits one branch of the old side and both of the new: fewer documents are valid",
    ),
    ("Complex: oneOf 3", "backward"): ("none", "a short string now fits two branches and is no longer valid"),
    ("Conditional: if", "none"): ("both", ANY),
    ("Conditional: then", "backward"): ("both", ANY),
    ("Conditional: else", "backward"): ("both", ANY),
}
"""By name and expected answer: the answer that is given, and why."""


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    if not VECTORS.is_file():
        pytest.skip(f"{VECTORS.name} is not at hand")
    tests: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["tests"]
    return tests


def answer(case: dict[str, Any], folder: Path, **policy: Any) -> str:
    contracts = []
    for side in ("original", "updated"):
        file = folder / f"{side}.json"
        file.write_text(json.dumps(case[side]), encoding="utf-8")
        try:
            contracts.append(Contract(load_schema(file), "json-schema", side))
        except ContractError:
            return "unreadable"
    backward = compare(*contracts, direction="request", **policy).compatible
    forward = compare(*contracts, direction="response", **policy).compatible
    return {(True, True): "both", (True, False): "backward", (False, True): "forward"}.get((backward, forward), "none")


def test_every_disagreement_is_explained_and_every_explanation_is_needed(
    cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    disagreements = Counter()
    for case in cases:
        given = answer(case, tmp_path)
        if given != case["compatibility"]:
            key = case["id"], case["compatibility"]
            assert key in EXPLAINED, (key, given)
            assert EXPLAINED[key][0] == given, key
            disagreements[key] += 1
    assert len(cases) == 145
    assert disagreements == Counter(EXPLAINED.keys())


def test_asserted_formats_agree(cases: list[dict[str, Any]], tmp_path: Path) -> None:
    about_formats = [case for case in cases if case["id"].startswith("String: format")]
    assert len(about_formats) == 3
    for case in about_formats:
        assert answer(case, tmp_path, formats="asserted") == case["compatibility"]
