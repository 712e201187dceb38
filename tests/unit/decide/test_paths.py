"""Paths: what has one reading only, and templates."""

from __future__ import annotations

import time

import pytest

from stepdown.decide.paths import Template, is_unambiguous, refuse_ambiguous, split_path
from stepdown.errors import BadRequestError


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/v2/models/churn/infer",
        b"/v2/models/churn/",
        b"/v2/models/a%20b/%C3%A9",
        b"/...",
        b"/.well-known/x",
        b"/a..b/c.",
        b"/%2e%2e%2e",
        b"/%2ex",
        b"/a=1,b:c@d!$&'()*+~",
        b"/\xc3\xa9",
    ],
)
def test_a_path_with_one_reading_passes(path: bytes) -> None:
    assert is_unambiguous(path)
    refuse_ambiguous(path)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"*",
        b"v2",
        b"//",
        b"//evil.example/x",
        b"/a//b",
        b"/a//",
        b"/.",
        b"/..",
        b"/a/./b",
        b"/a/../b",
        b"/a/..",
        b"/%2e%2E/b",
        b"/a/.%2e",
        b"/a/%2e/b",
        b"/a%2fb",
        b"/a%2Fb",
        b"/a%5cb",
        b"/a\\b",
        b"/a%00",
        b"/a;v=1",
        b"/a/..;/b",
        b"/%zz%2",
        b"/a%",
        b"/a%2",
        b"/%u0041",
    ],
)
def test_a_path_that_servers_read_differently_is_refused_with_400(path: bytes) -> None:
    assert not is_unambiguous(path)
    with pytest.raises(BadRequestError) as refused:
        refuse_ambiguous(path)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    "path", [b"/a" * 30_000 + b"//", b"/" + b"a%41" * 20_000 + b"%", b"/" * 60_000, b"/." * 30_000]
)
def test_a_long_path_is_checked_in_linear_time(path: bytes) -> None:
    started = time.process_time()
    assert not is_unambiguous(path)
    assert time.process_time() - started < 1  # a quadratic check takes minutes


def test_a_path_is_cut_at_slashes_and_nothing_else_is_done_to_it() -> None:
    assert split_path(b"/v2/a%2fb/") == [b"v2", b"a%2fb", b""]
    assert split_path(b"/") == [b""]
    assert split_path(b"*") == []
    assert split_path(b"") == []


def test_a_template_names_whole_segments() -> None:
    template = Template.parse("/v2/models/{model}/versions/{version}/infer")
    assert template.names == ("model", "version")
    assert template.fits([b"v2", b"models", b"churn", b"versions", b"1", b"infer"])
    assert not template.fits([b"v2", b"models", b"", b"versions", b"1", b"infer"])
    assert not template.fits([b"v2", b"models", b"churn", b"versions", b"1"])
    assert not template.fits([b"v2", b"models", b"churn", b"versions", b"1", b"infer", b""])
    assert not template.fits([b"v1", b"models", b"churn", b"versions", b"1", b"infer"])
    assert template.begins([b"v2", b"models", b"churn", b"versions", b"1", b"infer", b"more"])
    assert not template.begins([b"v2", b"models"])
    assert Template.parse("/a/x{name}").names == ()


def test_a_verb_may_stand_behind_a_name() -> None:
    template = Template.parse("/v1/models/{model}:predict")
    assert template.names == ("model",)
    assert template.fits([b"v1", b"models", b"churn:predict"])
    assert not template.fits([b"v1", b"models", b"churn"])
    assert not template.fits([b"v1", b"models", b":predict"])
    assert not template.fits([b"v1", b"models", b"churn:explain"])


@pytest.mark.parametrize("template", ["/v1/{model}:predict/{version}", "/{a}/x/{b}:verb", "/fixed", "/{a}:predict"])
def test_the_values_of_a_path_that_fits_make_the_path_again(template: str) -> None:
    values = {name: f"value-{name}:x" for name in Template.parse(template).names}
    path = split_path(template.format(**values).encode())
    assert Template.parse(template).fits(path)
    assert Template.parse(template).values(path) == tuple(value.encode() for value in values.values())


def test_the_template_of_no_prefix_fits_the_beginning_of_everything() -> None:
    assert Template.parse("").begins([b"any"])
    assert Template.parse("").begins([])
