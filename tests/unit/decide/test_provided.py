"""Flags of a provider in a snapshot: what they depend on, and that nothing is made up where nobody can be asked."""

from __future__ import annotations

import pytest

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.flag_spec import FlagRule, Flags, NamedFact, Provided, ProvidedFlag
from stepdown.decide.flag_view import compiled_flags
from stepdown.decide.flags import Evaluation
from stepdown.decide.needs import needs_of_all
from stepdown.decide.records import Decided, FlagSaid, Record
from stepdown.decide.replay import NotRecordedError, Replay
from stepdown.decide.snapshot import compile_snapshot
from stepdown.decide.view import FlagView, View
from tests.kit import specs
from tests.kit.request import request

FLAGS = Flags(
    context=(NamedFact("email", "header", "x-email"), NamedFact("plan", "cookie", "p")),
    provided=Provided(provider="shop:make", flags=(ProvidedFlag("ranker", "string", ("new",)),)),
)
RULE = spec.Rule(
    name="all",
    split=(("1.0.0", 1), ("2.0.0", 0)),
    flag=FlagRule(flag="ranker", versions=(("new", "2.0.0"),), default="1.0.0"),
)
KEY = (spec.KeySource(header="x-user-id"),)


def snapshot(flags: Flags | None = FLAGS) -> spec.SnapshotSpec:
    model = specs.model(
        specs.version("1.0.0", 1),
        specs.version("2.0.0", 2),
        chains=(spec.Chain(served="2.0.0", pinned="1.0.0", steps=(spec.Step(source="2.0.0", target="1.0.0"),)),),
    )
    return specs.snapshot(specs.route({}, rules=(RULE,), key=KEY), models=[model], flags=flags)


class _Said:
    """A flag view that has heard of every user."""

    def __init__(self, **users: str) -> None:
        self._users = users

    def flag(self, name: str, view: View) -> Evaluation:
        key = view.key()
        variant = self._users.get(key[1].decode()) if key is not None else None
        return Evaluation(variant, variant, "TARGETING_MATCH" if variant else "CACHE_MISS")


def chosen(view: FlagView | None, **headers: str) -> Choice:
    compiled = compile_snapshot(snapshot())
    [route] = compiled.routes
    head = request(**headers)
    facts = route.view(head, (), None, "10.0.0.1", 0.0, None, view)
    return route.choose(facts, (), None, "10.0.0.1", [True, True], lambda *_: 0)


def test_a_decision_is_a_function_of_what_the_flag_view_says() -> None:
    for _ in range(2):
        assert chosen(_Said(ann="new"), x_user_id="ann").assigned == "2.0.0"
        assert chosen(_Said(ann="newer"), x_user_id="ann").assigned == "1.0.0"
        assert chosen(_Said(), x_user_id="ann").assigned == "1.0.0"
        assert chosen(None, x_user_id="ann").assigned == "1.0.0", "nobody is asked"


def test_an_explanation_says_who_would_be_asked_and_with_what() -> None:
    [route] = compile_snapshot(snapshot()).routes
    head = request(x_user_id="ann", x_email="ann@example.com")
    view = route.view(head, (), None, "10.0.0.1", 0.0)
    told = route.explain(view, (), None, "10.0.0.1", [True, True], lambda *_: 0)
    [flag] = told.flags
    assert (flag.variant, flag.reason, flag.error) == (None, "CACHE_MISS", None)
    context = '{"targetingKey": "ann", "email": "ann@example.com"}'
    assert flag.message == f"shop:make would be asked, with {context}; until it has answered the default counts"
    assert flag.message in "\n".join(told.sentences())


def test_a_flag_that_is_not_declared_is_an_error_like_others() -> None:
    flags = compiled_flags(FLAGS)
    [route] = compile_snapshot(snapshot()).routes
    answer = flags.flag("other", route.view(request(), (), None, "", 0.0))
    assert (answer.reason, answer.error) == ("ERROR", "FLAG_NOT_FOUND")


def test_answers_depend_on_the_context_and_records_need_only_what_was_said() -> None:
    specification = snapshot()
    [route] = compile_snapshot(specification).routes
    assert route.asking == {"x-user-id", "x-email", "cookie"}, "which caches have to be told"
    assert not route.recallable
    needs = needs_of_all(specification)
    assert ("header", "x-email") not in needs.names
    assert not needs.key


def recorded(**flags: FlagSaid) -> Record:
    return Record(
        event="decision",
        time="2026-11-01T00:00:00Z",
        config="c",
        sample=1.0,
        method="POST",
        path="/x",
        headers={"x-model-version": None, "x-user-id": "ann"},
        flags=flags,
        decided=Decided(route="r"),
    )


def test_a_replay_takes_what_the_provider_said_from_the_record_and_makes_up_nothing() -> None:
    replay = Replay(snapshot(), {})
    assert replay.decide(recorded(ranker=FlagSaid("new", "new", "STATIC"))).assigned == "2.0.0"
    assert replay.decide(recorded(ranker=FlagSaid(None, None, "CACHE_MISS"))).assigned == "1.0.0"
    with pytest.raises(NotRecordedError, match="what the flag ranker said"):
        replay.decide(recorded())


def test_a_specification_travels_and_comes_back() -> None:
    specification = snapshot()
    assert spec.decode(spec.encode(specification)) == specification
    assert "shop:make" in repr(specification.flags)
