"""A request that was copied: its head parsed once, and what each version reads instead of what its client wrote."""

from __future__ import annotations

from stepdown.comparer.configurations import Configuration
from stepdown.decide.copies import Copy
from stepdown.decide.spec import Route
from stepdown.plane import adapt
from stepdown.plane.outgoing import request_origin
from stepdown.plane.streamed import Streams
from stepdown.wire import RequestHead, parse_request
from stepdown_adapters.context import Context
from stepdown_adapters.generate import CompiledChain


class Asked:
    """One request, in the shapes of the versions that get it."""

    __slots__ = ("_contexts", "_names", "about", "body", "configuration", "head", "route")

    def __init__(self, configuration: Configuration, about: Copy, body: bytes) -> None:
        """Raises `BadRequestError` on a head that is none, and `KeyError` on a route without shadows."""
        self.configuration = configuration
        self.about = about
        self.body = body
        self.route: Route = configuration.routes[about.route]
        self.head: RequestHead = parse_request(about.head)
        self._names = configuration.names(about.route)
        self._contexts: dict[str, Context] = {}

    @property
    def params(self) -> dict[str, bytes]:
        """Parts of the path, by name."""
        return dict(zip(self._names, self.about.params, strict=False))

    @property
    def origin(self) -> bytes:
        """The X-Forwarded-* and Via lines, as the worker wrote them for the request itself."""
        return request_origin(self.head, self.about.client.encode("ascii"), b"http", self.configuration.trusted_hops)

    def adapter(self, version: str) -> CompiledChain | None:
        """What lies between a version and the pinned shape; raises `UnreachableShapeError`."""
        return self.configuration.adapter(self.route.model, version, self.about.pinned)

    def streams(self, version: str) -> Streams:
        """What becomes of streams between a version and the pinned shape; raises `UnreachableShapeError`."""
        return self.configuration.streams(self.route.model, version, self.about.pinned)

    def upward(self, version: str) -> bytes:
        """The body that a version reads; raises `UnreachableShapeError` and `RequestNotAdaptableError`."""
        adapter = self.adapter(version)
        if adapter is None or not adapter.touches_request or not self.head.framed:
            return self.body
        adapt.refuse_foreign(self.head)
        context = self._contexts[version] = self._context(version, adapter)
        return adapt.request(adapter, self.body, context)

    def context(self, version: str) -> Context:
        """What the adapters of a version's answer may know of the request, with what its request has put aside.

        Raises `UnreachableShapeError` and `RequestNotAdaptableError`.
        """
        context = self._contexts.get(version)
        if context is None:
            adapter = self.adapter(version)
            context = Context() if adapter is None else self._context(version, adapter)
            if adapter is not None and "carried" in adapter.response_needs | self.streams(version).needs:
                self.upward(version)
                context = self._contexts.get(version, context)
            self._contexts[version] = context
        return context

    def _context(self, version: str, adapter: CompiledChain) -> Context:
        needs = adapter.request_needs | adapter.response_needs | self.streams(version).needs
        head = self.head
        params = {name: value.decode("latin-1") for name, value in self.params.items()}
        body = self.body if "body" in needs else None
        headers = adapt.headers_of(head) if "headers" in needs else None
        return Context(head.method.decode("ascii"), head.path.decode("ascii"), params, body, headers)
