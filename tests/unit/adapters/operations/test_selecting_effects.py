"""What the effects of operations on collections, texts, times and cases know, and not only that they are sound."""

from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.operations import parse
from stepdown_adapters.operations.effects import after

TEXT: Any = {"type": "string"}
PROBABILITY: Any = {"type": "number", "minimum": 0, "maximum": 1}


def closed(**members: Any) -> Any:
    required = {"required": sorted(members)} if members else {}
    return {"type": "object", "properties": members, **required, "additionalProperties": False}


def array(items: Any, **bounds: int) -> Any:
    return {"type": "array", "items": items, **bounds}


PART = {"anyOf": [closed(type={"const": "text"}, text=TEXT), closed(type={"const": "image"}, url=TEXT)]}


def member(operation: Any, schema: Any) -> Any:
    """What the effect says of the member `x` of an object that has only this one."""
    found: Any = after(parse([operation]), closed(x=schema))
    return found if isinstance(found, bool) else found["properties"].get("x", found)


@pytest.mark.parametrize(
    ("operation", "schema", "expected"),
    [
        ({"filter": {"path": "/x", "where": {"path": "/type", "equals": "video"}}}, array(PART),
         {"type": "array", "items": False}),
        ({"unique": "/x"}, array(TEXT, minItems=3, maxItems=5), array(TEXT, minItems=1, maxItems=5)),
        ({"group": {"path": "/x", "by": "/l", "mean": "/s"}}, array(closed(l=TEXT, s=PROBABILITY), minItems=2),
         array(closed(l=TEXT, s={"type": "number"}))),
        ({"map_keys": {"path": "/x", "table": {"a": "b"}}}, closed(a=TEXT), closed(b=TEXT)),
        ({"map_keys": {"path": "/x", "table": {"a": "b"}}}, closed(a=TEXT, c=TEXT), False),
        ({"map_keys": {"path": "/x", "table": {"a": "b"}, "on_unmapped": "keep"}}, closed(a=TEXT, c=PROBABILITY),
         closed(b=TEXT, c=PROBABILITY)),
        ({"map_keys": {"path": "/x", "table": {"a": "b"}, "on_unmapped": "remove"}}, closed(a=TEXT, c=TEXT),
         closed(b=TEXT)),
        ({"map_keys": {"path": "/x", "table": {"a": "b"}}}, {"type": "object"},
         {"type": "object", "propertyNames": {"enum": ["b"]}}),
        ({"join": "/x"}, array(TEXT), TEXT),
        ({"split": {"path": "/x", "separator": ","}}, TEXT, array(TEXT, minItems=1)),
        ({"format": {"path": "/x", "template": "{a}"}}, closed(a=TEXT), TEXT),
        ({"format_time": {"path": "/x", "from": "rfc3339", "to": "s"}}, TEXT, {"type": "integer"}),
        ({"slice": {"path": "/x", "end": {"request": "/k"}}}, array(TEXT, maxItems=5), array(TEXT, maxItems=5)),
        ({"clamp": {"path": "/x", "max": {"request": "/k"}}}, PROBABILITY, {"type": "number"}),
        ({"concat": {"from": ["/x"], "to": "/x"}}, array(TEXT, maxItems=5), array(TEXT, maxItems=5)),
        ({"count": {"from": "/x", "to": "/x"}}, array(TEXT), {"type": "integer", "minimum": 0}),
        ({"sum": {"from": ["/x"], "to": "/x"}}, PROBABILITY, {"type": "number"}),
        ({"refuse": {"reason": "gone"}}, TEXT, False),
        ({"refuse": {"reason": "gone", "when": {"path": "/y", "exists": True}}}, TEXT, TEXT),
    ],
    ids=str,
)  # fmt: skip
def test_an_effect_knows_this_much(operation: Any, schema: Any, expected: Any) -> None:
    assert member(operation, schema) == expected


def test_a_filter_keeps_only_the_shapes_that_may_fit() -> None:
    found = member({"filter": {"path": "/x", "where": {"path": "/type", "in": ["text"]}}}, array(PART))
    assert found["items"]["properties"].keys() == {"type", "text"}


def test_a_case_runs_each_branch_on_the_shapes_of_its_discriminator() -> None:
    operations = [
        {
            "in": "/x/*",
            "do": [
                {
                    "case": {
                        "path": "/type",
                        "when": {
                            "text": [{"format": {"path": "", "template": "{text}"}}],
                            "image": [{"format": {"path": "", "template": "{url}"}}],
                        },
                    }
                }
            ],
        },
        {"join": "/x"},
    ]
    assert after(parse(operations), closed(x=array(PART))) == closed(x=TEXT)
    # Without a branch for images they are refused, so texts are all that can be left.
    del operations[0]["do"][0]["case"]["when"]["image"]  # type: ignore[index]
    assert after(parse(operations[:1]), closed(x=array(PART))) == closed(x=array(TEXT))


def test_what_a_table_may_remove_is_no_longer_required() -> None:
    mapped = {"map_values": {"path": "/x", "table": {"a": "A"}, "on_unmapped": "remove"}}
    found: Any = after(parse([mapped]), closed(x=TEXT))
    assert [jsonschema_rs.is_valid(found, one) for one in ({}, {"x": "A"}, {"x": "b"})] == [True, True, False]
    items = {"map_values": {"path": "/x/*", "table": {"a": "A"}, "on_unmapped": "remove"}}
    assert member(items, array(TEXT, minItems=2, maxItems=3)) == array({"const": "A"}, maxItems=3)
