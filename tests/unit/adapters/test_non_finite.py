import json

import pytest

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import compile_chain
from stepdown_adapters.non_finite import nulled
from tests.kit.adapters import Step

BODY = b'{"a": 1, "b": [NaN, -Infinity, Infinity, "NaN \\" Infinity"]}'
REPLACE = {"replace": {"path": "/a", "value": 2}}


@pytest.mark.parametrize("fidelity", ["normal", "strict"])
def test_a_number_that_is_not_finite_fails_the_document_unless_null_may_stand_for_it(fidelity: str) -> None:
    with pytest.raises(AdaptError):
        compile_chain([Step([REPLACE], fidelity=fidelity)]).response(BODY, Context())
    adapter = compile_chain([Step([REPLACE], fidelity=fidelity, non_finite="nullify")])
    assert json.loads(adapter.response(BODY, Context())) == {"a": 2, "b": [None, None, None, 'NaN " Infinity']}


@pytest.mark.parametrize("fidelity", ["normal", "strict"])
@pytest.mark.parametrize("body", [b'{"a": 1, "b": [NaN]}', b'{"b": -Infinity}', b"[1, Infinity]", b"NaN"])
def test_the_refusal_names_what_is_no_json_and_what_can_be_done(body: bytes, fidelity: str) -> None:
    with pytest.raises(AdaptError, match=r"NaN and infinities are no JSON \(byte \d+\); `non_finite: nullify`"):
        compile_chain([Step([REPLACE], fidelity=fidelity)]).response(body, Context())


def test_the_first_step_says_it_since_the_server_answers_in_its_shape() -> None:
    first, last = Step([REPLACE], source="3.0.0", target="2.0.0", non_finite="nullify"), Step()
    assert compile_chain([first, last]).response(BODY, Context())
    with pytest.raises(AdaptError):
        compile_chain([Step(source="3.0.0", target="2.0.0"), Step([REPLACE], non_finite="nullify")]).response(
            BODY, Context()
        )


def test_what_is_wrong_otherwise_still_fails() -> None:
    adapter = compile_chain([Step([REPLACE], non_finite="nullify")])
    for body in (b'{"b": NaN}', b'{"a": Nan}', b'{"a": 1]', b'{"a": "NaN', b'{"a": +Infinity}'):
        with pytest.raises(AdaptError):
            adapter.response(body, Context())


def test_requests_are_not_repaired() -> None:
    with pytest.raises(AdaptError):
        compile_chain([Step(request=[REPLACE], non_finite="nullify")]).request(BODY, Context())


def test_text_without_them_stays() -> None:
    assert nulled(b'{"NaN": "-Infinity"}') == b'{"NaN": "-Infinity"}'
    assert nulled(b"[NaN,-Infinity]") == b"[null,null]"
