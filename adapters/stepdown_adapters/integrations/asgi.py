"""An ASGI middleware that gives each client the shape that it pins, whatever version the application speaks.

    app.add_middleware(StepDown, model="churn.yaml", served="2.0.0", paths=["/predict"])

1. Only requests to `paths` are looked at (not OPTIONS), since what else an application answers has no version. A path
   may have `{name}` parts, which operations can read as `params`.
2. The pin is `X-Model-Version`, else the default version. What is no version is answered 400, what the application's
   version does not lead to 406, before the application is asked.
3. If the pin is the served version, everything passes as it is, streams too; only the head says what it is.
4. Else the request is stepped up where the chain has operations for it, and is asked uncompressed and whole (neither
   `Accept-Encoding` nor `Range` reach the application). Its answer with a status of 2xx is collected up to
   `most_bytes` and stepped down. What cannot be is answered 502: a stream, what is no JSON, a compressed body, a
   document that the adapters refuse. An error answer passes as it is, unless the chain has operations for errors.

It is written against the ASGI specification and imports no framework. Adapters run on the event loop: a body of a
megabyte stops it for milliseconds, so where answers are larger than that, the sidecar is the better place.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

from stepdown_adapters.adapter import Adapter
from stepdown_adapters.context import Context
from stepdown_adapters.contract.mistakes import listed
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.integrations import http
from stepdown_adapters.integrations.answering import Answer, Message, Receive, Send, send_problem
from stepdown_adapters.model import Model
from stepdown_adapters.pinned import wanted
from stepdown_adapters.versions import VersionError

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
MOST_BYTES = 8 * 1024 * 1024
# The answer has to be whole and readable here; whoever stands outside may compress it again.
_NOT_ASKED = (b"accept-encoding", b"range", b"if-range")
_SHORT_CUTS = ("http.response.pathsend", "http.response.zerocopysend", "http.response.trailers")
"""Extensions by which an answer would pass by, or say more after its body."""


class StepDown:
    """The middleware; see the module's text."""

    def __init__(
        self,
        app: Application,
        *,
        model: Model | str | Path,
        served: str,
        paths: Iterable[str],
        default: str | None = None,
        name: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Loads and compiles everything that requests can ask for, so that a mistake shows when the application starts.

        `model` is a file, in which `name` says which one where it has several. `served` is the version that `app`
        speaks, `default` what clients without a pin get: by default the file's `default_version`, else `served`.
        `most_bytes` is the longest body, of a request or an answer, that is adapted.

        Raises:
            ModelError, VersionError: the file has mistakes, no such versions, or no way from `served` to `default`.
        """
        self._app = app
        self._model = model if isinstance(model, Model) else Model.load(model, name)
        self._served = self._model.version(served)
        self._default = self._model.version(default or self._model.default or self._served)
        self._paths: list[re.Pattern[str]] = [http.template(path) for path in paths]
        self._most_bytes = most_bytes
        self._model.adapter(self._served, self._default)
        self._adapters: dict[str, Adapter] = {
            version: self._model.adapter(self._served, version)
            for version in reversed(self._model.versions)
            if self._model.reaches(self._served, version)
        }
        """By version, newest first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection, as ASGI 3 has it."""
        params = self._params(scope)
        if params is None:
            await self._app(scope, receive, send)
            return
        try:
            pinned = self._pinned(scope)
        except http.Problem as problem:
            await send_problem(send, problem, scope["method"] == "HEAD")
            return
        chain = self._adapters[pinned].chain
        context = Context(scope["method"], scope["path"], params, headers=_headers(scope))
        versions = (pinned, self._served)
        answer = Answer(chain, context, scope["method"], send, versions=versions, most_bytes=self._most_bytes)
        if not (chain.touches_answers or chain.touches_request):
            await self._app(scope, receive, answer.label)
            return
        inner: Scope = {**scope, "headers": http.without(scope["headers"], _NOT_ASKED)}
        inner["extensions"] = {
            key: value for key, value in (scope.get("extensions") or {}).items() if key not in _SHORT_CUTS
        }
        try:
            if chain.touches_request or {"body", "carried"} & chain.response_needs:
                receive = await self._stepped_up(inner, receive, chain.request, context)
        except http.Problem as problem:
            await answer.refuse(problem)
            return
        try:
            await self._app(inner, answer.receiving(receive), answer.send)
        except Exception:
            if not answer.refused:  # else it was stopped from here
                raise

    def _params(self, scope: Scope) -> dict[str, str] | None:
        """The path's parts by name; `None` where the request is none for the model."""
        if scope["type"] != "http" or scope["method"] == "OPTIONS":
            return None
        root, path = scope.get("root_path", ""), scope["path"]
        if root and path.startswith(f"{root}/"):  # servers differ in whether a mount's path is part of the path
            path = path[len(root) :]
        found = next(filter(None, (pattern.fullmatch(path) for pattern in self._paths)), None)
        return None if found is None else found.groupdict()

    def _pinned(self, scope: Scope) -> str:
        """The version whose shape a request asks for; raises `Problem`."""
        text = http.value(scope["headers"], b"x-model-version")
        try:
            pin = None if text is None else wanted(text, self._model.name)
            if pin is None:
                return self._default
            if pin.strip(" ") == "latest":
                return next(iter(self._adapters))
            matching = self._model.matching(pin)
        except VersionError as error:
            raise http.Problem(400, "bad-version", "No such version or range", str(error)) from None
        for version in matching:
            if version in self._adapters:
                return version
        detail = f"{self._model.name} is not available as {pin.strip()}; there is {listed(self._adapters)}"
        raise http.Problem(406, "version-not-available", "Version not available", detail)

    async def _stepped_up(
        self, scope: Scope, receive: Receive, convert: Callable[[bytes, Context], bytes], context: Context
    ) -> Receive:
        """Reads the request's body, keeps it in the context, and steps it up; raises `Problem`."""
        coding = http.value(scope["headers"], b"content-encoding") or "identity"
        if coding.lower() != "identity":
            raise http.Problem(415, "request-not-adaptable", "Request cannot be adapted", f"The body is in {coding}")
        parts: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return _first(message, receive)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._most_bytes:
                detail = f"The body is longer than {self._most_bytes} bytes, the most that is adapted"
                raise http.Problem(413, "body-too-large", "Request body too large", detail)
            more = message.get("more_body", False)
        body = b"".join(parts)
        if body:
            context.body = body
            try:
                body = convert(body, context)
            except AdaptError as error:
                title = "Request cannot be adapted"
                raise http.Problem(422, "request-not-adaptable", title, str(error)) from None
            length = [(b"content-length", str(len(body)).encode())]
            scope["headers"] = [*http.without(scope["headers"], (b"content-length", b"transfer-encoding")), *length]
        return _first({"type": "http.request", "body": body, "more_body": False}, receive)


def _first(message: Message, receive: Receive) -> Receive:
    """Receives a message, and then whatever else comes."""
    waiting = [message]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


def _headers(scope: Scope) -> dict[str, str]:
    """The request's fields by lower-case name; of those that are there several times the values are joined."""
    headers: dict[str, str] = {}
    for key, text in scope["headers"]:
        name, value = key.decode("latin-1").lower(), text.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
