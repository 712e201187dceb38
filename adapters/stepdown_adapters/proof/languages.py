"""Regular languages by derivatives: does a word belong, and what is the shortest word of a given length, if any.

The derivative of a language by a character is what may follow once that character was read (Brzozowski 1964). It is
computed on the term itself, and needs no automaton; conjunction and complement are terms like any other, which is why
`pattern`, `not: {pattern}` and excluded words can all be put into one question. Terms are tuples, made only by the
functions below, which keep them small enough that a language has few different derivatives:

    ("chars", ranges)             one character of these ranges of code points; without ranges: no word at all
    ("empty",)                    the empty word
    ("cat", first, second)        one after the other
    ("repeat", term, low, high)   from `low` to `high` times; `None`: without end
    ("or", terms) ("and", terms) ("not", term)

Surrogates are left out of the alphabet: no JSON text in UTF-8 can hold one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Term = tuple[Any, ...]
Ranges = tuple[tuple[int, int], ...]

ALPHABET: Ranges = ((0, 0xD7FF), (0xE000, 0x10FFFF))
_PREFERRED = "abcxyzABC0123456789_-. :/@!#"


def chars(ranges: Iterable[tuple[int, int]]) -> Term:
    """One character of the ranges, which may overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return ("chars", tuple(merged))


def outside(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Every character of the alphabet that is in none of the ranges."""
    left: list[tuple[int, int]] = []
    for start, end in ALPHABET:
        at = start
        for low, high in chars(ranges)[1]:
            if high >= at and low <= end:
                if low > at:
                    left.append((at, low - 1))
                at = max(at, high + 1)
        if at <= end:
            left.append((at, end))
    return tuple(left)


NO_WORD = chars(())
EMPTY: Term = ("empty",)
ANY = chars(ALPHABET)


def cat(first: Term, second: Term) -> Term:
    """Words of `first` followed by words of `second`."""
    if NO_WORD in (first, second):
        return NO_WORD
    if first == EMPTY:
        return second
    if second == EMPTY:
        return first
    if first[0] == "cat":
        return cat(first[1], cat(first[2], second))
    return ("cat", first, second)


def repeat(term: Term, low: int, high: int | None) -> Term:
    """From `low` to `high` words of `term`."""
    if high == 0 or term == EMPTY or (term == NO_WORD and low == 0):
        return EMPTY
    if (low, high) == (1, 1) or term == NO_WORD:
        return term
    return ("repeat", term, low, high)


def union(terms: Iterable[Term]) -> Term:
    """Words of any of the terms."""
    parts = set(_flat("or", terms)) - {NO_WORD}
    if EVERYTHING in parts:
        return EVERYTHING
    letters = [part for part in parts if part[0] == "chars"]
    if len(letters) > 1:
        parts = parts.difference(letters) | {chars(one for part in letters for one in part[1])}
    if len(parts) < 2:
        return next(iter(parts), NO_WORD)
    return ("or", frozenset(parts))


def both(terms: Iterable[Term]) -> Term:
    """Words of all of the terms."""
    parts = set(_flat("and", terms)) - {EVERYTHING}
    if NO_WORD in parts or any(complement(part) in parts for part in parts):
        return NO_WORD
    if len(parts) < 2:
        return next(iter(parts), EVERYTHING)
    return ("and", frozenset(parts))


def complement(term: Term) -> Term:
    """Words that are not of the term."""
    if term == NO_WORD:
        return EVERYTHING
    if term == EVERYTHING:
        return NO_WORD
    return term[1] if term[0] == "not" else ("not", term)


EVERYTHING: Term = ("repeat", ANY, 0, None)


def word(text: str) -> Term:
    """The language of one word."""
    term = EMPTY
    for letter in reversed(text):
        term = cat(chars([(ord(letter), ord(letter))]), term)
    return term


def _flat(operator: str, terms: Iterable[Term]) -> Iterable[Term]:
    for term in terms:
        if term[0] == operator:
            yield from term[1]
        else:
            yield term


def has_empty_word(term: Term) -> bool:
    """Whether the empty word belongs."""
    match term:
        case ("empty",):
            return True
        case ("chars", _):
            return False
        case ("cat", first, second):
            return has_empty_word(first) and has_empty_word(second)
        case ("repeat", inner, low, _):
            return low == 0 or has_empty_word(inner)
        case ("or", parts):
            return any(map(has_empty_word, parts))
        case ("and", parts):
            return all(map(has_empty_word, parts))
        case _:
            return not has_empty_word(term[1])


def derivative(term: Term, letter: int) -> Term:
    """What may follow the character."""
    match term:
        case ("empty",):
            return NO_WORD
        case ("chars", ranges):
            return EMPTY if any(low <= letter <= high for low, high in ranges) else NO_WORD
        case ("cat", first, second):
            after = cat(derivative(first, letter), second)
            return union((after, derivative(second, letter))) if has_empty_word(first) else after
        case ("repeat", inner, low, high):
            left = repeat(inner, max(low - 1, 0), None if high is None else high - 1)
            return cat(derivative(inner, letter), left)
        case ("or", parts):
            return union(derivative(part, letter) for part in parts)
        case ("and", parts):
            return both(derivative(part, letter) for part in parts)
        case _:
            return complement(derivative(term[1], letter))


def belongs(term: Term, text: str) -> bool:
    """Whether a word is of the language."""
    for letter in text:
        term = derivative(term, ord(letter))
    return has_empty_word(term)


def shortest(term: Term, low: int, high: int | None, step: Callable[[], None]) -> str | None:
    """A shortest word of at least `low` and at most `high` characters; `None` when there is none.

    Breadth first. Below `low` the same term at another length is another place; from there on a term seen before leads
    nowhere new. `step` is called for each derivative and may raise to give up.
    """
    letters = _representatives(term)
    level: dict[Term, str] = {term: ""}
    seen: set[Term] = set()
    length = 0
    while level:
        if length >= low:
            for one, text in level.items():
                if has_empty_word(one):
                    return text
            seen |= level.keys()
        if high is not None and length >= high:
            return None
        following: dict[Term, str] = {}
        for one, text in level.items():
            for letter in letters:
                step()
                after = derivative(one, letter)
                if after != NO_WORD and after not in seen:
                    following.setdefault(after, text + chr(letter))
        level, length = following, length + 1
    return None


def _representatives(term: Term) -> list[int]:
    """One character of each class that the term cannot tell apart, friendly ones where there are any, those first."""
    cuts = {low for low, _ in ALPHABET}
    _collect_cuts(term, cuts)
    starts = sorted(cuts)
    friendly = [ord(letter) for letter in _PREFERRED]
    chosen = []
    for start, end in zip(starts, [*starts[1:], 0x110000], strict=True):
        chosen.append(next((letter for letter in friendly if start <= letter < end), start))
    in_alphabet = [letter for letter in chosen if any(low <= letter <= high for low, high in ALPHABET)]
    return sorted(in_alphabet, key=lambda letter: (letter not in friendly, letter))


def _collect_cuts(term: Term, cuts: set[int]) -> None:
    match term:
        case ("chars", ranges):
            for low, high in ranges:
                cuts.update((low, high + 1))
        case ("cat", first, second):
            _collect_cuts(first, cuts)
            _collect_cuts(second, cuts)
        case ("or" | "and", parts):
            for part in parts:
                _collect_cuts(part, cuts)
        case ("repeat", inner, _, _) | ("not", inner):
            _collect_cuts(inner, cuts)
