"""Configurations with two colours for tests: of a route's rule, or of one version."""

from __future__ import annotations

HEAD = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin:
  listen: 127.0.0.1:0
  tokens:
    - {{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}
    - {{name: looker, role: view, token: {{env: STEPDOWN_TEST_VIEW_TOKEN}}}}
workers: {workers}
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug}}
{more}
"""

OF_A_ROUTE = """
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{blue}]{health}}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{green}]{health}}}
    adapters: [{{from: "2.0.0", to: "1.0.0"}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    rules:
      - {{colours: {{blue: "1.0.0", green: "2.0.0"}}, active: {active}, switch: {{{switch}}}}}
"""

OF_A_VERSION = """
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0":
        endpoints: {{blue: [http://127.0.0.1:{blue}], green: [http://127.0.0.1:{green}]}}
        active: {active}
        switch: {{{switch}}}{block_health}
routes:
  r: {{match: {{path_prefix: /}}, model: m}}
"""

HEALTH = "health: {path: /health, interval: 50ms, timeout: 1s, rise: 2, fall: 2}"
PLACES = {"r": OF_A_ROUTE, "m/1.0.0": OF_A_VERSION}
VIEW_TOKEN = "the-token-of-somebody-who-looks"


def coloured(
    place: str,
    blue: int,
    green: int,
    *,
    active: str = "blue",
    workers: int = 1,
    probed: bool = False,
    switch: str = "ready: 2, timeout: 10s",
    more: str = "",
) -> str:
    """A file whose `place` (`r` or `m/1.0.0`) has colours on these loopback ports."""
    return (HEAD + PLACES[place]).format(
        blue=blue,
        green=green,
        active=active,
        workers=workers,
        health=f", {HEALTH}" if probed else "",
        block_health=f"\n        {HEALTH}" if probed else "",
        switch=switch,
        more=more,
    )


def path_of(place: str) -> str:
    """Of the admin API's call that switches the place."""
    return "/v1/routes/r/switch" if place == "r" else "/v1/models/m/versions/1.0.0/switch"
