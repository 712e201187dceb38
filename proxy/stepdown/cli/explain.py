"""`stepdown explain FILE`: what a configuration would do with one request, and why."""

from __future__ import annotations

import dataclasses
import datetime
import os
import secrets
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from stepdown.cli import explain_replay
from stepdown.cli.flags import supposed
from stepdown.cli.rollout_supposed import standing
from stepdown.cli.shadow_limits import share_of
from stepdown.config import Loaded, RefusedError, load
from stepdown.decide.cookies import ID_BYTES
from stepdown.decide.copied import with_copies
from stepdown.decide.explanation import Explanation
from stepdown.decide.overrides import Overrides
from stepdown.decide.slots import SLOTS
from stepdown.decide.snapshot import Route, Snapshot, compile_snapshot
from stepdown.decide.spec import SnapshotSpec, digest, encode
from stepdown.decide.turns import Rotation
from stepdown.decide.view import FlagView
from stepdown.errors import BadRequestError, StepdownError
from stepdown.wire import RequestHead, parse_request
from stepdown_adapters.generate import compile_chain

EXIT_NOT_SERVED = EXIT_MOVED = 1
EXIT_REFUSED = 2


def explain(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The configuration file.")] = None,
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The configuration file, instead of FILE.", show_default=False),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option("--path", metavar="PATH", help="Path of the request, with its query if any.", show_default=False),
    ] = None,
    method: Annotated[str, typer.Option("--method", "-X", metavar="METHOD", help="Method of the request.")] = "POST",
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header", "-H", metavar="'NAME: VALUE'", help="A header field; may be given often.", show_default=False
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="TEXT", help="The body, or @FILE with the body in.", show_default=False),
    ] = None,
    client: Annotated[str, typer.Option("--client", metavar="ADDRESS", help="Address of the client.")] = "127.0.0.1",
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Time of the request, in UTC without a zone.  [default: now]"),
    ] = None,
    flag: Annotated[
        list[str] | None,
        typer.Option(
            "--flag", metavar="NAME=VARIANT", help="What a provider is to have said of a flag.", show_default=False
        ),
    ] = None,
    rollout: Annotated[
        list[str] | None,
        typer.Option(
            "--rollout",
            metavar="NAME=STEP",
            help="Where a rollout is to stand: a step from 1, promoted or taken-back. Without it none was started.",
            show_default=False,
        ),
    ] = None,
    down: Annotated[
        list[str] | None,
        typer.Option(
            "--down", metavar="MODEL/VERSION", help="A version to take as down; may be given often.", show_default=False
        ),
    ] = None,
    source: Annotated[
        bool, typer.Option("--source", help="Also the Python code that the chain of adapters is compiled to.")
    ] = False,
    records: Annotated[
        str | None,
        typer.Option(
            "--replay", metavar="RECORDS", help="Decide recorded requests (- for standard input).", show_default=False
        ),
    ] = None,
    max_moved: Annotated[
        str | None,
        typer.Option(
            "--max-moved",
            metavar="SHARE",
            help="With --replay: exit with 1 if more would move, e.g. 5%.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The explanation as JSON, for machines.")] = False,
) -> None:
    """Explain which version would answer a request, in which shape, and why; or who would move if FILE were in force.

    Nothing is sent. Versions with endpoints count as up unless `--down` says otherwise. Exits with 0 if the request
    would be served, 1 if it would be refused or no route matches, 2 if the file or the request cannot be read.

    With `--replay` the requests are those that a running sidecar has put on record (`decisions` in its file). Exits
    with 1 if more of them would move than `--max-moved` allows, 2 if nothing can be decided again.

    \b
    Examples:
      stepdown explain stepdown.yaml --path /v2/models/churn/infer -H 'x-user-id: 7'
      stepdown explain stepdown.yaml --path /v2/models/churn/infer -H 'x-model-version: ^1' --down churn/1.1.0 --json
      stepdown explain stepdown.yaml --path /v2/models/churn/infer -H 'x-model-version: ^1' --source
      stepdown explain stepdown.yaml --path /v2/models/churn/infer --at 2026-12-01T09:30+01:00
      stepdown explain stepdown.yaml --path /v2/models/churn/infer -H 'x-user-id: 7' --rollout churn-2=2
      stepdown explain new.yaml --replay decisions.jsonl --max-moved 5%
    """
    if (file is None) == (config is None):
        _give_up("name one configuration file, as FILE or with --config")
    if (path is None) == (records is None):
        _give_up("give either --path, for one request, or --replay, for recorded ones")
    if records is not None:
        _refuse_of_one(
            {"--header": header, "--data": data, "--at": at, "--down": down, "--source": source, "--flag": flag}
        )
    limit, now = _share(max_moved, records), _seconds(at)
    loaded = _loaded(file or config or Path(), rollout or ())
    if records is not None:
        _replay(loaded, records, limit, as_json=as_json)
    assert path is not None
    snapshot = compile_snapshot(loaded.spec, loaded.key_sets())
    body = _body(data)
    ready = _readiness(snapshot, down or ())
    try:
        flags = supposed(snapshot.flags, flag or ())
    except ValueError as wrong:
        _give_up(str(wrong))
    try:
        ip_address(client)
    except ValueError:
        _give_up(f"--client {client}: found no IP address such as 10.0.0.7")
    try:
        head = _head(method, path, header or (), body)
        matched = snapshot.match(head)
    except BadRequestError as refused:
        _give_up(f"the request is refused with {refused.code}: {refused.detail}")
    if matched is None:
        print("null" if as_json else _unmatched(snapshot, method, path))
        raise typer.Exit(EXIT_NOT_SERVED)
    route, params = matched
    explanation = _explanation(loaded.spec, route, head, params, body, client, ready, now, flags)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(explanation), indent=2).decode())
    else:
        print("\n".join(explanation.sentences()))
    if source and not as_json:
        print(f"\n{_source(route, explanation)}")
    raise typer.Exit(EXIT_NOT_SERVED if explanation.refusal else 0)


