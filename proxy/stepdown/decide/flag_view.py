"""The flags of a snapshot, asked about one request at a time; and the versions that one of them gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from stepdown.decide.flag_context import KEY, Reads, context_of, reads_of
from stepdown.decide.flag_spec import FlagRule, Flags, NamedFact
from stepdown.decide.flags import Evaluation, FlagSet, compile_flags
from stepdown.decide.provided import ProvidedFlags
from stepdown.decide.view import FlagAnswer, View


class SnapshotFlags(Protocol):
    """The flags of a snapshot, wherever they are evaluated (a `view.FlagView`)."""

    @property
    def names(self) -> frozenset[str]:
        """Those that this process can evaluate by itself."""

    def flag(self, name: str, view: View) -> FlagAnswer:
        """What a flag says."""

    def reads(self, names: Iterable[str]) -> Reads:
        """What these flags depend on in a request."""

    def recalled(self, names: Iterable[str]) -> Reads:
        """What has to be on record of a request so that these flags can be evaluated again."""


class CompiledFlags:
    """A `view.FlagView` of flagd's flags: no request makes it raise, wait or look anywhere."""

    __slots__ = ("_contexts", "_reads", "flags")

    def __init__(self, flags: FlagSet, named: Iterable[NamedFact] = ()) -> None:
        """`named` are the facts that targeting knows by names of their own."""
        self.flags = flags
        facts = tuple(named)
        self._reads = {name: reads_of(flags.needs(name), facts) for name in flags.names}
        self._contexts = {name: context_of(reads) for name, reads in self._reads.items()}

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.flags.names

    def flag(self, name: str, view: View) -> Evaluation:
        """What a flag says; a name that there is not is an error like others, and raises nothing."""
        context = self._contexts.get(name)
        return self.flags.evaluate(name, context(view) if context is not None else {}, now=view.now)

    def reads(self, names: Iterable[str]) -> Reads:
        """What these flags read of a request."""
        reads = Reads()
        for name in names:
            reads = reads.and_also(self._reads.get(name, reads))
        return reads

    recalled = reads


NO_FLAGS = CompiledFlags(compile_flags({"flags": {}}))


def compiled_flags(flags: Flags | None) -> SnapshotFlags:
    """The flags of a specification; raises `FlagFileError` for a document that `config` would have refused."""
    if flags is None:
        return NO_FLAGS
    if flags.provided is not None:
        return ProvidedFlags(flags.provided, flags.context)
    return CompiledFlags(compile_flags(flags.document, fractional=flags.fractional), flags.context)


class FlagArms:
    """Of a rule that takes its version from a flag: the position in its split, by what the flag says."""

    __slots__ = ("_arms", "_default", "by_key", "name")

    def __init__(self, rule: FlagRule, split: tuple[tuple[str, int], ...], flags: SnapshotFlags) -> None:
        places = {version: place for place, (version, _weight) in enumerate(split)}
        self.name = rule.flag
        self.by_key = KEY in flags.reads([rule.flag]).names
        """Whether the flag reads the route's key."""
        self._default = places[rule.default]
        self._arms: dict[str | None, int] = {variant: places[version] for variant, version in rule.versions}

    def arm(self, view: View) -> int:
        """The position of the version that this request is given."""
        answer = view.flag(self.name)
        return self._default if answer is None else self._arms.get(answer.variant, self._default)
