"""The operation error_map: an error's body from the envelope that one kind of server writes to another's.

| envelope    | body |
|---|---|
| `problem`   | RFC 9457: `{"type", "title", "status", "detail", "instance", ...}`, all of them optional |
| `v2`        | Open Inference: `{"error": "sentence"}` |
| `tfserving` | TensorFlow Serving: the same |
| `openai`    | `{"error": {"message", "type", "param", "code"}}` |
| `anthropic` | `{"type": "error", "error": {"type", "message"}}` |
| `fastapi`   | `{"detail": "sentence"}`, or a list of `{"loc", "msg", "type"}` for a request that does not validate |
| `mlflow`    | `{"error_code", "message"}` |

What an error says goes through `Told`; each envelope has one function that reads a body, or says that it is none of
its own, and one that writes it. A status is not in most bodies, though several envelopes derive words from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from stepdown_adapters.codec import Codec
from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import flaw, kind
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Structural
from stepdown_adapters.operations.options import Options


@dataclass(frozen=True, slots=True)
class Told:
    """What an error says; `None` where it does not."""

    message: str
    kind: str | None = None
    """A word for the class of errors, such as OpenAI's `invalid_request_error` or a problem's `type`."""
    code: str | None = None
    """A word for this error."""
    param: str | None = None
    """What of the request is to blame."""
    status: int | None = None


def _read_problem(body: dict[str, Any]) -> Told | None:
    title, detail = _text(body.get("title")), _text(body.get("detail"))
    if title is None and detail is None:
        return None
    message = detail if detail is not None else str(title)
    known = _text(body.get("type"))
    return Told(
        message,
        None if known == "about:blank" else known,
        _text(body.get("code")),
        _text(body.get("param")),
        _status(body.get("status")),
    )


def _read_sentence(body: dict[str, Any]) -> Told | None:
    message = _text(body.get("error"))
    return None if message is None else Told(message)


def _read_openai(body: dict[str, Any]) -> Told | None:
    error = body.get("error")
    message = _text(error.get("message")) if isinstance(error, dict) else None
    if not isinstance(error, dict) or message is None:
        return None
    code = error.get("code")  # vLLM writes the status there
    return Told(message, _text(error.get("type")), _text(code), _text(error.get("param")), _status(code))


def _read_anthropic(body: dict[str, Any]) -> Told | None:
    error = body.get("error")
    message = _text(error.get("message")) if isinstance(error, dict) else None
    if not isinstance(error, dict) or message is None or body.get("type") != "error":
        return None
    word = _text(error.get("type"))
    return Told(message, word, status=next((status for status, name in _ANTHROPIC.items() if name == word), None))


def _read_fastapi(body: dict[str, Any]) -> Told | None:
    detail = body.get("detail")
    if not isinstance(detail, list):
        message = _text(detail)
        return None if message is None else Told(message)
    mistakes = [_mistake(item) for item in detail]
    known = [mistake for mistake in mistakes if mistake is not None]
    if not known or len(known) < len(mistakes):
        return None
    message = "; ".join(f"{place}: {sentence}" if place else sentence for place, sentence in known)
    return Told(message, param=known[0][0] or None, status=422)


def _mistake(item: Any) -> tuple[str, str] | None:
    """Place and sentence of one entry of FastAPI's list."""
    sentence = _text(item.get("msg")) if isinstance(item, dict) else None
    place = item.get("loc", []) if isinstance(item, dict) else None
    if sentence is None or not isinstance(place, list) or not all(isinstance(part, str | int) for part in place):
        return None
    return ".".join(map(str, place)), sentence


def _read_mlflow(body: dict[str, Any]) -> Told | None:
    code, message = _text(body.get("error_code")), _text(body.get("message"))
    if code is None or message is None:
        return None
    return Told(message, code=code, status=next((status for status, name in _MLFLOW.items() if name == code), None))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _status(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599 else None


_PHRASES = {int(status): status.phrase for status in HTTPStatus}
_OPENAI = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_MLFLOW = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    422: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
}


def _write_problem(told: Told) -> dict[str, Any]:
    body: dict[str, Any] = {"type": told.kind if told.kind is not None and ":" in told.kind else "about:blank"}
    if told.status in _PHRASES and body["type"] == "about:blank":
        body["title"] = _PHRASES[told.status]  # RFC 9457 section 4.2.1
    if told.status is not None:
        body["status"] = told.status
    body["detail"] = told.message
    extensions = {"code": told.code, "param": told.param}
    return {**body, **{name: value for name, value in extensions.items() if value is not None}}


