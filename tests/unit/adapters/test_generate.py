import gc
import json
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError, OperationError
from stepdown_adapters.generate import compile_chain
from tests.kit.adapters import Step, adapted, both, compiled, refusal

REPLACE = {"replace": {"path": "/a", "value": 2}}


def test_a_chain_is_one_function_a_direction() -> None:
    newer = Step([{"move": {"from": "/c", "to": "/b"}}], [{"move": {"from": "/b", "to": "/c"}}], "3.0.0", "2.0.0")
    older = Step([{"move": {"from": "/b", "to": "/a"}}], [{"move": {"from": "/a", "to": "/b"}}], "2.0.0", "1.0.0")
    adapter = compile_chain([newer, older])
    assert adapter.response(b'{"c":1}', Context()) == b'{"a":1}'
    assert adapter.request(b'{"a":1}', Context()) == b'{"c":1}'
    assert adapter.source.count("def ") == 2
    assert adapter.source.index("# response: 3.0.0 -> 2.0.0") < adapter.source.index("# response: 2.0.0 -> 1.0.0")
    assert adapter.source.index("# request: 2.0.0 -> 1.0.0") < adapter.source.index("# request: 3.0.0 -> 2.0.0")


def test_a_direction_without_operations_gives_the_body_itself() -> None:
    adapter = compile_chain([Step(response=[REPLACE])])
    body = b" not even JSON"
    assert adapter.request(body, Context()) is body
    assert (adapter.touches_response, adapter.touches_request) == (True, False)
    assert compile_chain([Step()]).response(body, Context()) is body


def test_an_empty_chain_gives_the_body_itself() -> None:
    assert compile_chain([]).response(b"x", Context()) == b"x"


def test_operations_that_are_wrong_are_refused_when_compiled() -> None:
    with pytest.raises(OperationError, match="sigmoyd"):
        compiled({"sigmoyd": "/a"})


@pytest.mark.parametrize(
    "part",
    [
        "18446744073709551617",
        "1E5",
        "-0",
        "1.10",
        "1e999",
        '"\\u00e9\\/"',
        '{"b": 1, "b":2}',
        "[1 , 2]",
        '{"x":{"y":[1.0]}}',
        "0.1e-7",
    ],
)
@pytest.mark.parametrize("fidelity", ["normal", "strict"])
def test_a_part_that_no_operation_touches_keeps_its_bytes(part: str, fidelity: str) -> None:
    body = f'{{"u":{part},"a":1,"v":[{part}],"é":{part}}}'.encode()
    assert adapted([REPLACE], body, fidelity) == f'{{"u":{part},"a":2,"v":[{part}],"é":{part}}}'.encode()
    inside = f'{{"rows":[{{"u":{part},"a":1}},{{"a":1,"v":{part}}}]}}'.encode()
    operation = {"replace": {"path": "/rows/*/a", "value": 2}}
    expected = f'{{"rows":[{{"u":{part},"a":2}},{{"a":2,"v":{part}}}]}}'.encode()
    assert adapted([operation], inside, fidelity) == expected


json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), json_texts), st.text(max_size=4), st.booleans())
def test_changing_one_member_leaves_every_other_byte_range_equal(
    members: dict[str, Any], name: str, ascii_only: bool
) -> None:
    """The parts are written in odd ways (spaces, escapes), which must come out as they went in."""
    texts = {key: json.dumps(value, ensure_ascii=ascii_only, indent=1).encode() for key, value in members.items()}
    texts[name] = b'"old"'
    body = b"{" + b",".join(msgspec.json.encode(key) + b":" + text for key, text in texts.items()) + b"}"
    escaped = name.replace("~", "~0").replace("/", "~1")
    path = "/" + ("~2" if name == "*" else "~3" + escaped[1:] if name.startswith("[") else escaped)
    texts[name] = b'"new"'
    expected = b"{" + b",".join(msgspec.json.encode(key) + b":" + text for key, text in texts.items()) + b"}"
    for fidelity in ("normal", "strict"):
        assert adapted([{"replace": {"path": path, "value": "new"}}], body, fidelity) == expected


