"""`stepdown check FILE`: whether a configuration would be accepted, and what it amounts to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from stepdown.cli.output import show_findings, show_tables
from stepdown.cli.summary import as_json, tables
from stepdown.config import Finding, RefusedError, load

EXIT_WARNINGS = 1
EXIT_REFUSED = 2


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.", show_default=False)],
    as_json_: Annotated[bool, typer.Option("--json", help="Findings and summary as JSON, for machines.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when there are warnings.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Findings only, no summary.")] = False,
) -> None:
    """Check a configuration file without starting anything.

    Prints every mistake at once, each as `file:line:column: key: found ...; allowed ...; did you mean ...?`, and for a
    good file who can be served what. Exits with 0 if the file would be accepted, 2 if it is refused.

    \b
    Examples:
      stepdown check stepdown.yaml
      stepdown check stepdown.yaml --strict --json | jq .findings
    """
    try:
        loaded = load(file, os.environ)
    except RefusedError as refused:
        findings, summary, code = refused.findings, None, EXIT_REFUSED
    else:
        findings, summary = loaded.warnings, loaded
        code = EXIT_WARNINGS if strict and findings else 0
    if as_json_:
        report = {"ok": summary is not None, "findings": [finding.as_json() for finding in findings]}
        print(json.dumps(report | (dict(as_json(summary)) if summary else {}), indent=2, ensure_ascii=False))
    else:
        show_findings(findings)
        if summary and not quiet:
            show_tables(tables(summary))
        print(_verdict(file, findings, accepted=summary is not None))
    raise typer.Exit(code)


def _verdict(file: Path, findings: tuple[Finding, ...], *, accepted: bool) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    counts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return f"{file}: {'good' if accepted else 'refused'}{', ' if counts else ''}{', '.join(counts)}"
