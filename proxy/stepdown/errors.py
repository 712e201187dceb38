"""The error tree: every failure has a problem type, a status, whose fault it is, and a metric label.

An error that reaches a client is one of these. Foreign exceptions (`OSError`, `ssl.SSLError`, a codec's `ValueError`)
are mapped to them where they enter (`plane.connect`, `plane.adapt`, `config.load`), never further in.

A class is the *kind* of failure and carries what is fixed about it; an instance adds `detail`, one sentence for people.
`problem` is the tail of the RFC 9457 `type` URI (`urn:stepdown:problem:<problem>`), stable once released, and
at the same time the value of the metric label `error`.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Fault(Enum):
    """Who has to act for the failure to go away."""

    CLIENT = "client"
    UPSTREAM = "upstream"
    ADAPTER = "adapter"
    OPERATOR = "operator"
    STEPDOWN = "stepdown"


class StepdownError(Exception):
    """Root of all errors that Stepdown raises on purpose."""

    problem: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    fault: ClassVar[Fault] = Fault.STEPDOWN

    def __init__(
        self,
        detail: str = "",
        *,
        status: int | None = None,
        retry_after: int | None = None,
        link: str | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = self.status if status is None else status
        """HTTP status of this instance; the class's unless the place knows better (408 against 400, say)."""
        self.retry_after = retry_after
        """Seconds for `Retry-After`, where waiting helps."""
        self.link = link
        """Where to read what to do instead, sent as `Link` with rel `deprecation`."""


# --- the client's request -------------------------------------------------------------------------------------------


class BadRequestError(StepdownError):
    """The bytes are no request that two parsers would read the same way (RFC 9112)."""

    problem, title, status, fault = "bad-request", "Bad request", 400, Fault.CLIENT


class RequestTimeoutError(StepdownError):
    """Head or body did not arrive in time."""

    problem, title, status, fault = "request-timeout", "Request timeout", 408, Fault.CLIENT


class BodyTooLargeError(StepdownError):
    """The request's body is over the limit of its route."""

    problem, title, status, fault = "body-too-large", "Request body too large", 413, Fault.CLIENT


class NoRouteError(StepdownError):
    """No route matches and there is no `passthrough_to`."""

    problem, title, status, fault = "no-route", "No route", 404, Fault.CLIENT


class BadPinError(StepdownError):
    """The pinned version is neither a version nor a range."""

    problem, title, status, fault = "bad-version", "No such version or range", 400, Fault.CLIENT


class UnreachableShapeError(StepdownError):
    """No version of the route is configured to reach the pinned shape."""

    problem, title, status, fault = "version-not-available", "Version not available", 406, Fault.CLIENT


class RetiredVersionError(StepdownError):
    """The pinned version is retired."""

    problem, title, status, fault = "version-retired", "Version retired", 410, Fault.CLIENT


class RequestNotAdaptableError(StepdownError):
    """The request's body cannot be stepped up to what the served version reads."""

    problem, title, status, fault = "request-not-adaptable", "Request cannot be adapted", 422, Fault.CLIENT


class ClientGoneError(StepdownError):
    """The client left before its answer was complete; nobody is told, it is only counted (nginx's 499)."""

    problem, title, status, fault = "client-gone", "Client gone", 499, Fault.CLIENT


# --- the upstream's answer ------------------------------------------------------------------------------------------


class UpstreamError(StepdownError):
    """The served version's endpoint failed before an answer could be sent."""

    problem, title, status, fault = "upstream-error", "Upstream error", 502, Fault.UPSTREAM


class UpstreamConnectError(UpstreamError):
    """No connection to the endpoint: refused, reset, unknown name, TLS."""

    problem, title = "upstream-connect", "Upstream unreachable"


class UpstreamClosedError(UpstreamError):
    """The endpoint closed or reset before its answer's head was complete."""

    problem, title = "upstream-closed", "Upstream closed the connection"


class BadResponseError(UpstreamError):
    """The endpoint's bytes are no answer that two parsers would read the same way."""

    problem, title = "bad-response", "Bad response from upstream"


class UpstreamTimeoutError(UpstreamError):
    """The endpoint did not connect, answer or continue in time."""

    problem, title, status = "upstream-timeout", "Upstream timeout", 504


class NoReadyVersionError(StepdownError):
    """Something configured reaches the pinned shape, but none of it is up."""

    problem, title, status, fault = "no-ready-version", "No ready version", 503, Fault.UPSTREAM


class TakenBackError(StepdownError):
    """Only a version that its rollout took back reaches the pinned shape, and the rollout refuses such pins.

    There is no `Retry-After`: it is a person who starts the version again, and nobody knows when.
    """

    problem, title, status, fault = "version-taken-back", "Version taken back", 503, Fault.OPERATOR


class FeedbackRefusedError(StepdownError):
    """What was posted as feedback is none, or nobody may post it who has no key."""

    problem, title, status, fault = "feedback-refused", "Feedback refused", 400, Fault.CLIENT


class FeedbackUnavailableError(StepdownError):
    """Feedback cannot be stored now; posted again later, it counts once."""

    problem, title, status, fault = "feedback-unavailable", "Feedback cannot be stored now", 503, Fault.STEPDOWN


class OverloadedError(StepdownError):
    """A bound of the sidecar itself is reached (connections, pending requests)."""

    problem, title, status, fault = "overloaded", "Overloaded", 503, Fault.STEPDOWN


# --- adapters -------------------------------------------------------------------------------------------------------


class AdapterFailedError(StepdownError):
    """A live answer could not be stepped down to the pinned shape."""

    problem, title, status, fault = "adapter-failed", "Answer cannot be adapted", 502, Fault.ADAPTER


class StreamNotAdaptableError(AdapterFailedError):
    """A stream arrived on an adapted route that has no stream adapter; refused at its head."""

    problem, title = "stream-not-adaptable", "Stream cannot be adapted"


class StreamBrokenError(AdapterFailedError):
    """A stream could not be stepped down any further in its middle: its client's connection is cut."""

    problem, title = "stream-broken", "Stream cannot be adapted any further"


class AnswerTooLargeError(AdapterFailedError):
    """The answer is over the size up to which it is adapted; never passed unadapted."""

    problem, title = "answer-too-large", "Answer too large to adapt"


class ErrorNotAdaptableError(AdapterFailedError):
    """A server's error answer could not be given the pinned version's error shape; its status is kept."""

    problem, title = "error-not-adaptable", "Error answer cannot be adapted"


# --- configuration --------------------------------------------------------------------------------------------------


class ConfigError(StepdownError):
    """The configuration is refused; `str()` lists every finding with its place."""

    problem, title, fault = "configuration", "Configuration refused", Fault.OPERATOR
