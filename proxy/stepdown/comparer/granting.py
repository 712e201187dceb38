"""What workers are told of how many copies each shadow takes, so that they hand over no more (`telemetry.grants`).

What a shadow has room for is shared evenly by the workers, each of which gets one while there is any: of those that
come all the same the last ones are refused here. What a worker has given and nobody has taken out of its ring yet
belongs to its share.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepdown.decide.copies import Copy
from stepdown.decide.shadow_spec import Shadow, numbered
from stepdown.decide.spec import Route
from stepdown.telemetry.grants import SHADOWS, generation
from stepdown.telemetry.ring import RingReader

MOST = 1 << 20
"""Copies that are granted at a time where there is no limit."""


class Granting:
    """The grants to all workers, under the configuration in force."""

    def __init__(self, rings: Sequence[RingReader]) -> None:
        self._rings = rings
        self._digest = ""
        self._first: dict[str, int] = {}
        self._taken = [[0] * SHADOWS for _ in rings]
        """By ring and shadow: copies that came out of it, since the beginning."""
        self._used = [ring.grants.used() for ring in rings]
        self.numbers: dict[tuple[str, str], int] = {}
        """By route and shadow, of those whose grants are told."""
        self.shadows: list[Shadow] = []
        """By number."""
        self.silence()

    def silence(self) -> None:
        """Say nothing: for before the first configuration, and for when this process ends."""
        self._digest = ""
        for ring in self._rings:
            ring.grants.silence()

    def adopt(self, digest: str, routes: Sequence[Route]) -> bool:
        """Count for another configuration from now on; `speak` follows once all has been told. False for the same."""
        if digest == self._digest:
            return False
        self.silence()
        self._digest = digest
        self._first = numbered((route.name, route.shadows) for route in routes)
        told = [(route.name, shadow) for route in routes for shadow in route.shadows][:SHADOWS]
        self.numbers = {(route, shadow.name): number for number, (route, shadow) in enumerate(told)}
        self.shadows = [shadow for _, shadow in told]
        for ring, taken in zip(self._rings, self._taken, strict=True):
            taken[:] = [ring.grants.given(number) for number in range(SHADOWS)]
        return True

    def speak(self) -> None:
        """What was told holds."""
        for ring in self._rings:
            ring.grants.speak(generation(self._digest))

    def took(self, ring: int, about: Copy) -> None:
        """A copy came out of a ring."""
        if about.digest != self._digest or not self._rings:
            return
        first, taken = self._first.get(about.route, SHADOWS), self._taken[ring]
        for place in about.shadows:
            if first + place < SHADOWS:
                taken[first + place] += 1

    def tell(self, number: int, room: int, reason: str) -> None:
        """A shadow takes so many more, and what is in the way of more than that."""
        share = min(room, MOST) // len(self._rings) if self._rings else 0
        if room > 0:
            share = max(share, 1)
        for ring, taken in zip(self._rings, self._taken, strict=True):
            ring.grants.grant(number, taken[number] + share, reason)

    def settle(self) -> None:
        """Where nothing is on its way, what was given has been taken: whoever lost count has it again."""
        for ring, taken in zip(self._rings, self._taken, strict=True):
            ring.grants.turn()
            if not ring.waiting:
                taken[:] = [ring.grants.given(number) for number in range(SHADOWS)]

    def busiest(self) -> float:
        """Seconds of a processor that the busiest worker has used since this was asked last."""
        before, self._used = self._used, [ring.grants.used() for ring in self._rings]
        # One that has been replaced counts anew.
        return max((max(0, now - then) for now, then in zip(self._used, before, strict=True)), default=0) / 1e9
