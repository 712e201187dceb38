"""How many copies each shadow takes: told by the comparer to one worker, in the header of the ring between the two.

A worker that hands over what nobody can send pays for it all the same. So the comparer grants copies, as a receiver
grants bytes in HTTP/2, and a worker counts what it has given:

    generation      of which configuration the numbers below are; 0 while nobody takes anything
    turn            counts up as long as the comparer lives
    granted         by shadow: how many copies may have been given by now, since the beginning, and what is in the way
                    of more, in the lowest bits
    given           by shadow: how many were
    used            nanoseconds of a processor that the worker has used, for the comparer to see who wants it

Rules that make it safe without a lock, whoever dies or is replaced:

1. Each cell has one writer: the worker counts `given` and `used`, the comparer writes all others. A grant and its
   reason are one cell, so they are never those of two moments.
2. The numbers of another configuration's shadows mean others. So they hold only where the generation is that of the
   configuration that the worker decides by; where it is not, nothing is counted as given, and all is handed over, for
   the comparer to refuse.
3. What is on its way from the one to the other is known to both: `given` less what the comparer has taken out of the
   ring. Where a replaced process lost count, the comparer takes over the worker's once the ring is empty.
4. A shadow without a cell, because there are too many, is always granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b

SHADOWS = 64
"""Shadows of a configuration that have cells, by their number (`decide.shadow_spec.numbered`)."""

REASONS = ("concurrent", "rate", "down", "broken", "pending", "busy")
"""What may be in the way of more copies, by the code in the lowest bits of a grant; `families.py` explains them."""
LASTING = frozenset(("down", "broken", "busy"))
"""Those of which the comparer changes its mind a few times a second at most."""

_GENERATION, _TURN, _GRANTED = 0, 1, 8
_GIVEN = _GRANTED + SHADOWS
_USED = _GIVEN + SHADOWS
CELLS = _USED + 8
"""64-bit cells; the worker's begin a cache line of their own."""

_BITS = 3
_MASK = (1 << _BITS) - 1
_CODES = {reason: code for code, reason in enumerate(REASONS)}
_LAST = frozenset(_CODES[reason] for reason in LASTING)


def generation(digest: str) -> int:
    """What stands for a configuration; never 0."""
    return int.from_bytes(blake2b(digest.encode(), digest_size=7).digest()) or 1


class Grants:
    """The worker's side."""

    __slots__ = ("_cells", "_turn", "shut")

    def __init__(self, cells: memoryview) -> None:
        """`cells` are `CELLS` 64-bit integers (`telemetry.ring`)."""
        self._cells = cells
        self._turn = -1
        self.shut: list[Turnstile] = []

    def refused(self, generation: int, number: int) -> str:
        """Why a shadow of a configuration gets no other copy; empty where it does."""
        cells = self._cells
        if cells[_GENERATION] != generation or number >= SHADOWS:
            return ""
        granted = cells[_GRANTED + number]
        return "" if granted >> _BITS > cells[_GIVEN + number] else REASONS[granted & _MASK]

    def gave(self, generation: int, number: int) -> None:
        """A copy was handed over."""
        cells = self._cells
        if cells[_GENERATION] == generation and number < SHADOWS:
            cells[_GIVEN + number] += 1

    def used(self, nanoseconds: int) -> None:
        """So much of a processor was used since the worker began."""
        self._cells[_USED] = nanoseconds

    def open(self) -> None:
        """From now on turnstiles look again."""
        shut, self.shut = self.shut, []
        for turnstile in shut:
            turnstile.open()

    def alive(self) -> bool:
        """Whether the comparer has done anything since this was asked last."""
        turn, self._turn = self._turn, self._cells[_TURN]
        return turn != self._turn


class Turnstile:
    """Shadows that are due a copy of the same requests: turns those away that none of them takes, and counts them.

    Beside a busy worker that is nearly every request, so what it costs is what a shadow costs. Where what is in the way
    lasts, it shuts: until it is opened at the worker's next tick, all that is to be done for a request is to count it
    in `turned`.
    """

    __slots__ = (
        "_cells",
        "_codes",
        "_counting",
        "_counts",
        "_generation",
        "_grants",
        "_index",
        "_lasts",
        "_shadows",
        "shut",
        "turned",
    )

    def __init__(
        self,
        grants: Grants,
        generation: int,
        first: int,
        places: Iterable[int],
        *,
        counts: memoryview,
        index: Callable[[int, str], int],
    ) -> None:
        """Of the shadows at some places of a route, whose first one has the number `first`.

        `index(place, reason)` is where in `counts` stands what one of them did not get for a reason.
        """
        self._grants = grants
        self._cells = grants._cells
        self._generation = generation
        self._counts = counts
        self._index = index
        self._shadows = tuple((place, first + place) for place in places)
        self._codes: list[int] = []
        """What was in the way when it was looked at last, for each shadow."""
        self._counting: list[int] = []
        """Where that is counted."""
        self._lasts = False
        """Whether all of that lasts."""
        self.shut = False
        self.turned = 0

    def turns_away(self) -> bool:
        """Whether a request is one that none of them takes; it has been counted then, or will be when this opens."""
        if self.shut:
            self.turned += 1
            return True
        cells = self._cells
        if cells[_GENERATION] != self._generation:
            return False
        codes = []
        for _, number in self._shadows:
            granted = cells[_GRANTED + number]
            if granted >> _BITS > cells[_GIVEN + number]:
                return False
            codes.append(granted & _MASK)
        if codes != self._codes:
            self._codes, self._lasts = codes, _LAST.issuperset(codes)
            pairs = zip(self._shadows, codes, strict=True)
            self._counting = [self._index(place, REASONS[code]) for (place, _), code in pairs]
        self.turned = 1
        if self._lasts:
            self.shut = True
            self._grants.shut.append(self)
        else:
            self.open()
        return True

    def open(self) -> None:
        """Count what was turned away, and look again from now on."""
        for index in self._counting:
            self._counts[index] += self.turned
        self.turned = 0
        self.shut = False


class Granter:
    """The comparer's side."""

    __slots__ = ("_cells",)

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells

    def silence(self) -> None:
        """From now on the numbers are nobody's, so that they can be changed to another configuration's."""
        self._cells[_GENERATION] = 0

    def speak(self, generation: int) -> None:
        """From now on they are this configuration's."""
        self._cells[_GENERATION] = generation

    def grant(self, number: int, upto: int, reason: str) -> None:
        """So many copies may have been given since the beginning; `reason` is what is in the way of more."""
        self._cells[_GRANTED + number] = upto << _BITS | _CODES[reason]

    def given(self, number: int) -> int:
        """How many were."""
        given: int = self._cells[_GIVEN + number]
        return given

    def used(self) -> int:
        """Nanoseconds of a processor that the worker has used since it began."""
        used: int = self._cells[_USED]
        return used

    def turn(self) -> None:
        """Show that somebody is there."""
        self._cells[_TURN] += 1
