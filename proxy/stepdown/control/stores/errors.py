"""How a store can fail. Whatever it is, traffic goes on with the last weights and no rollout advances."""

from __future__ import annotations


class StoreError(Exception):
    """Root of all that a store raises, in one sentence for people."""


class StoreUnavailableError(StoreError):
    """It does not answer now, and may later: a lost connection, a full disk, a disk that hangs.

    Whether a write was done is then not known. A batch is sent again as it is; a state is read again first.
    """


class StoreRefusedError(StoreError):
    """It cannot be used until somebody has done something: a damaged file, a newer schema, a wrong password."""


class FencedError(StoreError):
    """A write carried a token that is not the latest: somebody else decides now."""


class ConflictError(StoreError):
    """The state was written by somebody since it was read."""
