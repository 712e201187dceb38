import pytest

from stepdown.telemetry.text import CUT, cut, escaped, printable, timestamp, value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/v2/models", "/v2/models"),
        ("a b", "a b"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u2028\u0085\u202e", "\\u2028\\x85\\u202e"),
        ("\ud800", "\\ud800"),
        ("\U0001f600", "\\U0001f600"),
        ('say "no"', 'say \\"no\\"'),
        ("\\n", "\\\\n"),
        ('\\"', '\\\\\\"'),
        ("\x7f\0", "\\x7f\\x00"),
    ],
)
def test_all_but_printable_ascii_is_escaped(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("churn", "churn"), ("", '""'), ("a b", '"a b"'), ("a=b", '"a=b"'), ('"', '"\\""'), ("\n", '"\\n"')],
)
def test_a_value_is_quoted_where_it_could_be_mistaken(text, shown):
    assert value(text) == shown


def test_what_is_cut_says_so():
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcdef" + CUT
    assert cut(b"ab\xff\x00", 3) == "ab\xff" + CUT


@pytest.mark.parametrize("data", [b"/v2", b"/\xff", b"/" * 100, b'"', b"\\", b"", b"a b"])
def test_the_short_way_shows_the_same_as_the_long_one(data):
    assert printable(data, 10) == escaped(cut(data, 10))


def test_a_time_is_rfc_3339_in_utc_with_milliseconds():
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(1764103902.1239) == "2025-11-25T20:51:42.123Z"
    assert timestamp(1764103902.9999) == "2025-11-25T20:51:42.999Z"
