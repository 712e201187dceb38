"""Patterns as languages: the same strings match as in another engine, and a shortest word is one and is shortest."""

from itertools import product

import jsonschema_rs
import pytest

from stepdown_adapters.proof.languages import belongs, both, complement, shortest, word
from stepdown_adapters.proof.patterns import language, matches

PATTERNS = [
    "",
    "a",
    "^a",
    "a$",
    "^$",
    "^a?b*$",
    "^(a|b)+$",
    "^(?:ab|a)*?$",
    "a|^b|c$",
    "^a{2}$",
    "^a{2,}b{0,2}$",
    "^(a?b?){1,2}$",
    "^[a-c]$",
    "^[^a]$",
    r"^[\d.-]+$",
    r"^\w\W\d$",
    r"^\S+\s$",
    "^.$",
    r"^\x61\u0062\.\/$",
    "^[]$|b",
    "^[^]$",
    "()",
]
STRINGS = ["".join(letters) for size in range(4) for letters in product("abc", repeat=size)]
STRINGS += ["1", "1.5", "-", "_ 1", "a-1", "ab./", " ", "x\t", "\n", "é", "😀", "aaab", "aabbb"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_what_another_engine_says(pattern: str) -> None:
    other = jsonschema_rs.validator_for({"pattern": pattern}) if "[]" not in pattern and "[^]" not in pattern else None
    for text in STRINGS:
        found = matches(pattern, text)
        assert found is not None
        assert other is None or found == other.is_valid(text), text


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?<!a)b",
        r"\bword",
        r"(a)\1",
        r"\p{L}",
        "(^a)",
        "a$b",
        "a**",
        "[b-a]",
        "[[:alpha:]]",
        "(",
        "a)",
        "[a",
        "{",
        "a{1001}",
        r"\u{61}",
        "(?i)a",
        "(?<name>a)",
        "a" * 301,
        "(" * 30 + "a" + ")" * 30,
        "\\",
    ],
)
def test_what_is_not_understood_is_not_guessed(pattern: str) -> None:
    assert language(pattern) is None
    assert matches(pattern, "a") is None


def test_a_shortest_word_is_found_within_the_length_asked_for() -> None:
    term = language("^(ab)+$")
    assert term is not None
    assert shortest(term, 0, None, lambda: None) == "ab"
    assert shortest(term, 3, None, lambda: None) == "abab"
    assert shortest(term, 3, 3, lambda: None) is None


def test_conjunction_and_complement_are_languages_too() -> None:
    letters, short = language("^[ab]*$"), language("^.{0,1}$")
    assert letters is not None
    assert short is not None
    found = shortest(both([letters, complement(short), complement(word("aa"))]), 0, None, lambda: None)
    assert found == "ab"
    assert shortest(both([letters, complement(letters)]), 0, None, lambda: None) is None
    assert belongs(complement(letters), "c")


def test_no_word_has_a_lone_surrogate() -> None:
    term = language("^[^a]$")
    assert term is not None
    assert not belongs(both([term, word("\ud800")]), "\ud800")
    found = shortest(both([term, complement(language("^[\0-\ud7ff]$") or term)]), 0, None, lambda: None)
    assert found is not None
    found.encode()
