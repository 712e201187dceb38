"""Asks every endpoint that has a health check whether it is ready, and tells whoever cares when the answer changes.

One task for each endpoint, so a server that hangs delays nobody else's probe. Each probe opens its own connection: what
is asked is whether requests would be accepted now. Probes are spread over their interval, lest a hundred endpoints on
one host be asked at the same instant.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from stepdown import tasks
from stepdown.control.health import Health, Result, after, contradiction
from stepdown.control.state import HealthView
from stepdown.decide.spec import Endpoint, HealthCheck, Model, SnapshotSpec, Tls, Version

logger = logging.getLogger(__name__)

METADATA_BYTES = 1024 * 1024
_SPREAD = 0.1
"""An interval is up to this share longer or shorter."""


@dataclass(frozen=True)
class Target:
    """One endpoint to ask, with its place in the configuration and everything that its probe depends on."""

    key: str
    """`model/version/endpoint-id`."""
    endpoint: Endpoint
    check: HealthCheck
    names: tuple[tuple[str, str], ...]
    """Values of `{model}` and `{version}` in paths: what the endpoint is expected to call them, else the file's."""

    def path(self, template: str) -> str:
        """A path of the check, filled in."""
        for name, value in self.names:
            template = template.replace("{" + name + "}", value)
        return template


class Asked(NamedTuple):
    """What a probe came to."""

    result: Result
    saw: str
    passed: int
    """How many passed in a row, this one included."""
    up: bool
    """Whether the endpoint counts as ready now."""


def endpoint_keys(spec: SnapshotSpec) -> dict[str, tuple[Model, Version, Endpoint]]:
    """Every endpoint by its key, with where it stands."""
    return {
        f"{model.name}/{version.id}/{endpoint.id}": (model, version, endpoint)
        for model in spec.models
        for version in model.versions
        for endpoint in (*version.endpoints, *version.idle)
    }


def targets(spec: SnapshotSpec) -> dict[str, Target]:
    """Every endpoint that has an active check, by its key."""
    found = {}
    for key, (model, version, endpoint) in endpoint_keys(spec).items():
        if version.health.path is not None:
            expected = dict(endpoint.expect)
            names = (
                ("model", expected.get("model_name", model.name)),
                ("version", expected.get("model_version", version.id)),
            )
            found[key] = Target(key, endpoint, version.health, names)
    return found


