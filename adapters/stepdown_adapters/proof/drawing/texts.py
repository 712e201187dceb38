"""Draws strings: of a length, of patterns, of a format, and above all words that contracts and adapters know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stepdown_adapters.proof.drawing.dice import Dice
from stepdown_adapters.proof.languages import (
    EVERYTHING,
    NO_WORD,
    Ranges,
    Term,
    both,
    derivative,
    has_empty_word,
    shortest,
)
from stepdown_adapters.proof.outcomes import Exhausted
from stepdown_adapters.proof.patterns import language

_LETTERS = "abcxyzABC019 _-./"
_STRANGE = ("", " ", "0", "1.5", "true", "null", "é", "😀", "a\u0000b", '"\\/', "line\nline", "NaN", "%s", "{a}")
_FORMATS: Mapping[str, Sequence[str]] = {
    "date-time": ("2026-01-31T23:59:59Z", "1970-01-01T00:00:00Z", "2024-02-29T12:00:00.123456+05:30"),
    "date": ("2026-01-31", "1970-01-01", "2024-02-29"),
    "time": ("23:59:59Z", "00:00:00Z", "12:00:00.5+05:30"),
    "duration": ("P1D", "PT0S", "P1Y2M3DT4H5M6S"),
    "email": ("ann@example.com",),
    "uuid": ("00000000-0000-0000-0000-000000000000", "123e4567-e89b-42d3-a456-426614174000"),
    "uri": ("https://example.com/a?b=c",),
    "hostname": ("example.com",),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "byte": ("AAAAAA==", "", "AACAPw=="),
}
_TRIES = 200
_LONGEST = 64


class Texts:
    """All that several schemas ask of a string."""

    __slots__ = ("_formats", "_high", "_low", "_term", "_words", "marks")

    def __init__(self, schemas: Iterable[dict[str, Any]], words: Sequence[str]) -> None:
        lows: list[int] = [0]
        highs: list[int] = []
        terms: list[Term] = []
        self._formats: list[str] = []
        self.marks: dict[int, list[str]] = {}
        """Lengths that lie on a bound, each with the keywords that say so."""
        for schema in schemas:
            for keyword, into in (("minLength", lows), ("maxLength", highs)):
                if keyword in schema:
                    into.append(int(schema[keyword]))
                    self.marks.setdefault(int(schema[keyword]), []).append(keyword)
            if "pattern" in schema:
                terms.append(language(schema["pattern"]) or EVERYTHING)
            self._formats += _FORMATS.get(str(schema.get("format")), ())
            if schema.get("contentEncoding") == "base64":
                self._formats += _FORMATS["byte"]
        self._low, self._high = max(lows), min(highs, default=None)
        self._term = both(terms) if terms else None
        self._words = [word for word in dict.fromkeys((*words, *_STRANGE)) if self._fits(word)]

    def draw(self, dice: Dice) -> str:
        """A string that is likely to be right; whoever draws it judges it."""
        if self._term is not None:
            return self._walked(self._term, dice)
        if self._formats and not dice.one_in(8):
            return dice.choice(self._formats)
        if self._words and dice.one_in(3):
            return dice.choice(self._words)
        return "".join(dice.choice(_LETTERS) for _ in range(self._length(dice)))

    def _fits(self, word: str) -> bool:
        return len(word) >= self._low and (self._high is None or len(word) <= self._high)

    def _length(self, dice: Dice) -> int:
        high = self._low + 6 if self._high is None else self._high
        if self._high is not None and dice.one_in(4):
            return min(self._high, max(self._low, _LONGEST * 16))
        return self._low if dice.one_in(4) else self._low + dice.below(min(high - self._low, _LONGEST) + 1)

    def _walked(self, term: Term, dice: Dice) -> str:
        """A word of a language, letter by letter; where that leads nowhere, the shortest."""
        wanted, text = self._length(dice), ""
        left = term
        for _ in range(_LONGEST):
            if has_empty_word(left) and len(text) >= self._low and (len(text) >= wanted or dice.one_in(4)):
                return text
            ranges = _first(left)
            if not ranges or len(text) == self._high:
                break
            letter = _letter(dice.choice(ranges), dice)
            after = derivative(left, letter)
            if after == NO_WORD:
                continue
            left, text = after, text + chr(letter)
        high = None if self._high is None else self._high - len(text)
        try:
            rest = shortest(left, max(0, self._low - len(text)), high, _Patience().step)
        except Exhausted:
            rest = None
        return text + (rest or "")


class _Patience:
    """Ends a search for the rest of a word."""

    def __init__(self) -> None:
        self._left = _TRIES

    def step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Exhausted


def _letter(among: tuple[int, int], dice: Dice) -> int:
    """A character of a range; of wide ranges, mostly a plain one."""
    low, high = among
    if high - low > 200 and not dice.one_in(8):
        return max(low, min(high, ord(dice.choice(_LETTERS))))
    return low + dice.below(high - low + 1)


def _first(term: Term) -> Ranges:
    """Characters that words may begin with: all that can, and perhaps some that cannot."""
    match term:
        case ("chars", ranges):
            return tuple(ranges)
        case ("cat", first, second):
            return _first(first) + (_first(second) if has_empty_word(first) else ())
        case ("repeat", inner, _, _):
            return _first(inner)
        case ("or", parts):
            return tuple(one for part in sorted(parts, key=repr) for one in _first(part))
        case ("and", parts):
            return _first(min(parts, key=repr))
        case ("not", _):
            return tuple((ord(letter), ord(letter)) for letter in _LETTERS)
        case _:
            return ()
