"""Compiles a chain of adapters into one Python function for each direction, from bytes to bytes.

The function opens only the parts of the document that some operation looks at (`codec`), does what the operations say,
in code written for them, and encodes. The line that raises says which operation was at work, so that any failure
becomes an `AdaptError` with its step, operation and path. There is no other way out: a whole document, or that error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from stepdown_adapters.code import Code
from stepdown_adapters.codec import LAZY, Lazy, checked, opening
from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError, OperationError, Refusal
from stepdown_adapters.fuse import Stage, fused, staged
from stepdown_adapters.hooks import load_hook
from stepdown_adapters.json_values import flaw
from stepdown_adapters.non_finite import with_nulls
from stepdown_adapters.operations import Operation, parse
from stepdown_adapters.operations.carry import names, uncarried
from stepdown_adapters.operations.envelope import HeadEdits, folded, on_document
from stepdown_adapters.paths import Path
from stepdown_adapters.runtime import Runtime
from stepdown_adapters.step import Declaration
from stepdown_adapters.strict import STRICT, Strict

Convert = Callable[[bytes, Context], bytes]
Part = Callable[[Any, Context], Any]
"""From one opened document to another; the one given may change."""
EVERYTHING = frozenset({"body", "params", "headers", "carried"})
"""All that operations and hooks may read of a context besides method and path."""
_IDENTITY = """\
def {name}(body, context):
    return body
"""
_WHOLE = """\
def {name}(body, context):
    try:
        document = {read}(body)
{body}        return encode(document)
    except Refusal as refusal:
        raise failed(refusal) from None
    except FOREIGN as error:
        raise failed(error) from error
"""
_PART = """\
def {name}(document, context):
    try:
{body}        return document
    except Refusal as refusal:
        raise failed(refusal) from None
    except FOREIGN as error:
        raise failed(error) from error
"""
FOREIGN = (msgspec.MsgspecError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What operations, and what reads and writes documents, raise besides refusals."""


@dataclass(frozen=True, slots=True)
class CompiledChain:
    """A compiled chain."""

    response: Convert
    """Body of an answer of the chain's first source to one of its last target; raises `AdaptError`."""
    request: Convert
    """Body of a request for the last target to one that the first source reads; raises `AdaptError`."""
    errors: Convert
    """Body of an error answer (4xx, 5xx) of the first source to one of the last target; raises `AdaptError`."""
    touches_response: bool
    touches_request: bool
    touches_errors: bool
    response_head: HeadEdits
    """What is done to the head of an answer."""
    error_head: HeadEdits
    """What is done to the head of an error answer."""
    source: str
    """The generated code of the functions, for people."""
    unproved: tuple[str, ...]
    """Hooks, about which nothing can be proved."""
    request_needs: frozenset[str] = frozenset()
    """What `request` reads of its context: `body`, `params`, `headers`, `carried`."""
    response_needs: frozenset[str] = frozenset()
    """What `response` and `errors` read of theirs; a hook may read all."""

    @property
    def touches_answers(self) -> bool:
        """Whether any answer, head or body, is changed."""
        return bool(self.touches_response or self.touches_errors or self.response_head or self.error_head)


@dataclass(frozen=True, slots=True)
class _Site:
    """What the number of an operation stands for."""

    step: str
    operation: str
    path: str


def compile_chain(steps: Sequence[Declaration]) -> CompiledChain:
    """Compiles steps, in their order of application to an answer.

    One step with `fidelity: strict` makes the whole chain strict. Raises `OperationError` on operations or hooks that
    cannot be used, or that read what nothing carries.
    """
    codec = STRICT if any(step.fidelity == "strict" for step in steps) else LAZY
    whole = f"{steps[0].source} -> {steps[-1].target}" if steps else ""
    functions = [Function(direction, codec, whole) for direction in ("response", "request", "errors")]
    response, request, errors = functions
    carried: set[str] = set()
    for step in reversed(steps):
        # What a request may leave out is its client's to leave out: an absent part is no failure unless it says so.
        carried = request.add(step, parse(step.request, missing="skip"), carried)
    carried_by_error = carried
    for step in steps:
        carried = response.add(step, parse(step.response), carried)
        carried_by_error = errors.add(step, parse(step.errors), carried_by_error)
        if step.hook is not None:
            response.add_hook(step, step.hook)
        carried = response.add(step, parse(step.pruning), carried)
    compiled = [function.compiled() for function in functions]
    if steps and steps[0].non_finite == "nullify":
        compiled = [with_nulls(convert) if convert is not compiled[1] else convert for convert in compiled]
    return CompiledChain(
        response=compiled[0],
        request=compiled[1],
        errors=compiled[2],
        touches_response=response.touches,
        touches_request=request.touches,
        touches_errors=errors.touches,
        response_head=response.head,
        error_head=errors.head,
        source="\n\n".join(function.source for function in functions if function.touches),
        unproved=tuple(step.hook for step in steps if step.hook is not None),
        request_needs=request.needs,
        response_needs=response.needs | errors.needs,
    )


