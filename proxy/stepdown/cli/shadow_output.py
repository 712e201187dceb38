"""What a comparison of answers came to, for people: tables and colours in a terminal, plain text in a pipe.

All functions take a report as machines get it (`comparison.view`), wherever it comes from.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepdown.cli.output import show_tables
from stepdown.cli.summary import Row, Table
from stepdown.comparison.answers import BODY
from stepdown.telemetry.text import readable

EXITS = {"pass": 0, "fail": 1, "inconclusive": 2}
"""Exit codes of verdicts."""

_ROWS = 15
"""Rows of a table; `--json` has all."""
_EXAMPLES = 10
_SECOND, _BYTES = 0.9995, 1000
"""From where on times are shown in seconds, and sizes in whole bytes: no figure has a power of ten."""
_SMALL = 0.00001
"""Shares below are as good as none, and are not written with a power of ten."""
_MOVED = 0.0005
"""From where on a distance is not shown as 0: less is how numbers are rounded."""
_WIDTH = 40
"""Characters of a value in a table."""
_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow"}

View = Mapping[str, Any]


def show_report(view: View) -> None:
    """All of a report: one line, then a table for each thing that it has something to say about."""
    total = view["total"]
    said(headline(view), "red" if total["different"] else "green" if total["compared"] else "yellow")
    found = [_contracts(view), _paths(total), _statuses(total), _measures(total), _labels(total), _numbers(total)]
    show_tables([table for table in [*found, _examples(total)] if len(table.rows) > 1])
    if view["left_out"]:
        print(f"\nLeft out, because there was no room for it: {', '.join(view['left_out'])}.")


def show_shadows(shadows: Sequence[View]) -> None:
    """Each shadow in a line."""
    if not shadows:
        print("No route has a shadow whose answers are compared.")
        return
    head: Row = ("route", "shadow", "version", "compared", "different", "noise", "verdict", "failed", "incomparable")
    show_tables([Table("shadows", (head, *(_in_a_line(one) for one in shadows)))])


def _in_a_line(one: View) -> Row:
    found = one["answers"]
    counted = one["compared"] > 0
    return (
        one["route"],
        one["shadow"],
        one["version"],
        f"{one['compared']:,}" if one["reported"] else "one too many" if one["left_out"] else "no report yet",
        _interval(found["different"]) if counted else "",
        percent(found["noise"]["share"]) if found["noise"] else "",
        found["verdict"] if counted else "",
        f"{one['failed']:,}",
        f"{one['incomparable']:,}",
    )


def show_verdict(verdict: View) -> None:
    """A decision in one sentence."""
    print()
    said(f"{verdict['outcome']}: {verdict['sentence']}", _STYLES[verdict["outcome"]])


def headline(view: View) -> str:
    """A report in one line."""
    total = view["total"]
    parts = [f"{total['compared']:,} compared", f"{total['equal']:,} equal"]
    different = f"{total['different']:,} different"
    if total["compared"]:
        different += f" ({_interval(total['answers']['different'])})"
    parts.append(different)
    if total["incomparable"]:
        reasons = sorted(total["incomparable"].items(), key=lambda one: -one[1])
        named = ", ".join(f"{reason} {times:,}" for reason, times in reasons)
        parts.append(f"{sum(total['incomparable'].values()):,} incomparable ({named})")
    return f"{view['shadow']}: {', '.join(parts)}" if view["shadow"] else ", ".join(parts)


def said(sentence: str, style: str) -> None:
    """A line, in a colour where there are any."""
    if not sys.stdout.isatty():
        print(sentence)
        return
    from rich.console import Console  # noqa: PLC0415 - costs a third of the start-up, and only terminals want it
    from rich.text import Text  # noqa: PLC0415

    Console(highlight=False).print(Text(sentence, style=style), soft_wrap=True)


def _contracts(view: View) -> Table:
    rows: list[Row] = [("shape", "compared", "equal", "different", "95 % interval", "incomparable", "breaks contract")]
    for name, one in view["contracts"].items():
        rate, contract = one["answers"]["different"], one["contract"]
        broken = f"{contract['invalid_candidate']:,} (served: {contract['invalid_served']:,})"
        rows.append(
            (
                name,
                f"{one['compared']:,}",
                f"{one['equal']:,}",
                f"{one['different']:,}",
                f"{percent(rate['low'])} to {percent(rate['high'])}" if one["compared"] else "",
                f"{sum(one['incomparable'].values()):,}",
                broken if contract["checked"] else "",
            )
        )
    return Table("By the shape that was asked for", tuple(rows))


def _paths(total: View) -> Table:
    """Those that differ beyond noise first, the farthest from it at the top; the last column decides nothing."""
    with_noise = bool(total["noise_copies"])
    head: Row = ("path", "how", "answers", "share")
    head += ("noise", "beyond noise", "verdict", "Diffy's rule") if with_noise else ("verdict",)
    rows = [
        (
            _place(one["path"]),
            ", ".join(f"{kind} {times:,}" for kind, times in one["kinds"].items()),
            f"{one['different']['count']:,}",
            _interval(one["different"]),
            *(_beyond_noise(one) if with_noise else (one["verdict"],)),
        )
        for one in sorted(total["paths"], key=_by_excess)
    ]
    return _table("Where they differ", head, rows)


def _by_excess(finding: View) -> tuple[bool, float, str]:
    apart = finding["excess"] or finding["different"]
    return finding["verdict"] != "differs", -(apart["share"] or 0.0), finding["path"]


def _beyond_noise(finding: View) -> Row:
    excess, diffy = finding["excess"], finding["diffy"]
    return (
        percent(finding["noise"]["share"]),
        f"{percent(excess['low'])} to {percent(excess['high'])}",
        finding["verdict"],
        "reports it" if diffy["reported"] else "",
    )


def _statuses(total: View) -> Table:
    counts = sorted(total["statuses"].items(), key=lambda one: -one[1])
    rows = [
        (*(part.strip() for part in name.partition(">")[::2]), f"{times:,}")
        for name, times in counts
        if len(counts) > 1 or name.partition(" > ")[0] != name.partition(" > ")[2]
    ]
    return _table("Statuses", ("served", "candidate", "answers"), rows)


def _measures(total: View) -> Table:
    rows = [
        (
            one["path"],
            *(
                " / ".join(_figure(one["path"], value) for value in one[f"quantiles_{side}"])
                for side in ("served", "candidate")
            ),
            f"{_figure(one['path'], one['mean_served'])} > {_figure(one['path'], one['mean_candidate'])}",
        )
        for one in total["measures"]
    ]
    return _table("Time, size and events", ("", "served p50 / p90 / p99", "candidate p50 / p90 / p99", "mean"), rows)


def _labels(total: View) -> Table:
    rows = [
        (_place(one["path"]), _short(before), _short(after), f"{times:,}", percent(times / one["agreed"]["total"]))
        for one in total["labels"]
        for before, after, times in one["changes"]
    ]
    same = [f"{_place(one['path'])} the same in {_interval(one['agreed'])}" for one in total["labels"]]
    title = f"Labels that changed: {'; '.join(same)}"
    return _table(title, ("path", "from", "to", "answers", "share"), rows)


def _numbers(total: View) -> Table:
    rows = [
        (
            _place(one["path"]),
            f"{_number(one['mean_served'])} > {_number(one['mean_candidate'])}",
            "" if one["deviations"] is None else f"{one['deviations']:+.3g}",
            f"{one['ks']:.3f}",
            "" if one["psi"] is None else f"{one['psi']:.3f}",
        )
        for one in total["numbers"]
        if one["ks"] >= _MOVED or abs(one["deviations"] or 0.0) >= _MOVED
    ]
    return _table("Numbers that moved", ("path", "mean", "in deviations", "KS", "PSI"), rows)


def _examples(total: View) -> Table:
    seen: set[tuple[str, str]] = set()
    rows = []
    for one in _all_examples(total):
        key = (one["name"], one["pointer"])
        if key not in seen:
            seen.add(key)
            rows.append(
                (
                    _short(_place(one["pointer"])),
                    one["kind"],
                    _short(one["served"]),
                    _short(one["candidate"]),
                    one["name"],
                )
            )
    return _table("For example", ("at", "how", "served", "candidate", "request"), rows, _EXAMPLES)


def _all_examples(total: View) -> Iterator[View]:
    yield from sorted(total["examples"]["worst"], key=lambda one: -one["magnitude"])
    yield from total["examples"]["random"]


def _table(title: str, head: Row, rows: Sequence[Row], most: int = _ROWS) -> Table:
    if len(rows) > most:
        title = f"{title} (the first {most} of {len(rows)}; --json has all)"
    return Table(title, (head, *rows[:most]))


def _interval(rate: View) -> str:
    return f"{percent(rate['share'])}, {percent(rate['low'])} to {percent(rate['high'])} at 95 %"


def percent(share: float | None) -> str:
    """A share for people."""
    if share is not None and 0.0 < share < _SMALL:
        return f"<{100 * _SMALL:g} %"
    return "" if share is None else f"{100 * share:.3g} %"


def _figure(measure: str, value: float | None) -> str:
    if value is None:
        return "-"
    if measure == "events":
        return f"{value:,.4g}"
    if measure.startswith("seconds"):
        return f"{value:,.3g} s" if value >= _SECOND else f"{1000 * value:,.3g} ms"
    return f"{value:,.0f} B" if value >= _BYTES else f"{value:,.4g} B"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _place(path: str) -> str:
    """A path in a cell; that of the whole document is empty."""
    return readable(path) or BODY


def _short(text: str) -> str:
    """A value in a cell."""
    shown = readable(text)
    return shown if len(shown) <= _WIDTH else shown[: _WIDTH - 3] + "..."
