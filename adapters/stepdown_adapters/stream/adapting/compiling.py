"""Compiles the `stream:` sections of a chain: each rule's operations to one Python function, selectors to look-ups.

The operations are compiled as those on whole documents are (`generate`), but from an opened document to one, so that
an event is read once and written once, however many steps it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stepdown_adapters import navigate
from stepdown_adapters.code import Code
from stepdown_adapters.codec import LAZY, Lazy
from stepdown_adapters.errors import OperationError, Problem
from stepdown_adapters.generate import CompiledChain, Function, Part, compile_chain
from stepdown_adapters.operations import Operation, parse
from stepdown_adapters.operations.carry import names
from stepdown_adapters.operations.conditions import Condition
from stepdown_adapters.operations.operand import Reference
from stepdown_adapters.paths import Path
from stepdown_adapters.runtime import Runtime
from stepdown_adapters.step import Declaration
from stepdown_adapters.stream.adapting.declaring import stream_section
from stepdown_adapters.stream.adapting.failures import NoStreamAdapterError
from stepdown_adapters.stream.adapting.folds import Fold
from stepdown_adapters.stream.adapting.rules import Do, Emit, Rule, StreamSection
from stepdown_adapters.stream.adapting.selection import NAMELESS, Candidate, Names, Selection, Watch
from stepdown_adapters.stream.adapting.selectors import By, Selector
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.strict import STRICT, Strict


@dataclass(frozen=True, slots=True)
class CompiledEmit:
    """One event that is emitted, or one for each place."""

    part: Part
    payload: bytes | None
    event: str | None
    blank: Event | None
    """The event without its document, where that is made by a template."""
    each: Callable[[Any], list[Any]] | None
    conditions: tuple[Condition, ...]
    where: str


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """What is done with an event."""

    actions: tuple[Part | CompiledEmit, ...]
    drops: bool
    emits: bool
    only: Part | None
    """The one action of a rule that only changes its event."""
    reads: tuple[str, ...]
    """Names of folds that it reads."""


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """The stream section of one step."""

    name: str
    """`2.0.0 -> 1.0.0`."""
    nullifies: bool
    names: Names
    rules: tuple[CompiledRule, ...]
    selection: Selection
    usual: tuple[Candidate, ...] | None
    """The candidates of every event that is no error, where nothing goes by name and nothing is folded."""
    done: CompiledRule | None
    folds: tuple[Fold, ...]
    fold_selection: Selection
    starts: dict[str, Any]
    end: tuple[CompiledEmit, ...]
    collect: CompiledEmit | None
    gathers: bool
    unfold: CompiledRule | None


@dataclass(frozen=True, slots=True)
class CompiledStream:
    """What is done to the streams of a chain; immutable, and may be used by several threads."""

    name: str
    steps: tuple[CompiledStep, ...]
    codec: Lazy | Strict
    watch: Watch
    needs: frozenset[str]
    """What the rules read of their request: `body`, `params`, `headers`, `carried`."""
    source: str
    """The generated code, for people."""
    documents: CompiledChain | None
    """Steps documents down as far as they are unfolded; `None` where no step unfolds any."""
    unfolding: int
    """Number of the step that unfolds; -1 where there is none."""
    missing: str | None
    """A step that only documents can pass, as far as they are unfolded; no stream can."""


def compile_stream(steps: Sequence[Declaration]) -> CompiledStream:
    """Compiles the sections of steps, in their order of application to an answer.

    Raises:
        NoStreamAdapterError: a step changes answers and has no `stream:` section.
        OperationError: a section has mistakes.
    """
    codec = STRICT if any(step.fidelity == "strict" for step in steps) else LAZY
    carried = {name for step in steps for name in names(parse(step.request, missing="skip"))}
    compiled: list[CompiledStep] = []
    sources: list[str] = []
    needs: set[str] = set()
    selectors: list[Selector] = []
    missing: list[tuple[int, str]] = []
    unfolding = last = -1
    for index, step in enumerate(steps):
        declared = stream_of(step)
        if declared is None:
            missing += [(index, _name(step))] if _changes(step) else []
            continue
        section = stream_section(declared)
        selectors += section.selectors
        compiler = _Compiler(step, section, codec, carried)
        compiled.append(compiler.compiled(nullifies=not compiled and steps[0].non_finite == "nullify"))
        sources += compiler.sources
        needs |= compiler.needs
        if compiled[-1].unfold is not None:
            unfolding, last = index, len(compiled) - 1
    if missing and missing[-1][0] > unfolding:
        raise NoStreamAdapterError(missing[-1][1])
    documents = compile_chain(steps[: unfolding + 1]) if unfolding >= 0 else None
    return CompiledStream(
        name=f"{steps[0].source} -> {steps[-1].target}" if steps else "",
        steps=tuple(compiled),
        codec=codec,
        watch=Watch(selectors),
        needs=frozenset(needs) | (documents.response_needs if documents is not None else frozenset()),
        source="\n\n".join(sources),
        documents=documents,
        unfolding=last,
        missing=missing[0][1] if missing else None,
    )


class _Compiler:
    """Compiles one section."""

    def __init__(self, step: Declaration, section: StreamSection, codec: Lazy | Strict, carried: set[str]) -> None:
        self._step = step
        self._section = section
        self._codec = codec
        self._folded = {fold.name for fold in section.folds}
        # What a rule carries may be read by any other, of an event that came before.
        rules = (*section.rules, *([section.unfold] if section.unfold is not None else ()))
        lists = [_operations(rule.actions) for rule in rules]
        self._carried = carried | self._folded | {name for listed in lists for name in names(listed)}
        self.sources: list[str] = []
        self.needs: set[str] = set()

    def compiled(self, nullifies: bool) -> CompiledStep:
        """The step."""
        section = self._section
        rules = [rule for rule in section.rules if rule.selector.by is not By.DONE]
        dones = [rule for rule in section.rules if rule.selector.by is By.DONE]
        selection = Selection([[rule.selector] for rule in rules], self._codec)
        named = any(selector.named for selector in section.selectors)
        return CompiledStep(
            name=_name(self._step),
            nullifies=nullifies,
            names=Names(section.selectors, self._codec),
            rules=tuple(map(self._rule, rules)),
            selection=selection,
            usual=None if named or section.folds else selection.candidates(NAMELESS),
            done=self._rule(dones[0]) if dones else None,
            folds=section.folds,
            fold_selection=Selection([fold.selectors for fold in section.folds], self._codec),
            starts=dict(section.starts),
            end=tuple(self._emit(("end",), one) for one in section.end),
            collect=None if section.collect is None else self._emit(("collect",), section.collect),
            gathers=section.gathers,
            unfold=None if section.unfold is None else self._rule(section.unfold, ("unfold",)),
        )

    def _rule(self, rule: Rule, at: tuple[str, ...] = ()) -> CompiledRule:
        at = at or ("on", rule.selector.text)
        actions = tuple(
            self._emit(at, action) if isinstance(action, Emit) else self._part(at, action.operations)
            for action in rule.actions
        )
        only = actions[0] if actions and not rule.emits else None
        assert not isinstance(only, CompiledEmit)
        return CompiledRule(
            actions=actions,
            drops=rule.drops,
            emits=rule.emits,
            only=only,
            reads=tuple(name for name in _reads(_operations(rule.actions)) if name in self._folded),
        )

    def _emit(self, at: tuple[str, ...], emit: Emit) -> CompiledEmit:
        return CompiledEmit(
            part=self._part(at, emit.operations),
            payload=emit.payload,
            event=emit.event,
            blank=Event(b"", None, emit.event or "") if emit.fresh else None,
            each=None if emit.each is None else _places(emit.each, self._codec),
            conditions=emit.conditions,
            where=f"stream: {' '.join(at)}{emit.where}",
        )

    def _part(self, at: tuple[str, ...], operations: Sequence[Operation]) -> Part:
        function = Function("event", self._codec, _name(self._step), part=f"stream: {' '.join(at)}")
        try:
            function.add(self._step, operations, self._carried)
        except OperationError as error:
            hint = ", or the stream section a fold of that name"
            problems = [replace(one, sentence=one.sentence + hint, within=at) for one in error.problems]
            raise OperationError(problems) from None
        self.needs |= function.needs
        made = function.part()
        if function.touches:
            self.sources.append(function.source)
        return made


def uncarried_in_stream(step: Declaration, carried: set[str]) -> Iterable[Problem]:
    """What the rules of a step read and nothing carries or folds; the section must be one without mistakes."""
    try:
        _Compiler(step, stream_section(stream_of(step)), LAZY, carried).compiled(nullifies=False)
    except OperationError as error:
        yield from error.problems


def stream_of(step: Declaration) -> Any:
    """The step's `stream:` section as the file has it; `None` where it has none, or is of a kind that cannot."""
    return getattr(step, "stream", None)


