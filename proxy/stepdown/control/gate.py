"""Who gets past the admin API's door: the checks that hold for every request, in their order, before anything is done.

1. `Host`   a name that only a browser tricked by DNS rebinding would send is refused
2. browsers a request that another site's page could have caused is refused (`Origin`, `Sec-Fetch-Site`)
3. brake    an address that keeps presenting wrong tokens has to wait, also with a right one
4. token    no token or a wrong one: 401, before it can be seen which paths exist
5. the path and the method: 404, 405
6. role     403 where the token may only view
7. content  what is sent is JSON, which no HTML form can send: 415
"""

from __future__ import annotations

import ipaddress
import json
import logging
import math
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from stepdown.config import Token
from stepdown.control.refusals import ProblemError
from stepdown.control.state import ControllerState
from stepdown.control.tokens import Brake, Role, allows, holder, presented
from stepdown.telemetry.log import fields

TYPE_PREFIX = "urn:stepdown:problem:"
CALLER: web.RequestKey[Token] = web.RequestKey("caller", Token)
"""Whose token the request carries."""

_logger = logging.getLogger(__name__)
_READING = {"GET", "HEAD"}
_TAKES_MEMBERS = "takes_members"

Call = TypeVar("Call", bound=Callable[..., Any])


class Refusal(Exception):  # noqa: N818 - it is an answer, and not everything refused is an error
    """The request ends here with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: str, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = problem
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def takes_members(handler: Call) -> Call:
    """Mark a call that reads its body itself; of the others' nothing is read, so nothing may be sent."""
    setattr(handler, _TAKES_MEMBERS, True)
    return handler


def problem_response(
    status: int, problem: str, detail: str, headers: dict[str, str] | None = None, **more: object
) -> web.Response:
    """An RFC 9457 problem; `more` are extension members."""
    content = {
        "type": TYPE_PREFIX + problem,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return web.Response(
        text=json.dumps(content), status=status, content_type="application/problem+json", headers=headers
    )


def gate(state: ControllerState, hosts: frozenset[str]) -> Middleware:
    """The middleware that makes these checks, and answers with the problem that a call ends with.

    `hosts` are names that `Host` may carry besides local ones.
    """
    brake = Brake()

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check_host(request, hosts.union(state.admin_hosts))
            _check_browser(request)
            caller = request[CALLER] = _caller(request, state, brake)
            if request.match_info.http_exception is None:
                _check_role(request, caller)
                await _check_content(request, takes_members=getattr(request.match_info.handler, _TAKES_MEMBERS, False))
            return await handler(request)
        except Refusal as refusal:
            return problem_response(refusal.status, refusal.problem, refusal.detail, refusal.headers)
        except ProblemError as error:
            return problem_response(error.status, error.problem, error.detail, None, **error.more)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return problem_response(405, "method-not-allowed", f"Allowed here: {allowed}.", {"Allow": allowed})
        except web.HTTPNotFound:
            return problem_response(404, "not-found", "There is no such resource.")
        except web.HTTPRequestEntityTooLarge:
            return problem_response(413, "body-too-large", "The body is longer than any call needs.")

    return checked


def _check_host(request: web.Request, hosts: frozenset[str]) -> None:
    """`Host` must be an address that leads here or a name from the configuration; the port may be a forwarded one."""
    given = request.headers.getall("Host", [])
    name = _host_name(given[0]) if len(given) == 1 else ""
    local = request.get_extra_info("sockname")
    if name == "localhost" or name in hosts or (local and _is_local(name, str(local[0]))):
        return
    raise Refusal(403, "host-not-allowed", "The Host header names neither this address nor a configured name.")


def _host_name(host: str) -> str:
    """The host without its port, lower case; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_local(name: str, local: str) -> bool:
    """Whether `name` is an IP address, of this machine's loopback or the one that the connection came to.

    A page that rebinds DNS has a name in `Host`, never an address.
    """
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address == ipaddress.ip_address(local.partition("%")[0])


def _check_browser(request: web.Request) -> None:
    if "Origin" in request.headers:
        raise Refusal(403, "cross-site", "Requests with an Origin header are refused: no web page may call this.")
    if any(site not in {"none", "same-origin"} for site in request.headers.getall("Sec-Fetch-Site", [])):
        raise Refusal(403, "cross-site", "A page of another site caused this request.")


def _caller(request: web.Request, state: ControllerState, brake: Brake) -> Token:
    address = request.remote or ""
    now = time.monotonic()
    if wait := brake.wait(address, now):
        detail = "Too many wrong tokens came from this address."
        raise Refusal(429, "too-many-failures", detail, Retry_After=str(math.ceil(wait)))
    authorization = request.headers.getall("Authorization", [])
    if not authorization:
        raise Refusal(401, "unauthorized", "A bearer token is needed.", WWW_Authenticate='Bearer realm="stepdown"')
    caller = holder(presented(authorization) or "", state.tokens)
    if caller is None:
        brake.failed(address, now)
        event = "admin call with a wrong token" if state.tokens else "admin call refused: no tokens are configured"
        _logger.warning(event, extra=fields(address=address, path=request.path))
        challenge = 'Bearer realm="stepdown", error="invalid_token"'
        raise Refusal(401, "unauthorized", "The token is not valid.", WWW_Authenticate=challenge)
    return caller


def _check_role(request: web.Request, caller: Token) -> None:
    needed: Role = "view" if request.method in _READING else "operate"
    if not allows(caller, needed):
        challenge = f'Bearer realm="stepdown", error="insufficient_scope", scope="{needed}"'
        raise Refusal(403, "forbidden", f"This needs the role {needed}.", WWW_Authenticate=challenge)


async def _check_content(request: web.Request, *, takes_members: bool) -> None:
    if request.method in _READING:
        return
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise Refusal(415, "unsupported-media-type", "Send Content-Type: application/json.", Accept="application/json")
    if not takes_members and b"".join((await request.read()).split()) not in {b"", b"{}"}:
        raise Refusal(400, "bad-request", "The call takes no members: send {} or nothing.")
