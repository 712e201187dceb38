"""The look-up of routes finds what trying them all, in order of how specific they are, finds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide.digests import Digests
from stepdown.decide.lookup import Lookup
from stepdown.decide.spec import HeaderMatch, Match
from tests.kit.request import Request

SEGMENTS = st.sampled_from(["a", "b", "c"])
PATTERNS = st.lists(st.sampled_from(["a", "b", "{x}"]), min_size=0, max_size=3)
HOSTS = ["h", "a.h", "b.a.h", "*.h", "*.a.h"]
NAMES = st.sampled_from(["p", "q"])


def uniquely_named(segments: list[str]) -> str:
    return "/" + "/".join(f"{{x{place}}}" if one == "{x}" else one for place, one in enumerate(segments))


headers = st.one_of(
    st.builds(HeaderMatch, name=NAMES, equals=st.sampled_from("01")),
    st.builds(HeaderMatch, name=NAMES, any_of=st.sampled_from([("0", "1"), ("1", "2")])),
    st.builds(HeaderMatch, name=NAMES, exists=st.booleans()),
)
matches = st.builds(
    lambda place, hosts, methods, wanted: Match(**place, hosts=tuple(hosts), methods=tuple(methods), headers=wanted),
    st.one_of(
        st.just({}),
        PATTERNS.map(lambda segments: {"path": uniquely_named(segments)}),
        PATTERNS.map(lambda segments: {"path_prefix": uniquely_named(segments)}),
    ),
    st.lists(st.sampled_from(HOSTS), max_size=2, unique=True),
    st.lists(st.sampled_from(["GET", "PUT"]), max_size=2, unique=True),
    st.lists(headers, max_size=2).map(tuple),
)
requests = st.builds(
    lambda method, path, host, fields: Request(method.encode(), path.encode(), b"", host.encode(), fields),
    st.sampled_from(["GET", "PUT", "POST"]),
    st.lists(SEGMENTS, max_size=4).map(lambda segments: "/" + "/".join(segments)),
    st.sampled_from(["h", "A.h:80", "b.a.h", "x.h", "other"]),
    st.dictionaries(st.sampled_from([b"p", b"q"]), st.sampled_from([b"0", b"1", b"2"])),
)


def path_rank(match: Match, path: str) -> tuple[object, ...] | None:
    """How specific the match's path is for a path that it matches (less is more), by comparing all segments."""
    if match.path is None and match.path_prefix is None:
        return (2,)
    if match.path is not None and "{" not in match.path:
        return (0,) if match.path == path else None
    pattern = match.path or (match.path_prefix or "").rstrip("/")
    wanted, given_segments = pattern.split("/")[1:], path.split("/")[1:]
    if len(given_segments) < len(wanted) or (match.path is not None and len(given_segments) > len(wanted)):
        return None
    ranks = []
    for one, segment in zip(wanted, given_segments, strict=False):
        if one.startswith("{"):
            if not segment:
                return None
            ranks.append(1)
        elif one == segment:
            ranks.append(0)
        else:
            return None
    # Behind the segments: the end of the path, then a prefix that goes no further.
    return (1, *ranks, 2 if match.path is not None else 3)


def host_rank(match: Match, host: str) -> int | None:
    if not match.hosts:
        return 1000
    ranks = [0 for one in match.hosts if one == host]
    ranks += [500 - len(one) for one in match.hosts if one.startswith("*") and host.endswith(one[1:])]
    return min(ranks, default=None)


def header_holds(wanted: HeaderMatch, asked: Request) -> bool:
    value = asked.fields.get(wanted.name.encode())
    if wanted.equals is not None:
        return value == wanted.equals.encode()
    if wanted.any_of:
        return value is not None and value.decode() in wanted.any_of
    return (value is not None) is wanted.exists


def by_trying_all(table: list[Match], asked: Request) -> int | None:
    found = []
    for number, match in enumerate(table):
        path = path_rank(match, asked.path.decode())
        host = host_rank(match, asked.host.decode().lower().partition(":")[0])
        if path is None or host is None or (match.methods and asked.method.decode() not in match.methods):
            continue
        if all(header_holds(wanted, asked) for wanted in match.headers):
            found.append(((path, host, not match.methods, -len(match.headers), number), number))
    return min(found)[1] if found else None


@settings(max_examples=400, deadline=None)
@given(st.lists(matches, max_size=12), st.lists(requests, min_size=1, max_size=6))
def test_the_look_up_finds_what_trying_all_routes_finds(table: list[Match], asked: list[Request]) -> None:
    lookup = Lookup([(match, number) for number, match in enumerate(table)], Digests())
    for one in asked:
        found = lookup.find(one)
        assert (None if found is None else found[0]) == by_trying_all(table, one)
