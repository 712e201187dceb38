"""An adapter as a user of the library holds it: a document of a newer version in, one of an older version out.

It is the compiled chain of `generate` behind plain Python values: what `json.loads` gives goes in, and the same comes
out. The code that runs is the code that the sidecar runs.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stepdown_adapters.context import Context
from stepdown_adapters.description import Description, describe
from stepdown_adapters.errors import AdaptError, ModelError, OperationError, Problem
from stepdown_adapters.generate import CompiledChain, Convert, compile_chain
from stepdown_adapters.json_values import flaw
from stepdown_adapters.neighbours import is_lossless
from stepdown_adapters.operations.envelope import HeadEdits
from stepdown_adapters.runtime import MISSING
from stepdown_adapters.step import Declaration
from stepdown_adapters.stream.adapting.chain import Limits, StreamChain
from stepdown_adapters.stream.adapting.collecting import Collector, unfold
from stepdown_adapters.stream.adapting.compiling import CompiledStream, compile_stream, stream_of
from stepdown_adapters.stream.adapting.failures import NoStreamAdapterError

Body = bytes
"""JSON text; `Adapter.bytes` hides the name of its type."""
DERIVED = "derived"
"""The place of a step that nobody declared: the contracts imply it."""


class Adapter:
    """Steps documents down from one version of a model to an older one; immutable, and may be used by several threads.

    Every conversion takes what operations may read of the request for which an answer is: `request`, the body as plain
    values or as bytes, `params`, the parts of its path by name, and `headers`. Give what the old client sent; values
    that its request adapters carry to the answer are carried from it.
    """

    __slots__ = ("_chain", "_places", "_steps", "_stream", "_why", "versions")

    def __init__(
        self,
        steps: Sequence[Declaration],
        *,
        versions: Sequence[str] = (),
        places: Sequence[str] = (),
        why: str = "",
    ) -> None:
        """`Adapter.load` and `Adapter.of` make adapters; `places` and `why` are what `explain` says besides the steps.

        Raises `OperationError`.
        """
        self._steps = tuple(steps)
        self._places = tuple(places) or ("",) * len(self._steps)
        self._why = why
        self._chain = compile_chain(self._steps)
        self._stream = _streamed(self._steps)
        self.versions: tuple[str, ...] = tuple(versions) or _passed(self._steps)
        """The versions that a document passes, newest first."""

    @classmethod
    def load(cls, file: str | Path, newer: str, older: str, *, model: str | None = None) -> Adapter:
        """The adapter from `newer` to `older`, planned over what a file declares: see `Model.load` and `Model.adapter`.

        A file of which several adapters are needed is read once by `Model.load`.

        Raises:
            ModelError: the file has mistakes, no such version, or no way from one to the other.
            VersionError: `newer` or `older` is no version.
        """
        description = describe(Path(file), model)
        return adapter_of(description, description.version(newer), description.version(older))

    @classmethod
    def of(cls, steps: Iterable[Declaration]) -> Adapter:
        """The adapter that these steps are, in the order in which an answer passes them; raises `OperationError`."""
        return cls(tuple(steps))

    def __call__(
        self,
        document: Any,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """An answer of the newer version as one of the older; `document` stays as it is. Raises `AdaptError`."""
        body = self._written(document, "response")
        return _read(self.bytes(body, request=request, params=params, headers=headers))

    def bytes(
        self,
        body: Body,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body:
        """The same with JSON text: parts that no operation looks at keep their bytes. Raises `AdaptError`."""
        return self._adapted(self._chain.response, body, request, params, headers)

    def error(
        self,
        document: Any,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """An error answer (4xx, 5xx) of the newer version as one of the older. Raises `AdaptError`."""
        body = self._written(document, "errors")
        return _read(self.error_bytes(body, request=request, params=params, headers=headers))

    def error_bytes(
        self,
        body: Body,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body:
        """The same with JSON text. Raises `AdaptError`."""
        return self._adapted(self._chain.errors, body, request, params, headers)

    def request(
        self, document: Any, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """A request for the older version as one that the newer understands. Raises `AdaptError`."""
        body = self._written(document, "request")
        return _read(self.request_bytes(body, params=params, headers=headers))

    def request_bytes(
        self, body: Body, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Body:
        """The same with JSON text. Raises `AdaptError`."""
        return self._chain.request(body, _context(body, params, headers))

    def stream(
        self,
        content_type: str,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> StreamChain:
        """One stream of the newer version, to be fed as its bytes arrive, as one of the older.

        Raises:
            NoStreamAdapterError: a step that changes answers has no `stream:` section.
            ValueError: the type is not one of a stream of events.
        """
        stream = self.streams
        return StreamChain(stream, content_type, self._facts(stream.needs, request, params, headers), limits)

    def collector(
        self,
        content_type: str,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> Collector:
        """The same for an old client that cannot stream: what is fed becomes one document. Raises as `stream` does."""
        stream = self.streams
        return Collector(stream, content_type, self._facts(stream.needs, request, params, headers), limits)

    def unfold(
        self,
        body: Body,
        content_type: str,
        *,
        request: Any = MISSING,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body:
        """The reverse: a whole answer of the newer version as the stream that an old client asked for.

        Raises `AdaptError`, `BrokenStreamError`, and `NoStreamAdapterError`, also where no step says how, by `unfold`.
        """
        stream = self.streams
        return unfold(stream, body, content_type, self._facts(stream.needs, request, params, headers))

    @property
    def streams(self) -> CompiledStream:
        """What is done to streams; raises `NoStreamAdapterError`."""
        return compile_stream(self._steps) if self._stream is None else self._stream

    @property
    def chain(self) -> CompiledChain:
        """What it is compiled to: what it touches, what it reads of requests, what is done to an answer's head."""
        return self._chain

    @property
    def head(self) -> HeadEdits:
        """What is to be done to the head of an answer, which documents do not have."""
        return self._chain.response_head

    @property
    def source(self) -> str:
        """The generated Python code; empty where nothing is done."""
        return self._chain.source

    def explain(self) -> str:
        """The way in words: each step with where it is declared, what it does, and whether anything is lost."""
        if not self._steps:
            return f"{self.versions[0]} as it is: there is nothing to do."
        lines = [f"{self.versions[0]} to {self.versions[-1]} in {_counted(len(self._steps))}."]
        for step, place in zip(self._steps, self._places, strict=True):
            what = "derived from the contracts" if place == DERIVED else f"adapter at {place}" if place else ""
            loss = "lossless" if is_lossless(step) else "lossy"
            lines.append(f"{step.source} -> {step.target}: {', '.join(filter(None, (what, loss)))}")
            lines += [f"  {line}" for line in _operations(step)]
        return "\n".join([*lines, f"Not taken: {self._why}."] if self._why else lines)

    def __repr__(self) -> str:
        return f"<Adapter {' -> '.join(self.versions)}>"

    def _adapted(
        self,
        convert: Convert,
        body: Body,
        request: Any,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Body:
        return convert(body, self._facts(self._chain.response_needs, request, params, headers))

    def _facts(
        self,
        needs: frozenset[str],
        request: Any,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Context:
        """What operations may read of the request, as far as they do."""
        if not needs:
            return Context()
        sent = (
            None if request is MISSING else request if isinstance(request, Body) else self._written(request, "request")
        )
        context = _context(sent, params, headers)
        if "carried" in needs and sent is not None:
            self._chain.request(sent, context)  # for what it puts aside
        return context

    def _written(self, document: Any, direction: str) -> Body:
        """The document as JSON text; what has none is refused, as text that is no JSON would be."""
        found = flaw(document)
        if found is None:
            return msgspec.json.encode(document)
        if direction != "request" and self._steps and self._steps[0].non_finite == "nullify":
            try:
                return json.dumps(document, ensure_ascii=False).encode()  # writes NaN, which the chain reads as null
            except (TypeError, ValueError, RecursionError):
                pass
        raise AdaptError(" -> ".join((self.versions[0], self.versions[-1])), f"reading the {direction}", "", found)


def adapter_of(description: Description, newer: str, older: str) -> Adapter:
    """The adapter between two versions of a model; raises `ModelError` where there is no way."""
    plan = description.plan
    if newer == older:
        return Adapter((), versions=(newer,))
    if (newer, older) not in plan.chains:
        order = list(description.versions)
        upwards = order.index(newer) < order.index(older)
        reason = "it is newer, and adapters step down only" if upwards else plan.missing(newer, older)
        raise ModelError(description.file, f"{older} cannot be had from {newer}: {reason}")
    chain = [(edge.source, edge.target) for edge in plan.chains[newer, older]]
    steps = [description.steps[ends] for ends in chain]
    places = [description.places.get(ends, DERIVED) for ends in chain]
    return Adapter(steps, places=places, why=plan.why(newer, older))


def _context(body: Body | None, params: Mapping[str, str] | None, headers: Mapping[str, str] | None) -> Context:
    fields = {name.lower(): value for name, value in (headers or {}).items()}
    return Context(params=params, body=body, headers=fields)


def _read(body: Body) -> Any:
    return msgspec.json.decode(body)


def _passed(steps: Sequence[Declaration]) -> tuple[str, ...]:
    """The versions of steps that follow one another; raises `OperationError` where they do not, or there is none."""
    if not steps:
        raise OperationError([Problem("steps", "an adapter needs a step")])
    for before, after in itertools.pairwise(steps):
        if before.target != after.source:
            sentence = f"the step from {after.source} cannot follow one to {before.target}"
            raise OperationError([Problem(f"steps[{steps.index(after)}]", sentence)])
    return (steps[0].source, *(step.target for step in steps))


def _operations(step: Declaration) -> list[str]:
    """The operations of a step, a line for each, in the form of the file."""
    lines = [
        f"{name}: {json.dumps(operation, ensure_ascii=False)}"
        for name in ("request", "response", "errors")
        for operation in getattr(step, name)
    ]
    lines += [f"stream {line}" for line in _stream_rules(stream_of(step))]
    lines += [f"hook: {step.hook}, unproved"] if step.hook else []
    lines += ["prune: removes what the older contract does not declare"] if step.pruning else []
    return lines or ["nothing to do"]


def _streamed(steps: Sequence[Declaration]) -> CompiledStream | None:
    """What is done to streams, `None` where no step has anything to say of them, or one lacks what others have."""
    if all(stream_of(step) is None for step in steps):
        return None
    try:
        return compile_stream(steps)
    except NoStreamAdapterError:
        return None  # told when somebody asks for a stream


def _stream_rules(section: Any) -> list[str]:
    """A stream section, a line for each of its rules."""
    return [
        f"{key}: {json.dumps({name: inner}, ensure_ascii=False)}"
        for key, value in (section or {}).items()
        for name, inner in (value.items() if key in ("on", "fold") else [(key, value)])
    ]


def _counted(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"