@pytest.mark.parametrize("fidelity", ["normal", "strict"])
@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"nope", b'{"a":NaN}', b'{"a":1,"b":Infinity}', b'{"a":1,"b":-Infinity}', b'{"a":1} x',
     b'{"a":1}{}', b'{"a":1,}',
     b"{'a':1}", b'{"a":1,"b":01}', b'{"a":1,"b":"\xff"}', b'{"a":1,"b":"\xed\xa0\x80"}',
      b'{"a":1,"b":"\\ud800"}', b'{"a":1,"b":"\\udc00x"}',
     b'{"a":1,"b":"\n"}', b'{"a":1,"b":[1,2', b'\xef\xbb\xbf{"a":1}', b'{"a":1,"b":"\\x"}', b'{"a":1,"\xff":1}',
      b'{"a":1,"b":tru}',
     '{"a":1}'.encode("utf-16"), b"\x00", b'{"a":1}\x00'],
)  # fmt: skip
def test_what_is_no_json_is_refused_even_in_parts_that_nothing_touches(body: bytes, fidelity: str) -> None:
    adapter = compiled({"replace": {"path": "/a", "value": 2, "on_missing": "skip"}}, fidelity=fidelity)
    with pytest.raises(AdaptError):
        adapter.response(body, Context())


@pytest.mark.parametrize("operation", [{"wrap": ""}, {"replace": {"path": "", "value": 1}}, {"tensor_to_rows": {}}])
def test_what_is_no_json_is_refused_by_operations_that_do_not_look_inside(operation: Any) -> None:
    refusal([operation], b'{"a": nope}')
    refusal([operation], b'{"outputs":[{"name":"x","shape":[1],"data":[1]}]} trailing')


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"a":[', '[1,{"a":[],"b":', '["]",', '["\\"[",'])
@pytest.mark.parametrize("fidelity", ["normal", "strict"])
def test_documents_nested_deeper_than_200_levels_are_refused(opening: str, fidelity: str) -> None:
    levels = {"[": 1, '{"a":': 1, '{"a":[': 2, '[1,{"a":[],"b":': 2, '["]",': 1, '["\\"[",': 1}[opening]
    closing = {"[": "]", '{"a":': "}", '{"a":[': "]}", '[1,{"a":[],"b":': "}]", '["]",': "]", '["\\"[",': "]"}[opening]

    def body(depth: int) -> bytes:
        times = (depth - 1) // levels
        return ('{"a":1,"u":' + opening * times + "1" + closing * times + "}").encode()

    assert adapted([REPLACE], body(199), fidelity) == body(199).replace(b'"a":1,"u"', b'"a":2,"u"')
    adapter = compiled(REPLACE, fidelity=fidelity)
    for depth in (203, 500, 5000, 100_000):
        with pytest.raises(AdaptError, match=r"nested deeper|recursion"):
            adapter.response(body(depth), Context())


def test_a_body_of_brackets_that_do_not_match_is_refused() -> None:
    for body in (b"[" * 100_000, b"]" * 100_000, b'{"a":' * 100_000, b"[]" * 100_000, b'["' * 50_000):
        refusal([REPLACE], body)


def test_space_around_a_document_is_allowed() -> None:
    assert adapted([REPLACE], b' \r\n\t{"a": 1, "b": 1.10} \n') == b'{"a":2,"b":1.10}'
    assert adapted([{"wrap": ""}], b" 1.10 ") == b"[1.10]"


def test_of_equal_names_the_last_counts_and_no_other_stays_where_the_object_is_opened() -> None:
    assert adapted([{"move": {"from": "/a", "to": "/b"}}], b'{"a":1,"a":2}') == b'{"b":2}'


def test_an_error_names_step_operation_path_and_reason() -> None:
    steps = [
        Step([{"remove": "/x"}], source="3.0.0", target="2.0.0"),
        Step([{"in": "/rows/*", "do": [{"sigmoid": "/p"}]}], source="2.0.0", target="1.0.0"),
    ]
    with pytest.raises(AdaptError) as error:
        compile_chain(steps).response(b'{"rows":[{"p":1},{"p":"x"}]}', Context())
    assert error.value.step == "2.0.0 -> 1.0.0"
    assert error.value.operation == "response[0]/do/0/sigmoid"
    assert error.value.path == "/rows/*/p"
    assert error.value.sentence == "a string is not a number"
    assert str(error.value) == "2.0.0 -> 1.0.0: response[0]/do/0/sigmoid at /rows/*/p: a string is not a number"


@pytest.mark.parametrize(
    ("body", "operation", "sentence"),
    [
        (b"{}", "response[0]/replace", "there is no member 'a'"),
        (b"[1]", "response[0]/replace", "the path leads through a value that is not an object"),
        (b"null", "response[0]/replace", "the path leads through a value that is not an object"),
        (b'"a"', "response[0]/replace", "the path leads through a value that is not an object"),
        (b"{", "reading the response", "truncated"),
        (b"", "reading the response", "the body is empty"),
        (b" \r\n", "reading the response", "the body is empty"),
        (b'"\xff"', "reading the response", "the body is not UTF-8 at byte 1"),
    ],
)
def test_a_document_that_does_not_fit_is_told_apart_from_one_that_is_no_json(
    body: bytes, operation: str, sentence: str
) -> None:
    error = refusal([REPLACE], body)
    assert error.operation == operation
    assert error.step == "2.0.0 -> 1.0.0"
    assert sentence in error.sentence


def test_the_search_for_further_places_is_not_blamed_on_the_operation_inside() -> None:
    operations = [{"in": "/rows/*/x", "do": [{"remove": "/y"}]}]
    assert refusal(operations, b'{"rows":[{"x":{}},{}]}').operation == "response[0]"


def test_an_error_of_the_request_says_so() -> None:
    required = {"replace": {"path": "/a", "value": 2, "on_missing": "fail"}}
    with pytest.raises(AdaptError, match=r"request\[0\]/replace at /a"):
        compile_chain([Step(request=[required])]).request(b"{}", Context())


def test_an_error_crosses_between_processes() -> None:
    error = AdaptError("a", "b", "c", "d")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.path) == (str(error), "c")


def test_nan_and_infinity_never_come_out() -> None:
    for operation in (
        {"linear": {"path": "/a/*", "scale": 1e308}},
        {"linear": {"path": "/a/*", "scale": 1e308, "offset": -1e308}},
    ):
        refusal([operation], b'{"a":[1e308]}')
    refusal([{"sigmoid": "/a/*"}], b'{"a":[1e999]}')
    for fidelity in ("normal", "strict"):
        with pytest.raises(AdaptError):
            adapted([{"clamp": {"path": "/a/*", "max": 1}}], b'{"a":[1e999]}', fidelity)


HOSTILE = [
    "'",
    '"',
    "\\",
    "\n",
    "'''",
    '"""',
    "{}",
    "{0}",
    "%s",
    "\0",
    "\u2028",
    "x'] = 1; raise SystemExit #",
    "\ud7ff",
    "é",
    "__class__",
    "None",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_values_stay_data(name: str) -> None:
    escaped = name.replace("~", "~0").replace("/", "~1")
    operations = [
        {"add": {"path": f"/{escaped}", "value": {name: [name]}}},
        {"replace": {"path": f"/{escaped}/{escaped}/0", "value": name}},
        {"move": {"from": f"/{escaped}", "to": f"/new/{escaped}"}},
        {"map_values": {"path": f"/new/{escaped}/{escaped}/*", "table": {name: name}, "default": name}},
        {"add": {"path": "/items", "value": [{name: name, "k": name}]}},
        {"in": f"/items/[k={json.dumps(name)}]", "do": [{"project": {"keep": [name]}}, {"wrap": {"as": name}}]},
        {"zip": {"from": {name: "/items"}, "to": f"/zipped/{escaped}"}},
        {"threshold": {"path": "/t", "at": 1, "above": name, "below": {name: name}}},
        {"test": {"path": f"/zipped/{escaped}/0/{escaped}/{escaped}/{escaped}", "value": name}},
    ]
    assert both(operations, {"t": 0}) == {
        "t": {name: name},
        "new": {name: {name: [name]}},
        "zipped": {name: [{name: {name: {name: name}}}]},
    }


@given(st.text(), st.text())
@example("'\n\"", "\\")
def test_any_text_may_be_a_name_or_a_value(name: str, value: str) -> None:
    escaped = name.replace("~", "~0").replace("/", "~1")
    path = "/" + ("~2" if name == "*" else "~3" + escaped[1:] if name.startswith("[") else escaped)
    assert both([{"add": {"path": path + "/x", "value": value}}], {}) == {name: {"x": value}}


@pytest.mark.parametrize("version", ["1.0.0\nraise SystemExit", "é", "*/ '"])
def test_hostile_versions_stay_in_their_comment(version: str) -> None:
    adapter = compile_chain([Step([REPLACE], source=version)])
    assert adapter.response(b'{"a":1}', Context()) == b'{"a":2}'


def test_scalars_keep_their_text_when_something_looks_for_objects_among_them() -> None:
    operations = [
        {"in": "/a/*", "do": [{"replace": {"path": "/x", "value": 2, "on_missing": "skip"}}]},
        {"remove": "/a/[x=3]"},
    ]
    for fidelity in ("normal", "strict"):
        body = b'{"a":[1.10,{"x":1},"\\u00e9",-0]}'
        assert adapted(operations, body, fidelity) == body.replace(b'"x":1', b'"x":2')


def test_what_an_item_was_selected_by_keeps_its_bytes() -> None:
    body = b'{"a":[{"n":"\\u0073core","i":1.10},{"n":"x","i":1.0}]}'
    for fidelity in ("normal", "strict"):
        operations = [{"replace": {"path": "/a/[n=score]/i", "value": 2}}, {"remove": "/a/[i=3]"}]
        assert adapted(operations, body, fidelity) == body.replace(b"1.10", b"2")


def test_a_string_with_a_repr_of_its_own_is_embedded_as_what_it_is() -> None:
    class Positioned(str):
        def __repr__(self) -> str:
            return "__import__('os')"

    assert adapted([{"add": {"path": Positioned("/b"), "value": Positioned("x")}}], b"{}") == b'{"b":"x"}'


def test_in_can_be_nested_as_deep_as_parsing_allows() -> None:
    operation: Any = {"replace": {"path": "", "value": 1}}
    document: Any = 0
    for _ in range(16):
        operation = {"in": "/*", "do": [operation]}
        document = [document]
    assert adapted([operation], json.dumps(document).encode()) == json.dumps(document).replace("0", "1").encode()


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "hooks_of_a_test.py").write_text(
        "def double(document, context):\n"
        "    return {'twice': document['a'] * 2, 'path': context.path, 'n': document['n']}\n"
        "def breaks(document, context):\n    raise RuntimeError('no luck')\n"
        "def nan(document, context):\n    return [{'x': float('nan')}]\n"
        "def objects(document, context):\n    return {1: 2}\n"
        "def sets(document, context):\n    return {'a': {1}}\n"
        "number = 5\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "hooks_of_a_test"


def test_a_hook_gets_the_decoded_document_and_the_context(hooks: str) -> None:
    step = Step([{"linear": {"path": "/a", "offset": 1}}], hook=f"{hooks}:double")
    adapter = compile_chain([step])
    context = Context("POST", "/infer", {}, b"{}")
    assert json.loads(adapter.response(b'{"a":1,"n":[1.5]}', context)) == {"twice": 4, "path": "/infer", "n": [1.5]}
    assert adapter.unproved == (f"{hooks}:double",)
    assert "# unproved" in adapter.source


def test_operations_go_on_after_a_hook(hooks: str) -> None:
    steps = [Step(hook=f"{hooks}:double", source="3.0.0", target="2.0.0"), Step([{"remove": "/path"}, {"wrap": "/n"}])]
    assert compile_chain(steps).response(b'{"a":1,"n":1}', Context()) == b'{"twice":2,"n":[1]}'


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("breaks", "the hook raised RuntimeError: no luck"),
        ("nan", "NaN and infinities"),
        ("objects", "the name of a member is a string"),
        ("sets", "a Python set has no JSON form"),
    ],
)
def test_a_hook_that_fails_or_returns_no_json_is_an_adapt_error(hooks: str, name: str, sentence: str) -> None:
    with pytest.raises(AdaptError) as error:
        compile_chain([Step(hook=f"{hooks}:{name}")]).response(b"{}", Context())
    assert error.value.operation == f"hook {hooks}:{name}"
    assert sentence in error.value.sentence


@pytest.mark.parametrize(
    "reference", ["no_such_module:x", "hooks_of_a_test:nothing", "hooks_of_a_test:number", "hooks_of_a_test", ""]
)
def test_a_hook_that_cannot_be_used_is_refused_when_compiled(hooks: str, reference: str) -> None:
    with pytest.raises(OperationError, match="hook"):
        compile_chain([Step(hook=reference)])


def test_a_compiled_chain_keeps_nothing_of_the_bodies() -> None:
    adapter = compiled({"sigmoid": "/a/*"}, {"copy": {"from": "/a", "to": "/b"}})
    body = json.dumps({"a": [0.5] * 20_000}).encode()
    adapter.response(body, Context())
    gc.collect()
    tracemalloc.start()
    for _ in range(5):
        adapter.response(body, Context())
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 50_000


def test_a_request_that_leaves_a_part_out_is_adapted_and_an_answer_that_does_is_not() -> None:
    operations = [{"replace": {"path": "/outputs/[name=probability]/name", "value": "score"}}]
    adapter = compile_chain([Step(operations, operations)])
    assert adapter.request(b'{"inputs":[]}', Context()) == b'{"inputs":[]}'
    with pytest.raises(AdaptError, match="outputs"):
        adapter.response(b'{"inputs":[]}', Context())


def test_a_request_whose_part_must_be_there_is_refused_without_it() -> None:
    operations = [{"move": {"from": "/instances", "to": "/inputs", "on_missing": "fail"}}]
    with pytest.raises(AdaptError, match="instances"):
        compile_chain([Step(request=operations)]).request(b"{}", Context())
