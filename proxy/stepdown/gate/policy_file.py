"""The policy as a file: YAML with positions, checked like the configuration, and its JSON Schema."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import Date, Name, VersionText, matching_text, written
from stepdown.config.findings import Finding, RefusedError, nearest_name
from stepdown.config.findings import Place as ConfigPlace
from stepdown.config.sources import Disk, FileError
from stepdown.config.tree import Members, describe, place_of
from stepdown.config.validate import validate
from stepdown.config.yaml_reader import read
from stepdown.gate.facts import Place
from stepdown.gate.policy import EVERY_RULE, UNSAID, Approval, Policy, ProofDemand, Waiver
from stepdown.gate.rules.table import WAIVABLE
from stepdown_adapters.versions import Version

_DOCUMENTS = 1000
_MOST_DOCUMENTS = 1_000_000
_DAYS = re.compile(r"([1-9][0-9]{0,4}) ?(d|w)")
_RULE = re.compile("|".join(map(re.escape, (*WAIVABLE, EVERY_RULE))))


def read_days(value: Any) -> int:
    """Days of `365d` or `26w`."""
    found = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise refused("a number of days such as 365d, or of weeks such as 26w")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def _rule(value: Any) -> str:
    if not isinstance(value, str) or value not in WAIVABLE:
        near = nearest_name(value, WAIVABLE) if isinstance(value, str) else ""
        meant = f'; did you mean "{near}"?' if near else ""
        raise refused(f"a rule that can be waived: {', '.join(WAIVABLE)}{meant}")
    return value


def _rule_or_every(value: Any) -> str:
    return EVERY_RULE if value == EVERY_RULE else _rule(value)


Days = Annotated[int, BeforeValidator(read_days), written("days", "string", pattern=_DAYS)]
RuleName = Annotated[str, BeforeValidator(_rule), written("rule", "string", pattern=_RULE)]
RulePattern = Annotated[str, BeforeValidator(_rule_or_every), written("rule or `*`", "string", pattern=_RULE)]
Sentence = Annotated[str, matching_text(re.compile(r"\S.{3,499}", re.DOTALL), "a reason of at least four characters")]
Person = Annotated[str, matching_text(re.compile(r"\S.{0,99}"), "a name, a team or an address")]


class SupportSection(Section):
    """How long a MAJOR is supported: its last release is declared, not retired, and before its sunset."""

    majors: int | None = Field(default=None, ge=1, le=100, description="How many MAJORs, the newest included.")
    at_least: Days | None = Field(
        default=None, description="How long one is supported after the next was published (the date in the lock)."
    )


class DiffSection(Section):
    """How contracts are compared, as by `stepdown diff`."""

    client: Literal["strict", "tolerant"] = Field(default="strict", description="How clients read answers.")
    enums: Literal["closed", "extensible"] = Field(default="closed", description="What a new value of an enum means.")
    formats: Literal["annotation", "asserted"] = Field(default="annotation", description="Whether `format` is checked.")


class TestedSection(Section):
    """Chains that are not proved have to have been tested."""

    tested: int = Field(ge=1, le=_MOST_DOCUMENTS, description="How many distinct documents have to be adapted rightly.")


def _at_least(value: Any) -> int | None:
    """The number of `{tested: 1000}`; `None` of `proved`."""
    if value == "proved":
        return None
    tested = value.get("tested") if isinstance(value, dict) and value.keys() == {"tested"} else None
    if type(tested) is not int or not 1 <= tested <= _MOST_DOCUMENTS:
        raise refused(f"proved, or a number of documents from 1 to {_MOST_DOCUMENTS} such as {{tested: 1000}}")
    return tested


AtLeast = Annotated[int | None, BeforeValidator(_at_least, json_schema_input_type=Literal["proved"] | TestedSection)]


class ProofSection(Section):
    """How well every chain that clients may rely on has to be proved: `stepdown prove` shows the grades."""

    at_least: AtLeast = Field(description="`proved`, or `{tested: 1000}`.")
    documents: int | None = Field(
        default=None,
        ge=1,
        le=_MOST_DOCUMENTS,
        description="How many documents are tried; by default as many as `tested`.",
    )
    keep: str | None = Field(
        default=None, min_length=1, description="The folder of kept counterexamples, relative to this file."
    )


class ApprovalSection(Section):
    """Who may make exceptions from a rule."""

    rule: RulePattern = Field(description="The rule, or `*` for all that no other entry names.")
    by: Annotated[list[Person], BeforeValidator(as_list, json_schema_input_type=Person | list[Person])] = Field(
        min_length=1, description="Names or teams, as waivers and accepted edits write them."
    )


class WaiverSection(Section):
    """One finding that somebody answers for until a day."""

    rule: RuleName = Field(description="The rule that found it.")
    model: Name = Field(description="The model.")
    version: VersionText = Field(description="The version that the finding is about.")
    by: Person = Field(description="Who answers for it.")
    reason: Sentence = Field(description="Why the exception is right.")
    until: Date = Field(description="The last day on which it holds; after it the gate fails.")


class PolicyFile(Section):
    """The agreement on versions and their ends that `stepdown gate` enforces."""

    support: SupportSection = Field(default_factory=SupportSection, description="How long MAJORs live.")
    notice: Days | None = Field(
        default=None, description="Least time between `deprecated` and `sunset`, and between announcing it and the day."
    )
    remove_before_sunset: bool = Field(
        default=False, description="Whether a version may go before its sunset; then it is only told."
    )
    diff: DiffSection = Field(default_factory=DiffSection, description="How contracts are compared.")
    proof: ProofSection | None = Field(
        default=None, description="How well chains are proved; where it is left out, with few documents."
    )
    approvals: list[ApprovalSection] = Field(
        default=[], description="Who may make exceptions; anybody where nothing is said."
    )
    waivers: list[WaiverSection] = Field(default=[], description="Exceptions, each for a time.")


def load_policy(path: Path) -> Policy:
    """Read a policy.

    Raises:
        RefusedError: with every mistake and its place.
    """
    name = str(path)
    try:
        root, findings = read(Disk().text(path), name, {})
    except FileError as error:
        raise RefusedError([Finding(ConfigPlace(name, error.line, 1), "", f"the file {error}")]) from None
    if root is None:
        raise RefusedError(findings)
    if not isinstance(root, Members):
        raise RefusedError([*findings, Finding(root.place, "", f"found {describe(root)}", "a mapping")])
    valid = validate(root, PolicyFile)
    if valid.file is None or findings or valid.findings:
        raise RefusedError([*findings, *valid.findings])
    places = [place_of(root, ("waivers", index)) for index in range(len(valid.file.waivers))]
    return _policy(valid.file, [Place(place.file, place.line, place.column) for place in places])


def _policy(file: PolicyFile, places: list[Place]) -> Policy:
    return Policy(
        majors=file.support.majors,
        at_least=file.support.at_least,
        notice=file.notice,
        remove_before_sunset=file.remove_before_sunset,
        client=file.diff.client,
        enums=file.diff.enums,
        formats=file.diff.formats,
        proof=_demand(file.proof),
        approvals=tuple(Approval(one.rule, tuple(one.by)) for one in file.approvals),
        waivers=tuple(
            Waiver(
                one.rule,
                one.model,
                str(Version.parse(one.version)),
                one.by,
                one.reason,
                datetime.datetime.fromtimestamp(one.until, datetime.UTC).date(),
                place,
            )
            for one, place in zip(file.waivers, places, strict=True)
        ),
    )


def _demand(section: ProofSection | None) -> ProofDemand:
    if section is None:
        return UNSAID
    tested = section.at_least
    documents = section.documents if section.documents is not None else tested or _DOCUMENTS
    return ProofDemand(tested, max(documents, tested or 0), section.keep)


def policy_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of the file."""
    schema = PolicyFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Stepdown policy",
    }
