"""The JSON Schema containment test suite: no answer may be wrong, and most must be given."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.contract.keywords import children
from stepdown_adapters.proof.inclusion import Excluded, Included, Undecided, included
from stepdown_adapters.proof.patterns import language
from stepdown_adapters.proof.schemas import OPAQUE

VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "containment-draft2020-12.jsonl"

# Made for validators that assert `format`, or whose `\d` and `\w` mean all of Unicode; ECMA-262 and ours do neither.
OTHER_READINGS = ("optional/format", "optional/unicode")
# Pairs that were made by a rewriting which did not keep their meaning (`type: array` next to `not`, a `$ref` inside of
# an `enum`): the counterexample that we give is confirmed by another validator, see the test.
MISTAKEN = {
    "universal/dynamicRef#3",
    "universal/items#4",
    "universal/ref#15",
    "universal/unevaluatedProperties#19",
    "unsatisfiable/ref#15",
}


def cases() -> list[tuple[str, Any, Any, bool]]:
    if not VECTORS.is_file():
        pytest.skip(f"{VECTORS.name} is not there")
    found = []
    for line in VECTORS.read_text().splitlines():
        case = json.loads(line)
        first, second = case["schema1"], case["schema2"]
        for direction, expected in case["tests"].items():
            inner, outer = (first, second) if direction == "s1SubsetEqOfs2" else (second, first)
            found.append((case["id"], inner, outer, expected))
    return found


def in_fragment(schema: Any, root: bool = True) -> bool:
    if not isinstance(schema, dict):
        return True
    strange = (
        OPAQUE & schema.keys()
        or (not root and "$id" in schema)
        or "json-schema" not in schema.get("$schema", "json-schema")
    )
    patterns = [schema["pattern"]] if "pattern" in schema else []
    patterns += schema.get("patternProperties", {})
    if strange or not all(language(one) for one in patterns) or not schema.get("$ref", "#").startswith("#"):
        return False
    if "$ref" in schema and schema["$ref"] != "#" and not schema["$ref"].startswith("#/"):
        return False
    return all(in_fragment(child, root=False) for _, child in children(schema))


def test_no_answer_is_wrong_and_most_of_the_fragment_is_decided() -> None:
    wrong, table = [], Counter[tuple[str, str]]()
    for name, inner, outer, expected in cases():
        keyword = name.split("/", 1)[1].split("#")[0].split("/")[0]
        answer = included(inner, outer)
        fragment = in_fragment(inner) and in_fragment(outer)
        if any(one in name for one in OTHER_READINGS) or (name in MISTAKEN and isinstance(answer, Excluded)):
            continue
        decided = not isinstance(answer, Undecided)
        if decided and isinstance(answer, Included) != expected:
            wrong.append((name, answer))
        table[keyword, "all"] += 1
        table[keyword, "decided"] += decided
        table[keyword, "in the fragment"] += fragment
        table[keyword, "and decided"] += fragment and decided
    print(written(table))
    assert not wrong
    total, settled = (
        sum(table[one] for one in table if one[1] == column) for column in ("in the fragment", "and decided")
    )
    assert settled / total >= 0.99, f"{settled} of {total}"


def test_where_the_suite_is_said_to_be_mistaken_another_validator_confirms_the_counterexample() -> None:
    seen = set()
    for name, inner, outer, expected in cases():
        answer = included(inner, outer)
        if name in MISTAKEN and expected and isinstance(answer, Excluded):
            assert jsonschema_rs.validator_for(inner).is_valid(answer.witness)
            assert not jsonschema_rs.validator_for(outer).is_valid(answer.witness)
            seen.add(name)
    assert seen == MISTAKEN


def written(table: Counter[tuple[str, str]]) -> str:
    columns = ("all", "decided", "in the fragment", "and decided")
    lines = [f"{'keyword':24}" + "".join(f"{column:>16}" for column in columns)]
    lines += [
        f"{keyword:24}" + "".join(f"{table[keyword, column]:16}" for column in columns)
        for keyword in sorted({one for one, _ in table})
    ]
    totals = (sum(count for (_, one), count in table.items() if one == column) for column in columns)
    lines.append(f"{'together':24}" + "".join(f"{total:16}" for total in totals))
    return "\n".join(lines)
