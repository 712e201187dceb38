"""What Prometheus answers to an instant query (its HTTP API, v1), and what of that is a number."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from stepdown.control.metrics import values
from stepdown.control.metrics.asking import Inconclusive

_LONGEST = 200
"""Characters of a server's own words that are shown."""


class Instant(NamedTuple):
    """The samples of an answer."""

    value: str | tuple[str, ...]
    """One number, where the query gives a scalar; else that of each series."""
    times: tuple[float, ...]
    """Unix seconds, of each."""

    def single(self) -> str | Inconclusive:
        """The one finite number."""
        if isinstance(self.value, tuple):
            if not self.value:
                return Inconclusive(
                    "it has no series (where that means none so far, end the query with `or vector(0)`)"
                )
            if len(self.value) > 1:
                return Inconclusive(f"it has {len(self.value)} series, and one is asked for (`sum(...)`?)")
        text = self.value if isinstance(self.value, str) else self.value[0]
        number = values.finite(text)
        return number if isinstance(number, Inconclusive) else text


class _Data(msgspec.Struct, rename={"kind": "resultType"}):
    kind: str
    result: msgspec.Raw


class _Answer(msgspec.Struct, rename={"error_type": "errorType"}):
    status: str
    data: _Data | None = None
    error: str = ""
    error_type: str = ""
    warnings: tuple[str, ...] | None = None


class _Series(msgspec.Struct):
    value: tuple[float, str] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_VECTOR = msgspec.json.Decoder(tuple[_Series, ...])
_SCALAR = msgspec.json.Decoder(tuple[float, str])
_UNDECODABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_FOREIGN = Inconclusive("what it answers is none of Prometheus' answers")


def instant(status: int, body: bytes) -> Instant | Inconclusive:
    """The samples of an answer; raises nothing."""
    try:
        answer = _ANSWER.decode(body)
    except _UNDECODABLE:
        return _FOREIGN if status == 200 else Inconclusive(f"it answers {status}")
    if status != 200 or answer.status != "success":
        return Inconclusive(f"it answers {status}: {_words(answer.error_type)}: {_words(answer.error)}")
    if answer.warnings:
        return Inconclusive(f"it warns: {_words('; '.join(answer.warnings))}")
    if answer.data is None:
        return _FOREIGN
    try:
        return _samples(answer.data)
    except _UNDECODABLE:
        return _FOREIGN


def _samples(data: _Data) -> Instant | Inconclusive:
    if data.kind == "scalar":
        at, text = _SCALAR.decode(data.result)
        return Instant(text, (at,)) if values.is_number(text) else _FOREIGN
    if data.kind != "vector":
        return Inconclusive(f"the query gives a {_words(data.kind)}, and one number is asked for")
    found = [series.value for series in _VECTOR.decode(data.result)]
    samples = [sample for sample in found if sample is not None]
    if len(samples) < len(found):
        return Inconclusive("the query gives a histogram, and one number is asked for")
    if not all(values.is_number(text) for _, text in samples):
        return _FOREIGN
    return Instant(tuple(text for _, text in samples), tuple(at for at, _ in samples))


def _words(text: str) -> str:
    """A server's own words, on one line."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
