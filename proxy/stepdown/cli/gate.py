"""`stepdown gate FILE --base REF`: whether a change of contracts and adapters may be published."""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from stepdown import __version__
from stepdown.cli.output import show_findings
from stepdown.config import Finding, RefusedError

if TYPE_CHECKING:
    from stepdown.gate.facts import Facts
    from stepdown.gate.judging import Verdict
    from stepdown.gate.policy import Policy
    from stepdown_adapters.proof.grading import Grading

EXIT_FAILED = 1
EXIT_UNUSABLE = 2
POLICY = "stepdown-policy.yaml"


def gate(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The configuration file.")] = Path("stepdown.yaml"),
    *,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="REF|FOLDER", help="What is published: a git revision, or a folder."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help=f"The policy; by default {POLICY} beside FILE, if it is there."),
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="The verdict as JSON (see --report-schema).")] = False,
    as_sarif_: Annotated[bool, typer.Option("--sarif", help="The verdict as SARIF 2.1.0, for code scanning.")] = False,
    as_markdown_: Annotated[bool, typer.Option("--markdown", help="The verdict for a pull-request comment.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the report there, and the text to standard output."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
    write_lock: Annotated[
        bool, typer.Option("--write-lock", help="Add new versions to stepdown.lock beside FILE, instead of judging.")
    ] = False,
    accept_edit: Annotated[
        list[str] | None,
        typer.Option("--accept-edit", metavar="MODEL/VERSION", help="With --write-lock: an edit that is right."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="With --accept-edit: why.", show_default=False)] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="With --accept-edit: who answers for it.", show_default=False)
    ] = None,
    today: Annotated[
        str | None, typer.Option("--today", metavar="DATE", help="Judge as if it were this day (YYYY-MM-DD, UTC).")
    ] = None,
    policy_schema: Annotated[
        bool, typer.Option("--policy-schema", help="Print the JSON Schema of the policy file and exit.")
    ] = False,
    report_schema: Annotated[
        bool, typer.Option("--report-schema", help="Print the JSON Schema of --json and exit.")
    ] = False,
) -> None:
    """Refuse a change that would break clients: for CI, before contracts and adapters are published.

    Compares FILE, its contracts and adapters with a base, which is only read: nothing that it names is run. Fails when
    a breaking version has no way down to every supported version, when a version's number rose too little, when a
    published contract was edited, when a supported version is removed or can no longer be had, when a refused step has
    no old server, when a chain is proved less well than the policy says, and when the policy is broken otherwise.
    `stepdown check` finds all other mistakes of the file.

    \b
    Examples:
      stepdown gate --base origin/main                      what would be merged, against what is
      stepdown gate config/stepdown.yaml --base v1.4.0      against a release
      stepdown gate --base ../published                     against a folder
      stepdown gate --base origin/main --sarif --output gate.sarif
      stepdown gate --base origin/main --markdown >> "$GITHUB_STEP_SUMMARY"
      stepdown gate --write-lock                            after adding a version; commit stepdown.lock
      stepdown gate --write-lock --accept-edit churn/1.1.0 --reason "never deployed" --by platform-team

    \b
    Exits with
      0  the change may be published
      1  it may not, or the lock refuses an edit
      2  the file, the base, the lock or the policy cannot be used
    """
    if policy_schema or report_schema:
        _print_schema(policy=policy_schema)
        raise typer.Exit
    if as_json_ + as_sarif_ + as_markdown_ > 1:
        _give_up("--json, --sarif and --markdown: choose one")
    form = "json" if as_json_ else "sarif" if as_sarif_ else "markdown" if as_markdown_ else "text"
    if output is not None and form == "text":
        _give_up("--output goes with --json, --sarif or --markdown")
    day = _day(today)
    if (accept_edit or reason or by) and not write_lock:
        _give_up("--accept-edit, --reason and --by go with --write-lock")
    folder = (policy or file).parent
    report = _Report(file, base or "", form, output, day, folder)
    with report.refusals():
        rules = _policy(file, policy)
        if write_lock:
            from stepdown.cli.gate_lock import write  # noqa: PLC0415

            raise typer.Exit(write(file, base, rules, day, accept_edit or [], reason, by))
        if base is None:
            _give_up("--base is missing: a git revision such as origin/main, or a folder with what is published")
        verdict = report.judge(base, rules)
    report.show(verdict)
    fails = not verdict.passes or (strict and any(one.severity == "warning" for one in verdict.findings))
    raise typer.Exit(EXIT_FAILED if fails else 0)


