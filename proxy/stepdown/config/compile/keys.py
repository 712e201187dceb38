"""Sticky keys of routes: sources that can be relied on, and cookies that Stepdown can sign."""

from __future__ import annotations

from collections.abc import Sequence

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.rules import DraftRoute
from stepdown.config.file import KeySourceSection, RootFile
from stepdown.config.file.cookie import CookieSection
from stepdown.config.file.values import LONGEST_LIFETIME
from stepdown.config.tree import Path
from stepdown.decide import spec

SHORTEST_SECRET = 16
"""Characters; what is shorter can be guessed from a cookie, without asking the sidecar."""


def keys_of(draft: DraftRoute, file: RootFile, resources: Resources, checker: Checker) -> tuple[spec.KeySource, ...]:
    """The sources of a route in the file's order."""
    path: Path = (*draft.path, "key")
    keys = tuple(
        _key(section, (*path, index), file, resources, checker) for index, section in enumerate(draft.section.key)
    )
    own = [index for index, key in enumerate(keys) if key.set_cookie is not None]
    for index in own[1:]:
        checker.error((*path, index), "found a second cookie that Stepdown sets", "one for each route")
    if own and own[0] + 1 < len(keys) and (settings := keys[own[0]].set_cookie) and settings.until is None:
        problem = "never used: the cookie before it is set for everyone who has none"
        checker.warn((*path, own[0] + 1), problem, "the cookie that Stepdown sets as the last source")
    _check_drains(draft, keys[: own[0]] if own else None, checker)
    return keys


def _key(
    section: KeySourceSection, path: Path, file: RootFile, resources: Resources, checker: Checker
) -> spec.KeySource:
    if section.client_ip and file.trusted_hops is None:
        allowed = (
            "client_ip together with trusted_hops (0 where no proxy is in front), so that clients cannot choose it"
        )
        checker.error(path, "found client_ip without trusted_hops", allowed)
    cookie = section.cookie
    return spec.KeySource(
        header=section.header.lower() if section.header is not None else None,
        cookie=cookie.name if cookie is not None else None,
        set_cookie=_set_cookie(cookie, (*path, "cookie"), resources, checker) if cookie is not None else None,
        json=section.json_pointer,
        client_ip=bool(section.client_ip),
    )


def _set_cookie(section: CookieSection, path: Path, resources: Resources, checker: Checker) -> spec.SetCookie | None:
    if not section.set_by_stepdown:
        return None
    secrets: list[str] = []
    for index in range(len(section.secrets)):
        at = (*path, "secrets", index)
        if at not in resources.secrets:
            continue  # could not be read, which was noted then
        secrets.append(resources.secrets[at].get_secret_value())
        if len(secrets[-1]) < SHORTEST_SECRET:
            problem = f"found a secret of fewer than {SHORTEST_SECRET} characters"
            checker.error(at, problem, "a longer one, so that it cannot be guessed")
    return spec.SetCookie(
        secrets=tuple(secrets),
        ttl=section.ttl if section.ttl is not None else LONGEST_LIFETIME,
        until=section.until,
        secure=section.secure,
        same_site=section.same_site,
        path=section.path,
        domain=section.domain.lower() if section.domain is not None else None,
    )


def _check_drains(draft: DraftRoute, before: Sequence[spec.KeySource] | None, checker: Checker) -> None:
    """Only a signed cookie says who had a version; `before` are the sources that go before it, if there is one."""
    for rule in draft.rules:
        at = (*rule.path, "drain")
        if rule.rule.drain is None:
            continue
        if before is None:
            problem = "found drain: sticky without a cookie that Stepdown sets: nothing says who had a version before"
            allowed = "drain together with key: [{cookie: {name: NAME, set: true, secrets: ..., ttl: ...}}]"
            checker.error(at, problem, allowed)
        elif before:
            problem = "keeps nobody whose key comes from a source before the cookie"
            checker.warn(at, problem, "the cookie that Stepdown sets as the first source")


def check_cookies(drafts: Sequence[DraftRoute], routes: Sequence[spec.Route], checker: Checker) -> None:
    """Routes that share a cookie have to agree about it, or each would replace what the other has set."""
    first: dict[str, tuple[str, spec.SetCookie]] = {}
    draining: dict[str, str] = {}
    for route in routes:
        for index, key in enumerate(route.key):
            if key.cookie is None or key.set_cookie is None:
                continue
            at = ("routes", route.name, "key", index, "cookie")
            other, settings = first.setdefault(key.cookie, (route.name, key.set_cookie))
            if settings != key.set_cookie:
                problem = f"found other settings for the cookie {key.cookie} than on the route {other}"
                checker.error(at, problem, f"the same settings ({checker.line(('routes', other, 'key'))})")
            if any(rule.drain for rule in route.rules) and draining.setdefault(key.cookie, route.name) != route.name:
                problem = f"found drain: sticky here and on the route {draining[key.cookie]} with the same cookie"
                checker.error(at, problem, "a name of its own: a cookie remembers one version")
    for draft in drafts:
        for index, source in enumerate(draft.section.key):
            cookie = source.cookie
            if cookie is not None and not cookie.set_by_stepdown and cookie.name in first:
                problem = f"found {cookie.name} without set: true, but the route {first[cookie.name][0]} sets it"
                allowed = "the same settings: only its id is a key, the rest of it may change"
                checker.error((*draft.path, "key", index, "cookie"), problem, allowed)
