"""Two workers and a file: who visits keeps one version, wherever the connection lands and whatever the file becomes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kit.client import Response, ask
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes
from tests.kit.upstream import Upstream

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
workers: 2
drain: {{delay: 0s, grace: 20s}}
log: {{format: json, level: debug}}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{endpoints: [http://127.0.0.1:{port}]}}
      "1.1.0": {{endpoints: [http://127.0.0.1:{port}]}}
    adapters: [{{from: "1.1.0", to: "1.0.0"}}]
routes:
  r:
    match: {{path_prefix: /}}
    model: m
    key: [{{cookie: {{name: sd_uid, set: true, secrets: [{secrets}], ttl: 30d}}}}]
    rules: [{{name: all, split: {split}, drain: sticky}}]
"""
ENVIRON = {"OLD": "an-old-secret-of-some-length", "NEW": "a-new-secret-of-some-length"}


def config(port: int, split: str, secrets: str = "{env: OLD}") -> str:
    return CONFIG.format(port=port, split=split, secrets=secrets)


def replace(file: Path, text: str) -> None:
    """At once, so that nobody reads a half of it."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def get(cookie: str = "") -> bytes:
    line = f"Cookie: sd_uid={cookie}\r\n" if cookie else ""
    return f"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{line}\r\n".encode()


def set_by(response: Response) -> str:
    """The cookie that an answer sets; empty where it sets none."""
    found = re.match(rb"sd_uid=([^;]+); Max-Age=", response.get(b"set-cookie") or b"")
    return found[1].decode() if found else ""


def test_a_visitor_keeps_a_version_over_workers_rotation_and_drain(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread) as upstream:
        even, drained = '{"1.0.0": 50, "1.1.0": 50}', '{"1.0.0": 100, "1.1.0": 0}'
        file.write_text(config(upstream.port, even))
        with Processes(file, environ=ENVIRON) as sidecar:
            sidecar.started()

            def visit(cookie: str = "") -> tuple[str, bytes | None]:
                response = ask(sidecar.port, get(cookie))
                assert response.status == 200
                return set_by(response), response.get(b"x-model-served")

            visitors = dict(visit() for _ in range(16))
            assert len(visitors) == 16
            assert set(visitors.values()) == {b"1.0.0", b"1.1.0"}
            assert [visit(cookie) for cookie in visitors] == [("", served) for served in visitors.values()]
            assert visit("forged~6b49d200~AAAAAAAAAAAAAAAAAAAAAA")[0]

            replace(file, config(upstream.port, drained, "{env: NEW}, {env: OLD}"))
            sidecar.wait_for("configuration is in force", changed=True)
            rotated = {}
            for cookie, served in visitors.items():
                again, kept = visit(cookie)
                assert again.split("~")[0] == cookie.split("~")[0]
                assert kept == served
                rotated[again] = served
            assert {visit()[1] for _ in range(16)} == {b"1.0.0"}

            replace(file, config(upstream.port, drained, "{env: NEW}"))
            sidecar.wait_for("configuration is in force", count=3)
            assert [visit(cookie) for cookie in rotated] == [("", served) for served in rotated.values()]
            assert all(visit(cookie)[0] for cookie in visitors)
            status, shown = sidecar.get("admin", "/v1/config")
            assert (status, b"sd_uid" in shown) == (200, True)
            assert not any(secret.encode() in shown for secret in ENVIRON.values())
            assert not any(secret in str(sidecar.events) for secret in ENVIRON.values())
