"""A flag file ready to be evaluated: compiled once, never changed, safe with any context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepdown.decide.flags.cache import OutcomeCache, gather_of
from stepdown.decide.flags.compiler import Compiler, TooComplexError
from stepdown.decide.flags.document import FlagDefinition, FlagDocument, read_document
from stepdown.decide.flags.evaluation import Evaluation, Kind, failed, is_a
from stepdown.decide.flags.findings import Finding, FlagFileError, pointer, quoted
from stepdown.decide.flags.fractional import GENERATIONS
from stepdown.decide.flags.nodes import NOTHING, Compute, Needs, Run, UnknownOperatorError

LARGEST_TOTAL = 200_000
"""Expressions in all flags of a file, shared evaluators put in wherever they are used."""

REMEMBERED = 512
"""Outcomes of each flag that are remembered; up to twice as many for a moment."""


class Flag:
    """One flag, compiled. What it gives where its targeting says nothing is made beforehand."""

    __slots__ = ("_cache", "_default", "_outcomes", "_targeting", "definition", "needs")

    def __init__(self, definition: FlagDefinition, targeting: Compute | None, needs: Needs, remembered: int) -> None:
        self.definition = definition
        self.needs = needs
        self._targeting = targeting
        self._default = _without_targeting(definition, targeting is not None)
        self._outcomes = {
            name: Evaluation(value, name, "TARGETING_MATCH")
            for name, value in definition.variants.items()
            if name and value is not None
        }
        gather = gather_of(needs) if targeting is not None and remembered else None
        self._cache = OutcomeCache(gather, remembered) if gather is not None else None

    def resolve(self, context: Mapping[str, Any], now: float) -> Evaluation:
        """The outcome; where its `variant` is `None`, its value is to be the caller's default. Never raises."""
        targeting, cache = self._targeting, self._cache
        if targeting is None:
            return self._default
        if cache is None:
            return self._evaluate(targeting, context, now)
        try:
            facts = cache.gather(context)
            outcome = cache.get(facts)
        except Exception:  # facts without a hash, such as lists; anything else comes up again below
            return self._evaluate(targeting, context, now)
        if outcome is None:
            outcome = self._evaluate(targeting, context, now)
            cache.put(facts, outcome)
        return outcome

    def _evaluate(self, targeting: Compute, context: Mapping[str, Any], now: float) -> Evaluation:
        try:
            variant = targeting(context, Run(int(now)))
            if type(variant) is str:
                return self._outcomes.get(variant) or self._no_variant(variant)
            if variant is None:
                return self._default
            name = ("true" if variant else "false") if isinstance(variant, bool) else str(variant)
            return self._outcomes.get(name) or self._no_variant(name)
        except UnknownOperatorError as error:
            return failed("PARSE_ERROR", str(error))
        except Exception as error:  # whatever a context makes an operator do is this evaluation's error, nobody else's
            return failed("GENERAL", f"{type(error).__name__}: {error}"[:200])

    def _no_variant(self, name: str) -> Evaluation:
        return failed("GENERAL", f"the targeting gave {quoted(name)}, which is no variant with a value")


def _without_targeting(definition: FlagDefinition, targeted: bool) -> Evaluation:
    """What counts where there is no targeting, or where it gave null."""
    name = definition.default_variant
    if not definition.enabled:
        return Evaluation(None, None, "DISABLED")
    if name is None:
        return Evaluation(None, None, "DEFAULT")
    return Evaluation(definition.variants[name], name, "DEFAULT" if targeted else "STATIC")


