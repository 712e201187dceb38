"""Conditions on requests in tests: a request that has everything, and a view of it on a route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepdown.decide import spec
from stepdown.decide.conditions import Condition, Conditions
from stepdown.decide.digests import Digests
from stepdown.decide.keysets import KeySet
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.decide.view import FlagView, View
from stepdown.decide.when import Segment, When
from tests.kit import specs
from tests.kit.request import Request


@dataclass
class Asked:
    """A request on the route `/m/{model}/infer`, whose key is the header `x-user-id`."""

    head: Request = field(default_factory=lambda: Request(path=b"/m/churn/infer"))
    params: tuple[bytes, ...] = (b"churn",)
    body: bytes | None = None
    client: str = "10.0.0.7"
    now: float = 0.0
    flags: FlagView | None = None

    def view(self, route: Route) -> View:
        """As conditions see it."""
        return route.view(self.head, self.params, self.body, self.client, self.now, None, self.flags)


def a_route(*rules: spec.Rule, lists: Mapping[str, KeySet] | None = None, **options: Any) -> Route:
    """A route to a model with 1.0.0 (the default) and 2.0.0, served by both."""
    step = spec.Step(source="2.0.0", target="1.0.0")
    chain = spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,))
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 2), chains=(chain,))
    key = options.pop("key", (spec.KeySource(header="x-user-id"),))
    shadows = options.pop("shadows", ())
    match = spec.Match(path="/m/{model}/infer")
    last = spec.Rule(name="everyone", split=(("1.0.0", 1),))
    route = specs.route({}, rules=(*rules, last), match=match, key=key, shadows=shadows)
    return compile_snapshot(specs.snapshot(route, models=[model], **options), lists or {}).routes[0]


def compiled(when: When, segments: Iterable[Segment] = (), lists: Mapping[str, KeySet] | None = None) -> Condition:
    """One condition."""
    return Conditions(segments, Digests(), lists).condition(when)


PLAIN = a_route()


def holds(when: When, asked: Asked, **options: Any) -> bool:
    """Whether a condition holds for a request; what it says of itself has to agree."""
    condition, view = compiled(when, **options), asked.view(PLAIN)
    held = condition.holds(view)
    assert (condition.failed(view) is None) is held
    return held
