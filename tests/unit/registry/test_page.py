from __future__ import annotations

from stepdown.registry.fields import MOST, fields
from tests.kit.model_registry import ANSWER, MORE, WIDER, Workshop

RICH = {
    "title": "Answer",
    "description": "What the model says | of a customer.",
    "type": "object",
    "required": ["label", "scores"],
    "properties": {
        "label": {"enum": ["leaves", "stays"], "x-semantic": {"kind": "label", "label_set": {"id": "churn-2"}}},
        "scores": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number", "minimum": 0, "maximum": 1, "x-semantic": {"kind": "probability"}},
        },
        "parent": {"$ref": "#"},
        "extra": {"anyOf": [{"$ref": "#/$defs/note"}, {"type": "null"}]},
        "more": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 1}},
    },
    "$defs": {"note": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
}
LABEL = 'label; label_set: {"id": "churn-2"}'


def test_every_field_is_listed_with_type_values_and_meaning() -> None:
    listed = {field.path: (field.type, field.values, field.required, field.meaning) for field in fields(RICH)}
    assert listed == {
        "/label": ("string", '"leaves", "stays"', True, LABEL),
        "/scores": ("array", "2 items", True, ""),
        "/scores/*": ("number", ">= 0; <= 1", None, "probability"),
        "/parent": ("object", "", False, ""),
        "/parent/label": ("string", '"leaves", "stays"', True, LABEL),
        "/parent/scores": ("array", "2 items", True, ""),
        "/parent/scores/*": ("number", ">= 0; <= 1", None, "probability"),
        "/parent/parent": ("object", "as in #", False, ""),
        "/parent/extra": ("note or null", "", False, ""),
        "/parent/extra (note)": ("object", "", None, ""),
        "/parent/extra (note)/text": ("string", "", True, ""),
        "/parent/more": ("object", "", False, ""),
        "/parent/more/*": ("string", "at most 1 character", None, ""),
        "/extra": ("note or null", "", False, ""),
        "/extra (note)": ("object", "", None, ""),
        "/extra (note)/text": ("string", "", True, ""),
        "/more": ("object", "", False, ""),
        "/more/*": ("string", "at most 1 character", None, ""),
    }


def test_the_list_of_fields_has_an_end() -> None:
    wide = {"type": "object", "properties": {str(number): {} for number in range(2 * MOST)}}
    assert len(fields(wide)) == MOST
    deep: dict[str, object] = {"properties": {str(n): {"$ref": f"#/$defs/{n}"} for n in range(30)}}
    deep["$defs"] = {str(n): {"properties": deep["properties"]} for n in range(30)}
    assert len(fields(deep)) == MOST


def test_the_page_of_a_first_release_says_so(workshop: Workshop) -> None:
    workshop.add("1.0.0", output=RICH, training={"rows": 569})
    page = workshop.registry.page("churn", "1.0.0")
    assert page.startswith(
        "# churn 1.0.0\n\n## Output\n\nAnswer\n\nWhat the model says \\| of a customer.\n\n| field |"
    )
    assert "| `/scores/*` | number | >= 0; &lt;= 1 |  | probability |\n" in page
    assert "## Changes\n\nThe first release.\n" in page
    assert "unpickling it runs whatever code it names" in page
    assert "- rows: 569\n" in page


def test_the_page_says_what_changed_and_what_that_needed(workshop: Workshop) -> None:
    workshop.add("1.0.0", output=ANSWER)
    workshop.add("1.1.0", output=MORE)
    workshop.add("2.0.0", output=WIDER)
    page = workshop.registry.page("churn", "1.1.0")
    assert "1.0.0 to 1.1.0 is a MINOR step; the contracts need MINOR.\n\n- MINOR output /note" in page
    assert "1.1.0 to 2.0.0 is a MAJOR step; the contracts need MAJOR.\n\n- MAJOR output" in workshop.registry.page(
        "churn", "latest"
    )


def test_the_page_of_a_release_that_changed_nothing_says_so(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.add("1.0.1")
    assert "the contracts need NONE.\n\nThe contracts did not change." in workshop.registry.page("churn", "1.0.1")
