"""A stage for few: an exchange that waits, for at most `first_wait`, for a provider to say what a flag is.

Requests of routes that ask no flag never come here, nor do any without a `first_wait`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stepdown.errors import StepdownError
from stepdown.plane import stages
from stepdown.plane.provided import ASKED, CountedProvidedFlags

if TYPE_CHECKING:
    from stepdown.decide.route import Route
    from stepdown.decide.view import View
    from stepdown.plane.exchange import Exchange


def hold(exchange: Exchange, route: Route, view: View, go_on: Callable[[], None]) -> bool:
    """Whether the exchange waits now; then `go_on` is called when it need not wait any longer."""
    flags = exchange.runtime.flags
    assert isinstance(flags, CountedProvidedFlags)
    missing = _missing(route, view, flags)
    if not missing:
        return False
    return _Hold(exchange, route, view, flags, go_on).begin(missing)


def _missing(route: Route, view: View, flags: CountedProvidedFlags) -> list[str]:
    """Flags that this request asks and that are not known yet; one that depends on another's answer comes later."""
    flags.may_wait = True
    try:
        rule = route.rule_for(view, view.client)
        if rule.flag is not None and (route.spec.pin == "shape" or view.pinned()[1] == "default"):
            view.flag(rule.flag.name)
    except StepdownError:
        return []  # choosing will say so
    finally:
        flags.may_wait = False
    return [name for name, answer in view.answered.items() if answer is ASKED]


class _Hold:
    """One exchange that waits."""

    def __init__(
        self, exchange: Exchange, route: Route, view: View, flags: CountedProvidedFlags, go_on: Callable[[], None]
    ) -> None:
        self._exchange = exchange
        self._route = route
        self._view = view
        self._flags = flags
        self._go_on = go_on
        self._until = 0.0

    def begin(self, missing: list[str]) -> bool:
        seconds = self._flags.first_wait
        self._until = self._exchange.client.plane.loop.time() + seconds
        if self._exchange.attempts or not self._wait(missing, seconds):
            self._flags.count(missing)
            return False
        self._exchange.stage = stages.AWAIT_FLAGS
        self._exchange.client.wait(0)
        return True

    def _wait(self, missing: list[str], seconds: float) -> bool:
        keys = self._flags.keys(missing, self._view)
        return self._flags.wait(keys, seconds, lambda answered: self._settle(missing, answered))

    def _settle(self, waited: list[str], answered: bool) -> None:
        exchange = self._exchange
        if exchange.gone:
            return
        self._view.ask_again(waited)
        missing = _missing(self._route, self._view, self._flags)
        left = self._until - exchange.client.plane.loop.time()
        if missing and answered and left > 0 and self._wait(missing, left):
            return
        self._flags.count(missing)
        exchange.client.resume()
        try:
            self._go_on()
        except StepdownError as error:
            exchange.fail(error)
