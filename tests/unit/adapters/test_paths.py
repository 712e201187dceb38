import pytest

from stepdown_adapters.errors import PathError
from stepdown_adapters.paths import Every, Member, Path, Where, parse


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", ()),
        ("/", (Member(""),)),
        ("/a/0", (Member("a"), Member("0"))),
        ("/a~1b/m~0n", (Member("a/b"), Member("m~n"))),
        ("/~01", (Member("~1"),)),
        ("/outputs/*/data", (Member("outputs"), Every(), Member("data"))),
        ("/~2/~3a", (Member("*"), Member("[a"))),
        ("/[name=score]/x", (Where("name", "score"), Member("x"))),
        ("/[type=text/plain]/x", (Where("type", "text/plain"), Member("x"))),
        ("/[a=]", (Where("a", ""),)),
        ("/[a=b]c]", (Where("a", "b]c"),)),
        ('/[a="1"]', (Where("a", "1", True),)),
        ('/[a="x]/y\\""]/z', (Where("a", 'x]/y"', True), Member("z"))),
        ("/[a~1b=c]", (Where("a/b", "c"),)),
    ],
)
def test_a_path_is_read_and_written_back(text: str, segments: tuple[object, ...]) -> None:
    path = parse(text)
    assert path.segments == segments
    assert parse(str(path)) == path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a/b", "starts with /"),
        (7, "not int"),
        ("/a~b", "at character 3: ~ is written ~0"),
        ("/a/x~", "at character 5: ~ is written ~0"),
        ("/[a]", "holds [member=value]"),
        ("/[a/b", "holds [member=value]"),
        ("/[=b]", "without a member"),
        ("/[a=b", "] is missing"),
        ('/[a="b]', "no JSON string"),
        ('/[a="b"', "] expected"),
        ('/[a="b"]c', "/ expected after ]"),
    ],
)
def test_a_malformed_path_is_refused_with_its_place(text: object, sentence: str) -> None:
    with pytest.raises(PathError) as error:
        parse(text)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ("[a=1]", 1, True),
        ("[a=1]", 1.0, True),
        ("[a=1]", "1", True),
        ("[a=1]", True, False),
        ("[a=true]", True, True),
        ("[a=true]", "true", True),
        ("[a=true]", 1, False),
        ("[a=null]", None, True),
        ("[a=0]", False, False),
        ("[a=1e2]", 100, True),
        ("[a=01]", 1, False),
        ('[a="1"]', 1, False),
        ('[a="1"]', "1", True),
        ("[a=x]", ["x"], False),
    ],
)
def test_a_bare_value_fits_the_string_and_the_scalar_that_it_reads_as(text: str, value: object, fits: bool) -> None:
    (where,) = parse("/" + text).segments
    assert isinstance(where, Where)
    assert where.accepts(value) is fits


def test_an_index_is_canonical_and_bounded() -> None:
    assert [Member(name).index for name in ("0", "10", "01", "-1", "-", "1" * 12)] == [0, 10, None, None, None, None]


def test_paths_are_put_together_and_taken_apart() -> None:
    path = parse("/a/*") + parse("/b")
    assert str(path) == "/a/*/b"
    assert (str(path.parent), path.last, path.many, Path().many) == ("/a/*", Member("b"), True, False)


@pytest.mark.parametrize("name", ["a=b", "a]b", "a/b", "a~b", "~4", "[a", "*", "]="])
def test_a_member_in_brackets_may_have_any_name(name: str) -> None:
    path = Path((Where(name, "x"),))
    assert parse(str(path)) == path