class Prober:
    """The probes of the specification in force."""

    def __init__(self, changed: Callable[[], None], *, wall_clock: Callable[[], float] = time.time) -> None:
        """`changed` is called after an endpoint went up or down, and after the set of endpoints changed."""
        self._changed = changed
        self._wall_clock = wall_clock
        self._health: dict[str, Health] = {}
        self._unprobed: frozenset[str] = frozenset()
        self._running: dict[Target, asyncio.Task[None]] = {}
        self._passed: dict[str, int] = {}
        """By key, how many probes passed in a row until now."""
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[Tls, ssl.SSLContext] = {}

    def watch(self, spec: SnapshotSpec) -> None:
        """Probe these endpoints from now on; one whose probe stays the same keeps its state and its rhythm."""
        probed = targets(spec)
        wanted = set(probed.values())
        self._unprobed = frozenset(key for key in endpoint_keys(spec) if key not in probed)
        for target in self._running.keys() - wanted:
            self._running.pop(target).cancel()
            self._health.pop(target.key, None)
            self._passed.pop(target.key, None)
        for target in wanted - self._running.keys():
            self._health[target.key] = Health(since=self._wall_clock())
            self._running[target] = tasks.start(self._keep_asking(target), name=f"probe {target.key}")
        self._changed()

    async def close(self) -> None:
        """Stop asking."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()
        if self._session is not None:
            await self._session.close()

    def views(self) -> Mapping[str, HealthView]:
        """By key, for status and admin."""
        return {key: HealthView(health.state, health.since, health.reason) for key, health in self._health.items()}

    def states(self) -> dict[str, bool]:
        """By key, whether the endpoint may get requests; those of which nothing is known yet are left out.

        Endpoints without a check may: that takes back what was said while they had one.
        """
        known = {key: health.state == "up" for key, health in self._health.items() if health.state != "unknown"}
        return dict.fromkeys(self._unprobed, True) | known

    async def ask_now(self, key: str) -> Asked | None:
        """One probe out of turn, which counts like any; `None` where the endpoint is not probed (any more)."""
        target = next((one for one in self._running if one.key == key), None)
        if target is None:
            return None
        result, saw = await self._ask(target)
        if target not in self._running:
            return None
        self._note(target, result, saw)
        return Asked(result, saw, self._passed[key], self._health[key].state == "up")

    # --- one endpoint -------------------------------------------------------------------------------------------------

    async def _keep_asking(self, target: Target) -> None:
        while True:
            self._note(target, *await self._ask(target))
            interval = target.check.interval
            await asyncio.sleep(interval * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311 - no secret

    def _note(self, target: Target, result: Result, saw: str) -> None:
        before = self._health[target.key]
        check = target.check
        health = after(before, result, saw, rise=check.rise, fall=check.fall, now=self._wall_clock())
        self._health[target.key] = health
        self._passed[target.key] = self._passed.get(target.key, 0) + 1 if result is Result.PASSED else 0
        if health.state != before.state:
            log = logger.info if health.state == "up" else logger.warning
            log("endpoint %s is %s: %s", target.key, health.state, health.reason)
            self._changed()

    async def _ask(self, target: Target) -> tuple[Result, str]:
        check = target.check
        try:
            async with asyncio.timeout(check.timeout):
                assert check.path is not None
                status, _body = await self._get(target, target.path(check.path))
                if not 200 <= status < 300:
                    return Result.FAILED, f"GET {target.path(check.path)} answers {status}"
                if target.endpoint.expect and check.metadata_path is not None:
                    return await self._compare(target, target.path(check.metadata_path))
                return Result.PASSED, f"GET {target.path(check.path)} answers {status}"
        except TimeoutError:
            return Result.FAILED, f"no answer within {check.timeout:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Result.FAILED, str(error) or type(error).__name__

    async def _compare(self, target: Target, path: str) -> tuple[Result, str]:
        status, body = await self._get(target, path)
        if status == 404:
            return Result.WRONG, f"GET {path} answers 404, so it does not run what the file expects"
        if not 200 <= status < 300:
            return Result.FAILED, f"GET {path} answers {status}"
        try:
            metadata: Any = json.loads(body)
        except ValueError:
            metadata = None
        different = contradiction(target.endpoint.expect, metadata, path)
        if different is not None:
            return Result.WRONG, different
        return Result.PASSED, f"GET {path} says what the file expects"

    async def _get(self, target: Target, path: str) -> tuple[int, bytes]:
        endpoint = target.endpoint
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        scheme = "https" if endpoint.tls else "http"
        headers = dict(endpoint.set_headers)
        if endpoint.host_header not in {"keep", "endpoint"}:
            headers["Host"] = endpoint.host_header
        async with self._client().get(
            URL(f"{scheme}://{host}:{endpoint.port}{path}", encoded=True),
            headers=headers,
            allow_redirects=False,
            ssl=self._context(endpoint.tls) if endpoint.tls else True,
            server_hostname=endpoint.tls.server_name if endpoint.tls else None,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > METADATA_BYTES:
                    raise ValueError(f"GET {path} answers more than {METADATA_BYTES} bytes")
            return response.status, bytes(body)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=0, use_dns_cache=False),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _context(self, tls: Tls) -> ssl.SSLContext:
        if tls not in self._contexts:
            context = ssl.create_default_context(cafile=tls.ca_file)
            if not tls.verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._contexts[tls] = context
        return self._contexts[tls]
