"""Options for the operations on collections, texts and times, and members of a document that they mostly fit."""

from typing import Any

from hypothesis import strategies as st

policies = st.sampled_from(["fail", "skip"])
words = st.sampled_from(["a", "b", "a,b", "", "é", "x, y", "1", "true", "{", "\U0001f600"])
numbers = st.integers(-5, 5) | st.floats(-1e3, 1e3) | st.sampled_from([1e308, 2**63, 2**64 - 1, 0.1])
odd = st.none() | st.booleans() | numbers | words | st.lists(words, max_size=2)


def mostly(likely: st.SearchStrategy[Any], unlikely: st.SearchStrategy[Any] = odd) -> st.SearchStrategy[Any]:
    # Not `one_of`, which would give each alternative inside of `unlikely` the weight of `likely`.
    return st.integers(0, 19).flatmap(lambda number: unlikely if number == 19 else likely)


parts = st.fixed_dictionaries(
    {"type": mostly(st.sampled_from(["text", "image", "refusal", "1"]))},
    optional={"text": mostly(words), "score": mostly(numbers), "box": st.fixed_dictionaries({"area": mostly(numbers)})},
)
scored = st.fixed_dictionaries(
    {"label": mostly(st.sampled_from(["a", "b"])), "score": mostly(numbers)},
    optional={"box": st.fixed_dictionaries({"area": numbers})},
)
times = st.one_of(
    st.integers(-(2**40), 2**40),
    st.integers(0, 2**62),
    st.floats(0, 2e9),
    st.sampled_from([1e300, 1.5, -62135596800, -62135596801, 253402300799, 253402300800, 0.000000001, 1.1e-10]),
)
stamps = st.sampled_from(
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31 12:00:00.123456789+05:30",
        "2026-01-31t23:59:59.5z",
        "2026-02-30T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-31T12:00:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999999Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31",
        "20260131",
        "1969-12-31T23:59:59.999999999-00:00",
    ]
)

MEMBERS = st.fixed_dictionaries(
    {
        "parts": st.lists(mostly(parts), max_size=4),
        "scored": st.lists(mostly(scored), min_size=2, max_size=4),
        "twice": st.lists(st.sampled_from(["a", "b", 1, True, 1.0, [1], [1.0], [True]]), min_size=2, max_size=5),
        "words": st.lists(mostly(words), max_size=3),
        "word": mostly(words),
        "type": mostly(st.sampled_from(["text", "a", "1"])),
        "encoded": st.sampled_from(["YQ==", "YQ", "w6k=", "-_8=", "+/8=", "Y", "a b", "", "YR==", 5, "\xe9"]),
        "names": st.dictionaries(words, mostly(numbers), max_size=3),
        "times": st.lists(mostly(times), min_size=1, max_size=2),
        "stamps": st.lists(mostly(stamps), min_size=1, max_size=2),
        "usage": st.fixed_dictionaries(
            {"input": mostly(numbers)}, optional={"output": mostly(numbers), "each": st.lists(numbers, max_size=2)}
        ),
    }
)

arrays = st.sampled_from(["/parts", "/scored", "/words", "/usage/each", "/times"])
targets = st.sampled_from(["/new", "/usage/total", "/words/-", "/words/0", "/parts/[type=text]/new", "/new/deep"])
values: st.SearchStrategy[Any] = st.sampled_from(["text", "a", 1, 1.0, True, None, [], "1"])
tests = st.one_of(
    st.fixed_dictionaries({}, optional={"equals": values, "not_equals": values, "exists": st.booleans()}),
    st.fixed_dictionaries({}, optional={"in": st.lists(values, max_size=3), "not_in": st.lists(values, max_size=3)}),
    st.fixed_dictionaries({}, optional={"at_least": numbers, "over": numbers, "at_most": numbers, "under": numbers}),
).filter(bool)
places = st.sampled_from(["", "/type", "/score", "/box/area", "/label", "/0", "/[type=text]/score", "/parts/1"])
conditions = st.builds(lambda test, path: {**test, "path": path}, tests, places)
forms = st.sampled_from(["s", "ms", "us", "ns", "rfc3339", "date"])
inner = st.sampled_from(
    [
        [],
        [{"remove": "/text"}],
        [{"move": {"from": "/text", "to": "/deep/text"}}],
        [{"add": {"path": "/seen", "value": 1}}, {"test": {"path": "/score", "value": 1, "on_missing": "skip"}}],
        [{"wrap": ""}],
        [{"in": "/box", "do": [{"add": {"path": "/in", "value": {"field": "/area", "default": 0}}}]}],
    ]
)
table = st.dictionaries(st.sampled_from(["a", "b", "1", "true", "text", "é"]), odd, min_size=1)


def options(path: st.SearchStrategy[str], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"path": path, "on_missing": policies, **more})


