"""Options for the numeric operations, and members of a document that they mostly fit."""

import base64
from typing import Any

from hypothesis import strategies as st

numbers = st.one_of(
    st.floats(-50, 50),
    st.integers(-300, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**64 - 1),
)
odd = st.none() | st.booleans() | st.just("x") | st.lists(st.integers(), max_size=2)
policies = st.sampled_from(["fail", "skip"])


def mostly(likely: st.SearchStrategy[Any], unlikely: st.SearchStrategy[Any] = odd) -> st.SearchStrategy[Any]:
    return st.one_of(*[likely] * 9, unlikely)


def vectors(items: st.SearchStrategy[Any], size: int = 6) -> st.SearchStrategy[Any]:
    return mostly(st.lists(items, max_size=size), st.lists(mostly(items), max_size=size))


@st.composite
def boxes(draw: st.DrawFn) -> list[Any]:
    x, y, width, height = (draw(st.floats(0, 100) | st.integers(0, 100)) for _ in range(4))
    return draw(mostly(st.just([x, y, x + width, y + height]) | st.just([x, y, width, height]), vectors(numbers, 5)))


@st.composite
def detections(draw: st.DrawFn) -> dict[str, Any]:
    found = dict(zip(("x1", "y1", "x2", "y2"), draw(boxes()), strict=False))
    return {**found, "score": draw(mostly(numbers)), **draw(st.sampled_from([{}, {"x": 1}, {"class": "cat"}]))}


errors = st.one_of(
    st.sampled_from(
        [
            {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no such model"},
            {"type": "https://example.org/out-of-quota", "title": "Out of quota", "status": 429},
            {"error": "no such model"},
            {"error": {"message": "no such model", "type": "not_found_error", "param": None, "code": "model"}},
            {"error": {"message": "bad", "type": "BadRequestError", "param": None, "code": 400}},
            {"type": "error", "error": {"type": "not_found_error", "message": "no such model"}},
            {"detail": "no such model"},
            {"detail": [{"loc": ["body", "x", 0], "msg": "field required", "type": "missing"}]},
            {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such model"},
        ]
    ),
    st.dictionaries(
        st.sampled_from(["error", "detail", "title", "message", "error_code", "status"]),
        st.text(max_size=3) | odd | st.lists(st.dictionaries(st.sampled_from(["loc", "msg"]), odd), max_size=2),
        max_size=3,
    ),
)

MEMBERS = st.fixed_dictionaries(
    {
        "logits": vectors(numbers),
        "shares": vectors(st.floats(0, 1) | st.integers(0, 3)),
        "batch": vectors(vectors(st.floats(-1, 1), 3), 3),
        "by_label": st.dictionaries(st.sampled_from("abc"), mostly(st.floats(0, 1))),
        "bytes": vectors(st.integers(0, 127), 4),
        "signed": vectors(st.integers(-128, 255), 4),
        "encoded": st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode()) | odd,
        "box": boxes(),
        "boxes": st.lists(mostly(boxes()), max_size=3),
        "detections": st.lists(mostly(detections()), max_size=3),
        "size": st.just([640, 480]) | vectors(numbers, 2),
        "failure": errors | odd,
    }
)
each_number = st.sampled_from(["/logits/*", "/shares/*", "/batch/*/*", "/by_label/*", "/detections/*/score", "/size/0"])
arrays = st.sampled_from(["/logits", "/shares", "/batch", "/batch/*", "/by_label", "/box", "/bytes", "/encoded"])


def options(
    path: st.SearchStrategy[str], given: Any = None, **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"path": path, "on_missing": policies, **(given or {})}, optional=optional)


def choice(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def box_options() -> st.SearchStrategy[Any]:
    formats = {"from": choice("xyxy", "xywh", "cxcywh"), "to": choice("xyxy", "xywh", "cxcywh")}
    sizes = st.one_of(
        st.just({}),
        st.fixed_dictionaries(
            {
                "from_unit": choice("pixel", "relative"),
                "size": choice([640, 480], {"document": "/size"}, {"request": "/b/c"}),
            }
        ).map(lambda raw: {**raw, "to_unit": "relative" if raw["from_unit"] == "pixel" else "pixel"}),
        st.just({"to_unit": "relative", "width": {"request": "/a"}, "height": {"header": "x-a"}}),
    )
    forms = st.one_of(
        options(choice("/boxes", "/box", "/boxes/*", "/batch"), formats),
        options(choice("/boxes", "/box"), formats, to_members=st.just(["x", "y", "w", "h"])),
        options(
            choice("/detections", "/detections/*"),
            {**formats, "from_members": st.just(["x1", "y1", "x2", "y2"])},
            to_members=choice(["x", "y", "w", "h"], ["x1", "y1", "w", "h"]),
        ),
    )
    rounded = st.fixed_dictionaries({}, optional={"digits": st.integers(0, 3)})
    return st.tuples(forms, sizes, rounded).map(lambda parts: {**parts[0], **parts[1], **parts[2]})


datatypes = choice("BOOL", "INT8", "UINT8", "INT16", "UINT32", "INT64", "FP16", "BF16", "FP32", "FP64")
shapes = choice([-1], [2], [-1, 2], [1, -1], [2, 2])

OPERATIONS: dict[str, st.SearchStrategy[Any]] = {
    "exp": options(each_number, base=choice("e", 2, 10, 1.5)),
    "log": options(each_number, base=choice("e", 2, 10, 1.5), epsilon=st.floats(1e-12, 0.5)),
    "round_to": options(each_number, {"multiple": choice(1, 5, 0.05, 0.1, 2.5, 0.3, 1e-7)}),
    "normalize": options(arrays, {"norm": choice("l1", "l2")})
    | options(choice("/detections"), {"norm": choice("l1", "l2"), "by": choice("/score", "/x", "")}),
    "slice_dims": options(arrays, {"dims": st.integers(1, 3)}, renormalize=st.booleans()),
    "dequantize": options(
        choice("/bytes", "/signed"),
        {"from": choice("int8", "uint8"), "scale": choice(0.1, 1, [0.5, 0.25])},
        zero_point=choice(0, 7, [-1, 3]),
    )
    | options(
        choice("/bytes", "/signed"),
        {"from": choice("binary", "ubinary")},
        dims=st.integers(1, 16),
        values=choice([0, 1]),
    ),
    "quantize": options(
        choice("/logits", "/batch", "/shares"),
        {"to": choice("int8", "uint8"), "scale": choice(0.1, 1, [0.5, 0.25])},
        zero_point=choice(0, 7, [-1, 3]),
    )
    | options(choice("/logits", "/batch", "/shares"), {"to": choice("binary", "ubinary")}),
    "tensor_decode": options(
        choice("/encoded", "/bytes"), {"datatype": datatypes}, shape=shapes, order=choice("little", "big")
    ),
    "tensor_encode": options(
        choice("/bytes", "/signed", "/logits", "/batch", "/size"),
        {"datatype": datatypes},
        shape=shapes,
        order=choice("little", "big"),
    ),
    "box_convert": box_options(),
    "error_map": options(
        choice("/failure"),
        {
            "from": choice("problem", "v2", "openai", "anthropic", "fastapi", "mlflow", "tfserving"),
            "to": choice("problem", "v2", "openai", "anthropic", "fastapi", "mlflow", "tfserving"),
        },
        status=choice(400, 422, 503),
        fallback=st.just("the model failed"),
    ),
}