def _places(path: Path, codec: Lazy | Strict) -> Callable[[Any], list[Any]]:
    """A function that finds what is at the path, everywhere that it leads to."""
    namespace = Runtime(codec).namespace()
    code = Code(namespace, {}, indent=1)
    code.alias("document", "document")
    code.line("found = []")
    navigate.every(code, "document", path, lambda place: code.line(f"found.append({place})"), fails=False)
    code.line("return found")
    exec(compile(f"def places(document):\n{code.source()}", "<stepdown each>", "exec"), namespace)  # noqa: S102
    places: Callable[[Any], list[Any]] = namespace["places"]
    return places


def _operations(actions: Iterable[Do | Emit]) -> tuple[Operation, ...]:
    return tuple(operation for action in actions for operation in action.operations)


def _reads(operations: Iterable[Operation]) -> set[str]:
    """The names that operations read of what is carried."""
    found: set[str] = set()
    for operation in operations:
        for operand in operation.operands:
            if isinstance(operand, Reference) and operand.source == "carried":
                found.add(operand.name)
        found |= _reads(operation.inner())
    return found


def _changes(step: Declaration) -> bool:
    """Whether a step changes answers at all."""
    return bool(step.response or step.hook is not None or step.pruning)


def _name(step: Declaration) -> str:
    return f"{step.source} -> {step.target}"
