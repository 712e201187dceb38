"""Of a failed adaptation it is told where it was, and not what, where a shadow has values that nobody is to see."""

from __future__ import annotations

import pytest

from stepdown.comparer.hiding import told
from stepdown.decide.shadow_spec import Examples, Shadow

HIDES = Shadow(name="s", version="1.0.0", examples=Examples(redact=("/card",)))
SHOWS = Shadow(name="s", version="1.0.0")
HIDDEN = "why is not shown, as the shadow has redact"


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (
            "2.0.0 -> 1.0.0: response[0]/map_values at /card: the table has nothing for '4111: 1'",
            f"2.0.0 -> 1.0.0: response[0]/map_values at /card: {HIDDEN}",
        ),
        (
            "The server answered 500, and its error cannot be adapted: 2.0.0 -> 1.0.0: errors[0]/cast at /card: '4111'",
            f"The server answered 500, and its error cannot be adapted: 2.0.0 -> 1.0.0: {HIDDEN}",
        ),
        ("2.0.0 -> 1.0.0: response[0]/cast at /a: b: '4111'", f"2.0.0 -> 1.0.0: response[0]/cast at /a: {HIDDEN}"),
        ("The stream is no whole answer: cut", "The stream is no whole answer: cut"),
        ("", ""),
    ],
)
def test_only_the_place_is_told(detail: str, shown: str) -> None:
    assert told(detail, HIDES) == shown
    assert told(detail, SHOWS) == detail
