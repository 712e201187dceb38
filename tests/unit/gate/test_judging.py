from __future__ import annotations

from stepdown.gate.facts import Facts
from stepdown.gate.judging import case_of, judge
from stepdown.gate.policy import Policy
from stepdown.gate.rules.table import BY_ID, RULES
from tests.kit.gate import LOGIT, NOTED, TODAY, lock_of, state, version

HEAD = state(
    version("1.0.0", line=9), version("1.1.0", NOTED, line=8), version("2.0.0", LOGIT), steps=[("2.0.0", "1.1.0")]
)


def test_each_version_is_summed_up_newest_first() -> None:
    base = state(version("1.0.0"))
    (table,) = judge(case_of(HEAD, base, Policy(), TODAY, lock_of(HEAD))).tables
    assert [(row.version, row.declared, row.needed, row.is_new, row.ways, row.passes) for row in table.rows] == [
        ("2.0.0", "major", "major", True, (("1.0.0", "none"), ("1.1.0", "adapted")), True),
        ("1.1.0", "minor", "minor", True, (("1.0.0", "none"),), False),
        ("1.0.0", None, None, False, (), True),
    ]


def test_failures_come_first_and_then_the_order_of_places() -> None:
    verdict = judge(case_of(HEAD, Facts(), Policy(), TODAY))
    assert [one.severity for one in verdict.findings] == ["error", "warning"]
    assert not verdict.passes
    assert judge(case_of(Facts(), Facts(), Policy(), TODAY)).passes


def test_the_same_facts_give_the_same_verdict() -> None:
    assert judge(case_of(HEAD, Facts(), Policy(), TODAY)) == judge(case_of(HEAD, Facts(), Policy(), TODAY))


def test_every_rule_says_what_it_asks_why_and_what_to_do() -> None:
    assert len(BY_ID) == len(RULES) + 1
    for rule in BY_ID.values():
        assert rule.id == rule.id.lower()
        assert all(text and not text.endswith("  ") for text in (rule.title, rule.help, rule.fix))
        assert rule.help.endswith(".")
        assert not rule.fix.endswith(".")