class _Report:
    """Where a verdict goes, and in which form."""

    def __init__(  # noqa: PLR0917 - what was asked for
        self, file: Path, base: str, form: str, output: Path | None, today: datetime.date, policy_folder: Path
    ) -> None:
        self.file = file
        self.base = base
        self.base_has_file = True
        self.form = form
        self.output = output
        self.today = today
        self.policy_folder = policy_folder

    def judge(self, base: str, policy: Policy) -> Verdict:
        from stepdown.gate import base as bases  # noqa: PLC0415 - the other commands do not pay for it
        from stepdown.gate import reading  # noqa: PLC0415
        from stepdown.gate.judging import case_of, judge  # noqa: PLC0415

        head = reading.head_facts(self.file, os.environ)
        lock_file = self.file.parent / reading.LOCK
        lock = reading.read_lock(lock_file)
        with bases.opened(base, self.file) as opened:
            self.base, self.base_has_file = opened.name, opened.file.exists()
            before, problems = reading.base_facts(opened.file, os.environ)
            self._tell(problems, unusable=self.base_has_file and not before.models)
            base_lock = reading.read_lock(opened.file.parent / reading.LOCK)
        grades = self._grades(head, policy)
        return judge(case_of(head, before, policy, self.today, lock, base_lock, str(lock_file), grades))

    def _grades(self, head: Facts, policy: Policy) -> Mapping[tuple[str, str, str], tuple[Grading, ...]]:
        """How well chains are proved; a thousand documents take about half a second for each."""
        from stepdown.gate.proving import grades_of  # noqa: PLC0415

        try:
            return grades_of(head, policy, self.today, self.policy_folder)
        except OSError as error:
            _give_up(f"a counterexample cannot be kept: {error}")

    def _tell(self, problems: tuple[Finding, ...], *, unusable: bool) -> None:
        """What of the base is not compared."""
        if unusable:
            raise RefusedError(problems)
        if not self.base_has_file:
            print(f"{self.file} is not in the base {self.base}: everything is new", file=sys.stderr)
        for problem in problems:
            print(f"not compared, in the base: {problem}", file=sys.stderr)

    def show(self, verdict: Verdict) -> None:
        """Print the verdict, or write it to a file and print it as text."""
        if self.form == "text" or self.output is not None:
            from stepdown.cli.gate_output import show  # noqa: PLC0415

            show(verdict, self.base)
        if self.form != "text":
            self._put(self._written(verdict))

    def _written(self, verdict: Verdict) -> str:
        if self.form == "json":
            from stepdown.gate.report.machine import as_json  # noqa: PLC0415

            return _dumped(as_json(verdict, self.base, base_has_file=self.base_has_file, root=Path()))
        if self.form == "sarif":
            from stepdown.gate.report.sarif import as_sarif  # noqa: PLC0415

            return _dumped(as_sarif(verdict, __version__, self._top()))
        from stepdown.gate.report.markdown import as_markdown  # noqa: PLC0415

        return as_markdown(verdict, self.base, Path())

    def _top(self) -> Path:
        from stepdown.gate.base import BaseError, repository_of  # noqa: PLC0415

        try:
            return repository_of(self.file) or Path()
        except BaseError:  # no git: a folder was the base
            return Path()

    def _put(self, text: str) -> None:
        if self.output is None:
            print(text, end="")
            return
        try:
            self.output.write_text(text, encoding="utf-8")
        except OSError as error:
            _give_up(f"{self.output} cannot be written: {error.strerror}")

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Input that cannot be used ends the command with 2, told in the form that was asked for."""
        from stepdown.gate.base import BaseError  # noqa: PLC0415

        try:
            yield
        except BaseError as error:
            _give_up(str(error))
        except RefusedError as refused:
            if self.form in ("text", "markdown") or self.output is not None:
                show_findings(refused.findings)
                print(f"{self.file}: not judged, because of what is wrong above")
            if self.form == "json":
                from stepdown.gate.report.machine import refused_as_json  # noqa: PLC0415

                self._put(_dumped(refused_as_json(refused.findings, self.base, self.today.isoformat())))
            elif self.form == "sarif":
                from stepdown.gate.report.sarif import refused_as_sarif  # noqa: PLC0415

                self._put(_dumped(refused_as_sarif(refused.findings, __version__, self._top())))
            raise typer.Exit(EXIT_UNUSABLE) from None


def _policy(file: Path, given: Path | None) -> Policy:
    from stepdown.gate.policy import Policy  # noqa: PLC0415
    from stepdown.gate.policy_file import load_policy  # noqa: PLC0415

    beside = file.parent / POLICY
    if given is None and not beside.exists():
        return Policy()
    return load_policy(given or beside)


def _print_schema(*, policy: bool) -> None:
    if policy:
        from stepdown.gate.policy_file import policy_schema  # noqa: PLC0415

        print(_dumped(policy_schema()), end="")
    else:
        from stepdown.gate.report.machine import SCHEMA  # noqa: PLC0415

        print(_dumped(SCHEMA), end="")


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _day(text: str | None) -> datetime.date:
    if text is None:
        return datetime.datetime.now(datetime.UTC).date()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        _give_up(f"--today {text}: allowed a day such as 2026-12-01")


def _give_up(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(EXIT_UNUSABLE)
