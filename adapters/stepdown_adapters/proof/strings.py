"""Finds a string of a length, of some patterns and not of others, and different from given ones.

Without patterns only lengths count, and there are more characters than any `enum` has values. With patterns the whole
question is one regular language and a shortest word of it. A pattern that is not understood is left out: if not even
then there is a word, there is none; if there is one, it is a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepdown_adapters.proof.languages import both, complement, shortest, word
from stepdown_adapters.proof.outcomes import NOTHING, Attempt, Found, Guess, Search, Unclear
from stepdown_adapters.proof.patterns import language

_LONGEST = 2000
_STEPS_PER_LETTER = 5
_LONGEST_WORD = 200
"""An excluded value longer than this is not worth a term; the word that was found is compared with it instead."""


def solve(literals: Iterable[Any], search: Search) -> Attempt:
    """A string that satisfies the literals."""
    low, high = 0, None
    languages = []
    excluded: list[str] = []
    understood = True
    for about_what, about, holds in literals:
        if about_what == "size" and holds:
            low = max(low, about)
        elif about_what == "size":
            high = about - 1 if high is None else min(high, about - 1)
        elif about_what == "pattern":
            term = language(about)
            understood = understood and term is not None
            if term is not None:
                languages.append(term if holds else complement(term))
        elif about_what == "values" and not holds:
            excluded += about.values
    if high is not None and low > high:
        return NOTHING
    if low > _LONGEST:
        return Unclear(f"a string of {low} characters is too long to be tried")
    if not languages:
        text = _plain(low, high, excluded)
    else:
        short = [one for one in excluded if len(one) <= _LONGEST_WORD]
        text = shortest(
            both([*languages, *(complement(word(one)) for one in short)]),
            low,
            high,
            lambda: search.step(_STEPS_PER_LETTER),
        )
        understood = understood and text not in excluded
    if text is None:
        return NOTHING
    return Found(text) if understood else Guess(text)


def _plain(low: int, high: int | None, excluded: list[str]) -> str | None:
    """The first string of a length that is not excluded: `""`, `a`, `b`, ..."""
    if low == 0:
        if "" not in excluded:
            return ""
        if high == 0:
            return None
    length = max(low, 1)
    forbidden = frozenset(excluded)
    for code in range(ord("a"), ord("a") + len(forbidden) + 1):
        text = "a" * (length - 1) + chr(code)
        if text not in forbidden:
            return text
    raise AssertionError("more candidates than excluded values")
