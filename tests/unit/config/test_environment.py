from __future__ import annotations

import pytest

from stepdown.config.environment import UnfilledError, fill_in

ENVIRON = {"HOST": "churn", "EMPTY": "", "ODD": "${HOST}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("http://${HOST}:80", "http://churn:80"),
        ("${HOST}${HOST}", "churnchurn"),
        ("${MISSING:-x}", "x"),
        ("${MISSING:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", "x"),
        ("$${HOST}", "${HOST}"),
        ("$HOST $", "$HOST $"),
        ("${ODD}", "${HOST}"),
    ],
)
def test_references_are_filled_in_once(text: str, filled: str) -> None:
    assert fill_in(text, ENVIRON) == filled


@pytest.mark.parametrize("text", ["${", "${}", "${1}", "${HOST", "${HOST:x}", "${HO ST}"])
def test_a_broken_reference_is_refused(text: str) -> None:
    with pytest.raises(UnfilledError, match="broken reference"):
        fill_in(text, ENVIRON)


def test_a_variable_that_is_not_set_is_refused_by_name() -> None:
    with pytest.raises(UnfilledError, match="MISSING is not set"):
        fill_in("${MISSING}", ENVIRON)
