"""Keys of routes: cookies that Stepdown can sign, and what relies on them."""

from __future__ import annotations

import pytest

from stepdown.control.redact import redacted
from stepdown.decide.spec import KeySource, SetCookie
from tests.kit.configuration import Folder, changed

KEY = "key: [{header: x-user-id}, {cookie: uid}]"
SECRET = "correct-horse-battery-staple"
ENVIRON = {"SECRET": SECRET, "OLD": "an-older-secret-of-some-length"}
EVERYONE = '{name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}'


def cookie(options: str = "secrets: {env: SECRET}, ttl: 30d", name: str = "sd_uid") -> str:
    return f"{{cookie: {{name: {name}, set: true, {options}}}}}"


def with_key(key: str, *changes: tuple[str, str]) -> str:
    return changed((KEY, f"key: {key}"), *changes)


def set_cookie(folder: Folder, options: str) -> SetCookie:
    made = folder.load(with_key(f"[{cookie(options)}]"), environ=ENVIRON).spec.routes[0].key[0].set_cookie
    assert made is not None
    return made


def test_a_plain_cookie_may_be_written_either_way(folder: Folder) -> None:
    for text in ("[{cookie: uid}]", "{cookie: {name: uid}}", "[{cookie: {name: uid, set: false}}]"):
        assert folder.load(with_key(text)).spec.routes[0].key == (KeySource(cookie="uid"),)


def test_a_cookie_that_is_set_has_everything_that_the_file_says(folder: Folder) -> None:
    folder.write("old.txt", "a-secret-out-of-a-file\n")
    options = (
        "secrets: [{env: SECRET}, {file: old.txt}], ttl: 12h, until: 2027-01-01, secure: false, same_site: Strict,"
        " path: /v2, domain: Example.com"
    )
    assert set_cookie(folder, options) == SetCookie(
        secrets=(SECRET, "a-secret-out-of-a-file"),
        ttl=43_200,
        until=1_798_761_600,
        secure=False,
        same_site="Strict",
        path="/v2",
        domain="example.com",
    )


def test_what_is_not_said_is_safe(folder: Folder) -> None:
    assert set_cookie(folder, "secrets: {env: SECRET}, ttl: 30d") == SetCookie(secrets=(SECRET,), ttl=30 * 86_400)
    assert set_cookie(folder, "secrets: {env: SECRET}, until: 2027-01-01").ttl == 400 * 86_400


def test_a_changed_secret_file_is_followed(folder: Folder) -> None:
    folder.write("secret.txt", SECRET)
    text = with_key(f"[{cookie('secrets: {file: secret.txt}, ttl: 1d')}]")
    assert folder.path / "secret.txt" in folder.load(text).files


WRONG = {
    "no secret": ("ttl: 30d", "found set: true without secrets; allowed secrets: {env: NAME} or {file: PATH}"),
    "no end": ("secrets: {env: SECRET}", "without ttl or until: it would never end; allowed name, secrets, and ttl"),
    "a secret in the file": ("secrets: hunter2-hunter2-hunter2, ttl: 1d", "found a value in the file itself"),
    "a short secret": (
        "secrets: {env: SHORT}, ttl: 1d",
        "found a secret of fewer than 16 characters; allowed a longer",
    ),
    "a secret that is not there": ("secrets: {env: NONE}, ttl: 1d", "the environment variable NONE is not set"),
    "no time": ("secrets: {env: SECRET}, ttl: 0", "cookie.ttl: found the number 0; allowed more than 0"),
    "a long time": (
        "secrets: {env: SECRET}, ttl: 401d",
        "allowed a time such as 30d, 12h, or a number of seconds, up to",
    ),
    "a word for a time": ("secrets: {env: SECRET}, ttl: month", "allowed a time such as 30d"),
    "none that is not secure": (
        "secrets: {env: SECRET}, ttl: 1d, same_site: None, secure: false",
        "found secure: false with same_site: None, which browsers refuse; allowed secure: true",
    ),
    "another site": (
        "secrets: {env: SECRET}, ttl: 1d, same_site: lax",
        'allowed Lax or Strict or None; did you mean "Lax"?',
    ),
    "a path that ends the attribute": (
        'secrets: {env: SECRET}, ttl: 1d, path: "/;Secure"',
        "a path that begins with /",
    ),
    "five secrets": (f"secrets: [{', '.join(['{env: SECRET}'] * 5)}], ttl: 1d", "cookie.secrets"),
}


@pytest.mark.parametrize(("options", "told"), WRONG.values(), ids=WRONG)
def test_a_cookie_that_cannot_be_set_safely_is_refused_at_its_place(folder: Folder, options: str, told: str) -> None:
    findings = folder.refusal(with_key(f"[{cookie(options)}]"), environ={**ENVIRON, "SHORT": "fifteen letters"})
    assert len(findings) == 1, findings
    assert told in findings[0]
    assert findings[0].startswith("stepdown.yaml:25:")
    assert "hunter2" not in findings[0]


