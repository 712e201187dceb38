"""Who is measured: the commands that start each proxy, and the configuration each gets from `bench/peers/`."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import bodies, payload, rollout
from bench.processes import Program, free_port, running

TEMPLATES = Path(__file__).parent / "peers"
ENVOY = Path(__file__).parents[1] / ".envs/envoy/bin/envoy"
NGINX_MODULES = Path("/usr/lib/nginx/modules")  # where Debian's packages put them
LOAD_CORE, PROXY_CORE = 0, 1


def fill(template: str, into: Path, values: dict[str, object]) -> Path:
    """Write `bench/peers/<template>`, each `@{name}` replaced, into the folder `into`; returns the file's path."""
    into.mkdir(parents=True, exist_ok=True)
    text = (TEMPLATES / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{{{name}}}", str(value))
    file = into / template
    file.write_text(text)
    return file


@dataclass(frozen=True)
class Peer:
    """One row of the table."""

    name: str
    template: str
    command: Callable[[Path], list[str]]
    """From the file that the template became."""
    needs: Path
    """The file without which the row is left out."""
    adapts: bool = False
    workers: int = 1
    routes: int = 1
    """How many are configured."""
    asked: int = 1
    """How many of them the load asks, in turn."""
    validated: int = 0
    """Percentage of answers that is held against contracts."""
    rollout: bool = False
    """Requests count for a rollout that was started,"""
    tokens: bool = False
    """and answers carry tokens."""

    @property
    def path(self) -> str:
        """What is asked; `#` stands for the route's number."""
        return payload.PATH if self.routes == 1 else payload.numbered_path("#")


def _nginx(config: Path) -> list[str]:
    return [found("nginx"), "-p", str(config.parent), "-c", str(config), "-e", "stderr"]


def _haproxy(config: Path) -> list[str]:
    return [found("haproxy"), "-W", "-f", str(config)]


def _envoy(config: Path) -> list[str]:
    return [str(ENVOY), "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]


def stepdown(config: Path) -> list[str]:
    """The command of a sidecar."""
    return [sys.executable, "-m", "stepdown", "run", str(config)]


def found(program: str) -> str:
    """Path of a program; Debian keeps servers out of users' PATH."""
    return shutil.which(program) or f"/usr/sbin/{program}"


PEERS = (
    Peer("stepdown", "stepdown.yaml", stepdown, needs=Path(sys.executable)),
    Peer("nginx", "nginx.conf", _nginx, needs=Path(found("nginx"))),
    Peer("haproxy", "haproxy.cfg", _haproxy, needs=Path(found("haproxy"))),
    Peer("envoy", "envoy.yaml", _envoy, needs=ENVOY),
    Peer("stepdown, 2 workers", "stepdown.yaml", stepdown, needs=Path(sys.executable), workers=2),
    Peer("stepdown, all validated", "stepdown.yaml", stepdown, needs=Path(sys.executable), validated=100),
    Peer("stepdown, a rollout", "stepdown-rollout.yaml", stepdown, needs=Path(sys.executable), rollout=True),
    Peer(
        "stepdown, a rollout with tokens",
        "stepdown-rollout.yaml",
        stepdown,
        needs=Path(sys.executable),
        rollout=True,
        tokens=True,
    ),
    Peer("stepdown, 1000 routes, 1 asked", "stepdown-routes.yaml", stepdown, needs=Path(sys.executable), routes=1000),
    Peer(
        "stepdown, 1000 routes asked",
        "stepdown-routes.yaml",
        stepdown,
        needs=Path(sys.executable),
        routes=1000,
        asked=1000,
    ),
    Peer("stepdown adapting", "stepdown-adapting.yaml", stepdown, needs=Path(sys.executable), adapts=True),
    Peer("nginx + LuaJIT", "nginx-lua.conf", _nginx, needs=NGINX_MODULES / "ngx_http_lua_module.so", adapts=True),
    Peer("nginx + njs", "nginx-njs.conf", _nginx, needs=NGINX_MODULES / "ngx_http_js_module.so", adapts=True),
)


@dataclass(frozen=True)
class Upstream:
    """The model server's two ports, one for each version, and the folder in which this run keeps its files."""

    v1: int
    v2: int
    folder: Path


@contextlib.contextmanager
def upstream(folder: Path) -> Iterator[Upstream]:
    """The model server of all rows, on the load's core, for the time of the block."""
    ports = Upstream(free_port(), free_port(), folder)
    values = {"upstream_v1": ports.v1, "upstream_v2": ports.v2, "answer": payload.ANSWER}
    config = fill("upstream.conf", folder / "upstream", values)
    with running(_nginx(config), port=ports.v2, core=LOAD_CORE, output=folder / "upstream.log") as program:
        program.go_first()
        yield ports


@contextlib.contextmanager
def proxy(peer: Peer, behind: Upstream) -> Iterator[tuple[Program, int]]:
    """`peer` in front of `behind`, alone on its core, for the time of the block; yields it and its port.

    The block begins when the first request was answered well.
    """
    port, status, admin = free_port(), free_port(), free_port()
    values: dict[str, object] = {
        "listen": port,
        "status": status,
        "admin": admin,
        "feedback": rollout.feedback() if peer.tokens else "",
        "workers": peer.workers,
        "validate": f"{peer.validated}%",
        "upstream_v1": behind.v1,
        "upstream_v2": behind.v2,
        "path": payload.PATH,
        "modules": NGINX_MODULES,
        "peers": TEMPLATES,
    }
    if peer.routes > 1:
        values |= _many_routes(peer.routes, behind)
    config = fill(peer.template, behind.folder / peer.name.replace(" ", "-"), values)
    log = behind.folder / f"{config.parent.name}.log"  # not beside the configuration, which some proxies watch
    with running(peer.command(config), port=port, core=PROXY_CORE, output=log) as program:
        bodies.exchange(port, ask=2, answer=2, path=peer.path.replace("#", "0"))
        if peer.adapts:
            _check_predictions(port)
        if peer.rollout:
            rollout.start(port, status, admin, tokens=peer.tokens)
        yield program, port


def _check_predictions(port: int) -> None:
    """Raise unless the answer is what V1 clients read: a fast answer that is wrong counts for nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", payload.PATH, payload.REQUEST, {"Content-Type": "application/json", "x-user-id": "a"})
    answer = json.load(connection.getresponse())
    connection.close()
    if answer != {"predictions": payload.PREDICTIONS}:
        raise RuntimeError(f"not what V1 clients read: {answer}")


def _many_routes(count: int, behind: Upstream) -> dict[str, object]:
    """`models` and `routes` of a large configuration: model number n is called `churn-n` and has its own path."""
    contract = TEMPLATES / "contract.json"
    versions = ", ".join(
        f'"1.0.{patch}": {{schema: {contract}, validate: 0%, '
        f"endpoints: [http://127.0.0.1:{behind.v2 if patch else behind.v1}]}}"
        for patch in range(10)
    )
    models = [f'  churn-{n}: {{default_version: "1.0.0", versions: {{{versions}}}}}' for n in range(count)]
    routes = [
        f"  churn-{n}: {{match: {{path: {payload.numbered_path(n)}, methods: [POST]}}, model: churn-{n}, "
        'key: [{header: x-user-id}], split: {"1.0.0": 95, "1.0.1": 5}}'
        for n in range(count)
    ]
    return {"models": "\n".join(models), "routes": "\n".join(routes)}
