"""`stepdown diff OLD NEW`: every difference between two contracts, whom it breaks, and what repairs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from stepdown_adapters.contract.model import Contract
    from stepdown_adapters.diff import Bump, Change, Diff, Warning

EXIT_BREAKING = 1
EXIT_UNUSABLE = 2


class Direction(StrEnum):
    """Who sends the documents."""

    response = "response"
    request = "request"


class Client(StrEnum):
    """How the other side reads them."""

    strict = "strict"
    tolerant = "tolerant"


class Enums(StrEnum):
    """What the growth of an enum means."""

    closed = "closed"
    extensible = "extensible"


class Formats(StrEnum):
    """Whether anybody checks `format`."""

    annotation = "annotation"
    asserted = "asserted"


class FailOn(StrEnum):
    """From which bump on the command fails."""

    major = "major"
    minor = "minor"
    patch = "patch"
    never = "never"


def diff(
    older: Annotated[str, typer.Argument(metavar="OLD", help="The older contract.", show_default=False)],
    newer: Annotated[str, typer.Argument(metavar="NEW", help="The newer contract.", show_default=False)],
    *,
    direction: Annotated[
        Direction, typer.Option("--direction", help="What the contracts are of: a request is judged in the mirror.")
    ] = Direction.response,
    client: Annotated[
        Client, typer.Option("--client", help="`strict` validates; `tolerant` ignores members that it does not know.")
    ] = Client.strict,
    enums: Annotated[
        Enums, typer.Option("--enums", help="`extensible`: no client falls over a new value of an enum.")
    ] = Enums.closed,
    formats: Annotated[
        Formats, typer.Option("--formats", help="`asserted`: clients check `format`.")
    ] = Formats.annotation,
    as_json_: Annotated[bool, typer.Option("--json", help="Everything as JSON, for machines.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="An entry for a changelog.")] = False,
    old_version: Annotated[
        str | None, typer.Option("--old-version", help="The older version; with --new-version.", show_default=False)
    ] = None,
    new_version: Annotated[
        str | None,
        typer.Option("--new-version", help="Fail if this version is too low for the changes.", show_default=False),
    ] = None,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="Exit with 1 from this bump on.")] = FailOn.major,
) -> None:
    """Compare two contracts: name every change, whom it breaks, and the operation that repairs it.

    A response change is compatible if every document valid under NEW is valid under OLD; of a request it is the other
    way round. What cannot be decided counts as MAJOR. Meaning (`x-semantic`) is compared as well.

    \b
    A contract is one of
      FILE.json, FILE.yaml                             a JSON Schema (2020-12 or draft 7)
      FILE.yaml::operationId[/status[/media-type]]     an operation of an OpenAPI document
      FILE.proto::package.Message                      a Protobuf message, as JSON (also FILE.binpb::...)
      package.module:Model                             a Pydantic model

    \b
    Examples:
      stepdown diff contracts/churn/1.1.0.json contracts/churn/2.0.0.json
      stepdown diff api-v1.yaml::predict api-v2.yaml::predict --client tolerant
      stepdown diff v1/in.json v2/in.json --direction request
      stepdown diff old.json new.json --old-version 1.1.0 --new-version 1.2.0 --fail-on never
      stepdown diff old.json new.json --markdown >> CHANGELOG.md
      stepdown diff old.json new.json --json | jq '.changes[] | select(.compatible | not)'

    \b
    Exits with
      0  nothing changed, or nothing from --fail-on on (and the new version is high enough)
      1  something breaks (see --fail-on), or --new-version is too low
      2  a contract or a version cannot be read
    """
    if as_json_ and as_markdown:
        _give_up("--json and --markdown: choose one")
    from stepdown_adapters.diff import BUMPS, compare, lint  # noqa: PLC0415 - the other commands do not pay for it
    from stepdown_adapters.diff.report import as_json, markdown, verdict, whole  # noqa: PLC0415

    old, new = _contracts(older, newer, "input" if direction == Direction.request else "output")
    versions = _versions(old_version, new_version)
    found = compare(old, new, direction=direction.value, client=client.value, enums=enums.value, formats=formats.value)
    complaint = _too_low(versions, found.bump)
    warnings = lint(new)
    if as_json_:
        notes = [{"rule": note.rule, "path": note.path, "sentence": note.sentence} for note in warnings]
        print(json.dumps(as_json(found) | {"warnings": notes, "version": complaint}, indent=2, ensure_ascii=False))
    elif as_markdown:
        print(markdown(found, old_version or older, new_version or newer), end="")
    else:
        _show(found, [*_read_with_warnings(old, new), *warnings])
        told = whole(found)
        print(f"{told}\n{verdict(found)}" if told else verdict(found))
    if complaint is not None:
        print(complaint, file=sys.stderr if as_json_ or as_markdown else sys.stdout)
    fails = fail_on != FailOn.never and found.bump != "none" and BUMPS.index(found.bump) >= BUMPS.index(fail_on.value)
    raise typer.Exit(EXIT_BREAKING if fails or complaint is not None else 0)


def _contracts(older: str, newer: str, side: Any) -> tuple[Contract, Contract]:
    """Both contracts, or the mistakes of both."""
    from stepdown_adapters.contract.source import load_contract  # noqa: PLC0415
    from stepdown_adapters.errors import ContractError  # noqa: PLC0415

    loaded, mistakes = [], []
    for reference in (older, newer):
        try:
            loaded.append(load_contract(reference, Path(), side=side))
        except ContractError as error:
            mistakes.append(str(error))
    if mistakes:
        _give_up("\n".join(dict.fromkeys(mistakes)))
    return loaded[0], loaded[1]


def _versions(old: str | None, new: str | None) -> tuple[Any, Any] | None:
    from stepdown_adapters.versions import Version, VersionError  # noqa: PLC0415

    if old is None and new is None:
        return None
    if old is None or new is None:
        _give_up("--old-version and --new-version go together")
    try:
        return Version.parse(old), Version.parse(new)
    except VersionError as error:
        _give_up(str(error))


def _too_low(versions: tuple[Any, Any] | None, bump: Bump) -> str | None:
    """Why the declared version is not enough."""
    from stepdown_adapters.diff import bump_between, enough, next_version  # noqa: PLC0415

    if versions is None:
        return None
    older, newer = versions
    declared = bump_between(older, newer)
    if enough(declared, bump):
        return None
    needed = next_version(older, bump)
    return f"{older} to {newer} is {declared.upper()}, and the changes are {bump.upper()}: {needed} would be enough"


def _read_with_warnings(*contracts: Contract) -> list[str]:
    return [warning for contract in contracts for warning in contract.warnings]


def _show(found: Diff, warnings: Sequence[str | Warning]) -> None:
    from stepdown_adapters.diff.report import ordered  # noqa: PLC0415

    changes = ordered(found.changes)
    if sys.stdout.isatty():
        _show_coloured(changes)
    else:
        for change in changes:
            print("\n".join(_lines(change)))
    if found.repairs:
        way = (
            "answers of the newer version" if found.policy.direction == "response" else "requests to the newer version"
        )
        print(f"\nThe repairs together, in an order in which they work, for {way}:")
        for repair in found.repairs:
            for change in changes:
                if change.repair == repair:
                    print(f"# {change}")
            print(_yaml([repair]))
    for index, warning in enumerate(warnings):
        print(f"{'' if index else chr(10)}warning: {warning}")
    if found.repairs or warnings:
        print()


def _lines(change: Change) -> list[str]:
    """One change for a pipe: the line that can be searched for, and what belongs to it below."""
    lines = [f"{change.bump.upper():5}  {change}  [{change.kind}]"]
    if change.reason:
        lines.append(f"       {change.reason}")
    if change.repair is not None:
        lines += [f"       {line}" for line in _yaml([change.repair]).splitlines()]
    return lines


def _yaml(operations: Sequence[Any]) -> str:
    import yaml  # noqa: PLC0415

    texts = []
    for operation in operations:
        short = all(isinstance(value, str) for value in operation.values())
        style = False if short else None  # `remove: /x` in block style, options in one line
        options: Any = {"default_flow_style": style, "sort_keys": False, "allow_unicode": True, "width": 1000}
        texts.append(yaml.safe_dump([dict(operation)], **options).rstrip())
    return "\n".join(texts)


_COLOURS = {"major": "bold red", "minor": "yellow", "patch": "dim"}
_BROKEN = {
    ("breaking", "breaking"): ("everybody", "red"),
    ("breaking", "dangerous"): ("strict, maybe others", "red"),
    ("breaking", "compatible"): ("strict clients", "yellow"),
    ("compatible", "breaking"): ("who needs it", "yellow"),
}


def _show_coloured(changes: Sequence[Change]) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - costs a third of the start-up, and only terminals want it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not changes:
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("bump", "where", "what changed", "breaks"):
        table.add_column(name, overflow="fold")
    for change in changes:
        what = Text.assemble(change.sentence, (f" [{change.kind}]", "dim"))
        if change.reason:
            what.append(f"\n{change.reason}", style="dim")
        whom, colour = _BROKEN.get((change.strict, change.tolerant), ("-", "green"))
        bump = Text(change.bump.upper(), style=_COLOURS.get(change.bump, ""))
        table.add_row(bump, Text(_where(change), style="cyan"), what, Text(whom, style=colour))
    Console(highlight=False).print(table)


def _where(change: Change) -> str:
    return " ".join(part for part in (change.place, change.path) if part) or "the document"


def _give_up(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(EXIT_UNUSABLE)
