from __future__ import annotations

from stepdown.config.findings import Finding, Place, RefusedError, in_order, listed, nearest_name
from stepdown.errors import ConfigError

LATER = Finding(Place("b.yaml", 10, 2), "a.b", 'found "x"', "y or z", "y")
EARLIER = Finding(Place("b.yaml", 9, 30), "", "the file is odd", severity="warning")


def test_a_finding_is_one_line_with_place_key_and_what_to_do() -> None:
    assert str(LATER) == 'b.yaml:10:2: a.b: found "x"; allowed y or z; did you mean "y"?'
    assert str(EARLIER) == "b.yaml:9:30: warning: the file is odd"


def test_findings_come_in_the_order_of_their_places_each_once() -> None:
    assert in_order([LATER, EARLIER, LATER]) == (EARLIER, LATER)


def test_a_refusal_is_a_configuration_error_that_lists_everything() -> None:
    refused = RefusedError([LATER, EARLIER])
    assert isinstance(refused, ConfigError)
    assert str(refused) == f"{EARLIER}\n{LATER}"
    assert refused.findings == (EARLIER, LATER)


def test_machines_get_every_part() -> None:
    assert LATER.as_json() == {
        "file": "b.yaml",
        "line": 10,
        "column": 2,
        "key": "a.b",
        "problem": 'found "x"',
        "allowed": "y or z",
        "nearest": "y",
        "severity": "error",
        "message": 'found "x"; allowed y or z; did you mean "y"?',
    }


def test_only_a_name_that_is_close_is_offered() -> None:
    assert nearest_name("modls", ["models", "routes"]) == "models"
    assert nearest_name("xyz", ["models", "routes"]) == ""
    assert nearest_name("models", ["models"]) == ""


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b"]) == '"a", "b"'
    assert listed(map(str, range(20))).endswith('"11", and 8 more')
