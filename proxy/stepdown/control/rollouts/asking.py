"""What is known of rollouts, and what may be asked of them: what the admin API needs of those who drive them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from stepdown.control.refusals import ProblemError
from stepdown.control.stores.values import Recorded
from stepdown.decide.rollout_spec import Rollout
from stepdown.rollout.position import Position
from stepdown.rollout.waiting import Store

Action = Literal["start", "pause", "resume", "promote", "abort", "undo"]


class Asked(NamedTuple):
    """What somebody wants of a rollout."""

    rollout: str
    action: Action
    by: str
    """Name of the token."""
    force: bool = False
    """Start although the cool-down is not over."""


class Done(NamedTuple):
    """What came of it."""

    moved: bool
    """Whether the rollout is elsewhere now; `sentence` says why not."""
    sentence: str


class RolloutRefusedError(ProblemError):
    """It cannot be asked now, or there is no such rollout; nothing has changed."""


class Standing(NamedTuple):
    """One rollout as it is now."""

    rollout: Rollout
    """As it is in force, with what it is driven to."""
    route: str
    rule: str
    position: Position
    said: str
    """What happened last, or what it waits for."""
    now: float
    """By the clock of the position: Unix seconds."""
    rate: float | None
    """Units of both arms a second, lately; `None` where nothing is known."""
    leads: bool
    """Whether this replica decides."""
    holder: str
    """Who does, as far as is known."""
    store: Store
    """`missing`: it has no state of a rollout that it should have; `none`: the file names no store."""
    differs: tuple[str, ...] = ()
    """In what that which is in force differs from the file, in one sentence each."""


class Rollouts(Protocol):
    """All rollouts of the configuration in force."""

    @property
    def transitions(self) -> Mapping[tuple[str, str], int]:
        """How many this replica has decided since its controller was started, by rollout and the phase they led to."""

    @property
    def settled(self) -> bool:
        """Whether states were read, or it is known that they cannot be: before that, each would seem pending."""

    async def known(self) -> None:
        """Wait until that is settled."""

    def standings(self) -> Sequence[Standing]:
        """In the file's order."""

    async def act(self, asked: Asked) -> Done:
        """Do what is asked, and see it stored; raises `RolloutRefusedError`."""

    async def history(self, rollout: str, before: int | None, limit: int) -> list[Recorded]:
        """The newest transitions, the newest first; raises `RolloutRefusedError`."""


def unknown(rollout: str, known: Iterable[str]) -> RolloutRefusedError:
    """There is no rollout of this name."""
    names = ", ".join(known) or "none"
    return RolloutRefusedError(404, "not-found", f"There is no rollout {rollout}; there are: {names}.")
