r"""Reads a `pattern` (ECMA-262, as JSON Schema recommends) into a regular language, or says that it cannot.

Understood: characters, escapes, `.`, classes, groups, alternatives, counted and lazy repetition, and `^` and `$` at the
two ends of a whole alternative. Lookaround, back references, `\b`, `\p{...}` and anchors elsewhere are not: such a
pattern is a condition about which nothing is known.
"""

from __future__ import annotations

from functools import lru_cache

from stepdown_adapters.proof.languages import (
    EMPTY,
    EVERYTHING,
    Ranges,
    Term,
    belongs,
    cat,
    chars,
    outside,
    repeat,
    union,
)

_DIGIT: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
# WhiteSpace and LineTerminator of ECMA-262.
_SPACE: Ranges = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
_LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CLASSES = {
    "d": _DIGIT,
    "D": outside(_DIGIT),
    "w": _WORD,
    "W": outside(_WORD),
    "s": _SPACE,
    "S": outside(_SPACE),
}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
_SYNTAX = "^$\\.*+?()[]{}|/-"
_LARGEST_REPETITION = 1000
_DEEPEST_NESTING = 20
_LONGEST_PATTERN = 300
_LONGEST_TEXT = 10_000


class _Strange(Exception):  # noqa: N818 - means "not understood", which is an answer
    pass


@lru_cache(maxsize=512)
def language(pattern: str) -> Term | None:
    """The words that the pattern matches somewhere in; `None` when it is not understood."""
    if len(pattern) > _LONGEST_PATTERN:
        return None
    try:
        return _Reader(pattern).whole()
    except _Strange:
        return None


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str) -> bool | None:
    """Whether a string matches; `None` when the pattern is not understood, or the string too long to be read."""
    term = language(pattern) if len(text) <= _LONGEST_TEXT else None
    return None if term is None else belongs(term, text)


class _Reader:
    """Recursive descent over the text of one pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0

    def whole(self) -> Term:
        alternatives = []
        while True:
            begins = self._take("^")
            term = self._sequence()
            ends = self._take("$")
            before = EMPTY if begins else EVERYTHING
            alternatives.append(cat(before, cat(term, EMPTY if ends else EVERYTHING)))
            if not self._take("|"):
                break
        if self._at < len(self._text):
            raise _Strange
        return union(alternatives)

    def _sequence(self) -> Term:
        parts = []
        while self._at < len(self._text) and self._peek() not in "|)$":
            parts.append(self._repeated(self._single()))
        term = EMPTY
        for part in reversed(parts):
            term = cat(part, term)
        return term

    def _single(self) -> Term:
        letter = self._next()
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        if letter == ".":
            return chars(outside(_LINE_ENDS))
        if letter == "\\":
            return chars(self._escaped())
        if letter in "^$*+?{}])":
            raise _Strange
        return chars([(ord(letter), ord(letter))])

    def _group(self) -> Term:
        if self._take("?") and not self._take(":"):
            raise _Strange
        self._depth += 1
        if self._depth > _DEEPEST_NESTING:
            raise _Strange
        alternatives = [self._sequence()]
        while self._take("|"):
            alternatives.append(self._sequence())
        if not self._take(")"):
            raise _Strange
        self._depth -= 1
        return union(alternatives)

    def _repeated(self, term: Term) -> Term:
        bounds = self._bounds()
        if bounds is None:
            return term
        self._take("?")
        if self._at < len(self._text) and self._peek() in "*+?{":
            raise _Strange
        low, high = bounds
        if max(low, high or 0) > _LARGEST_REPETITION or (high is not None and high < low):
            raise _Strange
        return repeat(term, low, high)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, low, high in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._take(sign):
                return low, high
        if not self._take("{"):
            return None
        first = self._number()
        if self._take("}"):
            return first, first
        if not self._take(","):
            raise _Strange
        if self._take("}"):
            return first, None
        second = self._number()
        if not self._take("}"):
            raise _Strange
        return first, second

    def _class(self) -> Term:
        inverse = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            first = self._class_member()
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._next()
                last = self._class_member()
                if len(first) != 1 or len(last) != 1 or first[0][0] != first[0][1] or first[0][0] > last[0][1]:
                    raise _Strange
                ranges.append((first[0][0], last[0][1]))
            else:
                ranges += first
        return chars(outside(ranges) if inverse else ranges)

    def _class_member(self) -> Ranges:
        letter = self._next()
        if letter == "\\":
            return self._escaped()
        # Engines differ on nested classes and set operations: `[[:alpha:]]`, `[a&&b]`, `[a--b]`.
        if letter == "[" or (letter in "&-~" and self._peek() == letter):
            raise _Strange
        return ((ord(letter), ord(letter)),)

    def _escaped(self) -> Ranges:
        letter = self._next()
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _CONTROLS:
            code = _CONTROLS[letter]
        elif letter in "xu":
            digits = "".join(self._next() for _ in range(2 if letter == "x" else 4))
            if not all(digit in "0123456789abcdefABCDEF" for digit in digits):
                raise _Strange
            code = int(digits, 16)
        elif letter in _SYNTAX:
            code = ord(letter)
        else:
            raise _Strange
        if 0xD800 <= code <= 0xDFFF:
            raise _Strange
        return ((code, code),)

    def _number(self) -> int:
        digits = ""
        while self._at < len(self._text) and self._peek() in "0123456789":
            digits += self._next()
        if not digits or len(digits) > 6:
            raise _Strange
        return int(digits)

    def _peek(self) -> str:
        if self._at >= len(self._text):
            raise _Strange
        return self._text[self._at]

    def _next(self) -> str:
        letter = self._peek()
        self._at += 1
        return letter

    def _take(self, letter: str) -> bool:
        if self._text.startswith(letter, self._at):
            self._at += 1
            return True
        return False