class Function:
    """One function under construction, from body to body; or from document to document, as a part of what others do."""

    def __init__(self, direction: str, codec: Lazy | Strict, whole: str, *, part: str | None = None) -> None:
        """`direction` is its name; `part` is how errors call it where it is a part, whose documents are opened."""
        self._whole = whole
        self.direction = direction
        self._label = direction if part is None else part
        self._is_part = part is not None
        template = _WHOLE if part is None else _PART
        self._first_line = 1 + template[: template.index("{body}")].count("\n")
        self.touches = False
        self.head = HeadEdits()
        self.needs: frozenset[str] = frozenset()
        self._read = "read"
        self.source = ""
        self._sites = [_Site(whole, f"reading the {self._label}", "")]
        self._numbers: dict[int, int] = {}
        self._namespace: dict[str, Any] = {
            **Runtime(codec).namespace(),
            "checked": checked,
            "read": opening(codec),
            "codec": codec,
            "encode": codec.encode,
            "failed": self._failed,
            "FOREIGN": FOREIGN,
        }
        self._code = Code(self._namespace, self._numbers, indent=2)
        self._kept: list[Operation] = []
        self._waiting: list[Stage] = []

    def add(self, step: Declaration, operations: Sequence[Operation], carried: set[str]) -> set[str]:
        """The code of one step's operations; `carried` are the names of what is carried before them, returned after."""
        problems = uncarried(operations, carried)
        if problems:
            raise OperationError(problems)
        self.needs = self.needs.union(*(operation.needs for operation in operations))
        self.head = folded(operations, self.head)
        operations = on_document(operations)
        if not operations:
            return carried
        if not self.touches and (self._is_part or not operations[0].reads_whole):
            self._code.alias("document", "document")
        elif not self.touches:
            self._read = "checked"
        self.touches = True
        self._waiting += staged(step, operations)
        return carried | names(operations)

    def _emit(self) -> None:
        """The code of the operations that wait for their neighbours."""
        step = None
        for stage in fused(self._waiting):
            if stage.step is not step:
                step = stage.step
                self._comment(step)
            self._number(stage.operation, Path(), stage.step, stage.owners)
            self._code.at(stage.operation)
            stage.operation.emit(self._code, "document")
        self._waiting.clear()

    def _number(self, operation: Operation, prefix: Path, step: Declaration, owners: dict[int, Declaration]) -> None:
        """Gives an operation and those inside of it their numbers."""
        self._kept.append(operation)  # numbers are by identity, so operations must live on
        step = owners.get(id(operation), step)
        self._numbers[id(operation)] = len(self._sites)
        self._sites.append(_Site(_name(step), f"{self._label}{operation.where}", str(prefix + operation.about)))
        for inner in operation.inner():
            self._number(inner, prefix + operation.inside, step, owners)

    def add_hook(self, step: Declaration, reference: str) -> None:
        """The call of a Python function, marked unproved."""
        self.touches = True
        self.needs = EVERYTHING
        self._emit()
        self._comment(step)
        hook = self._code.constant(_hook(reference), "hook")
        self._code.at_number(len(self._sites), f"hook {ascii(reference)[1:-1]}")
        self._sites.append(_Site(_name(step), f"hook {reference}", ""))
        self._code.assign("document", f"{hook}(plain(document), context)  # unproved")

    def part(self) -> Part:
        """The finished function, where it is a part."""
        return self._finished()

    def compiled(self) -> Convert:
        """The finished function; one that returns its argument where there is nothing to do."""
        return self._finished()

    def _finished(self) -> Callable[[Any, Context], Any]:
        self._emit()
        body = self._code.source()
        self._sites.append(_Site(self._whole, f"writing the {self._label}", ""))
        template = _PART if self._is_part else _WHOLE if self.touches else _IDENTITY
        self.source = template.format(name=self.direction, body=body, read=self._read)
        exec(compile(self.source, f"<stepdown adapter: {self.direction}>", "exec"), self._namespace)  # noqa: S102
        function: Callable[[Any, Context], Any] = self._namespace[self.direction]
        return function

    def _comment(self, step: Declaration) -> None:
        self._code.line(f"# {self._label}: {_name(step)}".encode("ascii", "replace").decode().replace("\n", " "))

    def _failed(self, error: Exception) -> AdaptError:
        """The error of the whole; which operation was at work shows in the line that raised, at no cost until then."""
        assert error.__traceback__ is not None
        line = error.__traceback__.tb_lineno - self._first_line
        numbers = self._code.numbers_of_lines
        at = 0 if line < 0 else numbers[line] if line < len(numbers) else len(self._sites) - 1
        site = self._sites[at]
        if isinstance(error, Refusal):
            sentence = str(error)
        elif isinstance(error, KeyError):
            sentence = f"there is no member {error.args[0]!r}"
        elif isinstance(error, TypeError | AttributeError) and at < len(self._sites) - 1:
            sentence = "the path leads through a value that is not an object"
        else:
            sentence = str(error)
        return AdaptError(site.step, site.operation, site.path, sentence)


def _name(step: Declaration) -> str:
    return f"{step.source} -> {step.target}"


def _hook(reference: str) -> Callable[[Any, Context], Any]:
    """The function behind `package.module:function`, guarded: what it raises or returns cannot do harm."""
    function = load_hook(reference)

    def guarded(document: Any, context: Context) -> Any:
        try:
            result = function(document, context)
        except Exception as error:
            raise Refusal(f"the hook raised {type(error).__name__}: {error}") from error
        wrong = flaw(result)
        if wrong:
            raise Refusal(f"the hook returned what is no JSON: {wrong}")
        return result

    return guarded
