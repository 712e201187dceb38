"""Conditions of the file to those of a snapshot."""

from __future__ import annotations

from stepdown.config.file.match import HeaderSection, MatchSection
from stepdown.decide import spec


def match_of(section: MatchSection | None) -> spec.Match:
    """Shorthands resolved, names in lower case, each host and method once."""
    if section is None:
        return spec.Match()
    hosts = [*([section.host] if section.host is not None else []), *section.hosts]
    return spec.Match(
        hosts=tuple(dict.fromkeys(host.lower().removesuffix(".") for host in hosts)),
        path=section.path,
        path_prefix=section.path_prefix,
        methods=tuple(dict.fromkeys(section.methods)),
        headers=tuple(_header(name.lower(), condition) for name, condition in section.header.items()),
    )


def _header(name: str, section: HeaderSection) -> spec.HeaderMatch:
    return spec.HeaderMatch(
        name=name,
        equals=section.equals,
        sha256=section.sha256.lower() if section.sha256 is not None else None,
        any_of=tuple(section.any_of or ()),
        prefix=section.prefix,
        exists=section.exists,
    )