class FlagSet:
    """All flags of a file. Nothing here raises on any name or context."""

    __slots__ = ("_flags", "generation", "metadata", "warnings")

    def __init__(
        self, flags: Mapping[str, Flag], metadata: Mapping[str, Any], warnings: tuple[Finding, ...], generation: int
    ) -> None:
        self._flags = flags
        self.metadata = metadata
        """The set's own metadata."""
        self.warnings = warnings
        """What will be an error for every evaluation that reaches it, and members that are there twice."""
        self.generation = generation
        """Of `fractional`."""

    def evaluate(
        self, name: str, context: Mapping[str, Any], default: Any = None, *, now: float, expect: Kind | None = None
    ) -> Evaluation:
        """The flag's outcome for a context of JSON values.

        `default` is the value where no variant is chosen. `now` is Unix seconds, `$flagd.timestamp` to the targeting.
        `expect` names the type of value that the caller can use; another one is the error `TYPE_MISMATCH`.
        """
        flag = self._flags.get(name)
        if flag is None:
            return Evaluation(default, None, "ERROR", "FLAG_NOT_FOUND", f"there is no flag {quoted(name)}")
        outcome = flag.resolve(context, now)
        if outcome.variant is None:
            return outcome if default is None else outcome.or_default(default)
        if expect is not None and not is_a(outcome.value, expect):
            message = f"variant {quoted(outcome.variant)} is no {expect}"
            return Evaluation(default, None, "ERROR", "TYPE_MISMATCH", message)
        return outcome

    def needs(self, name: str) -> Needs:
        """What the flag's targeting reads of a context; nothing for a flag that there is not."""
        flag = self._flags.get(name)
        return flag.needs if flag is not None else NOTHING

    def variants(self, name: str) -> Mapping[str, Any]:
        """The flag's variants with their values; empty for a flag that there is not."""
        flag = self._flags.get(name)
        return flag.definition.variants if flag is not None else {}

    def metadata_of(self, name: str) -> Mapping[str, Any]:
        """The flag's metadata over the set's."""
        flag = self._flags.get(name)
        return flag.definition.metadata if flag is not None else self.metadata

    @property
    def names(self) -> frozenset[str]:
        """The flags that there are."""
        return frozenset(self._flags)

    def __contains__(self, name: object) -> bool:
        return name in self._flags

    def __len__(self) -> int:
        return len(self._flags)


def compile_flags(
    document: bytes | str | Mapping[str, Any], *, fractional: int = 2, remembered: int = REMEMBERED
) -> FlagSet:
    """Compile a flag file: its JSON text, or its content as another reader gave it.

    `fractional` is the generation of the hashing (1, 2 or 3; see `fractional.py`), `remembered` the number of outcomes
    kept for each flag (0: none). Raises `FlagFileError` with all mistakes, and `ValueError` for an unknown generation.
    """
    if fractional not in GENERATIONS:
        known = ", ".join(str(generation) for generation in GENERATIONS)
        raise ValueError(f"there is no generation {quoted(fractional)} of fractional; there are {known}")
    content = read_document(document)
    flags: dict[str, Flag] = {}
    total = 0
    for definition in content.flags:
        compiler = Compiler(definition.key, content.evaluators, fractional)
        flags[definition.key] = _compile_flag(definition, compiler, content, remembered)
        total += compiler.size
        if total > LARGEST_TOTAL:
            content.refuse(f"more than {LARGEST_TOTAL} expressions in all targeting", "flags")
            break
    if content.findings:
        raise FlagFileError(tuple(content.findings))
    return FlagSet(flags, content.metadata, tuple(content.warnings), fractional)


def _compile_flag(definition: FlagDefinition, compiler: Compiler, content: FlagDocument, remembered: int) -> Flag:
    place = ("flags", definition.key, "targeting")
    if not definition.targeting or not definition.enabled:
        return Flag(definition, None, NOTHING, 0)
    if not isinstance(definition.targeting, dict):
        content.warnings.append(
            Finding(pointer(*place), f"targeting is an object, not {quoted(definition.targeting)}: a PARSE_ERROR")
        )
        return Flag(definition, _no_targeting, NOTHING, 0)
    try:
        node = compiler.compile(definition.targeting, place)
    except TooComplexError as error:
        content.refuse(str(error), *place)
        return Flag(definition, None, NOTHING, 0)
    content.warnings += compiler.findings
    return Flag(definition, node.compute, compiler.needs, remembered)


def _no_targeting(data: Any, run: Run) -> Any:
    raise UnknownOperatorError("the targeting is no object")
