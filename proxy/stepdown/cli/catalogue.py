"""`stepdown catalogue`: the adapters and contracts that come with Stepdown."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from stepdown.cli.output import show_tables
from stepdown.cli.summary import Row, Table
from stepdown_adapters.catalogue.entries import Entry, adapter_file, contract_file, contracts, entry, names
from stepdown_adapters.errors import CatalogueError

EXIT_UNUSABLE = 2


def catalogue(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Print this adapter or contract, as it would be in a file.")
    ] = None,
    *,
    request: Annotated[
        bool, typer.Option("--request", help="Of a contract, that of requests in the place of that of answers.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List the adapters that come with Stepdown, or print one of them.

    A configuration names them where it would say their operations itself. What it says beside `use` of `request`,
    `response`, `errors` or `stream` takes the place of what the adapter brings.

    \b
      adapters: [{from: "2.0.0", to: "1.0.0", use: vllm/reasoning-to-reasoning-content}]
      versions: {"1.0.0": {schema: {catalogue: vllm/chat-reasoning-content}}}

    \b
    Examples:
      stepdown catalogue
      stepdown catalogue vllm/reasoning-to-reasoning-content
      stepdown catalogue vllm/chat --request > contracts/chat.request.yaml
    """
    if name is None:
        _list(as_json)
        return
    try:
        if name in contracts():
            file = contract_file(name, "input" if request else "output")
        else:
            found = entry(name)
            if as_json:
                print(json.dumps(asdict(found)))
                return
            file = adapter_file(name)
    except CatalogueError as error:
        print(f"stepdown catalogue: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_UNUSABLE) from None
    print(file.read_text().rstrip("\n"))


def _list(as_json: bool) -> None:
    found = [entry(one) for one in names()]
    if as_json:
        print(json.dumps({"adapters": [asdict(one) for one in found], "contracts": contracts()}))
        return
    head: Row = ("use", "what it does", "streams", "requests", "from", "to")
    show_tables(
        [
            Table("adapters", (head, *map(_row, found))),
            Table("contracts", (("catalogue", "of requests too"), *((one, _has_request(one)) for one in contracts()))),
        ]
    )


def _row(one: Entry) -> Row:
    brings = one.brings
    return (
        one.name,
        one.title,
        "yes" if "stream" in brings else "-",
        "yes" if "request" in brings else "-",
        one.newer,
        one.older,
    )


def _has_request(name: str) -> str:
    try:
        contract_file(name, "input")
    except CatalogueError:
        return "-"
    return "yes"
