"""Endpoints and health checks of the file to those of a snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.resources import Resources
from stepdown.config.file import EndpointSection, HealthSection, VersionSection
from stepdown.config.file.model import HeaderValue, TlsSection
from stepdown.config.tree import Path
from stepdown.decide import spec

OPEN_INFERENCE_READY = "/v2/health/ready"
OPEN_INFERENCE_METADATA = "/v2/models/{model}/versions/{version}"

_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
HOST_HEADER = re.compile(r"[!-~]{1,300}")
"""`keep`, `endpoint`, or what is sent as Host."""


def endpoints_of(
    sections: list[EndpointSection], path: Path, resources: Resources, checker: Checker
) -> tuple[spec.Endpoint, ...]:
    """Endpoints in the file's order; two with the same address and path are refused."""
    placed = [((*path, index), section) for index, section in enumerate(sections)]
    return tuple(endpoint for _path, endpoint in _distinct(placed, resources, checker))


def endpoints_by_colour(
    section: VersionSection, path: Path, resources: Resources, checker: Checker
) -> dict[str, tuple[spec.Endpoint, ...]]:
    """Endpoints of the version at `path` by colour, and under no name where it has none; also each one once."""
    placed = [((*path, *below), endpoint) for below, endpoint in section.servers]
    distinct = _distinct(placed, resources, checker)
    if not section.colours:
        return {"": tuple(endpoint for _path, endpoint in distinct)}
    return {colour: tuple(endpoint for at, endpoint in distinct if at[-2] == colour) for colour in section.colours}


def _distinct(
    placed: Iterable[tuple[Path, EndpointSection]], resources: Resources, checker: Checker
) -> list[tuple[Path, spec.Endpoint]]:
    endpoints: dict[str, tuple[Path, spec.Endpoint]] = {}
    for path, section in placed:
        endpoint = endpoint_of(section, path, resources, checker)
        if endpoint.id in endpoints:
            checker.error(path, f"found {endpoint.id} a second time", "each endpoint once")
        endpoints[endpoint.id] = (path, endpoint)
    return list(endpoints.values())


def endpoint_of(section: EndpointSection, path: Path, resources: Resources, checker: Checker) -> spec.Endpoint:
    """One endpoint, with the values of its secret headers."""
    url = urlsplit(section.url)
    secure = url.scheme == "https"
    host, port = url.hostname or "", url.port or (443 if secure else 80)
    if section.tls is not None and not secure:
        checker.error((*path, "tls"), "found tls for a URL that begins with http://", "tls with https:// only")
    if not HOST_HEADER.fullmatch(section.host_header):
        checker.error((*path, "host_header"), allowed="keep, endpoint, or a host")
    bracketed = f"[{host}]" if ":" in host else host
    return spec.Endpoint(
        id=f"{url.scheme}://{bracketed}:{port}{section.path or ''}",
        host=host,
        port=port,
        tls=_tls(section.tls or TlsSection(), path, checker) if secure else None,
        path=section.path,
        host_header=section.host_header,
        set_headers=set_headers(section.set_headers, (*path, "set_headers"), resources, checker),
        remove_headers=tuple(name.lower() for name in section.remove_headers),
        expect=tuple(section.expect.items()),
    )


def _tls(section: TlsSection, path: Path, checker: Checker) -> spec.Tls:
    ca_file = section.ca_file
    if ca_file is not None:
        ca_file = str((checker.folder((*path, "tls", "ca_file")) / ca_file).absolute())
    return spec.Tls(ca_file=ca_file, server_name=section.server_name, verify=section.verify)


def set_headers(
    section: Mapping[str, HeaderValue], path: Path, resources: Resources, checker: Checker
) -> tuple[tuple[str, str], ...]:
    """Names and values of fields to set, secrets among them; `path` is where they are written."""
    headers: list[tuple[str, str]] = []
    for name, given in section.items():
        at = (*path, name)
        if isinstance(given, str):
            value = given
        elif at in resources.secrets:
            value = resources.secrets[at].get_secret_value()
        else:
            continue  # could not be read, which was noted then
        if _HEADER_VALUE.fullmatch(value) and value == value.strip():
            headers.append((name, value))
        else:
            checker.error(
                at, "found a value that no header can carry", "Latin-1 text without line breaks or outer spaces"
            )
    return tuple(headers)


def health_of(section: VersionSection) -> spec.HealthCheck:
    """Probes as declared. None declared: only ejection; but what endpoints are expected to run has to be asked."""
    health = section.health
    if health is None:
        asked = any(endpoint.expect for _below, endpoint in section.servers)
        health = HealthSection(preset="open-inference") if asked else HealthSection()
    preset = health.preset == "open-inference"
    return spec.HealthCheck(
        path=health.path or (OPEN_INFERENCE_READY if preset else None),
        metadata_path=health.metadata_path or (OPEN_INFERENCE_METADATA if preset else None),
        interval=health.interval,
        timeout=health.timeout,
        rise=health.rise,
        fall=health.fall,
        eject_after=health.eject_after,
        eject_base=health.eject_base,
        eject_max=health.eject_max,
    )
