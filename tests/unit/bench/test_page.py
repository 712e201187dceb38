"""Each benchmark writes its own section of the page of measurements and nothing else."""

from pathlib import Path

import pytest

from bench import report
from bench.adapters.__main__ import SECTION
from bench.decisions.__main__ import SECTION as DECISIONS
from bench.page import PAGE, Table, promised, write
from bench.promises import Promise
from bench.shadows.__main__ import SECTION as SHADOWS

TEXT = """# Page

<!-- one: begin -->

old

<!-- one: end -->

between

<!-- two: begin -->

other

<!-- two: end -->

after
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.md"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_only_what_is_between_the_sections_own_marks_is_replaced(page: Path) -> None:
    write("two", [Table(("way", "µs"), [("quick", "1.5")])], "On a Sunday.", page)
    table = "On a Sunday.\n\n| way | µs |\n| --- | ---: |\n| quick | 1.5 |"
    assert page.read_text(encoding="utf-8") == TEXT.replace("other", table)


def test_writing_again_changes_nothing_more(page: Path) -> None:
    write("one", [], "On a Sunday.", page)
    first = page.read_text(encoding="utf-8")
    write("one", [], "On a Sunday.", page)
    assert page.read_text(encoding="utf-8") == first


@pytest.mark.parametrize("removed", ["begin", "end"])
def test_a_page_without_a_mark_is_refused_and_left_alone(page: Path, removed: str) -> None:
    text = TEXT.replace(f"<!-- two: {removed} -->", "")
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="two: begin"):
        write("two", [], "On a Sunday.", page)
    assert page.read_text(encoding="utf-8") == text


def test_the_page_of_measurements_has_a_place_for_each_benchmark() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for section in (report.SECTION, SECTION, DECISIONS, SHADOWS):
        assert text.count(f"<!-- {section}: begin -->") == text.count(f"<!-- {section}: end -->") == 1


def test_a_promise_is_kept_up_to_its_bound_and_a_missed_one_stands_out() -> None:
    table = promised([Promise("at the bound", 1.5, 1.5), Promise("above it", 1.51, 1.5)])
    assert [(line[0], line[-1]) for line in table.lines] == [("at the bound", "yes"), ("above it", "NO")]
