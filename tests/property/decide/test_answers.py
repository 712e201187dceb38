"""Whatever happens in whatever order: no answer of somebody else, none too old, and no more than there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepdown.decide.answers import STALE_TTLS, Answers, Key, Subject
from stepdown.decide.flags import Evaluation
from stepdown.decide.flags.evaluation import failed

TTL = 5.0
SUBJECTS = [Subject("a", "string", ("targetingKey",)), Subject("b", "string", ("targetingKey",))]
KEYS: list[Key] = [(subject, (user,)) for subject in SUBJECTS for user in ("u", "v", None)]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["said", "failed", "refused", "changed", "pass"]),
        st.integers(0, len(KEYS) - 1),
        st.floats(0, 30),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 8))
def test_what_counts_was_said_of_this_key_and_not_too_long_ago(steps: list[tuple[str, int, float]], room: int) -> None:
    answers, now, number = Answers(entries=room), 1000.0, 0
    said: dict[int, tuple[float, str]] = {}
    """By key, when its provider last gave an answer, and which."""
    for what, place, value in steps:
        key = KEYS[place]
        if what == "pass":
            now += value
        elif what == "changed":
            answers.changed()
        elif what == "said":
            number += 1
            answers.said(key, Evaluation(str(number), str(number), "STATIC"), now, answers.epoch)
            said[place] = (now, str(number))
        else:
            answers.failed(key, failed("GENERAL", ""), now, ttl=TTL, again=1.0 if what == "refused" else TTL)
        assert len(answers) <= max(2, room)
        for other, one in enumerate(KEYS):
            known = answers.get(one)
            if known is None or not known.is_usable(now, TTL, answers.epoch) or known.failed:
                continue
            when, variant = said[other]
            assert known.answer.variant == known.stale.variant == variant
            assert now - when < STALE_TTLS * TTL
            if known.epoch != answers.epoch:
                assert known.is_due(now, TTL, answers.epoch)
