"""Whatever is posted as feedback: nothing but the very text that was signed counts, and nothing raises."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.feedback import Arm, Claim, Refused, Verifier
from stepdown.decide.feedback_body import Posted, Unreadable, checked, decode
from stepdown.decide.feedback_body import Refused as RefusedItem
from tests.kit.feedback import HOUR, NOW, RUN, SECRET, token

VERIFIER = Verifier((SECRET, "an elder one"), (RUN,))
arms = st.sampled_from(["candidate", "stable"])
units = st.binary(max_size=80)
served = st.sampled_from(["2.0.0", "1.1.0", "3.0.0-rc.1", "3.0.0-" + "x" * 60])


@given(st.one_of(st.binary(max_size=130), st.text(max_size=130), st.binary(max_size=90).map(urlsafe_b64encode)))
def test_no_bytes_and_no_text_raise_or_count_by_chance(text: bytes | str) -> None:
    assert isinstance(VERIFIER.verify(text, NOW, HOUR), Refused)


@given(units, served, st.integers(0, 255), st.integers(0, 10_000), arms)
def test_what_was_signed_is_read_back(unit: bytes, by: str, stage: int, slots: int, arm: Arm) -> None:
    text = token(unit, served=by, stage=stage, share=slots / 10_000, arm=arm)
    claim = VERIFIER.verify(text, NOW, HOUR)
    assert isinstance(claim, Claim)
    assert (claim.stage, claim.share, claim.arm) == (stage, slots / 10_000, arm)
    assert by.startswith(claim.served)


@settings(max_examples=20, deadline=None)
@given(units, served, st.integers(1, 255))
def test_no_token_with_any_one_character_or_byte_changed_counts(unit: bytes, by: str, change: int) -> None:
    text = token(unit, served=by)
    for place in range(len(text)):
        wrong = bytes((text[place] ^ change,))
        assert isinstance(VERIFIER.verify(text[:place] + wrong + text[place + 1 :], NOW, HOUR), Refused)
        assert isinstance(VERIFIER.verify(text[:place], NOW, HOUR), Refused)
        assert isinstance(VERIFIER.verify(text[:place] + text[place + 1 :], NOW, HOUR), Refused)
        assert isinstance(VERIFIER.verify(text[:place] + wrong + text[place:], NOW, HOUR), Refused)


@given(st.binary(max_size=300))
def test_no_body_raises(body: bytes) -> None:
    decode(body)


documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["token", "event", "value", "events"]), inner),
    max_leaves=15,
)


@given(documents)
def test_no_document_raises_and_each_item_has_its_result(document: object) -> None:
    found = decode(json.dumps(document).encode())
    if isinstance(found, Unreadable):
        assert found.status == 400
        return
    for item in found:
        if isinstance(item, Posted):
            assert isinstance(checked(item, VERIFIER, {}, NOW, HOUR), RefusedItem)


@given(st.lists(documents.filter(lambda one: not isinstance(one, dict)), max_size=5), st.integers(0, 5))
def test_a_good_item_counts_whatever_stands_beside_it(others: list[object], place: int) -> None:
    good = {"token": token().decode(), "event": "click"}
    found = decode(json.dumps({"events": [*others[:place], good, *others[place:]]}).encode())
    if isinstance(found, Unreadable):  # NaN is no JSON, so then the whole is none
        assert "NaN" in json.dumps(others) or "Infinity" in json.dumps(others)
        return
    assert [item for item in found if isinstance(item, Posted)] == [Posted(good["token"], "click")]
