"""How the demo looks in a terminal: numbered scenes, checked sentences, and tables that fill as answers arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


class DidNotHoldError(Exception):
    """Something that the demo promises was not so."""


class Screen:
    """Prints the story, and counts what held."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.held = 0
        self._scene = 0

    def scene(self, title: str) -> None:
        """Begins a new part."""
        self._scene += 1
        self.console.print()
        self.console.rule(f"[bold]{self._scene}  {title}", align="left")

    def say(self, text: str) -> None:
        """One remark."""
        self.console.print(Text(f"  {text}", "dim"), soft_wrap=True)

    def check(self, sentence: str, holds: bool, found: str = "") -> None:
        """Shows that a sentence holds; `found` is what was seen.

        Raises:
            DidNotHoldError: it does not.
        """
        if not holds:
            raise DidNotHoldError(f"{sentence}; found: {found}" if found else sentence)
        self.done(sentence, found)

    def done(self, sentence: str, found: str = "") -> None:
        """Says what has just been proven by getting this far."""
        self.held += 1
        self.console.print(
            Text.assemble(("  ✓ ", "bold green"), sentence, (f"  {found}" if found else "", "dim")), soft_wrap=True
        )

    def refused(self, sentence: str, found: str) -> None:
        """Shows an error that was expected."""
        self.held += 1
        self.console.print(Text.assemble(("  ✗ ", "bold yellow"), sentence, ("  " + found, "dim")), soft_wrap=True)

    def headers(self, *names: str, found: Mapping[str, str]) -> None:
        """Shows some headers of an answer as they came (`found` has their names in lower case)."""
        for name in names:
            self.console.print(Text.assemble(f"      {name}: ", (found[name.lower()], "cyan")), soft_wrap=True)

    def document(self, title: str, body: bytes) -> None:
        """Shows a JSON answer as it came."""
        text = Text(json.dumps(json.loads(body), indent=2))
        self.console.print(Panel(text, title=title, title_align="left", border_style="yellow", expand=False))

    def answers(self) -> Answers:
        """A table of who asked, what they read, in which shape, and computed by which version."""
        return Answers(self.console)

    def shares(self) -> Shares:
        """Bars of how many users each version serves."""
        return Shares(self.console)


class Drawing:
    """Something that is drawn anew with every change while it is entered as a context."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if not self._console.is_terminal:
            self._console.print()  # rich leaves the cursor at the end of what it drew


class Answers(Drawing):
    """A table with one row for each answer."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._table = Table(border_style="dim", header_style="bold")
        for column in ("who asks", "reads", "X-Model-Version", "X-Model-Served"):
            self._table.add_column(column)

    def add(self, who: str, reads: str, headers: Mapping[str, str]) -> None:
        """One more answer; `reads` is what the client made of it."""
        self._table.add_row(who, reads, headers["x-model-version"], headers["x-model-served"])
        self._live.update(self._table, refresh=True)


class Shares(Drawing):
    """A bar for each version, of how many users it serves."""

    WIDTH = 40

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._counts: dict[str, int] = {}

    def add(self, version: str) -> None:
        """One more user was served by `version`."""
        self._counts[version] = self._counts.get(version, 0) + 1
        total = sum(self._counts.values())
        lines = []
        for name, count in sorted(self._counts.items()):
            bar = "█" * round(count / total * self.WIDTH)
            numbers = f"  {count} of {total} users  {count / total:.1%}"
            lines.append(Text.assemble((f"  {name}  ", "bold"), (bar, "cyan"), numbers))
        self._live.update(Group(*lines), refresh=True)
