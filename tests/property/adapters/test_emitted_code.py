"""Generated code does what the reference interpreter does, for every operation, on documents that mostly fit."""

from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.context import Context
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.table import NAMES
from tests.kit.adapters import both
from tests.property.adapters import collection_operations, numeric_operations

names = st.sampled_from(["a", "b", "data", "name", "shape", "0", "1", "-", "*", "[a=b]", "a/b", "a~b", "é", "'\"\n\\"])
numbers = st.one_of(
    st.floats(-50, 50),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**64 - 1),
)
texts = st.sampled_from(["a", "b", "1", "2.5", "true", "x\u2028y", "é", "", "\U0001f600"])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, Any]:
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    count = draw(st.sampled_from([prod(shape)] * 5 + [prod(shape) + 1]))
    data = draw(st.lists(draw(st.sampled_from([numbers, numbers, texts, scalars])), min_size=count, max_size=count))
    return {
        "name": draw(st.sampled_from(["x", "y"])),
        "shape": shape,
        "datatype": "FP64",
        "data": data,
        "a": draw(values),
    }


@st.composite
def fitting(draw: st.DrawFn) -> dict[str, Any]:
    """A document that has something for every operation."""
    size = draw(st.integers(1, 3))
    rows = st.lists(numbers, min_size=size, max_size=size)
    item = st.fixed_dictionaries(
        {"name": st.sampled_from(["score", "x", "1", 1]), "data": rows, "p": st.floats(0, 1) | numbers},
        optional={"a": values, "0": values},
    )
    entry = st.fixed_dictionaries({"name": texts | st.just("k"), "data": values})
    document = {
        "numbers": draw(rows),
        "map": draw(st.dictionaries(names, numbers, max_size=3)),
        "matrix": draw(st.lists(rows, max_size=3)),
        "labels": draw(st.lists(st.sampled_from(["a", "b", 1, True, None]), min_size=size, max_size=size)),
        "scalar": draw(scalars),
        "probability": draw(st.floats(0, 1)),
        "items": draw(st.lists(item, min_size=1, max_size=3)),
        "entries": draw(st.lists(entry, max_size=3)),
        "one": [draw(values)],
        "outputs": draw(st.lists(tensors(), min_size=1, max_size=2)),
        "records": [{"x": draw(numbers), "y": draw(texts)} for _ in range(size)],
        "a": draw(values),
        "b": draw(values),
    }
    for name in draw(st.sets(st.sampled_from(sorted(document)), max_size=2)):
        del document[name]
    return document


documents = st.one_of(fitting(), fitting(), fitting(), values)


def documents_for(name: str) -> st.SearchStrategy[Any]:
    """Documents that mostly have something for the operation."""
    for group in (numeric_operations, collection_operations):
        if name in group.OPERATIONS:
            members: st.SearchStrategy[Any] = group.MEMBERS
            return members
    return st.one_of(documents, documents, collection_operations.MEMBERS) if name == "map_values" else documents


def escaped(name: str) -> str:
    name = name.replace("~", "~0").replace("/", "~1")
    return "~2" if name == "*" else name.replace("[", "~3", 1) if name.startswith("[") else name


segments = names.map(escaped) | st.sampled_from(
    [
        "a",
        "b",
        "items",
        "data",
        "0",
        "*",
        "[name=score]",
        "[name=1]",
        '[name="1"]',
        "[a=true]",
        "[p=0]",
        "map",
        "matrix",
    ]
)


def joined(parts: list[str]) -> str:
    return "".join("/" + part for part in parts)


wild = st.lists(segments, max_size=3).map(joined)
ITEMS = ["/items", "/items/*", "/items/[name=score]", "/items/0"]


def places(*likely: str) -> st.SearchStrategy[str]:
    """Mostly these paths, and sometimes any."""
    return st.one_of(*[st.sampled_from(likely)] * 4, wild)


somewhere = places(
    "/a", "/b", "/scalar", "/items/*/a", "/items/0", "/map/*", "/items/[name=x]/data", "/numbers/0", "", "/*"
)
single = st.sampled_from(
    ["/a", "/b", "/items/0/data", "/items/[name=score]", "/items/[name=x]/data", "/matrix/0", "/numbers"]
)
ends = st.sampled_from(
    ["/new", "/a", "/new/deep/er", "/items/0/a", "/items/-", "/numbers/1", "/items/[name=score]/new", "/b/c"]
)
policies = st.sampled_from(["fail", "skip"])


