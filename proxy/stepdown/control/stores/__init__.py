"""Where rollouts keep what must outlive a process: their state, what was done and why, and the evidence.

`Store` is what the controller knows. `sqlite_store` keeps it in one file for one replica, `redis_store` in Redis for
several; neither is imported here, because Redis' client is an extra.
"""

from stepdown.control.stores.errors import (
    ConflictError,
    FencedError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
)
from stepdown.control.stores.store import Store
from stepdown.control.stores.values import Added, Recorded, State, Transition
from stepdown.rollout.batch import Arm, Batch, Cell, Counts, Side, Sighting

__all__ = [
    "Added",
    "Arm",
    "Batch",
    "Cell",
    "ConflictError",
    "Counts",
    "FencedError",
    "Recorded",
    "Side",
    "Sighting",
    "State",
    "Store",
    "StoreError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "Transition",
]
