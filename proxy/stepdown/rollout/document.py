"""A rollout's state as a store keeps it: where it stands, what was judged of its evidence, and what it runs by.

Whoever decides next goes on from here. So the document has, beside the position, the totals of the evidence that the
position is made of: what came since is their difference to what the store counts now (`looking`), and nothing is judged
twice or never, whoever looks.

What a run was started with (its steps, guards and limits) holds until it ends. A file that is changed meanwhile counts
from the next start; only another candidate, or another stable version, ends the run. So replicas that read a new file
one after another decide and serve by the same terms.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stepdown.decide.rollout_spec import Guard, Rollout
from stepdown.decide.spec_base import Spec
from stepdown.rollout.batch import Cell, Counts
from stepdown.rollout.position import Position

FORM = 1
"""Of documents that this release writes and reads."""


class DocumentError(Exception):
    """What a store has is no state that this release knows, in one sentence."""


class Document(Spec, frozen=True):
    """Everything of one rollout that outlives those who drive it."""

    form: int
    position: Position
    stable: str
    """The file's stable version when the position was begun; the position's own may be an earlier good one."""
    terms: Rollout | None = None
    """What its run was started with; `None` before its first start."""
    salt: str = ""
    """Of its run (`decide.rollout_spec.Driven.salt`)."""
    judged: tuple[tuple[Cell, Counts], ...] = ()
    """Totals of the run's evidence that the position has: of requests up to the latest flush that was written, of
    everything else up to the end of the latest window."""
    since: float = 0.0
    """Begin of the window that is under way."""
    slow: tuple[float, ...] = ()
    """By step: seconds beyond which an answer is slow; 0 where that is not known."""
    said: str = ""
    """What happened last, and"""
    said_at: float = 0.0
    """when."""
    holder: str = ""
    """Who wrote this."""
    over: tuple[tuple[int, float], ...] = ()
    """Runs that ended, and when: their evidence is forgotten some time later."""

    def __repr__(self) -> str:
        """Without the salt."""
        where = self.position
        return f"<Document of run {where.run} of {where.candidate.version}: {where.phase} at {where.weight:g} %>"

    @property
    def totals(self) -> Mapping[Cell, Counts]:
        """What was judged, by cell."""
        return dict(self.judged)

    @property
    def slow_now(self) -> float:
        """Of the step where it stands."""
        return self.slow_at(self.position.step)

    def slow_at(self, step: int) -> float:
        """Of a step; 0 where that is not known."""
        return self.slow[step] if step < len(self.slow) else 0.0


class _Form(msgspec.Struct):
    form: int


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Document)
_FORM = msgspec.json.Decoder(_Form)


def encode(document: Document) -> bytes:
    """As JSON."""
    return _ENCODER.encode(document)


def decode(name: str, data: bytes) -> Document:
    """Inverse of `encode`, of the rollout called so; raises `DocumentError`."""
    try:
        form = _FORM.decode(data).form
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DocumentError(f"the state of {name} cannot be read: it is no state of a rollout") from None
    if form != FORM:
        raise DocumentError(f"the state of {name} has the form {form}, and this version knows {FORM} only")
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(f"the state of {name} cannot be read: {error}") from None


def sorted_cells(totals: Mapping[Cell, Counts]) -> tuple[tuple[Cell, Counts], ...]:
    """In an order of their own, so that equal totals are equal documents."""
    return tuple(sorted(totals.items()))


# --- terms ------------------------------------------------------------------------------------------------------------


def terms_of(rollout: Rollout) -> Rollout:
    """A rollout's terms as they are kept: without where sources are asked, in which there may be secrets."""
    guards = tuple(_bare(guard) for guard in rollout.guards)
    return msgspec.structs.replace(rollout, guards=guards, driven=None)


def with_sources(terms: Rollout, declared: Rollout) -> Rollout:
    """Terms whose guards ask where the file says now; a guard that it has no more asks nobody."""
    known = {guard.name: guard for guard in declared.guards}
    guards = tuple(_sourced(guard, known.get(guard.name)) for guard in terms.guards)
    return msgspec.structs.replace(terms, guards=guards)


def _sourced(guard: Guard, declared: Guard | None) -> Guard:
    if guard.source is None or declared is None or type(declared) is not type(guard):
        return guard
    if declared.source is None:
        return guard
    return msgspec.structs.replace(guard, source=declared.source)


def _bare(guard: Guard) -> Guard:
    source = guard.source
    if source is None:
        return guard
    if hasattr(source, "servers"):
        kept = tuple(msgspec.structs.replace(one, url="", set_headers=()) for one in source.servers)
        return msgspec.structs.replace(guard, source=msgspec.structs.replace(source, servers=kept))
    server = msgspec.structs.replace(source.server, url="", set_headers=())
    return msgspec.structs.replace(guard, source=msgspec.structs.replace(source, server=server, tells=()))
