"""What a rollout costs its requests beside the decision: counting them, and the token of each answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bench.adapters.turns import Cost
from bench.decisions import files
from bench.decisions.outcome import without
from bench.decisions.ways import HEADS, Way, head
from bench.page import Table
from bench.promises import Promise
from stepdown.config import load
from stepdown.decide.driving import with_driven
from stepdown.decide.rollout_spec import Driven
from stepdown.decide.snapshot import compile_snapshot
from stepdown.plane.evidence import Evidence, Stages
from stepdown.plane.evidence_books import Books
from stepdown.telemetry.slab import Slab

ALONE = "a request that is no evidence"
DRAWN, STICKY = "counted, without a key", "counted, of a sticky user"
DRAWN_TOKEN, STICKY_TOKEN = "counted without a key, with its token", "counted of a sticky user, with its token"

_PAIR = "rules: [{name: all, rollout: walk}]"
_ROUTES = {"drawn": _PAIR, "sticky": f"key: [{{header: x-user-id}}], {_PAIR.replace('walk', 'walk-sticky')}"}
_ROLLOUT = '{stable: "1.0.0", candidate: "1.1.0", steps: [50, 100], guards: [errors, {kind: event, event: click}]}'
_FEEDBACK = "feedback: {secrets: {env: SECRET}, keys: [{name: shop, key: {env: KEY}}]}"
_ENVIRON = files.ENVIRON | {"KEY": "a-key-for-the-benchmark"}


def ways(slab: Slab, loop: asyncio.AbstractEventLoop) -> dict[str, Way]:
    """A thousand users in turn, each seen before: as a worker counts them, from the assignment to the end.

    Nothing is sent: the loop does not run.
    """
    found: dict[str, Way] = {ALONE: _counting({}, tokens=False)}
    for tokens in (False, True):
        evidence = _evidence(Books(loop, slab), slab, tokens=tokens)
        found[DRAWN_TOKEN if tokens else DRAWN] = _counting({"drawn": evidence["drawn"]}, tokens=tokens)
        found[STICKY_TOKEN if tokens else STICKY] = _counting({"sticky": evidence["sticky"]}, tokens=tokens)
    return found


def table(costs: Mapping[str, Cost]) -> Table:
    """Without what taking the next request costs."""
    return without(ALONE, costs, "a request of a rollout")


def promises(costs: Mapping[str, Cost]) -> list[Promise]:
    """What a rollout may cost a request."""
    return [
        Promise("a sticky request counted, µs", costs[STICKY].least - costs[ALONE].least, 5.0),
        Promise("the same with its token, µs", costs[STICKY_TOKEN].least - costs[ALONE].least, 8.0),
    ]


def _evidence(books: Books, slab: Slab, *, tokens: bool) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    """By route: the route, and what gives the plan of a request, as a worker compiles both."""
    text = files.text(_ROUTES) + f"rollouts: {{walk: {_ROLLOUT}, walk-sticky: {_ROLLOUT}}}\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stepdown.yaml"
        file.write_text(text + (_FEEDBACK if tokens else ""))
        (file.parent / "flags.json").write_text('{"flags": {}}')
        spec = load(file, _ENVIRON).spec
    driven = Driven(run=1, step=0, weight=50.0, stable="1.0.0", salt="6f9619ff8b86d011", evidence=True)
    spec = with_driven(spec, {"walk": driven, "walk-sticky": driven})
    snapshot = compile_snapshot(spec)
    stages = Stages(spec, snapshot, books, slab)
    ready = [True] * len(snapshot.versions)
    plans: dict[Any, Any] = {}

    def plan(route: Any, request: Any) -> Any:
        choice = route.choose(request, (), None, "10.0.0.1", ready, lambda *_: 0)
        if choice not in plans:
            plans[choice] = SimpleNamespace(choice=choice, evidence=stages.evidence(choice))
        return plans[choice]

    return {route.name: (route, partial(plan, route)) for route in snapshot.routes}


def _counting(evidence: Mapping[str, tuple[Any, Callable[[Any], Any]]], *, tokens: bool) -> Way:
    exchanges = _exchanges(evidence)

    def alone() -> None:
        next(exchanges).counted = None

    def counted() -> None:
        exchange = next(exchanges)
        exchange.counted = None
        cast("Evidence", exchange.plan.evidence).begin(exchange)
        exchange.counted.ended(exchange, 1_000_000)

    def with_token() -> None:
        exchange = next(exchanges)
        exchange.counted = None
        cast("Evidence", exchange.plan.evidence).begin(exchange)
        exchange.counted.line(exchange)
        exchange.counted.ended(exchange, 1_000_000)

    return alone if not evidence else with_token if tokens else counted


def _exchanges(evidence: Mapping[str, tuple[Any, Callable[[Any], Any]]]) -> Iterator[Any]:
    """What counting reads of an exchange, for each user; of a head the key alone was looked up, by the decision."""
    made = []
    for user in range(HEADS):
        request = head("/sticky", user)
        route, plan = next(iter(evidence.values()), (None, lambda _: None))
        client = SimpleNamespace(peer="10.0.0.1", full=False)
        made.append(
            SimpleNamespace(
                head=request, route=route, plan=plan(request), client=client, runtime=SimpleNamespace(trusted_hops=0),
                visitor=None, status=200, error="", outcome=0, counted=None, complete=True, received=0, body=b"",
            )
        )  # fmt: skip
    for one in cycle(made):
        one.head.values.clear()
        one.head.lower = None
        one.head.get(b"x-user-id")
        yield one
