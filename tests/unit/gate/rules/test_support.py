from __future__ import annotations

import pytest

from stepdown.gate.lock import Lock
from stepdown.gate.policy import Policy
from tests.kit.gate import LOGIT, day, judged, lock_of, state, told, version

NOTICE = Policy(notice=180)


@pytest.mark.parametrize(
    ("deprecated", "sunset", "says"),
    [
        ("2026-12-01", "2027-05-30", ""),
        ("2026-12-01", "2027-05-29", "1.0.0 is deprecated 179 days before its sunset (2027-05-29): 180 are agreed"),
        (None, "2028-01-01", "has a sunset (2028-01-01), and no `deprecated` that announces it 180 days before"),
        ("2026-01-01", "2026-12-31", "the sunset of 1.0.0 (2026-12-31) is announced 30 days ahead: 180 are agreed"),
        ("2026-01-01", None, ""),
    ],
)
def test_a_sunset_is_announced_in_time(deprecated: str | None, sunset: str | None, says: str) -> None:
    found = told(
        judged(state(version("1.0.0", deprecated=deprecated, sunset=sunset)), policy=NOTICE), "notice-too-short"
    )
    assert found == [] if not says else says in found[0]


def test_a_sunset_that_was_announced_before_may_come_near_and_not_earlier() -> None:
    def one(sunset: str) -> object:
        return state(version("1.0.0", deprecated="2026-01-01", sunset=sunset))

    assert told(judged(one("2026-12-31"), one("2026-12-31"), NOTICE), "notice-too-short") == []  # type: ignore[arg-type]
    assert told(judged(one("2026-12-30"), one("2026-12-31"), NOTICE), "notice-too-short")  # type: ignore[arg-type]


def test_without_a_policy_nothing_is_agreed() -> None:
    assert told(judged(state(version("1.0.0", sunset="2026-12-02"))), "notice-too-short") == []


# --- support-too-short ------------------------------------------------------------------------------------------------

DOWN = [("3.0.0", "2.0.0"), ("2.0.0", "1.0.0")]


def majors(first: object = None, *rest: str) -> object:
    one = first if first is not None else version("1.0.0")
    names = rest or ("2.0.0", "3.0.0")
    return state(one, *(version(name, LOGIT) for name in names), steps=DOWN)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "fails"), [(2, False), (3, True)])
def test_the_newest_majors_stay(count: int, fails: bool) -> None:
    head = state(version("2.0.0", LOGIT), version("3.0.0", LOGIT), steps=DOWN)
    found = told(judged(head, majors(), Policy(majors=count)), "support-too-short")  # type: ignore[arg-type]
    assert bool(found) == fails
    if fails:
        assert found == [
            "error 1.0.0: 1.0.0, the last of 1.x, is no longer declared, and the newest 3 MAJORs are supported"
        ]


def test_retiring_the_last_release_of_a_major_ends_it() -> None:
    head = majors(version("1.0.0", retired=True))
    assert told(judged(head, majors(), Policy(majors=3)), "support-too-short")  # type: ignore[arg-type]
    assert told(judged(head, head, Policy(majors=3)), "support-too-short") == []  # type: ignore[arg-type]


def test_an_earlier_release_of_a_major_may_go_as_long_as_its_last_stays() -> None:
    first, last = version("1.0.0"), version("1.1.0")
    base, head = state(first, last, steps=[("1.1.0", "1.0.0")]), state(last)
    assert told(judged(head, base, Policy(majors=1)), "support-too-short") == []


def test_a_sunset_that_passed_ends_a_major_and_one_to_come_is_told() -> None:
    def found(sunset: str) -> list[str]:
        return told(judged(majors(version("1.0.0", sunset=sunset)), policy=Policy(majors=3)), "support-too-short")  # type: ignore[arg-type]

    assert found("2026-12-01")[0].startswith("error 1.0.0: the sunset of 1.0.0 (2026-12-01) is over")
    assert found("2026-12-02")[0].startswith("warning 1.0.0: 1.x ends with 1.0.0 on 2026-12-02")


@pytest.mark.parametrize(("sunset", "fails"), [("2027-06-01", False), ("2027-05-31", True)])
def test_a_major_lives_for_the_time_agreed_after_the_next_was_published(sunset: str, fails: bool) -> None:
    head = state(version("1.0.0", sunset=sunset), version("2.0.0", LOGIT), steps=[("2.0.0", "1.0.0")])
    lock = lock_of(head, "2026-06-01")
    found = told(judged(head, head, Policy(at_least=365), lock=lock), "support-too-short")
    assert bool(found) == fails
    if fails:
        assert found == [
            "error 1.0.0: 2.x was published on 2026-06-01, so that 1.x is supported until 2027-06-01, and the sunset "
            "of 1.0.0, its last, is 2027-05-31"
        ]


def test_a_major_that_is_new_is_published_today() -> None:
    head = state(version("1.0.0", sunset="2027-11-30"), version("2.0.0", LOGIT), steps=[("2.0.0", "1.0.0")])
    base = state(version("1.0.0"))
    found = told(judged(head, base, Policy(at_least=365), lock=Lock()), "support-too-short")
    assert "2.x was published on 2026-12-01, so that 1.x is supported until 2027-12-01" in found[0]
    assert told(judged(head, head, Policy(at_least=365), lock=Lock()), "support-too-short") == []


def test_removing_a_major_too_early_fails_until_its_time_is_over() -> None:
    base = state(version("1.0.0", sunset="2026-11-01"), version("2.0.0", LOGIT), steps=[("2.0.0", "1.0.0")])
    head, lock = state(version("2.0.0", LOGIT)), lock_of(base, "2026-06-01")
    policy = Policy(at_least=365)
    assert told(judged(head, base, policy, lock=lock), "support-too-short")
    assert told(judged(head, base, policy, lock=lock, today=day("2027-06-01")), "support-too-short") == []


def test_in_zero_every_minor_is_a_major() -> None:
    base = state(version("0.1.0"), version("0.2.0", LOGIT), steps=[("0.2.0", "0.1.0")])
    found = told(judged(state(version("0.2.0", LOGIT)), base, Policy(majors=2)), "support-too-short")
    assert found[0].startswith("error 0.1.0: 0.1.0, the last of 0.1.x, is no longer declared")