def options(
    path: st.SearchStrategy[str], given: Any = None, **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"path": path, "on_missing": policies, **(given or {})}, optional=optional)


REQUEST = b'{"a": 2, "b": {"c": [1.5, "x"]}, "items": [{"name": "score"}]}'


def asked() -> Context:
    """The context of every document here."""
    context = Context("POST", "/models/churn", {"model": "churn"}, REQUEST, {"x-a": "1"})
    context.carried["c"] = 3
    return context


def references(*likely: str) -> st.SearchStrategy[Any]:
    """Values from everywhere, half of them with a default."""
    sources = st.one_of(
        st.sampled_from(["field", "document"]).flatmap(lambda s: st.fixed_dictionaries({s: st.sampled_from(likely)})),
        st.sampled_from(
            [{"request": "/a"}, {"request": "/b/c"}, {"carried": "c"}, {"param": "model"}, {"header": "x-a"}]
        ),
    )
    return sources | st.builds(lambda source, default: {**source, "default": default}, sources, numbers)


FIELDS = ("/a", "/items/0/p", "/items/[name=score]", "/p", "/numbers/0", "", "/data")
anything = st.one_of(values, values, references(*FIELDS))


def or_reference(constants: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly a constant."""
    return st.one_of(constants, constants, constants, references("/numbers/0", "/p", "/items/0/p", "/scalar"))


number = st.floats(-1e3, 1e3) | st.integers(-5, 5)
in_items = st.sampled_from(["/a", "/data", "/new", "/0", "/p"]).map("/items/*".__add__)
transfers = st.one_of(
    st.fixed_dictionaries({"from": single, "to": ends, "on_missing": policies}),
    st.fixed_dictionaries({"from": single, "to": ends, "default": values}),
    st.fixed_dictionaries({"from": in_items, "to": in_items, "on_missing": policies}),
    st.fixed_dictionaries({"from": st.sampled_from(["/a/b", "/items/0", "/one/0"]), "to": st.sampled_from(["/a", ""])}),
).filter(lambda raw: not (raw["to"] + "/").startswith(raw["from"] + "/"))
each_number = places(
    "/numbers/*", "/map/*", "/matrix/*/*", "/items/*/data/*", "/items/[name=score]/data/*", "/items/*/p", "/scalar"
)
each_scalar = places("/labels/*", "/scalar", "/items/*/name", "/map/*", "/numbers/*")
arrays = places("/numbers", "/matrix/*", "/matrix", "/items/*/data", "/labels", "/items", "/one")
table = st.dictionaries(st.sampled_from(["a", "b", "1", "0", "true", "null", "score", "x"]), values, min_size=4)

OPERATIONS: dict[str, st.SearchStrategy[Any]] = {
    "add": st.fixed_dictionaries({"path": ends | st.just("/items/*/new/x") | st.just(""), "value": anything}),
    "remove": st.fixed_dictionaries({"path": somewhere.filter(bool)}, optional={"on_missing": policies}),
    "replace": options(somewhere, {"value": anything}),
    "test": options(
        st.sampled_from(["/probability", "/one", "/scalar"]),
        {"value": or_reference(st.sampled_from([0, 1, [None], True, ""]))},
    ),
    "move": transfers,
    "copy": transfers,
    "zip": st.fixed_dictionaries(
        {"from": st.fixed_dictionaries({"x": st.just("/labels"), "y": st.just("/numbers") | single}), "to": ends}
    ),
    "unzip": st.fixed_dictionaries(
        {"from": st.just("/records") | single, "to": st.just({"x": "/left", "y": "/new/right"}) | st.just({"x": "/x"})}
    ),
    "carry": st.fixed_dictionaries({"from": single, "as": st.just("c"), "on_missing": policies})
    | st.fixed_dictionaries({"from": single, "as": st.just("c"), "default": values}),
    "map_values": options(each_scalar, {"table": table})
    | options(each_scalar, {"table": table}, default=values)
    | collection_operations.REMOVING,
    "cast": options(each_scalar, {"to": st.sampled_from(["string", "integer", "number", "boolean"])}),
    "linear": options(each_number, {"scale": or_reference(number.filter(bool)), "offset": or_reference(number)}),
    "clamp": options(each_number, {"min": or_reference(st.floats(-5, 0)), "max": or_reference(st.floats(0, 5))}),
    "round": options(each_number, digits=st.integers(0, 15)),
    "sigmoid": options(each_number),
    "logit": options(places("/probability", "/items/*/p", "/numbers/*"), epsilon=st.floats(1e-9, 0.4)),
    "threshold": options(each_number, {"at": or_reference(number)}, above=values, below=values),
    "wrap": options(somewhere, **{"as": names}),
    "head": options(places("/one", "/numbers", "/matrix", "/items")),
    "project": options(places("/map", "/items/*", "", "/a"), {"keep": st.lists(names | st.just("items"), unique=True)}),
    "slice": options(arrays, {"start": st.integers(0, 3), "end": or_reference(st.integers(0, 4))}),
    "sort_by": options(places("/numbers", "/matrix/*"), order=st.sampled_from(["ascending", "descending"]))
    | options(places("/items", "/records"), {"by": st.sampled_from(["/name", "/p", "/y", "/x"])}),
    "top_k": options(arrays, {"k": or_reference(st.integers(0, 3))})
    | options(places("/items"), {"k": st.integers(0, 3), "by": st.sampled_from(["/name", "/p"])}),
    "to_entries": options(places("/map", "/items/*", "/a", ""), key=st.just("k"), value=st.just("v")),
    "from_entries": options(places("/entries"), {"key": st.just("name"), "value": st.just("data")}),
    "softmax": options(arrays),
    "argmax": options(arrays, labels=st.lists(values, min_size=2, max_size=3)),
    "flatten": options(arrays),
    "reshape": options(
        arrays, {"shape": st.lists(st.integers(1, 2), min_size=1, max_size=3) | st.sampled_from([[-1], [1, -1]])}
    ),
    "tensor_to_rows": st.fixed_dictionaries(
        {}, optional={"squeeze": st.booleans(), "keep": st.just(["a", "b"]), "tensor": st.just("x")}
    ),
    "rows_to_tensor": st.fixed_dictionaries(
        {
            "from": st.sampled_from(["matrix", "numbers", "labels"]),
            "tensors": st.sampled_from(["FP64", "INT64", "BYTES", "BOOL"]).map(
                lambda t: [{"name": "x", "datatype": t}]
            ),
        },
        optional={"keep": st.just(["a"])},
    )
    | st.just(
        {
            "from": "records",
            "tensors": [{"name": "x", "datatype": "FP32"}, {"name": "y", "datatype": "BYTES", "shape": []}],
        }
    ),
    **numeric_operations.OPERATIONS,
    **collection_operations.OPERATIONS,
}


def test_every_operation_of_the_table_is_generated_here() -> None:
    assert {*OPERATIONS, *HEAD_EDITS, "in"} == set(NAMES)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_generated_code_equals_the_interpreter(name: str, data: st.DataObject) -> None:
    operation = {name: data.draw(OPERATIONS[name], label="options")}
    both([operation], data.draw(documents_for(name), label="document"), asked)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_generated_code_equals_the_interpreter_inside_of_in(name: str, data: st.DataObject) -> None:
    operation = {name: data.draw(OPERATIONS[name], label="options")}
    path = data.draw(places("", "/items/*", "/items/[name=score]", "/a", "/items"), label="in")
    document = data.draw(documents_for(name), label="document")
    both([{"in": path, "do": [operation, operation], "on_missing": data.draw(policies)}], document, asked)
    where = data.draw(collection_operations.conditions, label="where")
    both(
        [{"in": path, "where": where, "do": [operation], "on_missing": data.draw(policies)}, operation], document, asked
    )


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_generated_code_equals_the_interpreter_in_chains(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=2, max_size=4))
    operations = [{name: data.draw(OPERATIONS[name], label=name)} for name in chosen]
    document = data.draw(st.one_of([*map(documents_for, chosen)]), label="document")
    both(operations, document, asked)