@st.composite
def in_time(draw: st.DrawFn) -> dict[str, Any]:
    source = draw(forms)
    target = draw(forms.filter(lambda form: form != source))
    read = "/stamps/*" if source in ("rfc3339", "date") else "/times/*"
    found: dict[str, Any] = {"path": read, "from": source, "to": target, "on_missing": draw(policies)}
    if draw(st.booleans()):
        found["on_finer"] = "cut"
    if target in ("rfc3339", "s") and draw(st.booleans()):
        found["digits"] = draw(st.integers(0, 9 if target == "rfc3339" else 6))
    if (target == "rfc3339" or "date" in (source, target)) and draw(st.booleans()):
        found["offset"] = draw(st.sampled_from(["Z", "+05:30", "-11:59"]))
    if source == "rfc3339" and draw(st.booleans()):
        found["assume"] = draw(st.sampled_from(["Z", "+01:00"]))
    return found


sources = st.sampled_from(
    [
        "/words",
        "/parts",
        "/usage/each",
        "/times",
        "/words/0",
        "/parts/[type=text]/text",
        "/absent",
        "/parts/[type=image]",
    ]
)

OPERATIONS: dict[str, st.SearchStrategy[Any]] = {
    "concat": st.fixed_dictionaries(
        {"from": st.lists(sources, min_size=1, max_size=3, unique=True), "to": targets, "on_missing": policies}
    ),
    "sum": st.fixed_dictionaries(
        {
            "from": st.lists(
                st.sampled_from(
                    ["/usage/input", "/usage/output", "/parts/*/score", "/times/*", "/usage/each/*", "/word"]
                ),
                min_size=1,
                max_size=3,
            ),
            "to": targets,
            "on_missing": policies,
        }
    ),
    "count": st.fixed_dictionaries({"from": sources | st.sampled_from(["", "/usage"]), "to": targets}),
    "refuse": st.fixed_dictionaries(
        {"reason": st.sampled_from(["gone", 'it\'s "no"\n\\']), "when": st.lists(conditions, min_size=1, max_size=2)}
    )
    | st.just({"reason": "never"}),
    "case": st.fixed_dictionaries(
        {
            "path": st.sampled_from(["/word", "/parts/0/type", "/type", "/words/0", "/parts/[type=text]/score"]),
            "when": st.dictionaries(st.sampled_from(["a", "text", "1", "true", "é", "it's\n"]), inner, min_size=1),
            "otherwise": st.sampled_from(["fail", "skip", "skip"]) | inner,
            "on_missing": policies,
        }
    ),
    "filter": options(arrays, where=conditions | st.lists(conditions, min_size=1, max_size=2)),
    "unique": options(arrays | st.just("/twice"))
    | options(st.sampled_from(["/parts", "/scored"]), by=st.sampled_from(["/type", "/score", "/label", "/box/area"])),
    "group": options(
        st.sampled_from(["/scored", "/scored", "/scored", "/parts"]),
        by=st.sampled_from(["/label", "/label", "/label", "/type", "/box"]),
    ).flatmap(
        lambda given: st.sampled_from(
            [{"sum": "/score"}, {"max": "/score"}, {"mean": "/score"}, {"min": "/score", "sum": "/box/area"}]
        ).map(lambda how: {**given, **how})
    ),
    "map_keys": options(
        st.sampled_from(["/names", "/names", "/usage", "/parts/0"]),
        table=st.dictionaries(words, words, min_size=1),
        on_unmapped=st.sampled_from(["fail", "keep", "remove"]),
    ),
    "join": options(st.sampled_from(["/words", "/words", "/parts", "/word"]), separator=words),
    "split": options(st.sampled_from(["/word", "/words/*", "/parts/*/text"]), separator=words.filter(bool)),
    "format": options(
        st.sampled_from(["/scored/*", "/scored/*", "/parts/*", "/word", "/words"]),
        template=st.sampled_from(["{label}: {score}", "{}", "{{{label}}}", "{/box/area} m", "é {/0}", "plain"]),
    ),
    "encode": options(st.sampled_from(["/word", "/words/*"]), **{"as": st.sampled_from(["base64", "base64url"])}),
    "decode": options(st.just("/encoded"), **{"from": st.sampled_from(["base64", "base64url"])}),
    "format_time": in_time(),
}
REMOVING = st.fixed_dictionaries(
    {
        "path": st.sampled_from(
            [
                "/words/*",
                "/words/0",
                "/word",
                "/names/*",
                "/parts/[type=text]/text",
                "/parts/*/type",
                "/parts/[type=text]",
            ]
        ),
        "table": table,
        "on_unmapped": st.just("remove"),
        "on_missing": policies,
    }
)
"""Of `map_values`."""
