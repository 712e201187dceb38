"""`stepdown replay RECORDING --against CANDIDATE`: recorded requests sent to a candidate, and its answers compared."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepdown.cli.output import show_findings
from stepdown.cli.shadow_limits import EXIT_UNUSABLE, give_up, limits_of, share_of
from stepdown.config import Loaded, RefusedError, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepdown.replay.candidate import Sending, Target
    from stepdown.replay.replay import Choosing

FILE = "stepdown.yaml"
_OURS = {"host", "content-length", "transfer-encoding", "connection", "x-stepdown-shadow"}


def replay(
    recording: Annotated[list[Path], typer.Argument(metavar="RECORDING", help="Files, or folders of them.")],
    *,
    against: Annotated[
        str, typer.Option("--against", metavar="URL | VERSION", help="Who gets the requests; also VERSION=URL.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help=f"The configuration whose adapters and rules are used.  [default: {FILE} with a VERSION, else none]",
            show_default=False,
        ),
    ] = None,
    route: Annotated[str | None, typer.Option("--route", metavar="NAME", help="Requests of this route only.")] = None,
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="N/s", help="The most requests a second, minute (/m) or hour (/h)."),
    ] = None,
    concurrency: Annotated[
        int,
        typer.Option("--concurrency", min=1, max=1024, metavar="N", help="The most requests that are on their way."),
    ] = 8,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, max=3600, metavar="SECONDS", help="What an answer may take.")
    ] = 10.0,
    wait: Annotated[
        float,
        typer.Option("--wait", min=0, max=3600, metavar="SECONDS", help="For a candidate that cannot be connected to."),
    ] = 10.0,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Send no more than so many requests.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", metavar="SHARE", help="Send a share of the requests, e.g. 10%.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="A field to add; may be given often."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="PATH", help="A path that may differ; may be given often.")
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            "--noise", metavar="SHARE", help="Share that the version of the recorded answer gets again, e.g. 50%."
        ),
    ] = None,
    max_different: Annotated[
        str | None,
        typer.Option("--max-different", metavar="SHARE", help="Decide: pass only if no more differ, e.g. 0.5%."),
    ] = None,
    min_compared: Annotated[
        int | None,
        typer.Option(
            "--min-compared",
            min=1,
            metavar="N",
            help="With --max-different: answers that it takes at least.  [default: 1]",
        ),
    ] = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="Pass over lines that cannot be read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON, for machines.")] = False,
) -> None:
    """Send recorded requests to a candidate, and compare its answers with those that were recorded.

    Both are brought into the shape that each client had asked for, by the adapters of the configuration, and compared
    by the rules of the route's shadow of that version, or of its only one. Without a configuration they are compared
    as they are. Requests carry `X-Stepdown-Shadow: replay`, and no credentials: those were not recorded.

    \b
    Examples:
      stepdown replay recordings --against http://127.0.0.1:9000
      stepdown replay recordings --against 2.1.0 --config new.yaml --rate 50/s
      stepdown replay recordings --against 2.1.0=http://127.0.0.1:9000 -H 'authorization: Bearer ...'
      stepdown replay recordings --against 2.1.0 --max-different 0.5% --min-compared 5000 --json

    \b
    Exits with
      0    the requests were sent; with --max-different: it passes
      1    with --max-different: it fails
      2    with --max-different: neither can be said (yet)
      3    nothing is known: a mistake in the command, something cannot be used, nothing was compared, or (without
           --max-different) the candidate was gone before the end
      130  stopped with Ctrl-C, after the report on what was sent by then
    """
    from stepdown.cli.replay_run import run  # noqa: PLC0415 - the other commands do not pay for it
    from stepdown.replay.candidate import Candidates, TargetError, parse_target  # noqa: PLC0415

    limits = limits_of(max_different, min_compared)
    choosing = _choosing(route, sample, limit, rate, concurrency)._replace(patience=wait)
    sending = _sending(timeout, concurrency, header or (), ignore or ())
    try:
        target = _canonical(parse_target(against))
        if noise is not None:
            sending = sending._replace(noise=_noise(noise, target))
        loaded = _loaded(config if config is not None or target.endpoint is not None else Path(FILE))
        if loaded is not None:
            _check_route(loaded, route)
        candidates = Candidates(target, sending, None if loaded is None else loaded.spec)
    except TargetError as error:
        give_up(f"--against {error}")
    raise typer.Exit(run(recording, candidates, choosing, limits, lenient=lenient, as_json=as_json))


def _choosing(route: str | None, sample: str | None, limit: int | None, rate: str | None, concurrency: int) -> Choosing:
    from stepdown.replay.pace import parse_rate  # noqa: PLC0415
    from stepdown.replay.replay import Choosing  # noqa: PLC0415

    share = 1.0 if sample is None else share_of("--sample", sample)
    if not share:
        give_up(f"--sample {sample}: allowed more than 0")
    try:
        pace = 0.0 if rate is None else parse_rate(rate)
    except ValueError as error:
        give_up(f"--rate {error}")
    return Choosing(route, share, limit, pace, concurrency)


def _sending(timeout: float, concurrency: int, headers: Sequence[str], ignore: Sequence[str]) -> Sending:
    from stepdown.replay.candidate import Sending  # noqa: PLC0415
    from stepdown.wire.serialise import field  # noqa: PLC0415
    from stepdown_adapters.errors import PathError  # noqa: PLC0415
    from stepdown_adapters.paths import parse  # noqa: PLC0415

    pairs = []
    for text in headers:
        name, colon, value = text.partition(":")
        name, value = name.strip(), value.strip()
        try:
            field(name, value)
        except (ValueError, UnicodeEncodeError):
            name = ""
        if not name or not colon:
            give_up(f"--header {text.partition(':')[0]}: found no field such as 'authorization: Bearer ...'")
        if name.lower() in _OURS:
            give_up(f"--header {name}: is set for each request by itself")
        pairs.append((name, value))
    for path in ignore:
        try:
            parse(path)
        except PathError as error:
            give_up(f"--ignore {path}: {error}")
    return Sending(timeout, concurrency, tuple(pairs), tuple(ignore))


def _noise(noise: str, target: Target) -> float:
    """In percent."""
    if not target.version:
        give_up("--noise: goes with --against VERSION or VERSION=URL, or there is nobody else who could be asked")
    return 100 * share_of("--noise", noise)


def _loaded(file: Path | None) -> Loaded | None:
    if file is None:
        return None
    try:
        return load(file, os.environ)
    except RefusedError as refused:
        show_findings(refused.findings)
        print(f"{file}: nothing is replayed, because of what is wrong above", file=sys.stderr)
        raise typer.Exit(EXIT_UNUSABLE) from None


def _check_route(loaded: Loaded, route: str | None) -> None:
    known = [one.name for one in loaded.spec.routes]
    if route is not None and route not in known:
        give_up(f"--route {route}: allowed {', '.join(known) or 'none, for the file has no routes'}")


def _canonical(target: Target) -> Target:
    """The version as configurations have it."""
    from stepdown_adapters.versions import Version, VersionError  # noqa: PLC0415

    if not target.version:
        return target
    try:
        return target._replace(version=str(Version.parse(target.version)))
    except VersionError as error:
        give_up(f"--against {target.version}: {error}; allowed a version, a URL, or VERSION=URL")
