"""Redaction: which values are hidden, which digests are equal, and what cannot be redacted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from stepdown.recordings.redact import NotRedactableError, Redactor
from stepdown_adapters.errors import PathError
from tests.kit.recordings import KEY

DIGEST = re.compile(r'\{"redacted":"[0-9a-f]{16}"\}')


def hidden(body: str, *paths: str, key: bytes = KEY) -> tuple[str, tuple[str, ...]]:
    text, found = Redactor(paths, key).hide(body.encode())
    return text.decode(), found


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/user/ssn", '{"user":{"ssn":#},"rows":[{"id":1,"v":2.50},{"id":"1","v":3}]}'),
        ("/user", '{"user":#,"rows":[{"id":1,"v":2.50},{"id":"1","v":3}]}'),
        ("/rows/*/v", '{"user":{"ssn":"7"},"rows":[{"id":1,"v":#},{"id":"1","v":#}]}'),
        ("/rows/1", '{"user":{"ssn":"7"},"rows":[{"id":1,"v":2.50},#]}'),
        ("/rows/[id=1]/v", '{"user":{"ssn":"7"},"rows":[{"id":1,"v":#},{"id":"1","v":#}]}'),
        ('/rows/[id="1"]/v', '{"user":{"ssn":"7"},"rows":[{"id":1,"v":2.50},{"id":"1","v":#}]}'),
        ("/*", '{"user":#,"rows":#}'),
        ("", "#"),
    ],
)
def test_what_a_path_leads_to_is_hidden_and_all_else_keeps_its_text(path: str, shown: str) -> None:
    body = '{"user":{"ssn":"7"},"rows":[{"id":1,"v":2.50},{"id":"1","v":3}]}'
    text, found = hidden(body, path)
    assert DIGEST.sub("#", text) == shown
    assert found == (path,)


@pytest.mark.parametrize(
    "path", ["/nobody", "/user/ssn/x", "/rows/2", "/rows/-", "/rows/[id=9]", "/user/0", "/user/[a=1]"]
)
def test_a_path_that_leads_nowhere_hides_nothing(path: str) -> None:
    body = '{"user":{"ssn":"7"},"rows":[{"id":1},5]}'
    assert hidden(body, path) == (body, ())


@pytest.mark.parametrize(
    "paths", [("/r/*/k", "/r/[k=a]/v"), ("/r/[k=a]/v", "/r/*/k"), ("/r/[k=a]/v", "/r/*", "/r/*/k")]
)
def test_what_is_hidden_still_tells_what_else_is(paths: tuple[str, ...]) -> None:
    text, found = hidden('{"r": [{"k": "a", "v": "secret"}, {"k": "b", "v": "plain"}]}', *paths)
    assert "secret" not in text
    assert '"a"' not in text
    assert found == paths


def digests(values: list[Any], key: bytes = KEY) -> list[str]:
    return [one["redacted"] for one in json.loads(hidden(json.dumps(values), "/*", key=key)[0])]


def test_equal_values_have_equal_digests_and_others_do_not() -> None:
    one, same, other, text, object_, turned = digests([1, 1, 2, "1", {"a": 1, "b": [2]}, {"b": [2], "a": 1}])
    assert one == same
    assert len({one, other, text, object_}) == 4
    assert object_ == turned


def test_space_and_escapes_make_no_difference() -> None:
    text, _ = hidden('[{"a":"\\u00fc"}, { "a" : "ü" }]', "/*")
    first, second = json.loads(text)
    assert first == second


def test_digests_say_nothing_without_the_key() -> None:
    assert not set(digests([True, False])) & set(digests([True, False], key=b"another key, as long"))


def test_a_number_beyond_all_bounds_is_hidden_too() -> None:
    text, found = hidden('{"a": {"b": 1e999}}', "/a")
    assert DIGEST.fullmatch(json.dumps(json.loads(text)["a"], separators=(",", ":")))
    assert found == ("/a",)


def test_a_name_that_is_there_twice_is_hidden_twice() -> None:
    assert "secret" not in hidden('{"a": "secret", "a": "secret 2"}', "/a")[0]
    assert "secret" not in hidden('{"o": {"a": "secret"}, "o": {"a": "secret 2"}}', "/o/a")[0]


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"no JSON", b'{"a": 1', b"{} {}", b'{"a": "\xff"}', b"[" * 300 + b"]" * 300]
)
def test_what_is_no_document_cannot_be_redacted(body: bytes) -> None:
    with pytest.raises(NotRedactableError):
        Redactor(["/a"], KEY).hide(body)


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(PathError):
        Redactor(["a"], KEY)
