"""Generated code does what the reference interpreter does, for every operation, on documents that mostly fit."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stepdown_adapters.operations.table import NAMES

from tests.kit.adapters import both

names = st.sampled_from(["a", "b", "data", "name", "shape", "0", "1", "-", "*", "[a=b]", "a/b", "a~b", "é", "'\"\n\\"])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1, 2),
    st.integers(-3, 3),
    st.sampled_from(["a", "b", "1", "2.5", "true", "x\u2028y", "é", ""]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
numbers = st.lists(st.floats(-50, 50) | st.integers(-5, 5), max_size=5)
items = st.fixed_dictionaries(
    {"name": st.sampled_from(["score", "x", "1"]), "data": numbers | values}, optional={"a": values, "shape": values}
)
documents = st.one_of(
    values,
    st.fixed_dictionaries({}, optional={"a": values, "b": numbers, "items": st.lists(items, max_size=3), "0": values}),
    st.fixed_dictionaries({"a": st.dictionaries(names, values, max_size=3), "items": st.lists(items | values, max_size=3)}),
)


def escaped(name: str) -> str:
    name = name.replace("~", "~0").replace("/", "~1")
    return "~2" if name == "*" else name.replace("[", "~3", 1) if name.startswith("[") else name


segments = st.one_of(
    names.map(escaped),
    st.sampled_from(["a", "b", "items", "data", "name", "0"]),
    st.just("*"),
    st.sampled_from(["[name=score]", "[name=1]", '[name="1"]', "[a=true]", "[data=0]"]),
)
paths = st.lists(segments, max_size=3).map(lambda parts: "".join("/" + part for part in parts))
below = st.lists(segments, min_size=1, max_size=3).map(lambda parts: "".join("/" + part for part in parts))
ends = st.tuples(st.lists(segments, max_size=2), names.map(escaped) | st.sampled_from(["a", "0", "-"])).map(
    lambda parts: "".join("/" + part for part in (*parts[0], parts[1]))
)
policies = st.sampled_from(["fail", "skip"])


def options(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"path": paths, "on_missing": policies}, optional=fields)


def required(path: st.SearchStrategy[str] = paths, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"path": path, "on_missing": policies, **fields})


number = st.floats(-1e3, 1e3) | st.integers(-5, 5)
single = st.lists(st.sampled_from(["a", "b", "items", "data", "0", "[name=score]"]), min_size=1, max_size=3).map(
    lambda parts: "".join("/" + part for part in parts)
)
single_end = st.lists(st.sampled_from(["a", "b", "items", "0", "-"]), min_size=1, max_size=3).map(
    lambda parts: "".join("/" + part for part in parts)
)
transfer = st.one_of(
    st.fixed_dictionaries({"from": single, "to": single_end, "on_missing": policies}),
    st.fixed_dictionaries({"from": single, "to": single_end, "default": values}),
    st.fixed_dictionaries({"from": single.map("/items/*".__add__), "to": single_end.map("/items/*".__add__)}),
).filter(lambda raw: not (raw["to"] + "/").startswith(raw["from"] + "/"))

OPERATIONS: dict[str, st.SearchStrategy[Any]] = {
    "add": st.fixed_dictionaries({"path": ends, "value": values}),
    "remove": st.fixed_dictionaries({"path": below}, optional={"on_missing": policies}),
    "replace": required(value=values),
    "test": required(value=values),
    "move": transfer,
    "copy": transfer,
    "zip": st.fixed_dictionaries(
        {"from": st.fixed_dictionaries({"x": st.just("/b"), "y": single}), "to": single_end}
    ),
    "unzip": st.fixed_dictionaries(
        {"from": single, "to": st.just({"name": "/left", "data": "/a/right"})}
    ),
    "map_values": required(
        table=st.dictionaries(st.sampled_from(["a", "b", "1", "0", "true", "null", "score"]), values, min_size=1)
    )
    | required(table=st.just({"a": 1, "1": "one"}), default=values),
    "cast": required(to=st.sampled_from(["string", "integer", "number", "boolean"])),
    "linear": required(scale=number.filter(bool), offset=number),
    "clamp": required(min=st.floats(-5, 0), max=st.floats(0, 5)),
    "round": options(digits=st.integers(0, 15)),
    "sigmoid": options(),
    "logit": options(epsilon=st.floats(1e-9, 0.4)),
    "threshold": required(at=number) | required(at=number, above=values, below=values),
    "wrap": options(**{"as": names}),
    "head": options(),
    "project": required(keep=st.lists(names, unique=True)),
    "slice": required(start=st.integers(0, 3), end=st.integers(0, 4)),
    "sort_by": options(by=st.sampled_from(["", "/name", "/data"]), order=st.sampled_from(["ascending", "descending"])),
    "top_k": required(k=st.integers(0, 3)) | required(k=st.integers(0, 3), by=st.just("/name")),
    "to_entries": options(key=st.just("k"), value=st.just("v")),
    "from_entries": options(key=st.just("name"), value=st.just("data")),
    "softmax": options(),
    "argmax": options(labels=st.lists(values, min_size=2, max_size=3)),
    "flatten": options(),
    "reshape": required(shape=st.lists(st.integers(1, 3), min_size=1, max_size=3) | st.just([2, -1])),
    "tensor_to_rows": st.fixed_dictionaries(
        {"from": st.just("items")}, optional={"squeeze": st.booleans(), "keep": st.just(["a"]), "tensor": st.just("x")}
    ),
    "rows_to_tensor": st.fixed_dictionaries(
        {"from": st.just("b"), "tensors": st.just([{"name": "x", "datatype": "FP64"}])}, optional={"keep": st.just(["a"])}
    ),
}


def test_every_operation_of_the_table_is_generated_here() -> None:
    assert {*OPERATIONS, "in"} == set(NAMES)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_generated_code_equals_the_interpreter(name: str, data: st.DataObject) -> None:
    operation = {name: data.draw(OPERATIONS[name], label="options")}
    both([operation], data.draw(documents, label="document"))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_generated_code_equals_the_interpreter_inside_of_in(name: str, data: st.DataObject) -> None:
    operation = {name: data.draw(OPERATIONS[name], label="options")}
    path = data.draw(paths, label="in")
    both([{"in": path, "do": [operation, operation], "on_missing": data.draw(policies)}], data.draw(documents))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_generated_code_equals_the_interpreter_in_chains(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=2, max_size=4))
    operations = [{name: data.draw(OPERATIONS[name], label=name)} for name in chosen]
    both(operations, data.draw(documents, label="document"))
