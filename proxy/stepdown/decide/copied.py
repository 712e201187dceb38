"""What becomes of copies of one request, told with reasons: the part of an explanation that decides nothing.

It is worked out only for who asks: conditions of shadows may ask flags that the decision itself did not, and what a
decision's record says of flags is what the decision has read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from stepdown.decide.conditions import Condition
from stepdown.decide.cookies import Visitor
from stepdown.decide.explanation import CopyTold, Explanation, ShadowTold
from stepdown.decide.facts import Facts
from stepdown.decide.mirror import WHOLE_HASH, Key, Mirror, Row
from stepdown.decide.shadow_spec import MARK
from stepdown.decide.slots import hash_of

if TYPE_CHECKING:
    from stepdown.decide.route import Route


def with_copies(  # noqa: PLR0917 - some of the arguments of `Route.explain`
    explanation: Explanation,
    route: Route,
    facts: Facts,
    body: bytes | None,
    client: str,
    visitor: Visitor | None,
) -> Explanation:
    """The explanation of this request's decision with what is copied of it; `facts` are those that it was made from."""
    mirror = route.mirror
    if mirror is None or explanation.refusal is not None:
        return explanation
    key = route.key(facts, body, client, visitor) if mirror.reads_key else None
    size = len(body or b"")
    shadows = tuple(_shadow(row, route, explanation, facts, key, size) for row in mirror.rows)
    recorded = _recorded(mirror, facts, size)
    return msgspec.structs.replace(explanation, shadows=shadows, recorded=recorded)


def _shadow(  # noqa: PLR0917 - one row, and all that may keep it from a copy
    row: Row, route: Route, explanation: Explanation, facts: Facts, key: Key | None, size: int
) -> ShadowTold:
    shadow = row.shadow
    against = next(_against_shadow(row, route, explanation, facts, key, size), "")
    share = 0.0 if against else shadow.percent / 100 if shadow.per == "request" else 1.0
    why = against or _for_key(row, key) or _of_requests(share)
    return ShadowTold(shadow.name, shadow.version, share, why)


def _against_shadow(  # noqa: PLR0917 - as `_shadow`
    row: Row, route: Route, explanation: Explanation, facts: Facts, key: Key | None, size: int
) -> Iterator[str]:
    """Everything that keeps the request from being copied, in the order in which it is looked at."""
    shadow = row.shadow
    if facts.get(MARK.encode()) is not None:
        yield f"the request is a copy itself, as {MARK} says"
    yield from _failed(row.condition, facts)
    if row.only and explanation.served != row.only:
        yield f"it takes requests that {row.only} serves"
    if shadow.per == "key" and key is None:
        yield "it takes a share of the keys, and the request has none"
    elif key is not None and row.prefixes and hash_of(row.prefixes[key[0]] + key[1]) >= row.threshold:
        yield _for_key(row, key)
    if explanation.served == row.never:
        yield f"{shadow.version} serves the request itself"
    if size > shadow.max_body:
        yield f"the body has {size} bytes, and at most {shadow.max_body} are copied"
    if explanation.pinned is not None and not route.model.reaches(shadow.version, explanation.pinned):
        why = route.model.why_not(shadow.version, explanation.pinned)
        yield f"{shadow.version} cannot give the shape of {explanation.pinned}{f' ({why})' if why else ''}"


def _recorded(mirror: Mirror, facts: Facts, size: int) -> CopyTold | None:
    if mirror.record is None or mirror.record_condition is None:
        return None
    why = next(_failed(mirror.record_condition, facts), "")
    share = 0.0 if why else mirror.record.sample
    if not why and size > mirror.record.max_body:
        why, share = f"the body has {size} bytes, and at most {mirror.record.max_body} are recorded", 0.0
    return CopyTold(share, why or _of_requests(share))


def _failed(condition: Condition, facts: Facts) -> Iterator[str]:
    wanted = condition.failed(facts)
    if wanted is not None:
        yield f"it wants that {wanted}"


def _of_requests(share: float) -> str:
    return f"it takes {'all' if share >= 1 else f'{share * 100:g} % of'} such requests"


def _for_key(row: Row, key: Key | None) -> str:
    """Where the key lies among all, in a shadow that takes a share of them."""
    if key is None or not row.prefixes:
        return ""
    at = hash_of(row.prefixes[key[0]] + key[1]) / WHOLE_HASH
    return f"the key lies at {at * 100:.3f} % of all, and it takes those under {row.shadow.percent:g} %"
