"""docs/life-of-a-request.md leads through the code: its files exist, in the order of a request's way."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.repository import ROOT

PAGE = ROOT / "docs/life-of-a-request.md"
PLACES = (ROOT, ROOT / "proxy/stepdown", ROOT / "proxy/stepdown/plane", ROOT / "adapters/stepdown_adapters")
PHASES = ("choose", "collect", "forward", "receive", "adapting", "send", "account")


def files_named() -> list[Path]:
    """Source files in the order in which the page first names them, relative to the root."""
    found: list[Path] = []
    for name in re.findall(r"`([\w/.-]+\.py)`", PAGE.read_text(encoding="utf-8")):
        places = [place / name for place in PLACES if (place / name).is_file()]
        assert places, f"{name} does not exist"
        file = places[0].relative_to(ROOT)
        if file not in found:
            found.append(file)
    return found


def test_every_file_that_the_page_names_exists() -> None:
    assert files_named()


def test_the_page_names_the_phases_in_the_order_of_a_requests_way() -> None:
    phases = [
        file.stem for file in files_named() if file.parent == Path("proxy/stepdown/plane") and file.stem in PHASES
    ]
    assert tuple(phases) == PHASES
