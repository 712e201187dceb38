"""What two versions of a model mean for each other: the step that their contracts imply, mistakes in a declared one.

This is what every reader of a description asks, whichever form and messages it has: the sidecar's configuration and
the library's own (`description`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from stepdown_adapters import operations
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.diff.project import Projection, project
from stepdown_adapters.errors import OperationError, Problem
from stepdown_adapters.proof.verdicts import Excluded, Included, Inclusion
from stepdown_adapters.step import Declaration
from stepdown_adapters.versions import Version


class Shape(Protocol):
    """One version of a model, as far as adapters are concerned."""

    @property
    def version(self) -> Version:
        """Which one."""
        ...

    @property
    def contract(self) -> Schema | None:
        """The contract of its answers, where there is one."""
        ...

    @property
    def input(self) -> Schema | None:
        """The contract of its requests, where there is one."""
        ...


def problems(step: Declaration, newer: Shape | None, older: Shape | None) -> Iterator[tuple[str, Problem]]:
    """Every mistake in a step's lists between two versions, each with the name of the list.

    Without the versions, only the operations themselves are looked at.
    """
    given, made = (newer.contract, older.contract) if newer and older else (None, None)
    asked, understood = (older.input, newer.input) if newer and older else (None, None)
    hooked = step.hook is not None
    for problem in _mistakes(step.response, given, made, then=step.pruning, hooked=hooked):
        yield "response", problem
    if step.request:
        for problem in _mistakes(step.request, asked, understood, missing="skip"):
            yield "request", problem
    for problem in _mistakes(step.errors, None, None):
        yield "errors", problem
    if (stream := getattr(step, "stream", None)) is not None:
        from stepdown_adapters.stream.adapting.declaring import stream_section  # noqa: PLC0415 - few have one

        try:
            stream_section(stream)
        except OperationError as error:
            for problem in error.problems:
                yield "stream", problem


def _mistakes(
    raw: Sequence[Any],
    given: Schema | None,
    made: Schema | None,
    *,
    missing: str = "fail",
    then: Sequence[Any] = (),
    hooked: bool = False,
) -> Sequence[Problem]:
    """What is wrong with a list of operations from one contract to another.

    `missing` is what the list does about missing places, `then` the operations that follow it by themselves; after a
    hook the document may be anything.
    """
    try:
        parsed, following = operations.parse(raw, missing), operations.parse(then)
        return operations.check(parsed, given, made, then=following, hooked=hooked)
    except OperationError as error:
        return error.problems


def is_lossless(step: Declaration) -> bool:
    """Whether a step keeps everything of an answer; of what is refused or written in Python this is not known."""
    try:
        return step.hook is None and not step.pruning and operations.is_lossless(operations.parse(step.response))
    except OperationError:
        return False


def requests(newer: Shape, older: Shape) -> Inclusion:
    """Whether every request for `older` is one for `newer`; a version without a contract of its input takes all."""
    if newer.input is None or older.input is None:
        return Included()
    from stepdown_adapters.proof.inclusion import included  # noqa: PLC0415 - most models declare no input

    return included(older.input, newer.input)


def implied(newer: Shape, older: Shape) -> tuple[dict[str, Any], ...] | str | None:
    """The operations of the step that two contracts allow without an adapter.

    Where they do not, how they differ, as `Plan.reasons` has it; `None` where they are not asked. They never are
    across a MAJOR: it says that something broke, and no schema shows what a number means (probability or logit).
    """
    if newer.contract is None or older.contract is None or _breaks(newer.version, older.version):
        return None
    match project(newer.contract, older.contract):
        case Projection(operations=needed):
            asked = requests(newer, older)
            return f" in what they are asked {asked.reason}" if isinstance(asked, Excluded) else needed
        case different:
            return f" at {different.path or 'the top'}: {different.reason}"


def _breaks(newer: Version, older: Version) -> bool:
    """Whether SemVer allows a breaking change between the two: another MAJOR, or another MINOR of 0."""
    return newer.major != older.major or (newer.major == 0 and newer.minor != older.minor)