@pytest.mark.parametrize("option", ["path: /v2", "domain: example.com", "secure: false"])
def test_prefixes_of_names_mean_what_browsers_hold_them_to(folder: Folder, option: str) -> None:
    text = with_key(f"[{cookie(f'secrets: {{env: SECRET}}, ttl: 1d, {option}', '__Host-uid')}]")
    assert "which browsers refuse" in folder.refusal(text, environ=ENVIRON)[0]


def test_settings_without_set_are_refused(folder: Folder) -> None:
    findings = folder.refusal(with_key("[{cookie: {name: uid, ttl: 30d}}]"))
    assert "found ttl without set: true; allowed set: true with it, or the name alone" in findings[0]


def test_a_route_sets_one_cookie(folder: Folder) -> None:
    findings = folder.refusal(with_key(f"[{cookie()}, {cookie(name='other')}]"), environ=ENVIRON)
    assert "routes.churn.key[1]: found a second cookie that Stepdown sets; allowed one for each route" in findings[0]


def test_a_source_behind_the_cookie_is_never_used(folder: Folder) -> None:
    warnings = folder.warnings(with_key(f"[{cookie()}, {{header: x-user-id}}]"), environ=ENVIRON)
    assert "routes.churn.key[1]: never used: the cookie before it is set for everyone who has none" in warnings[0]
    until = cookie("secrets: {env: SECRET}, until: 2027-01-01")
    assert folder.warnings(with_key(f"[{until}, {{header: x-user-id}}]"), environ=ENVIRON) == []


OTHER = """
  other:
    match: {path: /other, methods: [POST]}
    model: churn
    key: [KEY]
    rules:
      - {name: everyone, split: {"1.1.0": 1}RULE}
"""


def two_routes(other: str, rule: str = "", *changes: tuple[str, str]) -> str:
    return with_key(f"[{cookie()}]", *changes) + OTHER.replace("KEY", other).replace("RULE", rule)


def test_routes_may_share_a_cookie_that_they_agree_about(folder: Folder) -> None:
    assert len(folder.load(two_routes(cookie()), environ=ENVIRON).spec.routes) == 2


@pytest.mark.parametrize("options", ["secrets: {env: OLD}, ttl: 30d", "secrets: {env: SECRET}, ttl: 29d"])
def test_routes_that_do_not_agree_about_a_cookie_are_refused(folder: Folder, options: str) -> None:
    findings = folder.refusal(two_routes(cookie(options)), environ=ENVIRON)
    assert "found other settings for the cookie sd_uid than on the route churn" in findings[0]
    assert "allowed the same settings (stepdown.yaml:25)" in findings[0]
    assert SECRET not in findings[0]


def test_a_route_cannot_take_another_ones_cookie_as_it_is(folder: Folder) -> None:
    findings = folder.refusal(two_routes("{cookie: sd_uid}"), environ=ENVIRON)
    assert "found sd_uid without set: true, but the route churn sets it" in findings[0]


# --- drain ----------------------------------------------------------------------------------------------------------

DRAIN = (EVERYONE, EVERYONE.replace("}}", "}, drain: sticky}"))


def test_a_split_drains_with_a_cookie_that_is_set(folder: Folder) -> None:
    loaded = folder.load(with_key(f"[{cookie()}]", DRAIN), environ=ENVIRON)
    assert [rule.drain for rule in loaded.spec.routes[0].rules] == [None, "sticky"]


def test_drain_without_such_a_cookie_is_refused_with_the_reason(folder: Folder) -> None:
    findings = folder.refusal(changed(DRAIN))
    assert len(findings) == 1
    assert "routes.churn.rules[1].drain: found drain: sticky without a cookie that Stepdown sets" in findings[0]
    assert (
        "nothing says who had a version before; allowed drain together with key: [{cookie: {name: NAME," in findings[0]
    )


def test_drain_keeps_nobody_who_has_an_earlier_key(folder: Folder) -> None:
    warnings = folder.warnings(with_key(f"[{{header: x-user-id}}, {cookie()}]", DRAIN), environ=ENVIRON)
    assert "keeps nobody whose key comes from a source before the cookie" in warnings[0]


def test_a_cookie_remembers_the_version_of_one_route(folder: Folder) -> None:
    findings = folder.refusal(two_routes(cookie(), ", drain: sticky", DRAIN), environ=ENVIRON)
    assert (
        "found drain: sticky here and on the route churn with the same cookie; allowed a name of its own" in findings[0]
    )
    apart = two_routes(cookie(name="other"), ", drain: sticky", DRAIN)
    assert len(folder.load(apart, environ=ENVIRON).spec.routes) == 2


def test_colours_do_not_drain(folder: Folder) -> None:
    rule = '{name: everyone, colours: {blue: "1.1.0", green: "2.0.0"}, active: blue, drain: sticky}'
    findings = folder.refusal(with_key(f"[{cookie()}]", (EVERYONE, rule)), environ=ENVIRON)
    assert "found drain with colours, of which one takes everything; allowed drain with a split only" in findings[0]


def test_no_secret_of_a_cookie_is_shown(folder: Folder) -> None:
    loaded = folder.load(with_key(f"[{cookie()}]"), environ=ENVIRON)
    for shown in (repr(loaded), repr(loaded.spec), repr(loaded.sources), str(redacted(loaded.spec))):
        assert SECRET not in shown
