"""Names in Redis: everything below one prefix, and names of people quoted so that none can be another's.

Layout, below the prefix:

| key | kind | what |
|---|---|---|
| `schema` | number | version of this layout |
| `lease` | text that expires | who decides |
| `holder` | text | who has the latest token, to renew a lease that ran out |
| `fence` | number | the latest token |
| `states`, `documents` | hash by rollout | version of its state, and the state |
| `history:ROLLOUT` | list | transitions as MessagePack, the oldest first |
| `forgotten:ROLLOUT` | set | runs that take nothing any more |
| `run:ROLLOUT:RUN:counts` | hash | `SIDE:STAGE:ARM:KIND` to a number |
| `run:ROLLOUT:RUN:sources` | hash | source to its last sequence number |
| `run:ROLLOUT:RUN:sets` | set | names of the sets below, for `forget` |
| `run:ROLLOUT:RUN:seen:SIDE:STAGE:KIND` | set that expires | units, 8 bytes each |

"""

from __future__ import annotations

from urllib.parse import quote

from stepdown.control.stores.tallies import Scope
from stepdown.rollout.batch import Arm, Cell, Counts, Side


class Keys:
    """Of one namespace."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.schema = f"{prefix}schema"
        self.fence = f"{prefix}fence"
        self.of_lease = [f"{prefix}lease", self.fence, f"{prefix}holder"]
        self.states = f"{prefix}states"
        self.documents = f"{prefix}documents"
        self.channel = f"{prefix}changed"

    def history(self, rollout: str) -> str:
        """A list of transitions."""
        return f"{self._prefix}history:{_quoted(rollout)}"

    def of_run(self, rollout: str, run: int) -> list[str]:
        """forgotten, sources, counts, names of sets: what scripts on evidence begin with."""
        name = _quoted(rollout)
        base = f"{self._prefix}run:{name}:{run}:"
        return [f"{self._prefix}forgotten:{name}", f"{base}sources", f"{base}counts", f"{base}sets"]

    def seen(self, rollout: str, run: int, scope: Scope) -> str:
        """A set of units."""
        name, kind = _quoted(rollout), _quoted(scope.kind)
        return f"{self._prefix}run:{name}:{run}:seen:{scope.side}:{scope.stage}:{kind}"


def field(stage: int, arm: Arm, kind: str, side: Side) -> str:
    """Of a number in a run's counts."""
    return f"{side}:{stage}:{arm}:{kind}"


def counts_of(found: dict[bytes, bytes]) -> dict[Cell, Counts]:
    """A run's counts from its hash."""
    cells: dict[Cell, Counts] = {}
    for name, number in found.items():
        side, stage, arm, kind = name.decode().split(":", 3)
        cell = Cell(int(stage), "stable" if arm == "stable" else "candidate", kind)
        trials, events = cells.get(cell, Counts())
        cells[cell] = Counts(int(number), events) if side == "trials" else Counts(trials, int(number))
    return cells


def _quoted(name: str) -> str:
    return quote(name, safe="")