def _write_sentence(told: Told) -> dict[str, Any]:
    return {"error": told.message}


def _write_openai(told: Told) -> dict[str, Any]:
    word, code = told.kind, told.code
    if word is not None and ":" in word:  # a problem's URI, whose last part names the error
        code = code if code is not None else word.rstrip("/").rpartition("/")[2].rpartition(":")[2]
        word = None
    if word is None:
        faulty = told.status is not None and told.status >= 500
        word = _OPENAI.get(told.status or 0, "server_error" if faulty else "invalid_request_error")
    return {"error": {"message": told.message, "type": word, "param": told.param, "code": code}}


def _write_anthropic(told: Told) -> dict[str, Any]:
    derived = "api_error" if told.status is None or told.status >= 500 else "invalid_request_error"
    word = told.kind if told.kind in _ANTHROPIC.values() else _ANTHROPIC.get(told.status or 0, derived)
    return {"type": "error", "error": {"type": word, "message": told.message}}


def _write_fastapi(told: Told) -> dict[str, Any]:
    return {"detail": told.message}


def _write_mlflow(told: Told) -> dict[str, Any]:
    derived = "INTERNAL_ERROR" if told.status is None or told.status >= 500 else "BAD_REQUEST"
    code = told.code if told.code in _MLFLOW.values() else _MLFLOW.get(told.status or 0, derived)
    return {"error_code": code, "message": told.message}


_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}


def _closed(properties: dict[str, Schema], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Envelope:
    """How one kind of server writes errors."""

    read: Callable[[dict[str, Any]], Told | None]
    write: Callable[[Told], dict[str, Any]]
    schema: dict[str, Any]
    """Of what `write` writes."""


_SENTENCE = Envelope(_read_sentence, _write_sentence, _closed({"error": _TEXT}))
ENVELOPES = {
    "problem": Envelope(
        _read_problem,
        _write_problem,
        _closed(
            {
                "type": _TEXT,
                "title": _TEXT,
                "status": {"type": "integer", "minimum": 100, "maximum": 599},
                "detail": _TEXT,
                "code": _TEXT,
                "param": _TEXT,
            },
            frozenset({"title", "status", "code", "param"}),
        ),
    ),
    "v2": _SENTENCE,
    "tfserving": _SENTENCE,
    "openai": Envelope(
        _read_openai,
        _write_openai,
        _closed({"error": _closed({"message": _TEXT, "type": _TEXT, "param": _MAYBE, "code": _MAYBE})}),
    ),
    "anthropic": Envelope(
        _read_anthropic,
        _write_anthropic,
        _closed({"type": {"const": "error"}, "error": _closed({"type": _TEXT, "message": _TEXT})}),
    ),
    "fastapi": Envelope(_read_fastapi, _write_fastapi, _closed({"detail": _TEXT})),
    "mlflow": Envelope(_read_mlflow, _write_mlflow, _closed({"error_code": _TEXT, "message": _TEXT})),
}


def _error_map(options: Options) -> Structural:
    source, target = options.choice("from", tuple(ENVELOPES)), options.choice("to", tuple(ENVELOPES))
    status = options.get("status", "a status from 400 to 599", _is_error, None)
    fallback = options.get("fallback", "a sentence", lambda v: isinstance(v, str) and flaw(v) is None, None)
    reader, writer = ENVELOPES[source].read, ENVELOPES[target]

    def convert(value: Any, codec: Codec) -> dict[str, Any]:
        body = codec.plain(value)
        told = reader(body) if isinstance(body, dict) else None
        if told is None:
            if fallback is None:
                found = f"an object with the members {sorted(body)}" if isinstance(body, dict) else kind(body)
                raise Refusal(f"{found} is no error of the form {source}; give a fallback")
            told = Told(fallback)
        if told.status is None and status is not None:
            told = Told(told.message, told.kind, told.code, told.param, status)
        return writer.write(told)

    return Structural(convert, lambda _schema: writer.schema)


def _is_error(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599


ROWS = (Row("error_map", _error_map, Loss.LOSSY, "members without a place in the other envelope are lost", whole=True),)
