"""Override tokens: what their holder may ask for, for how long, and every way in which they are refused."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from stepdown.decide.override_tokens import LEEWAY, LONGEST, Claims, TokenError, issue, verify

OLD, NEW, OTHER = "the secret of last year", "the secret of this year", "somebody else's secret"
NOW = 1_800_000_000.0
ALICE = Claims("alice", "churn", "2.1.0", issued=int(NOW) - 60, expires=int(NOW) + 3600)


def refusal(token: str, *, secrets: tuple[str, ...] = (NEW,), model: str = "churn", version: str = "2.1.0") -> str:
    with pytest.raises(TokenError) as error:
        verify(token, secrets, model, version, NOW)
    return error.value.reason


def changed(claims: Claims = ALICE, **changes: object) -> str:
    values = {name: getattr(claims, name) for name in claims.__struct_fields__}
    return issue(Claims(**(values | changes)), NEW)


def test_a_token_says_who_may_ask_for_what() -> None:
    assert verify(issue(ALICE, NEW), (NEW,), "churn", "2.1.0", NOW) == ALICE


def test_a_token_of_the_secret_before_is_good_until_that_is_taken_away() -> None:
    token = issue(ALICE, OLD)
    assert verify(token, (NEW, OLD), "churn", "2.1.0", NOW) == ALICE
    assert refusal(token, secrets=(NEW,)) == "forged"


@pytest.mark.parametrize(("model", "version"), [("*", "*"), ("*", "2.1.0"), ("churn", "*")])
def test_a_star_stands_for_every_model_or_version(model: str, version: str) -> None:
    verify(changed(model=model, version=version), (NEW,), "churn", "2.1.0", NOW)


def test_a_token_for_another_version_or_model_is_foreign() -> None:
    assert refusal(changed(), version="2.0.0") == "foreign"
    assert refusal(changed(), model="fraud") == "foreign"


def test_a_token_ends_at_its_second() -> None:
    verify(changed(expires=int(NOW) + 1), (NEW,), "churn", "2.1.0", NOW)
    assert refusal(changed(expires=int(NOW))) == "expired"


def test_a_token_from_the_future_is_refused_but_clocks_may_differ_a_little() -> None:
    verify(changed(issued=int(NOW + LEEWAY)), (NEW,), "churn", "2.1.0", NOW)
    assert refusal(changed(issued=int(NOW + LEEWAY) + 1)) == "future"


def test_every_changed_character_is_noticed() -> None:
    token = issue(ALICE, NEW)
    for place, character in enumerate(token):
        wrong = token[:place] + ("A" if character != "A" else "B") + token[place + 1 :]
        assert refusal(wrong) in {"forged", "malformed"}, place


def test_claims_cannot_be_moved_under_another_signature() -> None:
    longer = changed(expires=int(NOW) + 10_000)
    signature = issue(ALICE, NEW).rpartition(".")[2]
    assert refusal(f"{longer.rpartition('.')[0]}.{signature}") == "forged"


def test_somebody_elses_secret_makes_no_tokens() -> None:
    assert refusal(issue(ALICE, OTHER)) == "forged"
    assert refusal(issue(ALICE, NEW), secrets=()) == "forged"


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "v1", "v1..", "v1.e30.", "v2.e30.e30", "v1.!.!", "v1.e30=.", "v1.é.é", "v1." + "A" * LONGEST],
    ids=range(11),
)
def test_what_has_another_form_is_malformed(token: str) -> None:
    assert refusal(token) == "malformed"


def test_a_name_that_would_end_a_line_is_malformed() -> None:
    assert refusal(changed(holder="alice\r\nx-model-served: 9")) == "malformed"


def test_a_signature_is_written_in_one_way_only() -> None:
    """The last of its 43 characters carries two bits that mean nothing."""
    token = issue(ALICE, NEW)
    assert refusal(token[:-1] + chr(ord(token[-1]) + 1)) in {"malformed", "forged"}
    assert refusal(token + "=") == "malformed"


def test_the_secret_itself_signs_no_token() -> None:
    """What signs something else with the same secret cannot be made to sign one."""
    import hashlib
    import hmac

    signed = issue(ALICE, NEW).rpartition(".")[0]
    mac = hmac.digest(NEW.encode(), signed.encode(), hashlib.sha256)
    assert refusal(f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}") == "forged"
