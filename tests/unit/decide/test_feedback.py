"""Feedback tokens: what they say, how long they may be, and every way in which they are refused."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, get_args

import pytest

from stepdown.decide.feedback import (
    GRAIN,
    LEEWAY,
    LONGEST,
    UNIT_BYTES,
    Claim,
    Issuer,
    Reason,
    Refused,
    Run,
    Units,
    Verifier,
)
from tests.kit.feedback import ELDER, HOUR, NOW, OTHER, RUN, SECRET, token


def verified(
    text: bytes | str, *, secrets: tuple[str, ...] = (SECRET,), runs: Iterable[Run] = (RUN,), now: float = NOW
) -> Claim | Refused:
    return Verifier(secrets, runs).verify(text, now, HOUR)


def claim(text: bytes | str, **others: object) -> Claim:
    found = verified(text, **others)  # type: ignore[arg-type]
    assert isinstance(found, Claim), found
    return found


def refusal(text: bytes | str, **others: object) -> str:
    found = verified(text, **others)  # type: ignore[arg-type]
    assert isinstance(found, Refused), found
    assert found.reason in get_args(Reason)
    assert found.detail
    return found.reason


def test_a_token_says_what_was_assigned_where_and_when() -> None:
    found = claim(token(stage=3, share=0.05, at=NOW + 59))
    assert (found.run, found.arm, found.assigned, found.served) == (RUN, "candidate", "2.0.0", "2.0.0")
    assert (found.stage, found.share, found.issued) == (3, 0.05, int(NOW))


def test_the_share_is_the_candidates_for_both_arms() -> None:
    found = claim(token(arm="stable", served="1.1.0", share=0.25))
    assert (found.arm, found.assigned, found.served, found.share) == ("stable", "1.1.0", "1.1.0", 0.25)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.05, 1 / 3, 0.5, 1.0])
def test_every_share_that_can_be_assigned_comes_back(share: float) -> None:
    assert claim(token(share=share)).share == round(share * 10_000) / 10_000


def test_who_served_in_the_place_of_the_assigned_version_is_said_too() -> None:
    for served in ("1.1.0", "2.0.0-rc.1", "10.20.30"):
        found = claim(token(served=served))
        assert (found.assigned, found.served) == ("2.0.0", served)


def test_a_token_fits_into_its_bound_whatever_versions_are_called() -> None:
    assert len(token()) == 56
    long = token(served="3.0.0-" + "x" * 300, run=RUN._replace(candidate="2.0.0-" + "y" * 300))
    assert len(long) <= LONGEST
    assert claim(token(served="3.0.0-" + "é" * 300)).served.startswith("3.0.0-éé")


def test_a_token_can_stand_in_a_header_and_in_a_url_as_it_is() -> None:
    for number in range(300):
        assert re.fullmatch(rb"[A-Za-z0-9_-]+", token(str(number).encode(), served="1.1.0-"[: 4 + number % 3]))


def test_the_mac_is_the_hmac_of_the_standard_library() -> None:
    data = urlsafe_b64decode(token())
    key = hmac.digest(SECRET.encode(), b"stepdown feedback v1: key", "sha256")
    assert data[-16:] == hmac.digest(key, data[:-16], hashlib.sha256)[:16]


def test_a_unit_is_one_unit_at_all_stages_and_of_all_secrets_of_a_run() -> None:
    units = {claim(token(stage=stage, secret=secret), secrets=(SECRET, ELDER)).unit
             for stage in (0, 1) for secret in (SECRET, ELDER)}  # fmt: skip
    assert len(units) == 1
    assert claim(token(b"header:user-2")).unit not in units


def test_nobody_can_be_followed_from_one_run_to_the_next() -> None:
    again = RUN._replace(number=2, salt="another salt")
    assert claim(token()).unit != claim(token(run=again), runs=(again,)).unit


def test_the_hash_in_a_token_is_the_one_that_assigned_units_are_counted_by() -> None:
    hashed = Units(RUN).hash(b"header:user-1")
    assert len(hashed) == UNIT_BYTES
    assert claim(token(b"header:user-1")).unit == int.from_bytes(hashed, "big")


def test_nothing_of_the_unit_can_be_read_in_a_token() -> None:
    assert b"user-1" not in urlsafe_b64decode(token(b"header:user-1"))


def test_a_secret_can_be_replaced_while_its_tokens_are_about() -> None:
    claim(token(secret=ELDER), secrets=(SECRET, ELDER))
    assert refusal(token(secret=ELDER), secrets=(SECRET,)) == "foreign"


def test_a_token_of_another_sidecars_secret_is_foreign_and_not_called_forged() -> None:
    assert refusal(token(secret=OTHER)) == "foreign"


def test_a_token_that_claims_our_key_and_was_not_signed_with_it_is_forged() -> None:
    ours, theirs = urlsafe_b64decode(token()), urlsafe_b64decode(token(secret=OTHER))
    assert refusal(urlsafe_b64encode(ours[:3] + theirs[3:])) == "forged"


@pytest.mark.parametrize("change", [
    {"rollout": "other"}, {"number": 2}, {"salt": "next"}, {"model": "fraud"},
    {"stable": "1.0.0"}, {"candidate": "2.0.1"},
])  # fmt: skip
def test_a_token_of_any_other_run_is_foreign(change: dict[str, Any]) -> None:
    assert refusal(token(run=RUN._replace(**change))) == "foreign"
    assert refusal(token(), runs=()) == "foreign"


def test_a_verifier_tells_its_runs_apart() -> None:
    other = RUN._replace(rollout="fraud-7", model="fraud")
    assert claim(token(run=other), runs=(RUN, other)).run == other


def test_a_token_ends_with_the_minute_in_which_it_gets_too_old() -> None:
    claim(token(), now=NOW + HOUR + GRAIN - 1)
    assert refusal(token(), now=NOW + HOUR + GRAIN) == "expired"


def test_a_token_from_the_future_is_refused_but_clocks_may_differ_a_little() -> None:
    claim(token(at=NOW + LEEWAY))
    assert refusal(token(at=NOW + LEEWAY + GRAIN)) == "future"


@pytest.mark.parametrize("text", [
    "", "A", "AAAA", b"\xff" * 56, "é" * 56, "\ud800" * 56, "A" * 56, "A" * 120, "A" * 124, "A" * 10_000_000,
    token()[:-1], token()[:-4], token() + b"A", token() + b"=", token() + b"\n", b" " + token(), token()[:28] * 2,
])  # fmt: skip
def test_what_is_not_exactly_a_token_is_malformed_or_unknown(text: bytes | str) -> None:
    assert refusal(text) in {"malformed", "foreign", "forged"}


@pytest.mark.parametrize("text", ["", "A" * 56, "A" * 124, token()[:-1], token() + b"=", token() + b"\n", "é" * 56])
def test_what_does_not_look_like_a_token_is_malformed(text: bytes | str) -> None:
    assert refusal(text) == "malformed"


@pytest.mark.parametrize(("length", "reason"), [(39, "malformed"), (42, "foreign"), (90, "foreign"), (93, "malformed")])
def test_a_token_has_a_least_and_a_most_length(length: int, reason: str) -> None:
    assert refusal(urlsafe_b64encode(b"\x01" + bytes(length - 1))) == reason


def test_the_other_alphabet_of_base64_is_not_taken() -> None:
    for number in range(200):
        text = token(str(number).encode())
        other = text.replace(b"-", b"+").replace(b"_", b"/")
        if other != text:
            assert refusal(other) == "malformed"


def test_a_genuine_token_is_good_as_text_and_as_bytes() -> None:
    assert claim(token()) == claim(token().decode())


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"share": -0.1}, {"stage": 256}, {"stage": -1}])
def test_what_no_token_can_say_is_refused_when_tokens_are_prepared(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no token says"):
        token(**wrong)


def test_one_issuer_makes_tokens_for_many_units() -> None:
    issuer = Issuer(RUN, SECRET, stage=0, share=0.05, arm="stable", served="1.1.0")
    made = {issuer.issue(b"%08d" % number, NOW + number) for number in range(100)}
    assert len({claim(text, now=NOW + 99).unit for text in made}) == 100
