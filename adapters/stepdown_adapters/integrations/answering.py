"""One answer from an ASGI application to its client: passed on with its name, stepped down, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import CompiledChain, Convert
from stepdown_adapters.integrations import http
from stepdown_adapters.operations.envelope import HeadEdits

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _StoppedError(OSError):
    """Tells the application, as a server does of a client that has gone, that nobody reads on."""


class Answer:
    """What the application sends is given to `send`, or to `label` where nothing in it is to be changed."""

    __slots__ = (
        *("_chain", "_context", "_convert", "_head", "_method", "_most_bytes"),
        *("_parts", "_send", "_size", "_status", "_versions", "refused"),
    )

    def __init__(
        self,
        chain: CompiledChain,
        context: Context,
        method: str,
        send: Send,
        *,
        versions: tuple[str, str],
        most_bytes: int,
    ) -> None:
        """`versions` are the pinned and the served one."""
        self._chain = chain
        self._context = context
        self._method = method
        self._versions = versions
        self._most_bytes = most_bytes
        self._send = send
        self._convert: Convert | None = None
        """What the body goes through; `None` where it passes as it is."""
        self._head: Message | None = None
        """The head that waits for its body."""
        self._parts: list[bytes] = []
        self._size = 0
        self._status = 0
        """Of an answer that is to be stepped down."""
        self.refused = False

    async def label(self, message: Message) -> None:
        """Pass a message on; the head says which shape this is."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": http.labelled(message.get("headers", ()), *self._versions)}
        await self._send(message)

    async def send(self, message: Message) -> None:
        """Take a message of the application; raises an `OSError` once the answer is refused."""
        if self.refused:
            raise _StoppedError("the answer cannot be stepped down, and its client was told so")
        try:
            if message["type"] == "http.response.start":
                await self._begin(message)
            elif message["type"] == "http.response.body" and self._head is not None:
                await self._collect(message)
            else:
                await self._send(message)
        except http.Problem as problem:
            # An error that cannot be stepped down is still an error of its status, not one of the server's.
            await self.refuse(problem if self._status < 400 else http.still_an_error(self._status, problem))

    async def refuse(self, problem: http.Problem) -> None:
        """Send a problem instead; nothing of the application's answer was sent before."""
        self.refused = True
        self._parts.clear()
        await send_problem(self._send, problem, self._method == "HEAD", self._versions)

    def receiving(self, receive: Receive) -> Receive:
        """What the application receives from: after a refusal, that its client has gone."""

        async def received() -> Message:
            return {"type": "http.disconnect"} if self.refused else await receive()

        return received

    async def _begin(self, message: Message) -> None:
        chain = self._chain
        status: int = message["status"]
        fields: http.Fields = message.get("headers", ())
        is_error = status >= 400
        touches = chain.touches_errors if is_error else chain.touches_response and 200 <= status < 300
        has_body = status not in (204, 205) and self._method != "HEAD"
        if touches and has_body:
            self._status = status
            http.refuse_foreign(status, fields)
            self._convert = chain.errors if is_error else chain.response
        edits = chain.error_head if is_error else chain.response_head if 200 <= status < 300 else HeadEdits()
        if touches:
            fields = http.without(fields, http.STALE)
        status, fields = http.edited(status, fields, edits)
        head: Message = {**message, "status": status, "headers": http.labelled(fields, *self._versions)}
        if self._convert is None:
            await self._send(head)
        else:
            head.pop("trailers", None)
            self._head = head

    async def _collect(self, message: Message) -> None:
        part = message.get("body", b"")
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._most_bytes:
            detail = f"The answer is longer than {self._most_bytes} bytes, the most that is adapted"
            raise http.not_adaptable(detail, "answer-too-large", "Answer too large to adapt")
        if message.get("more_body", False):
            return
        head, convert = self._head, self._convert
        assert head is not None
        assert convert is not None
        try:
            body = convert(b"".join(self._parts), self._context)
        except AdaptError as error:
            raise http.not_adaptable(str(error)) from None
        self._head = None
        self._parts.clear()
        length = (b"content-length", str(len(body)).encode())
        await self._send({**head, "headers": [*head["headers"], length]})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


async def send_problem(
    send: Send, problem: http.Problem, head_only: bool, versions: tuple[str, str] | None = None
) -> None:
    """An answer of our own; `versions` are the pinned and the served one, where they are known."""
    body = problem.body
    fields = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-stepdown-error", problem.kind.encode()),
        (b"vary", b"X-Model-Version"),
    ]
    if versions is not None:
        fields.append((b"x-model-served", versions[1].encode()))
    await send({"type": "http.response.start", "status": problem.status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if head_only else body, "more_body": False})