def _loaded(file: Path, rollouts: Sequence[str]) -> Loaded:
    try:
        loaded = load(file, os.environ)
    except RefusedError as refused:
        _give_up(str(refused))
    try:
        return dataclasses.replace(loaded, spec=standing(loaded.spec, rollouts))
    except ValueError as wrong:
        _give_up(str(wrong))


def _explanation(  # noqa: PLR0917 - as `Route.explain`
    specification: SnapshotSpec,
    route: Route,
    head: RequestHead,
    params: tuple[bytes, ...],
    body: bytes | None,
    client: str,
    ready: Sequence[bool],
    now: float,
    flags: FlagView,
) -> Explanation:
    visitor = route.visitor(head, body, client, now, lambda: secrets.token_bytes(ID_BYTES))
    facts = route.view(head, params, body, client, now, visitor, flags)
    verdict = None
    if specification.overrides is not None:
        try:
            verdict = Overrides(specification.overrides).decide(route, facts, params, client, client, ready, now)
        except StepdownError:
            verdict = None  # of a pin that cannot be read, which the explanation says
    explanation = route.explain(facts, params, body, client, ready, _draw, visitor, verdict)
    explanation = with_copies(explanation, route, facts, body, client, visitor)
    return msgspec.structs.replace(explanation, config=digest(encode(specification)))


def _share(text: str | None, records: str | None) -> float | None:
    if text is None:
        return None
    if records is None:
        _give_up("--max-moved: goes together with --replay")
    return share_of("--max-moved", text, EXIT_REFUSED)


def _refuse_of_one(given: Mapping[str, object]) -> None:
    """Recorded requests have all that one request is given by options."""
    named = ", ".join(option for option, value in given.items() if value)
    if named:
        _give_up(f"{named}: goes together with --path; recorded requests have their own")


def _seconds(text: str | None) -> float:
    """Unix seconds of the time that the request is taken to come at."""
    if text is None:
        return time.time()
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        _give_up(f"--at {text}: found no time such as 2026-12-01T09:30, 2026-12-01T09:30+01:00 or 2026-12-01")
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _replay(loaded: Loaded, path: str, limit: float | None, *, as_json: bool) -> NoReturn:
    try:
        moves, lines = explain_replay.replay(loaded, path)
    except explain_replay.UnusableError as error:
        _give_up(str(error))
    if as_json:
        print(explain_replay.as_json(moves, lines))
    else:
        explain_replay.show(moves, lines)
    exceeded = limit is not None and moves.whole.share > limit
    if exceeded:
        print(f"{moves.whole.share:.2%} would move, and at most {limit:.2%} may", file=sys.stderr)
    raise typer.Exit(EXIT_MOVED if exceeded else 0)


def _draw(_rotation: Rotation | None = None) -> int:
    return secrets.randbelow(SLOTS)


def _source(route: Route, explanation: Explanation) -> str:
    """The generated functions of the chain that was chosen."""
    if explanation.served is None or explanation.pinned is None:
        return "# Nothing is adapted: no version would answer."
    chain = route.model.chain(explanation.served, explanation.pinned)
    code = compile_chain(chain.steps).source if chain is not None else ""
    return code or "# Nothing is adapted: the answer has the shape already."


def _body(data: str | None) -> bytes | None:
    if data is None or not data.startswith("@"):
        return data.encode() if data is not None else None
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        _give_up(f"{data[1:]}: {error.strerror}")


def _head(method: str, path: str, headers: Sequence[str], body: bytes | None) -> RequestHead:
    """The head as a client would send it, read by the same code as a live one."""
    lines = [f"{method} {path} HTTP/1.1", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append("host: localhost")
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return parse_request("\r\n".join((*lines, "", "")).encode())


def _readiness(snapshot: Snapshot, down: Collection[str]) -> list[bool]:
    names = [f"{key.model}/{key.version}" for key in snapshot.versions]
    for name in down:
        if name not in names:
            _give_up(f"--down {name}: no such version; there are {', '.join(names)}")
    return [
        name not in down and snapshot.models[key.model].is_served(key.version)
        for name, key in zip(names, snapshot.versions, strict=True)
    ]


def _unmatched(snapshot: Snapshot, method: str, path: str) -> str:
    onwards = [endpoint.id for endpoint in snapshot.spec.passthrough_to]
    end = f"it goes through to {', '.join(onwards)}" if onwards else "it is answered with 404"
    return f"No route matches {method} {path}: {end}."


def _give_up(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(EXIT_REFUSED)
