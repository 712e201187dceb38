"""The stored document: the same again from JSON, other forms refused, and what terms keep of a file."""

from __future__ import annotations

import json

import msgspec
import pytest

from stepdown.decide.rollout_spec import Counters, Hook, MetricServer, PerArm, Query, Share, Threshold
from stepdown.rollout import leading
from stepdown.rollout.batch import Cell, Counts
from stepdown.rollout.document import Document, DocumentError, decode, encode, sorted_cells, terms_of, with_sources
from stepdown.rollout.position import Candidate
from tests.kit.rollouts import ERRORS, rollout

TWO = Candidate(version="2.0.0", endpoints="aa")
SERVER = MetricServer(url="http://ann:secret@p:9090/?token=secret", set_headers=(("authorization", "secret"),))
COUNTED = Share(name="ctr", kind="ctr", source=Counters(servers=(SERVER,), events=PerArm("a"), trials=PerArm("b")))
ASKED = Threshold(name="cpu", success="result < 1", source=Query(servers=(SERVER,), query="cpu"))
TOLD = Threshold(name="told", source=Hook(server=SERVER, tells=(("key", '"secret"'),)))


def document() -> Document:
    judged = sorted_cells({Cell(0, "stable", "units"): Counts(9, 0), Cell(0, "candidate", "errors"): Counts(0, 3)})
    return msgspec.structs.replace(
        leading.first(rollout(), TWO), judged=judged, salt="5a17", slow=(0.25,), over=((1, 2.0),)
    )


def test_a_document_is_the_same_again() -> None:
    known = msgspec.structs.replace(document(), terms=terms_of(rollout(guards=(ERRORS, COUNTED, ASKED))))
    assert decode("m", encode(known)) == known
    assert known.totals[Cell(0, "candidate", "errors")] == Counts(0, 3)
    assert (known.slow_now, known.slow_at(1)) == (0.25, 0.0)


def test_nobody_sees_a_salt() -> None:
    assert "5a17" not in repr(document())


def test_a_document_of_another_form_is_refused() -> None:
    other = json.loads(encode(document())) | {"form": 2, "new": True}
    with pytest.raises(DocumentError, match=r"^the state of m-2 has the form 2, and this version knows 1 only$"):
        decode("m-2", json.dumps(other).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"form": "1"}', b"[]"])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"^the state of m-2 cannot be read: it is no state of a rollout$"):
        decode("m-2", data)


@pytest.mark.parametrize("change", [{"position": 1}, {"slow": ["a"]}, {"unknown": 1}])
def test_a_damaged_document_is_refused_with_what_is_wrong(change: dict[str, object]) -> None:
    damaged = json.dumps(json.loads(encode(document())) | change).encode()
    with pytest.raises(DocumentError, match=r"^the state of m-2 cannot be read: (Object|Expected)"):
        decode("m-2", damaged)


def test_terms_are_kept_without_where_sources_are_asked() -> None:
    declared = rollout(guards=(ERRORS, COUNTED, ASKED, TOLD))
    terms = terms_of(declared)
    kept = msgspec.json.encode(terms)
    assert b"secret" not in kept
    assert with_sources(terms, declared) == declared


def test_a_guard_that_the_file_has_no_more_asks_nobody() -> None:
    terms = terms_of(rollout(guards=(ERRORS, COUNTED, ASKED)))
    other = Share(name="ctr", kind="ctr")
    (_, counted, asked) = with_sources(terms, rollout(guards=(other,))).guards
    assert isinstance(counted, Share)
    assert isinstance(counted.source, Counters)
    assert counted.source.servers[0].url == ""
    assert asked == terms.guards[2]
