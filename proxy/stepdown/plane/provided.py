"""Flags of a provider as one runtime asks them: from the desk's answers, at once, whatever the provider does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stepdown.decide.answers import Facts, Key
from stepdown.decide.flags import Evaluation
from stepdown.decide.flags.evaluation import failed
from stepdown.decide.provided import ProvidedFlags
from stepdown.decide.view import View
from stepdown.plane.flag_desk import LONGEST_CONTEXT, FlagDesk
from stepdown.telemetry.slab import OTHER, Slab

NO_VARIANT = "none"

MISSED = Evaluation(None, None, "CACHE_MISS")
"""Nothing is known, and nobody can be asked."""
ASKED = Evaluation(None, None, "CACHE_MISS")
"""Nothing is known yet."""
_BOOLEAN = ("true", "false", "on", "off")
"""Variants of flags that are boolean; conditions on these name none."""
_MOST_CELLS = 1000
"""Whose place is remembered; a provider may make up any number of variants."""
_TOO_LONG = failed("INVALID_CONTEXT", f"the facts of the request are longer than {LONGEST_CONTEXT} characters")


class CountedProvidedFlags:
    """A `FlagView` that counts each evaluation, but for those that a request may still wait for (`may_wait`)."""

    __slots__ = (
        "_cells",
        "_clock",
        "_desk",
        "_facts",
        "_patience",
        "_slab",
        "_subjects",
        "_ttl",
        "_variants",
        "first_wait",
        "may_wait",
    )

    def __init__(self, flags: ProvidedFlags, slab: Slab, desk: FlagDesk) -> None:
        provided = flags.provided
        self._desk = desk
        self._clock = desk.clock
        self._slab = slab
        self._facts: Callable[[View], Facts] = flags.facts
        self._ttl = provided.ttl
        self._patience = 2 * provided.timeout + 1
        self._subjects = {name: desk.subject(name, one.kind, flags.fact_names) for name, one in flags.declared.items()}
        self._variants = {
            name: frozenset({*one.variants, *_BOOLEAN} if one.kind == "boolean" else one.variants)
            for name, one in flags.declared.items()
        }
        self._cells: dict[tuple[str, str | None, str], int] = {}
        self.first_wait = provided.first_wait
        """Seconds that a request may wait for an answer."""
        self.may_wait = False
        """Whether who asks now may wait, and counts what was asked itself: rules do, shadows do not."""

    def flag(self, name: str, view: View) -> Evaluation:
        """What this flag says, as far as it is known."""
        subject = self._subjects.get(name)
        if subject is None:
            answer = failed("FLAG_NOT_FOUND", f"no flag {name} is declared")
        else:
            facts = self._facts(view)
            answers, now, ttl = self._desk.answers, self._clock.now, self._ttl
            known = answers.get((subject, facts))
            if known is None or not known.is_usable(now, ttl, answers.epoch):
                answer = self._missing((subject, facts))
                if answer is ASKED and self.may_wait:
                    return answer
            elif known.is_due(now, ttl, answers.epoch):
                self._desk.ask((subject, facts), ttl, self._patience)
                answer = known.stale
            else:
                answer = known.answer if now - known.at < ttl else known.stale
        self._count(name, answer)
        return answer

    def keys(self, names: Iterable[str], view: View) -> list[Key]:
        """What these flags are asked by."""
        facts = self._facts(view)
        return [(self._subjects[name], facts) for name in names]

    def wait(self, keys: Iterable[Key], seconds: float, settle: Callable[[bool], None]) -> bool:
        """As `FlagDesk.wait`."""
        return self._desk.wait(keys, seconds, settle)

    def count(self, names: Iterable[str]) -> None:
        """Nobody waits for these any longer."""
        for name in names:
            self._count(name, ASKED)

    def _missing(self, key: Key) -> Evaluation:
        if sum(len(fact) for fact in key[1] if fact is not None) > LONGEST_CONTEXT:
            return _TOO_LONG
        return ASKED if self._desk.ask(key, self._ttl, self._patience) else MISSED

    def _count(self, name: str, answer: Evaluation) -> None:
        key = (name, answer.variant, answer.reason)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._new_cell(name, answer)
        self._slab.cells[cell] += 1

    def _new_cell(self, name: str, answer: Evaluation) -> int:
        """A provider may say anything, so only variants that the configuration names are told apart."""
        variant = answer.variant
        if variant is not None and variant not in self._variants.get(name, ()):
            variant = OTHER
        cell = self._slab.counter("stepdown_flag_evaluations_total", (name, variant or NO_VARIANT, answer.reason))
        if len(self._cells) < _MOST_CELLS:
            self._cells[name, answer.variant, answer.reason] = cell
        return cell
