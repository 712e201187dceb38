"""Hosts are compared in lower case, without their port."""

from __future__ import annotations

import pytest

from stepdown.decide.hosts import bare_host, host_holds, parents


@pytest.mark.parametrize(
    ("host", "bare"),
    [
        (b"Churn.Example.COM:8080", b"churn.example.com"),
        (b"churn.example.com", b"churn.example.com"),
        (b"churn.example.com.:80", b"churn.example.com"),
        (b"10.0.0.1:80", b"10.0.0.1"),
        (b"[2001:DB8::1]:8080", b"[2001:db8::1]"),
        (b"[::1]", b"[::1]"),
        (b"", b""),
    ],
)
def test_a_host_is_bared_of_case_port_and_final_dot(host: bytes, bare: bytes) -> None:
    assert bare_host(host) == bare


def test_a_host_is_below_all_its_parents() -> None:
    assert list(parents(b"a.b.example.com")) == [b"b.example.com", b"example.com", b"com"]
    assert list(parents(b"localhost")) == []


@pytest.mark.parametrize(
    ("host", "wanted", "holds"),
    [
        (b"a.example.com", b"a.example.com", True),
        (b"a.example.com", b"b.example.com", False),
        (b"a.example.com", b"*.example.com", True),
        (b"a.b.example.com", b"*.example.com", True),
        (b"example.com", b"*.example.com", False),
        (b".example.com", b"*.example.com", False),
        (b"badexample.com", b"*.example.com", False),
    ],
)
def test_a_wildcard_stands_for_every_host_below(host: bytes, wanted: bytes, holds: bool) -> None:
    assert host_holds(host, wanted) is holds
