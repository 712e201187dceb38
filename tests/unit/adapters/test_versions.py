"""SemVer 2.0 precedence and the range notation."""

from __future__ import annotations

import itertools

import pytest

from stepdown_adapters.versions import Range, Version, VersionError

# semver.org, section 11.
PUBLISHED_ORDER = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
]


@pytest.mark.parametrize(("older", "newer"), list(itertools.combinations(PUBLISHED_ORDER, 2)))
def test_precedence_is_that_of_the_published_examples(older: str, newer: str) -> None:
    assert Version.parse(older) < Version.parse(newer)
    assert not Version.parse(newer) <= Version.parse(older)
    assert Version.parse(older) != Version.parse(newer)


# The published test list of the SemVer regular expression (semver.org, FAQ).
@pytest.mark.parametrize(
    "text",
    [
        "0.0.4",
        "1.1.2-prerelease+meta",
        "1.1.2+meta-valid",
        "1.0.0-alpha.0valid",
        "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay",
        "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
        "99999999999999999999999.999999999999999999.99999999999999999",
        "1.0.0-0A.is.legal",
        "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    ],
)
def test_a_published_valid_version_is_read_and_written_back(text: str) -> None:
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3-0123",
        "1.2.3-0123.0123",
        "1.1.2+.123",
        "+invalid",
        "-invalid",
        "alpha..1",
        "1.0.0-alpha_beta",
        "1.0.0-alpha..",
        "01.1.1",
        "1.01.1",
        "1.1.01",
        "1.2.3.DEV",
        "1.2-SNAPSHOT",
        "-1.0.3-gamma+b7718",
        "9.8.7+meta+meta",
        "2.0.0.0",
        " 1.0.0",
        "1.0.0\n",
        "1.0.٣",
        "vv1.0.0",
        "1." + "9" * 5000 + ".0",
    ],
)
def test_what_is_no_version_is_refused_with_a_sentence_that_quotes_it(text: str) -> None:
    with pytest.raises(VersionError, match="is no version such as"):
        Version.parse(text)


@pytest.mark.parametrize("text", ["v1.0.0", "V1.0.0", "1.0.0"])
def test_a_leading_v_is_accepted_and_not_written_back(text: str) -> None:
    assert str(Version.parse(text)) == "1.0.0"


def test_build_metadata_never_counts() -> None:
    assert Version.parse("1.0.0+build") == Version.parse("1.0.0+other")
    assert hash(Version.parse("1.0.0+build")) == hash(Version.parse("1.0.0"))
    assert Range.parse("1.0.0+build").allows(Version.parse("1.0.0+other"))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1.2.3", "1.2.3", "1.2.2 1.2.4 1.2.3-rc.1"),
        ("=v1.2.3", "1.2.3", "1.2.4"),
        ("1.2.3-1a.0b", "1.2.3-1a.0b", "1.2.3-1"),
        ("1", "1.0.0 1.9.9", "0.9.9 2.0.0 1.5.0-rc.1 2.0.0-rc.1"),
        ("v1", "1.0.0 1.9.9", "2.0.0"),
        ("1.1", "1.1.0 1.1.9", "1.0.9 1.2.0"),
        ("v1.0", "1.0.0 1.0.7", "1.1.0"),
        ("1.x", "1.0.0 1.9.9", "2.0.0"),
        ("1.2.*", "1.2.0 1.2.9", "1.3.0"),
        ("1.X.x", "1.0.0 1.9.9", "2.0.0"),
        ("x", "0.0.0 9.9.9", "1.0.0-rc.1"),
        ("*", "0.0.0 9.9.9", "1.0.0-rc.1"),
        (">=*", "0.0.0 9.9.9", "1.0.0-rc.1"),
        ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 0.9.0"),
        ("^1.2", "1.2.0 1.9.0", "1.1.9 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.2 0.0.4"),
        ("^0.0", "0.0.0 0.0.9", "0.1.0"),
        ("^0", "0.0.0 0.9.9", "1.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0"),
        ("~1.2", "1.2.0 1.2.9", "1.3.0"),
        ("~1", "1.0.0 1.9.9", "2.0.0"),
        ("~ 1.2", "1.2.0", "1.3.0"),
        (">1.2.3", "1.2.4 9.0.0", "1.2.3"),
        (">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9"),
        (">=1.2", "1.2.0 2.0.0", "1.1.9"),
        ("<1.2", "1.1.9", "1.2.0"),
        ("<=1.2", "1.2.9", "1.3.0"),
        ("<=1.2.3", "1.2.3", "1.2.4"),
        (">=1 <2", "1.0.0 1.9.9", "0.9.9 2.0.0"),
        ("  >= 1.0   <1.5  ", "1.0.0 1.4.9", "1.5.0"),
        ("^1.2.3-rc.1", "1.2.3-rc.1 1.2.3-rc.2 1.2.3 1.9.0", "1.2.3-beta 1.3.0-rc.2 2.0.0"),
        (">=1.2.3-rc.1 <1.2.3", "1.2.3-rc.7", "1.2.3 1.2.2 1.2.3-beta"),
    ],
)
def test_a_range_allows_what_its_notation_says(text: str, inside: str, outside: str) -> None:
    wanted = Range.parse(text)
    assert [version for version in inside.split() if not wanted.allows(Version.parse(version))] == []
    assert [version for version in outside.split() if wanted.allows(Version.parse(version))] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is no version and no range"),
        ("  ", "is no version and no range"),
        ("latest", "'latest' is no version and no range"),
        ("not-a-version", "is no version and no range"),
        ("=== 1.0.0", "is no version and no range"),
        (">=", "is no version and no range"),
        ("2.0.0.0", "'.0' is left over"),
        ("1.2-rc", "'-rc' is left over"),
        ("1,2", "',2' is left over"),
        (">=1<2", "'<2' is left over"),
        ("1.x.3", "a part after 'x' must be 'x' too"),
        ("1.x.x-rc", "a part after 'x' must be 'x' too"),
        (">*", "no version is in"),
        ("<x", "no version is in"),
        ("1" * 300, "'1{40}...' is no version and no range"),
    ],
)
def test_what_is_no_range_is_refused_with_its_reason(text: str, complaint: str) -> None:
    with pytest.raises(VersionError, match=complaint):
        Range.parse(text)


def test_a_range_resolves_to_the_newest_version_in_it() -> None:
    declared = [Version.parse(text) for text in ("1.0.0", "1.10.0", "1.9.0", "2.0.0", "1.11.0-rc.1")]
    assert Range.parse("^1").newest(declared) == Version.parse("1.10.0")
    assert Range.parse("3").newest(declared) is None
    assert Range.parse("^1.11.0-rc").newest(declared) == Version.parse("1.11.0-rc.1")


def test_a_range_knows_whether_it_names_one_version() -> None:
    assert Range.parse("v1.2.3").exact == Version.parse("1.2.3")
    assert Range.parse("1.2").exact is None
    assert Range.parse(">=1.2.3").exact is None
    assert Range.parse("1.2.3 <2").exact is None
    assert str(Range.parse(" ^1.2 ")) == "^1.2"
