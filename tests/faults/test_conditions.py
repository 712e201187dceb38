"""Mistakes in conditions and segments: each with one clear message at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepdown.decide.snapshot import compile_snapshot
from tests.kit.configuration import Folder, changed
from tests.kit.request import request

WHEN = "{header: {x-plan: beta}}"


def mistaken(when: str = WHEN, segments: str = "", **changes: str) -> str:
    text = changed((WHEN, when), *((old.replace("_", " "), new) for old, new in changes.items()))
    return text + (f"segments:\n  {segments}\n" if segments else "")


MISTAKES: dict[str, tuple[str, list[str]]] = {
    "an unknown segment": (
        mistaken("{segment: bta}", "beta: {header: {x: y}}"),
        [
            '27:38: routes.churn.rules[0].when.segment: found "bta"; allowed one of segments: "beta"; did you mean '
            '"beta"?',
        ],
    ),
    "no segments at all": (
        mistaken("{not: {segment: beta}}"),
        ['27:44: routes.churn.rules[0].when.not.segment: found "beta"; allowed one of segments: there are none'],
    ),
    "segments in a circle": (
        mistaken("{segment: a}", "a: {any: [{segment: b}, {methods: [GET]}]}\n  b: {not: {segment: a}}"),
        [
            "30:3: segments.a: found segments in a circle: a -> b -> a; allowed segments that do not lead back to "
            "themselves"
        ],
    ),
    "a segment of nobody in particular": (
        mistaken("{segment: a}", "a: {}"),
        ["30:6: segments.a: found no condition; allowed at least one"],
    ),
    "an alternative that always holds": (
        mistaken("{any: [{}, {methods: [GET]}]}"),
        ["27:35: routes.churn.rules[0].when.any[0]: found no condition; allowed at least one"],
    ),
    "an expression that is none": (
        mistaken("{query: {q: {regex: '(a'}}}"),
        [
            "27:48: routes.churn.rules[0].when.query.q.regex: found an expression that cannot be used: missing ): (a; "
            "allowed an expression in RE2's syntax"
        ],
    ),
    "an expression that looks around": (
        mistaken("{query: {q: {regex: 'a(?=b)'}}}"),
        [
            "27:48: routes.churn.rules[0].when.query.q.regex: found an expression that cannot be used: invalid perl "
            "operator: (?=; allowed an expression in RE2's syntax"
        ],
    ),
    "an expression of a million states": (
        mistaken("{query: {q: {regex: '(((a{90}){90}){90})'}}}"),
        [
            "27:48: routes.churn.rules[0].when.query.q.regex: found an expression that cannot be used: invalid "
            "repetition size: {90}; allowed an expression in RE2's syntax"
        ],
    ),
    "two operators": (
        mistaken("{cookie: {c: {equals: a, suffix: b}}}"),
        [
            "27:41: routes.churn.rules[0].when.cookie.c: found 2 conditions; allowed exactly one of equals, in, "
            "prefix, suffix, regex, semver, cidr, sha256, key_in, exists"
        ],
    ),
    "a parameter compared with a number": (
        mistaken("{query: {q: 5}}"),
        ['27:40: routes.churn.rules[0].when.query.q: found the number 5; allowed a text; quote it: "5"'],
    ),
    "a field of the body that is no pointer": (
        mistaken("{json: {tier: gold}}"),
        ['27:36: routes.churn.rules[0].when.json.tier: found "tier"; allowed a JSON Pointer such as /user/id'],
    ),
    "an operator that does not exist": (
        mistaken("{header: {x: {sufix: a}}}"),
        [
            '27:42: routes.churn.rules[0].when.header.x.sufix: found the unknown key "sufix"; allowed prefix, suffix, '
            'regex, semver, cidr, sha256, key_in, exists, equals, in; did you mean "suffix"?'
        ],
    ),
    "a range that is none": (
        mistaken("{pin: latest}"),
        [
            '27:34: routes.churn.rules[0].when.pin: found "latest"; allowed a range of versions such as "1.1.0", '
            '"1" or ^1.2'
        ],
    ),
    "an address without trusted hops": (
        mistaken("{client: 10.0.0.0/8}"),
        [
            "27:22: routes.churn.rules[0].when: found client without trusted_hops; allowed client together with "
            "trusted_hops (0 where no proxy is in front), so that clients cannot choose it"
        ],
    ),
    "a percentage of keys that nobody has": (
        mistaken("{segment: some}", "some: {percent: 5%}", **{"____key:_[{header:_x-user-id},_{cookie:_uid}]\n": ""}),
        [
            "26:22: routes.churn.rules[0].when: found percent or key_in, and the route churn has no key; allowed them "
            "on a route with a key: where a request says whose it is"
        ],
    ),
    "a part of the path that is not there": (
        mistaken("{param: {camera: front}}"),
        [
            "27:22: routes.churn.rules[0].when: found param camera, which the path of the route churn does not have; "
            "allowed a {name} of its path: it has none"
        ],
    ),
    "a window that ends before it begins": (
        mistaken("{time: {from: 2026-12-02, until: 2026-12-01}}"),
        ['27:61: routes.churn.rules[0].when.time.until: found "2026-12-01"; allowed a time after `from`'],
    ),
    "a zone that is nowhere": (
        mistaken("{time: {weekdays: mon-fri, zone: Europe/Atlantis}}"),
        [
            '27:61: routes.churn.rules[0].when.time.zone: found "Europe/Atlantis"; allowed a zone of this machine\'s '
            "tz database: Europe/Berlin, UTC"
        ],
    ),
    "hours that are none": (
        mistaken("{time: {hours: 9-17}}"),
        [
            '27:43: routes.churn.rules[0].when.time.hours: found "9-17"; allowed hours such as 09:00-17:30, or '
            "22:00-06:00 for a window over midnight"
        ],
    ),
    "no time at all": (
        mistaken("{time: {zone: UTC}}"),
        [
            "27:35: routes.churn.rules[0].when.time: found no condition; allowed at least one of from, until, "
            "weekdays, hours"
        ],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_one_clear_message(name: str, tmp_path: Path) -> None:
    text, messages = MISTAKES[name]
    assert Folder(tmp_path).refusal(text) == [f"stepdown.yaml:{message}" for message in messages]


@pytest.mark.parametrize("last_first", [False, True])
def test_segments_may_name_each_other_to_a_depth(last_first: bool, tmp_path: Path) -> None:
    def of_depth(depth: int) -> str:
        chain = [f"s{number}: {{segment: s{number + 1}}}" for number in range(depth - 1)]
        chain.append(f"s{depth - 1}: {{methods: [POST]}}")
        return mistaken("{segment: s0}", "\n  ".join(reversed(chain) if last_first else chain))

    good = Folder(tmp_path)
    assert good.warnings(of_depth(50)) == []
    route = compile_snapshot(good.load().spec).routes[0]
    assert route.rule_for(request(), "").name == "beta"
    for depth in (51, 2000):
        (message,) = Folder(tmp_path).refusal(of_depth(depth))
        assert message.partition(": ")[2] == (
            f"segments.s{depth - 51 if last_first else 0}: found more than 50 segments that name each other in a row; "
            "allowed fewer, or conditions of their own in some of them"
        )


def test_a_segment_that_no_rule_uses_is_doubtful(tmp_path: Path) -> None:
    segments = "a: {segment: b}\n  b: {methods: [GET]}\n  c: {segment: d}\n  d: {methods: [PUT]}"
    assert Folder(tmp_path).warnings(mistaken("{segment: a}", segments)) == [
        "stepdown.yaml:32:3: warning: segments.c: used by no rule; allowed `when: {segment: NAME}` in a rule",
        "stepdown.yaml:33:3: warning: segments.d: used by no rule; allowed `when: {segment: NAME}` in a rule",
    ]


def test_a_rule_for_methods_that_its_route_does_not_take_is_doubtful(tmp_path: Path) -> None:
    assert Folder(tmp_path).warnings(mistaken("{methods: [PUT, GET]}")) == [
        "stepdown.yaml:27:38: warning: routes.churn.rules[0].when.methods: never used: the route takes POST only; "
        "allowed methods that its `match` has",
    ]


def test_all_mistakes_of_a_condition_are_told_at_once(tmp_path: Path) -> None:
    when = "{all: [{query: {q: 5}}, {cookie: {c: {regex: '(a'}}}], segmnt: a, any: []}"
    assert [line.split(": ")[1] for line in Folder(tmp_path).refusal(mistaken(when))] == [
        "routes.churn.rules[0].when.all[0].query.q",
        "routes.churn.rules[0].when.all[1].cookie.c.regex",
        "routes.churn.rules[0].when.segmnt",
        "routes.churn.rules[0].when.any",
    ]
